"""The bootstrap against what must hold of any paired comparison, and against a case that is known."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.evaluation.significance import bootstrap, paired_bootstrap

SHARES = st.floats(0, 1, allow_subnormal=False)
PAIRS = st.lists(st.tuples(SHARES, SHARES), min_size=1, max_size=30)


@given(PAIRS)
@settings(max_examples=30)
def test_exchanging_the_systems_turns_the_interval_round(pairs: list[tuple[float, float]]) -> None:
    ours, other = zip(*pairs, strict=True)
    one, reverse = paired_bootstrap(ours, other), paired_bootstrap(other, ours)
    assert reverse.mean == pytest.approx(-one.mean, abs=1e-12)
    assert (reverse.low, reverse.high) == pytest.approx((-one.high, -one.low), abs=1e-12)
    # What is below 0 one way is above it the other way; a resample of ties is neither.
    assert one.below + reverse.below <= 1.0 + 1e-12


@given(st.lists(SHARES, min_size=1, max_size=30))
@settings(max_examples=20)
def test_equal_systems_do_not_differ_at_all(values: list[float]) -> None:
    same = paired_bootstrap(values, values)
    assert (same.mean, same.low, same.high, same.below) == (0.0, 0.0, 0.0, 0.0)
    assert not same.is_decided


@given(PAIRS)
@settings(max_examples=20)
def test_the_interval_lies_within_the_differences(pairs: list[tuple[float, float]]) -> None:
    differences = [ours - other for ours, other in pairs]
    sure = bootstrap(differences)
    assert min(differences) - 1e-12 <= sure.low <= sure.high <= max(differences) + 1e-12
    assert sure.mean == pytest.approx(math.fsum(differences) / len(differences), abs=1e-12)


def test_half_wins_and_half_losses_tell_nothing() -> None:
    # The mean of 100 draws of 1 or -1 has a standard deviation of 0.1; 95 % of them lie within 1.96 of it.
    sure = bootstrap([1.0, -1.0] * 50)
    assert (sure.low, sure.high) == pytest.approx((-0.196, 0.196), abs=0.02)
    # Even sums only: 0 itself takes 8 %, and each side half of the rest.
    assert sure.below == pytest.approx(0.46, abs=0.02)
    assert not sure.is_decided


def test_a_win_at_every_need_is_decided() -> None:
    sure = paired_bootstrap([0.5, 0.75, 1.0], [0.25, 0.25, 0.25])
    assert (sure.mean, sure.below, sure.needs) == (0.5, 0.0, 3)
    assert (sure.low, sure.high) == (0.25, 0.75)
    assert sure.is_decided


def test_a_run_can_be_repeated() -> None:
    values = [0.1, 0.4, 0.35, 0.9]
    assert bootstrap(values) == bootstrap(values)


def test_nothing_and_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        bootstrap([])
    with pytest.raises(ValueError, match="2 values cannot be paired with 1"):
        paired_bootstrap([1.0, 0.0], [1.0])
