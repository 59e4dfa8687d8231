"""From decisions to rows: the latest counts, snoozes and codes that say nothing of the fit make none."""

from uuid import UUID

import numpy as np
import pytest

from matching.learning.examples import HALF, NOT_ABOUT_FIT, Decided, training_rows, weight_of
from matching.learning.folds import folds_of
from matching.learning.propensity import HEAVIEST, inverse_propensity, steepness
from service.taxonomy.schemas import DeclineCode


def decided(need: int, outcome: int, action: str = "accept", code: str | None = None, **changes: object) -> Decided:
    values: dict[str, object] = {"rank": 1, "model_version": "default-2", "raw": {"semantic": 0.5}} | changes
    return Decided(UUID(int=need), UUID(int=outcome), action, code, **values)  # type: ignore[arg-type]


def test_labels_weights_and_what_is_not_stated() -> None:
    rows = training_rows(
        [
            decided(1, 1, rank=3),
            decided(1, 2, "decline", "too_early", raw={"semantic": None, "gone": 0.4}),
            decided(2, 3, "decline", "other", raw={"semantic": 0.25, "title": 1}),
        ],
        ["semantic", "title"],
    )
    assert rows.labels.tolist() == [1.0, 0.0, 0.0]
    assert rows.weights.tolist() == [1.0, 1.0, 0.5]
    assert rows.ranks.tolist() == [3, 1, 1]
    assert rows.needs.tolist() == [0, 0, 1]
    assert rows.need_ids == (UUID(int=1), UUID(int=2))
    np.testing.assert_array_equal(rows.raw, [[0.5, np.nan], [np.nan, np.nan], [0.25, 1.0]])


def test_the_latest_decision_counts_and_a_snooze_takes_a_label_back() -> None:
    rows = training_rows(
        [decided(1, 1, "decline", "vague"), decided(1, 2), decided(1, 1), decided(1, 2, "snooze")], ["semantic"]
    )
    assert rows.labels.tolist() == [1.0]


@pytest.mark.parametrize("code", sorted(NOT_ABOUT_FIT))
def test_codes_that_leave_the_fit_open_make_no_row(code: str) -> None:
    assert len(training_rows([decided(1, 1, "decline", code)], ["semantic"])) == 0


def test_every_code_that_is_treated_apart_is_a_code_of_the_list() -> None:
    assert set(DeclineCode) >= NOT_ABOUT_FIT | HALF
    others = set(DeclineCode) - NOT_ABOUT_FIT - HALF
    assert {weight_of(decided(1, 1, "decline", code)) for code in others} == {1.0}


def test_no_decision_makes_no_row_and_no_error() -> None:
    rows = training_rows([], ["semantic", "title"])
    assert (len(rows), rows.need_count, rows.raw.shape) == (0, 0, (0, 2))


def test_taking_rows_keeps_them_whole() -> None:
    rows = training_rows([decided(need, outcome) for need in (1, 2) for outcome in (1, 2)], ["semantic"])
    assert rows.take(rows.needs == 1).needs.tolist() == [1, 1]
    assert rows.take(np.array([3, 0])).needs.tolist() == [1, 0]


def test_a_need_lies_in_one_fold_and_folds_are_alike_in_size() -> None:
    needs = np.repeat(np.arange(20), 5)
    folds = folds_of(needs, 4, seed=1)
    assert all(len(set(folds[needs == need])) == 1 for need in range(20))
    assert np.bincount(folds).tolist() == [25, 25, 25, 25]
    assert (folds_of(needs, 4, seed=2) != folds).any()


def test_the_steepness_of_ranks_is_found_again() -> None:
    random = np.random.default_rng(3)
    shares = np.arange(1, 31) ** -0.7
    ranks = random.choice(np.arange(1, 31), size=20_000, p=shares / shares.sum())
    assert steepness(ranks) == pytest.approx(0.7, abs=0.03)
    assert steepness(ranks[:0]) == 0.0


def test_weights_grow_with_the_rank_up_to_a_bound_and_average_to_one() -> None:
    weights = inverse_propensity(np.array([1, 4, 100]), 0.5)
    total = (1 + 2 + HEAVIEST) / 3
    assert weights.tolist() == pytest.approx([1 / total, 2 / total, HEAVIEST / total])
    assert inverse_propensity(np.array([1, 50]), 0.0).tolist() == [1.0, 1.0]
