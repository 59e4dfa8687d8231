"""The look ahead: what another model would change in stored lists, by hand."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.fusion import RankingModel, Term
from matching.learning.shadow import Shadow, StoredPair, shadow

MODEL = RankingModel("m", 0.0, {"one": Term(1.0, 0.5)}, (0.7, 0.4, 0.1))


def pairs(*raw: float | None) -> list[StoredPair]:
    return [StoredPair(UUID(int=number), {"one": each}) for number, each in enumerate(raw)]


def test_a_list_in_the_models_own_order_does_not_change() -> None:
    assert shadow([pairs(0.9, 0.5, 0.1)], MODEL) == Shadow(1, 0, 0, 0, 1.0, 1.0)


def test_a_list_turned_round() -> None:
    assert shadow([pairs(0.1, 0.5, 0.9)], MODEL) == Shadow(1, 1, 1, 0, 1.0, -1.0)


def test_one_pair_that_comes_into_the_first_ten() -> None:
    falling = [0.9 - 0.02 * place for place in range(10)]
    found = shadow([pairs(*falling, 0.95), pairs(0.9, 0.1)], MODEL)
    # the newcomer takes the first place, so ten pairs of the 55 change their order
    first = 1 - 2 * 10 / 55
    assert (found.lists, found.changed_order, found.changed_first, found.changed_members) == (2, 1, 1, 1)
    assert (found.overlap, found.tau) == pytest.approx(((0.9 + 1.0) / 2, (first + 1.0) / 2))


def test_lists_of_one_pair_and_no_list_say_nothing() -> None:
    assert shadow([pairs(0.4)], MODEL).lists == shadow([], MODEL).lists == 0


def test_what_is_not_stated_stands_at_neutral_and_equal_scores_keep_their_order() -> None:
    assert shadow([pairs(0.6, None, 0.5, 0.4)], MODEL).changed_order == 0


@given(st.lists(st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=2, max_size=30), min_size=1, max_size=4))
def test_figures_stay_in_their_ranges(raw: list[list[float | None]]) -> None:
    found = shadow([pairs(*each) for each in raw], MODEL)
    assert 0 <= found.overlap <= 1
    assert -1 - 1e-9 <= found.tau <= 1 + 1e-9
    assert found.changed_first <= found.changed_order <= found.lists
