"""Instants as callers write them: with a zone, and in a year that every calendar, zone and database can count in."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime
from pydantic_core import PydanticCustomError

FIRST_YEAR, LAST_YEAR = 1900, 2999


def within_years(instant: datetime) -> datetime:
    """An instant of a year that can be counted in.

    At the ends of the years of `datetime` another zone lies beyond them, and the driver of the database takes the first and
    the last instant for minus and plus infinity, which come back without a zone.

    Raises:
        PydanticCustomError: an earlier or a later year.
    """
    if not FIRST_YEAR <= instant.year <= LAST_YEAR:
        raise PydanticCustomError(
            "instant_range",
            "the year must lie between {first} and {last}",
            {"first": FIRST_YEAR, "last": LAST_YEAR},
        )
    return instant


Instant = Annotated[AwareDatetime, AfterValidator(within_years)]
