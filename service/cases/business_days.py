"""Business days of mainland China, with public holidays and the workdays that are moved to weekends for them (调休).

The State Council publishes the days of a year shortly before it begins; `chinesecalendar` carries what is published, and
refuses a year that is not. In such a year Mondays to Fridays count here, and a term that touches it says so
(`provisional`): it is counted anew once the year is published.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from chinese_calendar import is_workday
from chinese_calendar.constants import holidays

from service.kit.clock import MARKET_ZONE

PUBLISHED = frozenset(day.year for day in holidays)
# A term ends with the day, and not at the hour at which somebody was asked.
END_OF_DAY = time(23, 59, 59)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Term:
    """The instant that a term ends at, and whether one of its days has no published calendar yet."""

    due: datetime
    provisional: bool


def is_business_day(day: date) -> bool:
    """Whether a day is one of work; Monday to Friday in a year that is not published.

    >>> is_business_day(date(2026, 10, 1)), is_business_day(date(2026, 10, 10))
    (False, True)
    """
    return bool(is_workday(day)) if day.year in PUBLISHED else day.weekday() < 5


def add_business_days(day: date, days: int) -> date:
    """The day that lies so many business days after a day; the day itself does not count. `days` is 1 or more.

    >>> add_business_days(date(2026, 9, 30), 1)
    datetime.date(2026, 10, 8)
    """
    while days:
        day += DAY
        days -= is_business_day(day)
    return day


def subtract_business_days(day: date, days: int) -> date:
    """The day that lies so many business days before a day; 0 is the day itself.

    >>> subtract_business_days(date(2026, 10, 8), 1)
    datetime.date(2026, 9, 30)
    """
    while days:
        day -= DAY
        days -= is_business_day(day)
    return day


def term_of(begun: datetime, days: int) -> Term:
    """The term of so many business days that begins at an instant: it ends with its last day, as the market's clock has it."""
    first = begun.astimezone(MARKET_ZONE).date()
    last = add_business_days(first, days)
    years = range(first.year, last.year + 1)
    return Term(end_of(last), any(year not in PUBLISHED for year in years))


def end_of(day: date) -> datetime:
    """The last second of a day of the market."""
    return datetime.combine(day, END_OF_DAY, MARKET_ZONE)


def before_due(due: datetime, days: int) -> datetime:
    """09:00 of the day that lies so many business days before the day a term ends on."""
    return datetime.combine(subtract_business_days(due.astimezone(MARKET_ZONE).date(), days), time(9), MARKET_ZONE)
