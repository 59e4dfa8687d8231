"""Dates are those of the market's own wall clock (Asia/Shanghai), instants are timestamps with a zone."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

MARKET_ZONE = ZoneInfo("Asia/Shanghai")
# For work that goes on while time does; tests hand in their own.
Clock = Callable[[], datetime]


def now() -> datetime:
    """This instant, with its zone."""
    return datetime.now(UTC)


def today() -> date:
    """Today where the market is: at 20:00 UTC it is already tomorrow there."""
    return datetime.now(MARKET_ZONE).date()
