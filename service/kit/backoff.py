"""When something that failed is tried again: sooner at first, and given up after three days."""

from datetime import timedelta
from typing import Final

# Waiting times before the second try, the third, and so on: 71 hours and 40 minutes together.
DELAYS: Final = tuple(
    timedelta(minutes=minutes) for minutes in (0.5, 2, 7.5, 30, 60, 3 * 60, 7 * 60, 12 * 60, 18 * 60, 30 * 60)
)
# Tries that failed together shall not come back together.
SPREAD: Final = 0.1


def delay_after(failures: int, chance: float) -> timedelta | None:
    """How long to wait after so many failures in a row (1 or more); None: give up.

    `chance`, from 0 up to 1, moves it by a tenth at most either way.

    >>> delay_after(1, 0.5), delay_after(11, 0.5)
    (datetime.timedelta(seconds=30), None)
    """
    if failures > len(DELAYS):
        return None
    return DELAYS[failures - 1] * (1 + SPREAD * (2 * chance - 1))
