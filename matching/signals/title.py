"""How well the words of the need's title are answered: what people put first says most."""

from matching.signals.base import Pair, Signal
from matching.signals.interaction import weighted
from matching.types import Reading


def read(pair: Pair) -> Reading:
    """Weighted mean, over the title's tokens, of the cosine with the outcome's nearest one, each read with its whole text.

    The outcome answers with any of its tokens, not only its title's: what a need is named after is often a part of what
    an outcome is about. None where a side was stored before token vectors were, or the model knows no token of the title.
    """
    if pair.answers is None or not pair.answers.asking.of_title.any():
        return Reading(None)
    asked = pair.answers.asking
    return Reading(weighted(pair.answers.nearest[asked.of_title], asked.weights[asked.of_title]))


TITLE = Signal("title", read)
