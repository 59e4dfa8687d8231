"""Means, differences and wins over needs, and pools that tell of no system."""

from hypothesis import given
from hypothesis import strategies as st

from matching.evaluation.comparison import differences_of, figures_of, intervals_of, win_loss
from matching.evaluation.pool import pooled, pools

OURS = {"q1": {"ndcg@10": 0.5, "recall@50": 1.0}, "q2": {"ndcg@10": 1.0, "recall@50": None}}
OTHER = {"q1": {"ndcg@10": 0.75, "recall@50": 0.5}, "q2": {"ndcg@10": 0.25, "recall@50": None}}


def test_a_need_of_which_a_metric_says_nothing_is_left_out() -> None:
    means = intervals_of(OURS)
    assert (means["ndcg@10"].mean, means["ndcg@10"].needs) == ((0.5 + 1.0) / 2, 2)
    assert (means["recall@50"].mean, means["recall@50"].needs) == (1.0, 1)
    found = differences_of(OURS, OTHER)
    assert found["ndcg@10"].mean == ((0.5 - 0.75) + (1.0 - 0.25)) / 2
    assert found["recall@50"].mean == 1.0 - 0.5


def test_the_worst_loss_comes_first() -> None:
    found = win_loss({"ours": OURS, "other": OTHER}, "ours", "other", {"q1": "枸杞", "q2": "废水"})
    assert [(need.need, need.title, need.difference) for need in found.needs] == [
        ("q1", "枸杞", -0.25),
        ("q2", "废水", 0.75),
    ]
    assert found.counts == (1, 0, 1)
    assert found.as_json()["lost"] == 1


def test_a_list_without_anything_relevant_has_no_recall() -> None:
    figures = figures_of(["a"], {"a": 1})
    assert (figures["recall@50"], figures["ndcg@10"]) == (None, 1.0)


LISTS = st.lists(st.permutations([f"d{number}" for number in range(12)]), min_size=1, max_size=4)


@given(LISTS, st.integers(1, 12))
def test_a_pool_is_the_union_and_its_order_tells_of_no_system(lists: list[list[str]], depth: int) -> None:
    found = pooled(lists, depth, 7, "q")
    assert sorted(found) == sorted({document for ranked in lists for document in ranked[:depth]})
    assert found == pooled(lists[::-1], depth, 7, "q")
    # The same documents come in the same order, whatever rank they had.
    whole = pooled(lists, 12, 7, "q")
    assert found == [document for document in whole if document in found]


def test_seeds_and_needs_have_orders_of_their_own() -> None:
    documents = [f"d{number}" for number in range(20)]
    runs = {"one": {"q1": documents, "q2": documents}}
    found = pools(runs, ["q1", "q2"], 20, 1)
    assert len({tuple(found["q1"]), tuple(found["q2"]), tuple(pooled([documents], 20, 2, "q1")), tuple(documents)}) == 4
