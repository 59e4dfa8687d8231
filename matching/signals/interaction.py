"""How well each token of the need is answered by some token of the outcome, rare tokens counting more."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from matching.index.tokens import TokenRarity
from matching.signals.base import Pair, Signal, cosine_share
from matching.types import EmbeddedProfile, Floats, Reading

# A need of several pages asks with its weightiest tokens: the time of a pair is bounded, and the rest is filling.
MOST_TOKENS = 256
# What a company says of itself counts less; from this weight on, a passage's tokens count in full.
FULL_WEIGHT = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Asking:
    """A need's tokens: unit vectors of shape (rows, dimensions), weights, and which rows are of its title."""

    vectors: Floats
    weights: Floats
    of_title: "np.ndarray[tuple[int], np.dtype[np.bool_]]"


@lru_cache(maxsize=1)
def asking(need: EmbeddedProfile, rarity: TokenRarity) -> Asking | None:
    """The tokens that a need asks with; one need is seen against many outcomes."""
    tokens = need.encoded.tokens
    if tokens is None:
        return None
    passages = np.array([passage.weight for passage in need.profile.passages], dtype=np.float32)
    share = np.minimum(passages / FULL_WEIGHT, 1.0)[tokens.passages]
    weights = rarity.array(tokens.identifiers) * share
    of_title = tokens.passages == 0
    if len(weights) > MOST_TOKENS:
        # The title is named first, then by weight; ties fall to what stands earlier.
        kept = np.sort(np.lexsort((-weights, ~of_title))[:MOST_TOKENS])
        return Asking(tokens.vectors[kept], weights[kept], of_title[kept])
    return Asking(tokens.vectors, weights, of_title)


@lru_cache(maxsize=1)
def answers(pair: Pair) -> tuple[Asking, Floats] | None:
    """A need's tokens, and for each the cosine with the outcome's nearest token; read by two signals."""
    need, outcome = asking(pair.need, pair.token_rarity), pair.outcome.encoded.tokens
    if need is None or outcome is None:
        return None
    nearest: Floats = (need.vectors @ outcome.vectors.T).max(axis=1)
    return need, nearest


def read(pair: Pair) -> Reading:
    """Weighted root mean square, over the need's tokens, of the cosine with the outcome's nearest one.

    Late interaction as in Khattab and Zaharia 2020 (ColBERT, arXiv:2004.12832), each token weighted by its inverse
    document frequency among outcomes. Squares, because a few tokens that are met exactly say more than many that are
    met by halves. None where a side was stored before token vectors were.
    """
    found = answers(pair)
    if found is None:
        return Reading(None)
    need, nearest = found
    return Reading(math.sqrt(weighted(np.maximum(nearest, 0) ** 2, need.weights)))


def weighted(nearest: Floats, weights: Floats) -> float:
    """The weighted mean of cosines as a number from 0 to 1; where nothing has weight, the plain one."""
    total = float(weights.sum())
    return cosine_share(float(nearest @ weights) / total if total > 0 else float(nearest.mean()))


INTERACTION = Signal("interaction", read)
