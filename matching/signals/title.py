"""How well the words of the need's title are answered: what people put first says most."""

from matching.signals.base import Pair, Signal
from matching.signals.interaction import answers, weighted
from matching.types import Reading


def read(pair: Pair) -> Reading:
    """As the signal `interaction`, over the tokens of the title alone, each read with its whole text around it.

    The outcome answers with any of its tokens, not only its title's: what a need is named after is often a part of what
    an outcome is about.
    """
    found = answers(pair)
    if found is None:
        return Reading(None)
    need, nearest = found
    return Reading(weighted(nearest[need.of_title], need.weights[need.of_title]))


TITLE = Signal("title", read)
