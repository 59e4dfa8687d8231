"""How far stated probabilities are from what happened: reliability table and expected calibration error.

Source: Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning" (AAAI 2015),
section 2; bins of equal width, as in Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017), equation 3.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bin:
    """Pairs whose probability lies in [`low`, `high`), the last bin closed above.

    `stated` is the mean probability in the bin, `happened` the share of positive labels; both 0.0 in an empty bin.
    """

    low: float
    high: float
    count: int
    stated: float
    happened: float


def reliability(probabilities: ArrayLike, labels: ArrayLike, bins: int = 10) -> tuple[Bin, ...]:
    """The reliability table: `bins` bins of equal width over [0, 1], in ascending order, empty ones included.

    `probabilities` and `labels` are one-dimensional and of one length; labels are 0 or 1 (or booleans).

    >>> [(each.count, each.happened) for each in reliability([0.1, 0.2, 0.9, 1.0], [0, 1, 1, 1], bins=2)]
    [(2, 0.5), (2, 1.0)]

    Raises:
        ValueError: lengths differ, a probability lies outside [0, 1] or is no number, a label is neither 0 nor 1, or
            there is less than one bin.
    """
    stated, happened = _checked(probabilities, labels)
    if bins < 1:
        raise ValueError(f"bins: {bins} given, at least 1 needed")
    edges = np.linspace(0.0, 1.0, bins + 1)
    # Searching the edges, not multiplying: 0.29 * 100 is below 29.
    numbers = np.clip(np.searchsorted(edges, stated, side="right") - 1, 0, bins - 1)
    counts = np.bincount(numbers, minlength=bins)
    divisors = np.maximum(counts, 1)
    means = np.bincount(numbers, weights=stated, minlength=bins) / divisors
    shares = np.bincount(numbers, weights=happened, minlength=bins) / divisors
    return tuple(
        Bin(float(edges[n]), float(edges[n + 1]), int(counts[n]), float(means[n]), float(shares[n]))
        for n in range(bins)
    )


def expected_calibration_error(probabilities: ArrayLike, labels: ArrayLike, bins: int = 10) -> float:
    """Mean distance of stated probability and share of positives over bins, each weighted by its share of the pairs.

    0.0 is perfect, and also the answer where there is no pair.

    >>> expected_calibration_error([0.25, 0.25, 0.25, 0.25, 1.0, 1.0], [0, 0, 0, 1, 1, 1])
    0.0
    >>> round(expected_calibration_error([0.9, 0.9, 0.2], [1, 0, 0]), 3) == round(2 / 3 * 0.4 + 1 / 3 * 0.2, 3)
    True

    Raises:
        ValueError: as `reliability`.
    """
    table = reliability(probabilities, labels, bins)
    total = sum(each.count for each in table)
    return sum(each.count * abs(each.stated - each.happened) for each in table) / total if total else 0.0


def _checked(probabilities: ArrayLike, labels: ArrayLike) -> tuple[Vector, Vector]:
    stated = np.asarray(probabilities, dtype=np.float64)
    happened = np.asarray(labels, dtype=np.float64)
    if stated.ndim != 1 or stated.shape != happened.shape:
        raise ValueError(f"probabilities {stated.shape} and labels {happened.shape}: two rows of one length needed")
    if not ((stated >= 0) & (stated <= 1)).all():
        raise ValueError("probabilities: every one lies between 0 and 1")
    if not np.isin(happened, (0.0, 1.0)).all():
        raise ValueError("labels: every one is 0 or 1")
    return stated, happened
