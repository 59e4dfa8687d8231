"""How near some passage of the outcome lies to the need's title: what people put first says most."""

from matching.signals.base import Pair, Signal, cosine_share
from matching.types import Reading


def read(pair: Pair) -> Reading:
    """Cosine of the need's title and the outcome's nearest passage, each read with its whole text around it.

    Any passage, not only the title: what a need is named after is often a part of what an outcome is about.
    """
    return Reading(cosine_share(float((pair.outcome.encoded.passages @ pair.need.encoded.passages[0]).max())))


TITLE = Signal("title", read)
