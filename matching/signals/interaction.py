"""How well each token of the need is answered by some token of the outcome, rare tokens counting more."""

import math

import numpy as np

from matching.signals.base import Pair, Signal, cosine_share
from matching.types import Floats, Reading


def read(pair: Pair) -> Reading:
    """Weighted root mean square, over the need's tokens, of the cosine with the outcome's nearest one.

    Late interaction as in Khattab and Zaharia 2020 (ColBERT, arXiv:2004.12832), each token weighted by its inverse
    document frequency among outcomes. Squares, because a few tokens that are met exactly say more than many that are
    met by halves. None where a side was stored before token vectors were.
    """
    if pair.answers is None:
        return Reading(None)
    return Reading(math.sqrt(weighted(np.maximum(pair.answers.nearest, 0) ** 2, pair.answers.asking.weights)))


def weighted(nearest: Floats, weights: Floats) -> float:
    """The weighted mean of cosines as a number from 0 to 1; where nothing has weight, the plain one."""
    total = float(weights.sum())
    return cosine_share(float(nearest @ weights) / total if total > 0 else float(nearest.mean()))


INTERACTION = Signal("interaction", read)
