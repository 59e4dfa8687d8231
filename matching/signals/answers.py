"""For each token of a need, how near the outcome's nearest token comes: what late interaction reads, for many pairs at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.embedding.tokens import TokenVectors
from matching.index.tokens import TokenRarity
from matching.types import EmbeddedProfile, Floats

# A need of several pages asks with its weightiest tokens: the time of a pair is bounded, and the rest is filling.
MOST_TOKENS = 256
# The most cosines at once, 64 MB of them: texts of many pages against many others would take gigabytes.
MOST_COSINES = 16_000_000
# What a company says of itself counts less; from this weight on, a passage's tokens count in full.
FULL_WEIGHT = 0.5
# Most outcomes are Chinese, and tokens of other scripts lie far from all of theirs: where a need has Chinese terms beside
# its own words, those speak for it.
OWN_WORDS_BESIDE_GLOSS = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Asking:
    """A need's tokens: unit vectors of shape (rows, dimensions), weights, and which rows are of its title or gloss it."""

    vectors: Floats
    weights: Floats
    of_title: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """The tokens that a need asks with, and for each the cosine with the outcome's nearest one."""

    asking: Asking
    nearest: Floats


def asking(need: EmbeddedProfile, tokens: TokenVectors, rarity: TokenRarity) -> Asking:
    """The tokens that a need asks with, each weighted by its inverse document frequency among outcomes."""
    passages = need.profile.passages
    share = np.minimum(np.array([passage.weight for passage in passages], dtype=np.float32) / FULL_WEIGHT, 1.0)
    glosses = np.array([passage.is_gloss for passage in passages])
    if glosses.any():
        share = np.where(glosses, share, share * OWN_WORDS_BESIDE_GLOSS)
    titles = np.array([passage.section == "title_gloss" for passage in passages])
    titles[0] = True
    weights = rarity.array(tokens.identifiers) * share[tokens.passages]
    of_title = titles[tokens.passages]
    if len(weights) <= MOST_TOKENS:
        return Asking(tokens.vectors, weights, of_title)
    # The title is named first, then by weight; ties fall to what stands earlier.
    kept = np.sort(np.lexsort((-weights, ~of_title))[:MOST_TOKENS])
    return Asking(tokens.vectors[kept], weights[kept], of_title[kept])


def answers_to_need(
    need: EmbeddedProfile, outcomes: Sequence[EmbeddedProfile], rarity: TokenRarity
) -> list[Answers | None]:
    """What each outcome answers to one need; None where a side was stored before token vectors were.

    One multiplication serves many: small ones wait for each other's threads on a busy machine.
    """
    rows = [outcome.encoded.tokens.vectors for outcome in outcomes if outcome.encoded.tokens is not None]
    if need.encoded.tokens is None or not rows:
        return [None] * len(outcomes)
    asked = asking(need, need.encoded.tokens, rarity)
    nearest = (found for block in _blocks(rows, len(asked.vectors)) for found in _nearest_of_each(asked.vectors, block))
    return [None if outcome.encoded.tokens is None else Answers(asked, next(nearest)) for outcome in outcomes]


def answers_of_outcome(
    outcome: EmbeddedProfile, needs: Sequence[EmbeddedProfile], rarity: TokenRarity
) -> list[Answers | None]:
    """What one outcome answers to each need, as `answers_to_need`."""
    asked = [None if need.encoded.tokens is None else asking(need, need.encoded.tokens, rarity) for need in needs]
    rows = [each.vectors for each in asked if each is not None]
    if outcome.encoded.tokens is None or not rows:
        return [None] * len(needs)
    answering = outcome.encoded.tokens.vectors
    parts = (
        part
        for block in _blocks(rows, len(answering))
        for part in np.split(
            (np.concatenate(block) @ answering.T).max(axis=1), np.cumsum([len(each) for each in block])[:-1]
        )
    )
    return [None if each is None else Answers(each, next(parts)) for each in asked]


def _nearest_of_each(asked: Floats, block: Sequence[Floats]) -> Floats:
    """The greatest cosine of each row of `asked` with the rows of each text, shape (texts, rows of `asked`)."""
    starts = np.cumsum([0, *map(len, block[:-1])])
    nearest: Floats = np.maximum.reduceat(asked @ np.concatenate(block).T, starts, axis=1).T
    return nearest


def _blocks(rows: Sequence[Floats], others: int) -> Iterator[list[Floats]]:
    """Texts' rows in order, so many together that their cosines with `others` rows are no more than allowed."""
    block: list[Floats] = []
    for each in rows:
        if block and (sum(map(len, block)) + len(each)) * others > MOST_COSINES:
            yield block
            block = []
        block.append(each)
    if block:
        yield block
