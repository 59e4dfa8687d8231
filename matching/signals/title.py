"""How near the two titles lie: what people put first says most."""

import numpy as np

from matching.signals.base import Pair, Signal, cosine_share
from matching.types import Reading


def read(pair: Pair) -> Reading:
    """Cosine of the two titles' vectors, each read with its whole text around it."""
    return Reading(cosine_share(float(np.dot(pair.need.encoded.passages[0], pair.outcome.encoded.passages[0]))))


TITLE = Signal("title", read)
