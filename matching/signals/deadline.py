"""Whether the outcome can be in use by the day that the need names."""

from datetime import date

from matching.signals.base import Pair, Signal
from matching.types import Evidence, Reading

# A rule of thumb of ours, which no standard gives: half a year of work for each level up to the first at which the product
# or process is settled and made in small series (TRL 8).
USABLE_FROM = 8
MONTHS_PER_LEVEL = 6


def read(pair: Pair) -> Reading:
    """The months left as a share of the months that an outcome of its TRL still takes, at most 1; 1 if it takes none.

    0 and a conflict where the day has passed. None where the need names no day, or the day lies ahead and the outcome
    states no maturity.
    """
    needed_by, reached = pair.need.profile.facets.needed_by, pair.outcome.profile.facets.maturity
    if needed_by is None:
        return Reading(None)
    day = needed_by.isoformat()
    if needed_by < pair.today:
        return Reading(0.0, (Evidence("deadline_passed", (day,)),), conflict="deadline_passed")
    if reached is None:
        return Reading(None)
    takes, left = months_until_usable(reached), months_between(pair.today, needed_by)
    if left >= takes:
        return Reading(1.0, (Evidence("in_time", (day, str(reached))),))
    return Reading(left / takes, (Evidence("too_late", (day, str(reached), str(takes))),))


def months_until_usable(maturity: int) -> int:
    """Months that an outcome of a TRL takes until it can be used, by the rule of thumb.

    >>> months_until_usable(6), months_until_usable(9)
    (12, 0)
    """
    return MONTHS_PER_LEVEL * max(0, USABLE_FROM - maturity)


def months_between(start: date, end: date) -> float:
    """Calendar months from a day to a later one, so that the same day of the next year is 12; a day is a 31st of a month.

    >>> months_between(date(2026, 1, 31), date(2027, 1, 31)), round(months_between(date(2026, 1, 1), date(2026, 2, 16)), 3)
    (12.0, 1.484)
    """
    return 12 * (end.year - start.year) + end.month - start.month + (end.day - start.day) / 31


DEADLINE = Signal("deadline", read)
