"""A ranking model of trees, for markets with thousands of decisions: LightGBM's model text, calibrated.

A signal's part in a pair's score is its Shapley value in the trees (Lundberg, Erion and Lee, "Consistent Individualized
Feature Attribution for Tree Ensembles", 2018), which LightGBM gives as `pred_contrib`. Shapley values and the mean
prediction add up to the trees' score. It is brought to log-odds by a straight line (Platt scaling), so the parts still
add up; a step function would break the sum.

LightGBM is imported here and only when such a model is used: it needs the system's libgomp.so.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np

from matching.fusion.model import Matrix, RankingModelError, Thresholds, Vector, level_of
from matching.types import Contribution, Level, Reading


class TreesUnavailableError(RuntimeError):
    """LightGBM cannot be loaded on this machine; the message names the package that is missing."""


def lightgbm() -> ModuleType:
    """The library.

    Raises:
        TreesUnavailableError: it, or the system's OpenMP runtime that it is linked with, is missing.
    """
    try:
        import lightgbm as library
    except ImportError as error:
        raise TreesUnavailableError("ranking by trees needs LightGBM: pip install lightgbm") from error
    except OSError as error:
        raise TreesUnavailableError(
            f"LightGBM needs the system's OpenMP runtime ({error}): install the package libgomp1"
            " (Debian, Ubuntu: apt-get install libgomp1; Fedora: dnf install libgomp),"
            " or go back to the model before: duijie models rollback"
        ) from error
    return library


@lru_cache(maxsize=4)
def _loaded(booster: str) -> Any:
    library = lightgbm()
    try:
        return library.Booster(model_str=booster)
    except library.basic.LightGBMError as error:
        raise RankingModelError(f"the ranking model's trees cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class TreeModel:
    """Boosted trees over signals, with the same answers as the logistic model.

    `signals`, `neutrals` and `weights` are of one length. What a side does not state is read as the signal's neutral
    reading. A weight is the signal's mean absolute part in log-odds over the pairs that the trees were fitted on: what
    is shown as "how much this signal counts"; scores do not use it.
    """

    version: str
    intercept: float
    signals: tuple[str, ...]
    neutrals: tuple[float, ...]
    weights: tuple[float, ...]
    # Log-odds for a unit of the trees' own score; above 0.
    scale: float
    booster: str
    thresholds: Thresholds

    def check(self) -> None:
        """Load the trees, and see that they take these signals.

        Raises:
            RankingModelError, TreesUnavailableError
        """
        features = _loaded(self.booster).num_feature()
        if features != len(self.signals):
            raise RankingModelError(f"the ranking model's trees take {features} signals, {len(self.signals)} are named")

    def contributions(self, readings: Sequence[tuple[str, Reading]]) -> tuple[Contribution, ...]:
        """Every signal's part in a pair's score, in the order of the readings; unknown signals have none."""
        raw = {signal: np.nan if reading.raw is None else reading.raw for signal, reading in readings}
        row = np.array([[raw.get(signal, np.nan) for signal in self.signals]])
        parts = dict(zip(self.signals, self._parts(row)[0].tolist(), strict=True))
        weights = dict(zip(self.signals, self.weights, strict=True))
        return tuple(
            Contribution(signal, reading.raw, weights.get(signal, 0.0), parts.get(signal, 0.0), reading.evidence)
            for signal, reading in readings
        )

    def score(self, contributions: tuple[Contribution, ...]) -> float:
        """The pair's score in log-odds."""
        return self.intercept + sum(contribution.part for contribution in contributions)

    def scores(self, signals: Sequence[str], raw: Matrix) -> Vector:
        """Scores in log-odds of many pairs at once: `raw` has a row a pair, a column a signal, NaN for not stated."""
        places = {signal: place for place, signal in enumerate(signals)}
        own = np.full((len(raw), len(self.signals)), np.nan)
        for column, signal in enumerate(self.signals):
            if signal in places:
                own[:, column] = raw[:, places[signal]]
        scores: Vector = self.intercept + self._parts(own).sum(axis=1)
        return scores

    def neutral_readings(self) -> dict[str, float]:
        """For each signal the reading that stands for "not stated"."""
        return dict(zip(self.signals, self.neutrals, strict=True))

    def rescaled(self, version: str, intercept: float, factor: float, thresholds: Thresholds) -> "TreeModel":
        """The same order with other probabilities: every part times `factor`, and another intercept."""
        weights = tuple(weight * factor for weight in self.weights)
        scale = self.scale * factor
        return replace(self, version=version, intercept=intercept, weights=weights, scale=scale, thresholds=thresholds)

    def level(self, probability: float) -> Level:
        """The level that brokers use for a probability."""
        return level_of(probability, self.thresholds)

    def _parts(self, raw: Matrix) -> Matrix:
        stated = np.where(np.isnan(raw), np.array(self.neutrals), raw)
        # The last column is the mean prediction; it is in the intercept.
        parts: Matrix = self.scale * _loaded(self.booster).predict(stated, pred_contrib=True, num_threads=1)[:, :-1]
        return parts
