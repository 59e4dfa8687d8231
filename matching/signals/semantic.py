"""How near the two texts lie as a whole."""

import numpy as np

from matching.signals.base import Pair, Signal, cosine_share
from matching.types import Reading


def read(pair: Pair) -> Reading:
    """Cosine of the two document vectors."""
    return Reading(cosine_share(float(np.dot(pair.need.encoded.vector, pair.outcome.encoded.vector))))


SEMANTIC = Signal("semantic", read)
