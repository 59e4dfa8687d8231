"""Calibration: expectations that can be recomputed by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.learning.calibration import expected_calibration_error, reliability

PAIRS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def test_table_of_two_bins() -> None:
    low, high = reliability([0.1, 0.3, 0.5, 1.0], [0, 1, 1, 1], bins=2)
    assert (low.count, low.stated, low.happened) == (2, pytest.approx(0.2), 0.5)
    assert (high.count, high.stated, high.happened) == (2, 0.75, 1.0)


def test_an_edge_belongs_to_the_bin_above_and_one_to_the_last() -> None:
    assert [each.count for each in reliability([0.29, 1.0], [0, 1], bins=100) if each.count] == [1, 1]
    assert reliability([0.29], [0], bins=100)[29].count == 1
    assert reliability([1.0], [1], bins=10)[9].count == 1


def test_error_is_weighted_by_the_bins_sizes() -> None:
    # three pairs at 0.9 of which one came true, one pair at 0.1 that did not
    expected = 3 / 4 * abs(0.9 - 1 / 3) + 1 / 4 * 0.1
    assert expected_calibration_error([0.9, 0.9, 0.9, 0.1], [1, 0, 0, 0]) == pytest.approx(expected)


def test_nothing_has_no_error() -> None:
    assert expected_calibration_error([], []) == 0.0


def test_true_probabilities_come_near_zero() -> None:
    random = np.random.default_rng(1)
    stated = random.random(50_000)
    assert expected_calibration_error(stated, random.random(50_000) < stated) < 0.015


@given(PAIRS, st.integers(1, 20))
def test_lies_between_the_whole_difference_and_one(pairs: list[tuple[float, bool]], bins: int) -> None:
    stated, happened = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    error = expected_calibration_error(stated, happened, bins)
    # by the triangle inequality no binning hides the difference of the two means
    assert abs(np.mean(stated) - np.mean(happened)) - 1e-9 <= error <= 1 + 1e-9


@given(PAIRS)
def test_every_pair_is_counted_once(pairs: list[tuple[float, bool]]) -> None:
    table = reliability([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    assert sum(each.count for each in table) == len(pairs)
    assert all(each.low - 1e-9 <= each.stated <= each.high + 1e-9 for each in table if each.count)


@pytest.mark.parametrize(
    ("stated", "labels", "bins", "named"),
    [
        ([0.5], [1, 0], 10, "one length"),
        ([1.5], [1], 10, "between 0 and 1"),
        ([float("nan")], [1], 10, "between 0 and 1"),
        ([0.5], [2], 10, "0 or 1"),
        ([0.5], [1], 0, "bins"),
    ],
)
def test_what_is_refused(stated: list[float], labels: list[int], bins: int, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        expected_calibration_error(stated, labels, bins)
