"""How many of the need's terms the outcome uses, rare ones counting more."""

import math

import numpy as np

from matching.index.vocabulary import K1
from matching.profiling.tokens import is_word
from matching.signals.base import Pair, Signal
from matching.types import Evidence, Reading

MOST_SHOWN = 6


def read(pair: Pair) -> Reading:
    """Square root of BM25 over what an outcome full of the need's terms would reach.

    A long need is never repeated whole, so its share stays small and a short one's does not; the root brings the two
    nearer together, and one weight serves both.
    """
    need, outcome = pair.need.terms, pair.outcome.terms
    rarity = pair.rarity.array(need.identifiers.tolist())
    most = float((need.weights * rarity).sum()) * (K1 + 1)
    if most == 0 or not len(outcome.identifiers):
        return Reading(0.0)
    places = np.searchsorted(outcome.identifiers, need.identifiers).clip(max=len(outcome.identifiers) - 1)
    shared = outcome.identifiers[places] == need.identifiers
    parts = np.where(shared, need.weights * rarity * outcome.weights[places], 0.0)
    strongest = [int(position) for position in np.argsort(-parts, kind="stable")[:32] if parts[position] > 0]
    return Reading(math.sqrt(min(1.0, float(parts.sum()) / most)), _evidence(pair, strongest))


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
