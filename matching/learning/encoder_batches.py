"""Batches for a contrastive loss: each need with an outcome that fits, and one that only looks as if it did.

In a batch every other row's outcomes are negatives too (Henderson et al. 2017, arXiv:1705.00652), so no outcome of a
batch may fit another row's need.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from matching.embedding.protocol import Vector
from matching.learning.encoder_data import RELEVANT, JudgedTexts

# Of what nobody judged, the very first may fit after all; those behind them look alike and hardly do.
SKIP_UNJUDGED = 10
HARD = 30
# A row takes one of the hardest few, so that epochs differ.
CHOICE = 5


@dataclass(frozen=True, slots=True)
class Row:
    """A need, an outcome that fits it, and one that does not; None where there is none to take."""

    need: str
    fits: str
    does_not: str | None


@dataclass(frozen=True, slots=True)
class Pairs:
    """What batches are made from: fitting pairs, and by need the outcomes that do not fit, hardest first."""

    fitting: tuple[tuple[str, str], ...]
    hard: Mapping[str, tuple[str, ...]]
    positives: Mapping[str, frozenset[str]]


def pairs_of(
    texts: JudgedTexts,
    needs: Sequence[str],
    outcomes: Sequence[str],
    similarities: Vector,
) -> Pairs:
    """Fitting pairs of `needs`, and their hard negatives: judged unfit first, then what ranks high and nobody judged.

    `similarities` has one row a need and one column an outcome. Decisions say nothing of undecided pairs: there, only
    declined ones are hard negatives.
    """
    hard: dict[str, tuple[str, ...]] = {}
    for row, need in zip(similarities, needs, strict=True):
        ranked = [outcomes[place] for place in np.argsort(-row, kind="stable")]
        grades = texts.grades[need]
        unfit = [outcome for outcome in ranked if outcome in grades and grades[outcome] < RELEVANT]
        unjudged = [outcome for outcome in ranked if outcome not in grades] if texts.is_complete else []
        hard[need] = tuple(unfit + unjudged[SKIP_UNJUDGED : SKIP_UNJUDGED + HARD])
    return Pairs(
        tuple((need, outcome) for need in needs for outcome in texts.positives(need)),
        hard,
        {need: frozenset(texts.positives(need)) for need in needs},
    )


def batches(pairs: Pairs, size: int, generator: np.random.Generator) -> Iterator[list[Row]]:
    """Every fitting pair once, in random order, in batches of at most `size` in which no row disturbs another.

    A pair that would disturb waits for a later batch. A batch of one row teaches nothing without a negative and is left out.
    """
    waiting = [pairs.fitting[place] for place in generator.permutation(len(pairs.fitting))]
    while waiting:
        taken: list[tuple[str, str]] = []
        later: list[tuple[str, str]] = []
        for pair in waiting:
            full = len(taken) == size
            (later if full or _disturbs(pair, taken, pairs) else taken).append(pair)
        waiting = later
        rows = _with_negatives(taken, pairs, generator)
        if len(rows) > 1 or rows[0].does_not is not None:
            yield rows


def _disturbs(pair: tuple[str, str], taken: Sequence[tuple[str, str]], pairs: Pairs) -> bool:
    need, outcome = pair
    return any(
        need == other_need or outcome in pairs.positives[other_need] or other in pairs.positives[need]
        for other_need, other in taken
    )


def _with_negatives(taken: Sequence[tuple[str, str]], pairs: Pairs, generator: np.random.Generator) -> list[Row]:
    fits_one = set().union(*(pairs.positives[need] for need, _ in taken))
    used: set[str] = set()
    rows = []
    for need, outcome in taken:
        open_ones = [each for each in pairs.hard[need] if each not in fits_one and each not in used][:CHOICE]
        chosen = open_ones[generator.integers(len(open_ones))] if open_ones else None
        if chosen is not None:
            used.add(chosen)
        rows.append(Row(need, outcome, chosen))
    return rows
