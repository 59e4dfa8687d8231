"""What a measurement gives back."""

import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """A value, and another of the same run that it is compared with."""

    what: str
    value: float
    unit: str
    against: str = ""
    base: float | None = None

    def cells(self) -> tuple[str, str, str, str, str]:
        """A row of the table."""
        base = "" if self.base is None else f"{self.base:,.2f} {self.unit}"
        ratio = "" if not self.base else f"{self.value / self.base:.2f}"
        # Shares have no unit, and their third decimal matters.
        value = f"{self.value:,.2f} {self.unit}" if self.unit else f"{self.value:.4f}"
        return self.what, value, self.against, base, ratio


async def median_ms(action: Callable[[], Awaitable[object]], rounds: int) -> float:
    """Median time of an action, in milliseconds, after a tenth of the rounds to warm up."""
    for _ in range(max(1, rounds // 10)):
        await action()
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        await action()
        times.append((time.perf_counter() - begun) * 1000)
    return median(times)


async def medians_ms(actions: Sequence[Callable[[], Awaitable[object]]], rounds: int) -> list[float]:
    """Median time of each action in milliseconds, taken in turns, so that what else the machine does meets all alike.

    Each round has an order of its own: the first of two that are much alike finds the caches cold, and warms them for the
    second.
    """
    times: list[list[float]] = [[] for _ in actions]
    turns = list(zip(actions, times, strict=True))
    chance = random.Random(1)
    for number in range(-max(1, rounds // 10), rounds):
        chance.shuffle(turns)
        for action, taken in turns:
            begun = time.perf_counter()
            await action()
            if number >= 0:
                taken.append((time.perf_counter() - begun) * 1000)
    return [median(taken) for taken in times]
