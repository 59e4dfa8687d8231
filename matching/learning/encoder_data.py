"""Texts with grades, from which an encoder learns which needs and outcomes belong together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from matching.evaluation.dataset import Dataset, DatasetError
from matching.evaluation.scratch import profile_of

Passages = tuple[str, ...]
# A pair of this grade or above is one that a broker would introduce.
RELEVANT = 2
# Parts of the needs: what is learned from, and what says when to stop. The rest compares the two encoders.
LEARN, WATCH = 0.55, 0.15
LEAST_NEEDS = 20


class TooFewError(DatasetError):
    """There is too little to learn from; the message says how much is needed."""


@dataclass(frozen=True, slots=True)
class JudgedTexts:
    """Needs and outcomes as the passages that the service encodes, and grades 0 to 3 by need and outcome.

    Where `is_complete`, what is unjudged counts as 0 and whole lists are measured (nDCG@10). Decisions are not complete:
    only decided pairs are measured then (AUC), since of the others nobody said anything.
    """

    needs: Mapping[str, Passages]
    outcomes: Mapping[str, Passages]
    grades: Mapping[str, Mapping[str, int]]
    is_complete: bool

    @property
    def measure(self) -> str:
        """The name of the figure that is measured."""
        return "nDCG@10" if self.is_complete else "AUC"

    def positives(self, need: str) -> list[str]:
        """Outcomes that fit the need, in a fixed order."""
        return sorted(outcome for outcome, grade in self.grades[need].items() if grade >= RELEVANT)


@dataclass(frozen=True, slots=True)
class Split:
    """Needs in three parts that share none: to learn from, to stop early by, and to compare the two encoders on."""

    learn: tuple[str, ...]
    watch: tuple[str, ...]
    compare: tuple[str, ...]


def texts_of(dataset: Dataset) -> JudgedTexts:
    """A BEIR data set as texts, cut into passages as the service does it."""
    return JudgedTexts(
        {query.id: profile_of("need", query).texts for query in dataset.queries},
        {document.id: profile_of("outcome", document).texts for document in dataset.documents},
        dataset.grades,
        is_complete=True,
    )


def split(texts: JudgedTexts, seed: int) -> Split:
    """Deal the needs out at random; the same seed deals the same. Needs that measure nothing are only learned from.

    Raises:
        TooFewError: fewer than twenty needs can be measured.
    """
    telling = sorted(need for need in texts.needs if _tells(texts, need))
    if len(telling) < LEAST_NEEDS:
        kind = "a fitting outcome" if texts.is_complete else "both an accepted and a declined outcome"
        raise TooFewError(f"{len(telling)} needs have {kind}; at least {LEAST_NEEDS} are needed, to hold some back")
    dealt = [telling[place] for place in np.random.default_rng(seed).permutation(len(telling))]
    learn, watch = round(len(dealt) * LEARN), round(len(dealt) * (LEARN + WATCH))
    others = sorted(need for need in texts.needs if need not in set(telling))
    return Split((*dealt[:learn], *others), tuple(dealt[learn:watch]), tuple(dealt[watch:]))


def _tells(texts: JudgedTexts, need: str) -> bool:
    grades = texts.grades.get(need, {}).values()
    fits = any(grade >= RELEVANT for grade in grades)
    return fits and (texts.is_complete or any(grade < RELEVANT for grade in grades))


def sample_of_outcomes(texts: JudgedTexts, most: int, seed: int) -> tuple[str, ...]:
    """Outcomes to rank during training: every judged one, and others at random up to `most`."""
    judged = sorted(_judged(texts.grades.values()))
    rest = sorted(set(texts.outcomes) - set(judged))
    room = max(0, most - len(judged))
    drawn = np.random.default_rng(seed).permutation(len(rest))[:room]
    return (*judged, *(rest[place] for place in sorted(drawn)))


def _judged(grades: Iterable[Mapping[str, int]]) -> set[str]:
    return {outcome for of_need in grades for outcome in of_need}
