"""Few labels: the active model's weights, moved as far as decisions warrant.

A maximum a posteriori logistic regression on the named signals. The prior is normal about the active model's weights,
so without labels the result is the active model, and with many it is the decisions' own. The distance is measured in
what a weight does to scores, weight x spread of the signal's readings, and in two directions apart: the active weights
all scaled by one factor (its probabilities too bold or too timid), and anything else (a different order). How far the
second may go is chosen by cross-validation over needs, ties going to the shorter way by one standard error (Breiman et
al., "Classification and Regression Trees", 1984, section 3.4.3).

Weights are never below zero, since no signal speaks against a pair; L-BFGS-B keeps that bound (Byrd, Lu, Nocedal and
Zhu 1995). Labels are weighted by `matching.learning.propensity`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from matching.fusion import Ranking
from matching.fusion.model import Matrix, RankingModel, Term, Thresholds, Vector, probability_of
from matching.learning.examples import TrainingRows
from matching.learning.folds import folds_of
from matching.learning.propensity import inverse_propensity, steepness

# Standard deviations of the prior, in log-odds that a typical difference of a reading makes. 0 keeps the order as it is.
REACHES = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6)
# Of the one factor on all active weights, and of the intercept, which brokers' habits decide.
FACTOR_SPREAD = 0.5
INTERCEPT_SPREAD = 2.0
# The least spread that a reading is taken to have: of a signal hardly ever stated little can be learned.
LEAST_SPREAD = 0.02
# How far calibration alone may stretch or flatten the active scores, where it is to be activated.
FACTORS = (0.5, 2.0)
# As flat as a candidate may get without reach: above 0, since at 0 there would be no order.
KEEPING_ORDER = (0.05, 8.0)
# As a yardstick it is free to state that the scores say nothing at all.
FREE = (0.0, 8.0)
FREE_SPREAD = 4.0
FOLDS = 4
# With fewer needs there is nothing to choose a reach by, and a short one is taken.
LEAST_NEEDS = 8
SHORT = 0.1


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted model and how it came about: the prior's reach, and eta of the rank propensity."""

    model: RankingModel
    reach: float
    eta: float


def row_weights(rows: TrainingRows) -> tuple[Vector, float]:
    """What each label counts, by its code and its rank, with a mean of 1; and the eta of the ranks."""
    eta = steepness(rows.ranks)
    weights = rows.weights * inverse_propensity(rows.ranks, eta)
    return weights / weights.mean(), eta


def learn_weights(rows: TrainingRows, active: RankingModel, version: str, seed: int = 0) -> Fit:
    """A model for `rows`, with weights near those of `active`; signals that `active` does not know begin at weight 0.

    Raises:
        ValueError: there is no row.
    """
    if len(rows) == 0:
        raise ValueError("rows: at least one decision that is a label is needed")
    weights, eta = row_weights(rows)
    problem = Problem.of(rows, active, weights)
    reach = _choose_reach(rows, problem, seed)
    return Fit(problem.as_model(problem.solve(reach), version, rows), reach, eta)


def recalibrate(rows: TrainingRows, active: Ranking, version: str, *, freely: bool = False) -> Ranking:
    """The active model with its scores stretched or flattened and shifted: probabilities change, no order does.

    Two numbers are fitted (Platt, "Probabilistic Outputs for Support Vector Machines", 1999), both drawn to the active
    model's by a normal prior, the factor between 1/2 and 2. `freely` widens both, for a yardstick in comparisons.
    """
    weights, _ = row_weights(rows)
    scores = active.scores(rows.signals, rows.raw) - active.intercept
    bounds, spread = (FREE, FREE_SPREAD) if freely else (FACTORS, FACTOR_SPREAD)
    intercept, factor = _stretched(scores, rows.labels, weights, active.intercept, bounds, spread)
    cuts = equated(active.thresholds, active.intercept + scores, intercept + factor * scores, weights)
    return active.rescaled(version, intercept, factor, cuts)


def _stretched(
    scores: Vector, labels: Vector, weights: Vector, intercept: float, bounds: tuple[float, float], spread: float
) -> tuple[float, float]:
    """Intercept and factor of the highest posterior for scores without their intercept."""
    start = np.array([intercept, 1.0])

    def loss(values: Vector) -> tuple[float, Vector]:
        away = values - start
        pull = away / np.array([INTERCEPT_SPREAD, spread]) ** 2
        value, residuals = _log_loss(values[0] + values[1] * scores, labels, weights)
        return value + float(away @ pull) / 2, np.array([residuals.sum(), residuals @ scores]) + pull

    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(None, None), bounds]).x
    return float(found[0]), float(found[1])


