"""Waiting times between tries."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from service.kit.backoff import DELAYS, delay_after


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=len(DELAYS), max_size=len(DELAYS)))
def test_all_waits_together_are_about_three_days(chances: list[float]) -> None:
    waits = [delay_after(failures, chance) for failures, chance in enumerate(chances, 1)]
    total = sum((wait for wait in waits if wait is not None), timedelta())
    # 71 h 40 min, and a tenth at most either way.
    assert timedelta(hours=64) < total < timedelta(hours=79)
    assert None not in waits
    assert delay_after(len(DELAYS) + 1, chances[0]) is None


@given(st.integers(1, len(DELAYS) - 1), st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
def test_each_wait_is_longer_than_the_one_before(failures: int, one: float, other: float) -> None:
    first, second = delay_after(failures, one), delay_after(failures + 1, other)
    assert first is not None
    assert second is not None
    assert timedelta(seconds=25) < first < second
