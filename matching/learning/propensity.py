"""How likely a rank is to be decided on, and what a label from there has to count for it.

A broker works a list from the top, so labels are many at the first ranks and rare further down, and a model fitted on
them would be one of the first ranks. Each label is weighted by the inverse of its rank's propensity, rank^eta, cut off
and brought to a mean of 1 (Joachims, Swaminathan and Schnabel, "Unbiased Learning-to-Rank with Biased Feedback", WSDM
2017, section 4; the propensity model is that of its section 6.1, the mean of 1 is self-normalization after Swaminathan
and Joachims, NeurIPS 2015).

Decisions differ from clicks: a pair without a decision is no label at all, and a decision is read with the listing open.
So the weights mend which pairs are seen, and no trust in the first rank is assumed. Eta is estimated from how decisions
spread over ranks, and held small: weights cost precision, and few labels have little to spare.
"""

import numpy as np
from numpy.typing import NDArray

from matching.fusion.model import Vector

DEEPEST = 50
STEEPEST = 1.0
HEAVIEST = 3.0
# An eta as large as this is as likely as not before any decision is seen: a half-normal prior.
SPREAD = 0.5


def steepness(ranks: NDArray[np.int64]) -> float:
    """Eta of propensity 1 / rank^eta, from 0 to 1: its most probable value given the ranks that were decided on.

    Every rank down to the deepest one decided on is taken to have been there to decide on.

    >>> steepness(np.repeat(np.arange(1, 21), 50))
    0.0
    """
    if len(ranks) == 0:
        return 0.0
    seen = np.minimum(ranks, DEEPEST)
    logs = np.log(np.arange(1, seen.max() + 1))
    total = float(np.log(seen).sum())
    grid = np.linspace(0.0, STEEPEST, 101)
    likely = [-eta * total - len(seen) * np.log(np.exp(-eta * logs).sum()) - eta**2 / (2 * SPREAD**2) for eta in grid]
    return float(grid[int(np.argmax(likely))])


def inverse_propensity(ranks: NDArray[np.int64], eta: float) -> Vector:
    """Weights of labels by the rank they were given at: rank^eta, at most 3, then divided by their mean.

    >>> inverse_propensity(np.array([1, 1]), 0.5).tolist()
    [1.0, 1.0]
    """
    if len(ranks) == 0:
        return np.ones(0)
    weights = np.minimum(ranks.astype(np.float64) ** eta, HEAVIEST)
    normalized: Vector = weights / weights.mean()
    return normalized