def equated(thresholds: Thresholds, before: Vector, after: Vector, weights: Vector) -> Thresholds:
    """The thresholds of the levels on a new scale, so that each level goes on to hold about as many pairs.

    Linear equating (Kolen and Brennan, "Test Equating", chapter 2): the new scores' mean and standard deviation take
    the place of the old ones', in log-odds. Where the scores stayed, so do the thresholds: few labels move both little.
    """
    old, new = (float(np.average(scores, weights=weights)) for scores in (before, after))
    old_spread, new_spread = (
        float(np.sqrt(np.average((scores - mean) ** 2, weights=weights)))
        for scores, mean in ((before, old), (after, new))
    )
    slope = new_spread / old_spread if old_spread > 1e-9 else 1.0
    bounded = np.clip(thresholds, 1e-6, 1 - 1e-6)
    logits = np.log(bounded / (1 - bounded))
    strong, fair, weak = (round(probability_of(float(new + slope * (logit - old))), 4) for logit in logits)
    return strong, fair, weak


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Readings about their neutral values, in units of each signal's spread, and the prior's centre in those units."""

    active: RankingModel
    neutrals: Vector
    spreads: Vector
    readings: Matrix
    labels: Vector
    weights: Vector
    centre: Vector

    @classmethod
    def of(cls, rows: TrainingRows, active: RankingModel, weights: Vector) -> "Problem":
        """The problem of rows; what is not stated has no part in a score, so it lies at the neutral value."""
        known = [active.terms.get(signal) for signal in rows.signals]
        neutrals = neutrals_of(rows, active)
        deviations = np.nan_to_num(rows.raw - neutrals)
        spreads = np.maximum(deviations.std(axis=0), LEAST_SPREAD)
        centre = np.array([0.0 if term is None else max(0.0, term.weight) for term in known]) * spreads
        return cls(active, neutrals, spreads, deviations / spreads, rows.labels, weights, centre)

    def part(self, chosen: NDArray[np.bool_]) -> "Problem":
        """The same problem for some of the rows."""
        return Problem(
            self.active,
            self.neutrals,
            self.spreads,
            self.readings[chosen],
            self.labels[chosen],
            self.weights[chosen],
            self.centre,
        )

    def solve(self, reach: float) -> Vector:
        """Intercept and weights (per spread) of the highest posterior, the weights at least 0.

        With a reach of 0 the order stays the active model's: its weights all times one factor.
        """
        if reach == 0:
            scores = self.readings @ self.centre
            found = _stretched(scores, self.labels, self.weights, self.active.intercept, KEEPING_ORDER, FACTOR_SPREAD)
            return np.concatenate([[found[0]], found[1] * self.centre])
        precision = self._precision(reach)
        start = np.concatenate([[self.active.intercept], self.centre])

        def loss(values: Vector) -> tuple[float, Vector]:
            value, residuals = _log_loss(values[0] + self.readings @ values[1:], self.labels, self.weights)
            away = values - start
            pull = precision @ away
            gradient = np.concatenate([[residuals.sum()], self.readings.T @ residuals]) + pull
            return value + float(away @ pull) / 2, gradient

        bounds = [(None, None)] + [(0.0, None)] * len(self.centre)
        solution: Vector = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
        return solution

    def scores(self, solution: Vector) -> Vector:
        """Log-odds of the rows."""
        scores: Vector = solution[0] + self.readings @ solution[1:]
        return scores

    def as_model(self, solution: Vector, version: str, rows: TrainingRows) -> RankingModel:
        """The ranking model of a solution; signals without a row of their own keep the active model's terms."""
        fitted = zip(rows.signals, solution[1:] / self.spreads, self.neutrals, strict=True)
        terms = dict(self.active.terms) | {name: Term(float(w), float(neutral)) for name, w, neutral in fitted}
        before = self.active.scores(rows.signals, rows.raw)
        cuts = equated(self.active.thresholds, before, self.scores(solution), self.weights)
        return RankingModel(version, float(solution[0]), terms, cuts)

    def _precision(self, reach: float) -> Matrix:
        """Inverse covariance of intercept and weights: `reach` for each weight alone, and one factor for all at once."""
        covariance = np.eye(len(self.centre)) * reach**2
        covariance += FACTOR_SPREAD**2 * np.outer(self.centre, self.centre)
        precision = np.zeros((len(self.centre) + 1,) * 2)
        precision[0, 0] = 1 / INTERCEPT_SPREAD**2
        precision[1:, 1:] = np.linalg.inv(covariance)
        return precision


def _choose_reach(rows: TrainingRows, problem: Problem, seed: int) -> float:
    if rows.need_count < LEAST_NEEDS:
        return SHORT
    folds = folds_of(rows.needs, FOLDS, seed)
    losses = np.zeros((len(REACHES), len(rows)))
    for fold in range(FOLDS):
        held = folds == fold
        fitted_on, held_back = problem.part(~held), problem.part(held)
        for place, reach in enumerate(REACHES):
            losses[place, held] = pointwise_loss(held_back.scores(fitted_on.solve(reach)), held_back.labels)
    means = losses @ problem.weights / len(rows)
    best = int(np.argmin(means))
    for place in range(best):
        # Paired over needs: how sure is it that the longer way is worth going?
        differences = np.bincount(rows.needs, weights=(losses[place] - losses[best]) * problem.weights)
        counted = differences[np.unique(rows.needs)]
        error = counted.std() * np.sqrt(len(counted)) / len(rows)
        if means[place] - means[best] <= error:
            return REACHES[place]
    return REACHES[best]


def pointwise_loss(scores: Vector, labels: Vector) -> Vector:
    """Negative log-likelihood of each label given its score in log-odds; safe for scores of any size.

    >>> pointwise_loss(np.array([0.0, 800.0]), np.array([1.0, 1.0])).round(4).tolist()
    [0.6931, 0.0]
    """
    losses: Vector = np.logaddexp(0.0, scores) - labels * scores
    return losses


def _log_loss(scores: Vector, labels: Vector, weights: Vector) -> tuple[float, Vector]:
    chances = np.exp(-np.logaddexp(0.0, -scores))
    return float(pointwise_loss(scores, labels) @ weights), (chances - labels) * weights


def neutrals_of(rows: TrainingRows, active: Ranking) -> Vector:
    """Each signal's neutral reading: the active model's, or the median of what was read where it knows none."""
    known = active.neutral_readings()
    return np.array(
        [known.get(signal, _middle(column)) for signal, column in zip(rows.signals, rows.raw.T, strict=True)]
    )


def _middle(column: Vector) -> float:
    stated = column[~np.isnan(column)]
    return float(np.median(stated)) if len(stated) else 0.5
