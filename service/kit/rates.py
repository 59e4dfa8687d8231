"""Rates, and what a bucket says of itself (draft-ietf-httpapi-ratelimit-headers-10)."""

import math
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic

_RATE = re.compile(r"^([1-9]\d{0,8})/(second|minute|hour|day)$")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True, slots=True)
class Rate:
    """So many units in so many seconds. All of them may be taken at once; they come back one by one."""

    quota: int
    window_seconds: int

    def seconds_for(self, cost: int) -> float:
        """Seconds in which `cost` units come back; never more than the whole quota is asked for."""
        return min(cost, self.quota) * self.window_seconds / self.quota


def parse_rate(text: str) -> Rate | None:
    """A rate as settings write it; None for 0, which is no limit.

    >>> parse_rate("600/minute"), parse_rate("0")
    (Rate(quota=600, window_seconds=60), None)

    Raises:
        ValueError: it is neither.
    """
    if text.strip() == "0":
        return None
    found = _RATE.match(text.strip())
    if not found:
        raise ValueError("must be a rate such as 600/minute (second, minute, hour or day), or 0 for none")
    return Rate(int(found.group(1)), _SECONDS[found.group(2)])


@dataclass(frozen=True, slots=True)
class Standing:
    """What a bucket says after a request: units left, seconds until it is full, seconds to wait where it refuses."""

    name: str
    rate: Rate
    remaining: int
    full_in_seconds: int
    wait_seconds: int = 0

    @property
    def refuses(self) -> bool:
        """Whether the request has to wait."""
        return self.wait_seconds > 0


def standing(name: str, rate: Rate, full_in: float, cost: int, *, taken: bool) -> Standing:
    """A bucket's standing from the seconds until it is full, after taking `cost` or before it was refused.

    >>> standing("key", Rate(60, 60), 20.0, 1, taken=True).remaining
    40
    >>> standing("key", Rate(60, 60), 59.5, 5, taken=False).wait_seconds
    5
    """
    full_in = min(max(full_in, 0.0), float(rate.window_seconds))
    remaining = math.floor((rate.window_seconds - full_in) * rate.quota / rate.window_seconds + 1e-6)
    wait = 0 if taken else max(1, math.ceil(full_in + rate.seconds_for(cost) - rate.window_seconds))
    return Standing(name, rate, remaining, math.ceil(full_in), wait)


def rate_headers(standings: Iterable[Standing]) -> dict[str, str]:
    """The two header fields, lists of structured fields (RFC 9651); none where nothing is limited.

    >>> rate_headers([Standing("key", Rate(600, 60), 599, 1)])
    {'RateLimit-Policy': '"key";q=600;w=60', 'RateLimit': '"key";r=599;t=1'}
    """
    told = list(standings)
    if not told:
        return {}
    return {
        "RateLimit-Policy": ", ".join(f'"{s.name}";q={s.rate.quota};w={s.rate.window_seconds}' for s in told),
        "RateLimit": ", ".join(f'"{s.name}";r={s.remaining};t={s.full_in_seconds}' for s in told),
    }


class LocalBuckets:
    """Buckets of one process, by address: for those of whom nothing but the address is known.

    The number of buckets is bounded; the one that was asked longest ago goes first.
    """

    MOST = 50_000

    def __init__(self, name: str, rate: Rate, clock: Callable[[], float] = monotonic) -> None:
        self.name = name
        self.rate = rate
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def look(self, subject: str, cost: int = 1) -> Standing:
        """How a bucket would answer, without taking anything."""
        full_in = self._full_in(subject)
        fits = full_in + self.rate.seconds_for(cost) <= self.rate.window_seconds
        return standing(self.name, self.rate, full_in, cost, taken=fits)

    def take(self, subject: str, cost: int = 1) -> Standing:
        """Take `cost` units, or nothing where there are fewer (GCRA: one number a bucket, when it will be full)."""
        full_in = self._full_in(subject)
        after = full_in + self.rate.seconds_for(cost)
        if after > self.rate.window_seconds:
            return standing(self.name, self.rate, full_in, cost, taken=False)
        self._full_at[subject] = self._clock() + after
        self._full_at.move_to_end(subject)
        if len(self._full_at) > self.MOST:
            self._full_at.popitem(last=False)
        return standing(self.name, self.rate, after, cost, taken=True)

    def _full_in(self, subject: str) -> float:
        return max(0.0, self._full_at.get(subject, 0.0) - self._clock())
