"""The ranking model: an intercept and a weight for each signal, versioned, as data."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.types import LEVELS, Contribution, Level, Reading

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Thresholds = tuple[float, float, float]


class RankingModelError(ValueError):
    """A model's definition cannot be used; the message names the entry."""


@dataclass(frozen=True, slots=True)
class Term:
    """A signal's part in the score is `weight` x (raw - `neutral`); a signal that states nothing has no part."""

    weight: float
    neutral: float


@dataclass(frozen=True, slots=True)
class RankingModel:
    """A logistic model over signals: score in log-odds, probability, and the levels' least probabilities."""

    version: str
    intercept: float
    terms: Mapping[str, Term]
    # Least probability of strong, fair and weak, descending.
    thresholds: Thresholds

    def contributions(self, readings: Sequence[tuple[str, Reading]]) -> tuple[Contribution, ...]:
        """Every signal's part in a pair's score, in the order of the readings."""
        return tuple(self.contribution(signal, reading) for signal, reading in readings)

    def contribution(self, signal: str, reading: Reading) -> Contribution:
        """A reading's part in the score. A signal that the model does not know has weight 0, and is shown as such."""
        term = self.terms.get(signal, Term(0.0, 0.0))
        part = 0.0 if reading.raw is None else term.weight * (reading.raw - term.neutral)
        return Contribution(signal, reading.raw, term.weight, part, reading.evidence)

    def score(self, contributions: tuple[Contribution, ...]) -> float:
        """The pair's score in log-odds."""
        return self.intercept + sum(contribution.part for contribution in contributions)

    def scores(self, signals: Sequence[str], raw: Matrix) -> Vector:
        """Scores in log-odds of many pairs at once: `raw` has a row a pair, a column a signal, NaN for not stated."""
        terms = [self.terms.get(signal, Term(0.0, 0.0)) for signal in signals]
        weights = np.array([term.weight for term in terms])
        deviations = np.nan_to_num(raw - np.array([term.neutral for term in terms]))
        scores: Vector = self.intercept + deviations @ weights
        return scores

    def neutral_readings(self) -> dict[str, float]:
        """For each signal the reading that neither helps nor hurts."""
        return {name: term.neutral for name, term in self.terms.items()}

    def rescaled(self, version: str, intercept: float, factor: float, thresholds: Thresholds) -> "RankingModel":
        """The same order with other probabilities: every weight times `factor`, and another intercept."""
        terms = {name: Term(term.weight * factor, term.neutral) for name, term in self.terms.items()}
        return RankingModel(version, intercept, terms, thresholds)

    def level(self, probability: float) -> Level:
        """The level that brokers use for a probability."""
        return level_of(probability, self.thresholds)


def level_of(probability: float, thresholds: Thresholds) -> Level:
    """The first level whose least probability is reached.

    >>> level_of(0.5, (0.7, 0.4, 0.1)), level_of(0.05, (0.7, 0.4, 0.1))
    ('fair', 'none')
    """
    for level, least in zip(LEVELS, thresholds, strict=False):
        if probability >= least:
            return level
    return "none"


def probability_of(score: float) -> float:
    """The logistic function, safe for scores of any size.

    >>> probability_of(0.0), probability_of(-1000.0)
    (0.5, 0.0)
    """
    if score >= 0:
        return 1 / (1 + math.exp(-score))
    return math.exp(score) / (1 + math.exp(score))
