"""How many of the need's terms the outcome uses, rare ones counting more."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from matching.index.candidates import Rarity
from matching.index.vocabulary import K1
from matching.profiling.tokens import is_foreign, is_word
from matching.signals.base import Pair, Signal
from matching.types import EmbeddedProfile, Evidence, Floats, Reading

MOST_SHOWN = 6


def read(pair: Pair) -> Reading:
    """Square root of BM25 over what an outcome full of the need's terms would reach.

    A long need is never repeated whole, so its share stays small and a short one's does not; the root brings the two
    nearer together, and one weight serves both. Words of a language that most outcomes are not written in count where they
    are shared, and are not asked for beside the Chinese terms that stand for them.
    """
    need, outcome = pair.need.terms, pair.outcome.terms
    rarity, asked_for = asking(pair.need, pair.rarity)
    if not len(need.identifiers) or not len(outcome.identifiers):
        return Reading(0.0)
    places = np.searchsorted(outcome.identifiers, need.identifiers).clip(max=len(outcome.identifiers) - 1)
    shared = outcome.identifiers[places] == need.identifiers
    parts = np.where(shared, need.weights * rarity * outcome.weights[places], 0.0)
    most = float((need.weights * rarity)[asked_for | shared].sum()) * (K1 + 1)
    if most == 0:
        return Reading(0.0)
    strongest = [int(position) for position in np.argsort(-parts, kind="stable")[:32] if parts[position] > 0]
    return Reading(math.sqrt(min(1.0, float(parts.sum()) / most)), _evidence(pair, strongest))


@lru_cache(maxsize=1)
def asking(need: EmbeddedProfile, rarity: Rarity) -> tuple[Floats, "NDArray[np.bool_]"]:
    """How rare a need's terms are, and which of them an outcome is asked for; one need is seen against many outcomes."""
    numbers = need.terms.identifiers.tolist()
    glossed = any(passage.is_gloss for passage in need.profile.passages)
    asked_for = [not glossed or not is_foreign(rarity.term(number)) for number in numbers]
    return rarity.array(numbers), np.array(asked_for, dtype=np.bool_)


def _evidence(pair: Pair, strongest: list[int]) -> tuple[Evidence, ...]:
    """The strongest shared terms that are words, without those that are part of one already named."""
    named: list[str] = []
    for position in strongest:
        term = pair.rarity.term(int(pair.need.terms.identifiers[position]))
        if not is_word(term):
            continue
        longer = [place for place, other in enumerate(named) if other in term]
        if longer:
            named[longer[0]] = term
            named = [other for place, other in enumerate(named) if place == longer[0] or place not in longer]
        elif not any(term in other for other in named):
            named.append(term)
    return (Evidence("terms", tuple(named[:MOST_SHOWN])),) if named else ()


LEXICAL = Signal("lexical", read)
