"""The ranking model: an intercept and a weight for each signal, versioned, as data."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from matching.types import LEVELS, Contribution, Level, Reading

DEFAULT = Path(__file__).with_name("default.json")


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
    thresholds: tuple[float, float, float]

    def contribution(self, signal: str, reading: Reading) -> Contribution:
        """A reading's part in the score. A signal that the model does not know has weight 0, and is shown as such."""
        term = self.terms.get(signal, Term(0.0, 0.0))
        part = 0.0 if reading.raw is None else term.weight * (reading.raw - term.neutral)
        return Contribution(signal, reading.raw, term.weight, part, reading.evidence)

    def score(self, contributions: tuple[Contribution, ...]) -> float:
        """The pair's score in log-odds."""
        return self.intercept + sum(contribution.part for contribution in contributions)

    def level(self, probability: float) -> Level:
        """The level that brokers use for a probability."""
        for level, least in zip(LEVELS, self.thresholds, strict=False):
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


def from_json(text: str) -> RankingModel:
    """A model from its definition.

    Raises:
        RankingModelError: an entry is missing or no finite number, or the thresholds do not descend.
    """
    try:
        values = json.loads(text)
        terms = {name: Term(float(term["weight"]), float(term["neutral"])) for name, term in values["terms"].items()}
        strong, fair, weak = (float(values["thresholds"][level]) for level in LEVELS[:3])
        model = RankingModel(
            str(values["version"]), float(values["intercept"]), MappingProxyType(terms), (strong, fair, weak)
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RankingModelError(f"the ranking model lacks or misstates {error}") from error
    numbers = [model.intercept, *model.thresholds, *(n for term in terms.values() for n in (term.weight, term.neutral))]
    if not all(math.isfinite(number) for number in numbers):
        raise RankingModelError("the ranking model holds a number that is not finite")
    if not 1 >= strong >= fair >= weak >= 0:
        raise RankingModelError("the thresholds of a ranking model descend from strong to weak, between 1 and 0")
    return model


def to_json(model: RankingModel) -> str:
    """The definition of a model."""
    return json.dumps(
        {
            "version": model.version,
            "intercept": model.intercept,
            "terms": {name: {"weight": term.weight, "neutral": term.neutral} for name, term in model.terms.items()},
            "thresholds": dict(zip(LEVELS[:3], model.thresholds, strict=True)),
        },
        indent=1,
    )


@cache
def default_model() -> RankingModel:
    """The model that ships with the code."""
    return from_json(DEFAULT.read_text(encoding="utf-8"))
