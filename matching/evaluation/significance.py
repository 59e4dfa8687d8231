"""How sure a mean over needs is: the percentile bootstrap (Efron and Tibshirani 1993, chapter 13).

Two systems are compared on the same needs, so what is resampled is their difference need by need (Sakai 2006): a hard
need is hard for both, and only what sets them apart is left.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 10_000
CONFIDENCE = 0.95
SEED = 20_260_101
# Resamples drawn at a time: thousands of needs must not take gigabytes.
BLOCK = 500


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over `needs` needs with its 95 % interval; `below` is the share of resamples with a mean below 0."""

    mean: float
    low: float
    high: float
    below: float
    needs: int

    @property
    def is_decided(self) -> bool:
        """Whether the whole interval lies on one side of 0."""
        return self.low > 0 or self.high < 0

    def as_json(self) -> dict[str, float]:
        """The interval under the names of the report file."""
        return {"mean": self.mean, "low": self.low, "high": self.high, "below": self.below, "needs": self.needs}


def bootstrap(values: Sequence[float]) -> Interval:
    """The mean of one value a need, and where it would lie with other needs of the same kind.

    The same values give the same interval at every run: the resamples are drawn with a fixed seed.

    >>> bootstrap([0.0, 0.0, 0.0])
    Interval(mean=0.0, low=0.0, high=0.0, below=0.0, needs=3)

    Raises:
        ValueError: there is no value.
    """
    if not len(values):
        raise ValueError("a mean needs at least one value")
    array = np.asarray(values, dtype=np.float64)
    generator = np.random.default_rng(SEED)
    means = np.concatenate(
        [
            array[generator.integers(len(array), size=(BLOCK, len(array)))].mean(axis=1)
            for _ in range(RESAMPLES // BLOCK)
        ]
    )
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, (tail, 1 - tail))
    return Interval(float(array.mean()), float(low), float(high), float((means < 0).mean()), len(array))


def paired_bootstrap(ours: Sequence[float], baseline: Sequence[float]) -> Interval:
    """The mean difference of two systems over the same needs, in the same order.

    >>> paired_bootstrap([0.75, 1.0], [0.5, 0.5]).mean
    0.375

    Raises:
        ValueError: the two are not of one length, or empty.
    """
    if len(ours) != len(baseline):
        raise ValueError(f"{len(ours)} values cannot be paired with {len(baseline)}")
    return bootstrap([one - other for one, other in zip(ours, baseline, strict=True)])
