"""Business days around 国庆 2026 by hand, and against the published calendar for every day that it has."""

from datetime import UTC, date, datetime, timedelta

import pytest
from chinese_calendar import is_workday
from chinese_calendar.constants import holidays, workdays
from hypothesis import given
from hypothesis import strategies as st

from service.cases.business_days import (
    PUBLISHED,
    add_business_days,
    before_due,
    is_business_day,
    subtract_business_days,
    term_of,
)

YEARS = st.dates(date(min(PUBLISHED), 1, 1), date(2026, 9, 1))


def test_the_calendar_of_this_year_is_published() -> None:
    """国务院办公厅 gave 1 to 7 October, and work on Sunday 20 September and Saturday 10 October."""
    assert 2026 in PUBLISHED
    free = {day for day in holidays if day.year == 2026 and day.month == 10}
    assert free == {date(2026, 10, each) for each in range(1, 8)}
    assert {date(2026, 9, 20), date(2026, 10, 10)} <= set(workdays)


@pytest.mark.parametrize(
    ("begun", "days", "last"),
    [
        # Sunday 20 September is worked for the holiday.
        (date(2026, 9, 18), 1, date(2026, 9, 20)),
        (date(2026, 9, 30), 1, date(2026, 10, 8)),
        # 8, 9, and Saturday 10 October.
        (date(2026, 9, 30), 3, date(2026, 10, 10)),
        (date(2026, 9, 30), 4, date(2026, 10, 12)),
        # 中秋 is Friday 25 to Sunday 27 September.
        (date(2026, 9, 24), 1, date(2026, 9, 28)),
        (date(2026, 10, 3), 1, date(2026, 10, 8)),
    ],
)
def test_days_around_the_national_day(begun: date, days: int, last: date) -> None:
    assert add_business_days(begun, days) == last


def test_a_term_ends_with_the_day_of_the_market() -> None:
    # 20:00 UTC on the 29th is the 30th in Shanghai already.
    term = term_of(datetime(2026, 9, 29, 20, tzinfo=UTC), 1)
    assert term.due == datetime(2026, 10, 8, 15, 59, 59, tzinfo=UTC)
    assert not term.provisional
    assert before_due(term.due, 1) == datetime(2026, 9, 30, 1, tzinfo=UTC)


def test_a_year_that_is_not_published_counts_weekdays_and_says_so() -> None:
    unknown = max(PUBLISHED) + 1
    assert not any(day.year == unknown for day in holidays)
    begun = datetime(unknown - 1, 12, 31, 4, tzinfo=UTC)
    assert term_of(begun, 1).provisional
    day = date(unknown, 6, 1)
    for _ in range(14):
        assert is_business_day(day) == (day.weekday() < 5)
        day += timedelta(days=1)


@given(YEARS, st.integers(1, 40))
def test_so_many_days_of_work_lie_between(begun: date, days: int) -> None:
    """By the library's own word on each day, one by one."""
    last = add_business_days(begun, days)
    between = [begun + timedelta(days=each) for each in range(1, (last - begun).days + 1)]
    assert sum(is_workday(day) for day in between) == days
    assert is_workday(last)


@given(YEARS, st.integers(1, 40))
def test_back_and_forth_meet(begun: date, days: int) -> None:
    last = add_business_days(begun, days)
    back = subtract_business_days(last, days)
    # From a free day one comes back to the day of work before it.
    assert back <= begun
    assert not any(is_workday(back + timedelta(days=each)) for each in range(1, (begun - back).days + 1))


@given(YEARS, st.integers(1, 20), st.integers(1, 20))
def test_terms_add_up(begun: date, one: int, other: int) -> None:
    assert add_business_days(add_business_days(begun, one), other) == add_business_days(begun, one + other)
