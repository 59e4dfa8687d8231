"""Is a candidate better than the active model? Judged on decisions that it was not fitted on.

Rows are cross-fitted: a candidate is learned on some needs and scores the others, until every row was scored by a model
that never saw its need (three partitions, averaged). Intervals are of a paired bootstrap over needs, since decisions on
one need hang together (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13; Sakai, "Evaluating
Evaluation Metrics Based on the Bootstrap", SIGIR 2006).

A candidate's log loss is compared with that of the active model *recalibrated on the same rows*: otherwise any candidate
would win that has only learned how often these brokers accept, and a model that ranks by chance could replace a good
one. The order is compared by itself besides, within each need, since that is what a broker sees.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from matching.fusion import Ranking
from matching.fusion.model import Vector
from matching.learning.calibration import expected_calibration_error
from matching.learning.examples import TrainingRows
from matching.learning.folds import folds_of
from matching.learning.logistic import pointwise_loss, recalibrate, row_weights

Learner = Callable[[TrainingRows], Ranking]
Progress = Callable[[int, int], None]
FOLDS = 5
PARTITIONS = 3
RESAMPLES = 2_000
AT_ONCE = 100
SEED = 20_250_101
LEAST_NEEDS = 5
METRICS = ("log loss", "AUC", "nDCG", "average precision")


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean difference with the ends of its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Standing:
    """How a model did on rows that were held back from it. Log loss: smaller is better, the others: greater.

    AUC is over the pairs of one accepted and one declined outcome of the same need.
    """

    log_loss: float
    auc: float
    ndcg: float
    average_precision: float
    calibration_error: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came out. `gains` by metric are the candidate's over the active model freely recalibrated; for all four metrics
    greater is better.
    """

    rows: int
    needs: int
    active: Standing
    recalibrated: Standing
    candidate: Standing
    gains: dict[str, Interval]
    # Of recalibration alone over the active model, in log loss.
    recalibration: Interval
    # AUC over one half: whether decisions agree with the active and with the candidate's order at all.
    active_agreement: Interval
    candidate_agreement: Interval


Verdict = Literal["weights", "calibration", "kept"]


def verdict_on(comparison: Comparison) -> Verdict:
    """What may be activated: the candidate, the active model recalibrated, or nothing.

    The candidate has to lower the log loss with the whole interval above 0, and to order each need's outcomes no worse: AUC
    has not fallen, and nDCG, which a few first places decide, has not surely fallen. Recalibration changes no order, so it
    has to lower the log loss alone. Both need decisions that agree with the order that is to rank, better than chance:
    random ones agree with none and say nothing.
    """
    ordered = comparison.gains["AUC"].mean >= 0 and comparison.gains["nDCG"].high >= 0
    if ordered and min(comparison.gains["log loss"].low, comparison.candidate_agreement.low) > 0:
        return "weights"
    return "calibration" if min(comparison.recalibration.low, comparison.active_agreement.low) > 0 else "kept"


def compare(
    rows: TrainingRows,
    active: Ranking,
    learn: Learner,
    *,
    partitions: int = PARTITIONS,
    progress: Progress = lambda *_: None,
) -> Comparison:
    """Cross-fit a learner, and recalibration, over needs and compare what they say of the rows held back.

    Raises:
        ValueError: there are rows of fewer than five needs.
    """
    if rows.need_count < LEAST_NEEDS:
        raise ValueError(f"rows: decisions on at least {LEAST_NEEDS} needs are needed, there are {rows.need_count}")
    weights, _ = row_weights(rows)
    before = active.scores(rows.signals, rows.raw)
    runs: dict[str, list[Vector]] = {"active": [before], "recalibrated": [], "yardstick": [], "candidate": []}
    for seed in range(partitions):
        folds = folds_of(rows.needs, FOLDS, seed)
        scores = {name: np.empty(len(rows)) for name in ("recalibrated", "yardstick", "candidate")}
        for fold in range(FOLDS):
            held = folds == fold
            fitted_on = rows.take(~held)
            models = {
                "recalibrated": recalibrate(fitted_on, active, active.version),
                "yardstick": recalibrate(fitted_on, active, active.version, freely=True),
                "candidate": learn(fitted_on),
            }
            for name, model in models.items():
                scores[name][held] = model.scores(rows.signals, rows.raw[held])
            progress(seed * FOLDS + fold + 1, partitions * FOLDS)
        for name, found in scores.items():
            runs[name].append(found)
    measured = {name: _measure(scores, rows, weights) for name, scores in runs.items()}
    gains = {name: interval_of(measured["candidate"][name], measured["yardstick"][name]) for name in METRICS}
    return Comparison(
        rows=len(rows),
        needs=rows.need_count,
        active=_standing(measured["active"], runs["active"], rows),
        recalibrated=_standing(measured["recalibrated"], runs["recalibrated"], rows),
        candidate=_standing(measured["candidate"], runs["candidate"], rows),
        gains=gains,
        recalibration=interval_of(measured["recalibrated"]["log loss"], measured["active"]["log loss"]),
        active_agreement=_over_chance(measured["active"]["AUC"]),
        candidate_agreement=_over_chance(measured["candidate"]["AUC"]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class ByNeed:
    """A metric as a ratio of sums over needs: one numerator and one denominator a need, greater is better."""

    numerators: Vector
    denominators: Vector

    @property
    def value(self) -> float:
        """The metric; 0 where no need says anything."""
        total = float(self.denominators.sum())
        return float(self.numerators.sum()) / total if total else 0.0


def interval_of(first: ByNeed, second: ByNeed, resamples: int = RESAMPLES, seed: int = SEED) -> Interval:
    """The difference of two models' metric, needs drawn anew `resamples` times; the same draws at every call."""
    count = len(first.numerators)
    random = np.random.default_rng(seed)
    differences = first.numerators - second.numerators
    found: list[float] = []
    # In parts, so that ten thousand needs take megabytes.
    for part in range(0, resamples, AT_ONCE):
        size = min(AT_ONCE, resamples - part)
        drawn = random.multinomial(count, np.full(count, 1 / count), size=size).astype(np.float64)
        totals = drawn @ first.denominators
        usable = totals > 0
        found += ((drawn @ differences)[usable] / totals[usable]).tolist()
    if not found:
        return Interval(0.0, 0.0, 0.0)
    low, high = np.percentile(found, [2.5, 97.5])
    return Interval(first.value - second.value, float(low), float(high))


def _over_chance(auc: ByNeed) -> Interval:
    return interval_of(auc, ByNeed(auc.denominators / 2, auc.denominators))


def _measure(runs: list[Vector], rows: TrainingRows, weights: Vector) -> dict[str, ByNeed]:
    measures = [_measure_one(scores, rows, weights) for scores in runs]
    return {
        name: ByNeed(
            np.mean([measured[name].numerators for measured in measures], axis=0), measures[0][name].denominators
        )
        for name in METRICS
    }


def _measure_one(scores: Vector, rows: TrainingRows, weights: Vector) -> dict[str, ByNeed]:
    numbers, places = np.unique(rows.needs, return_inverse=True)
    losses = pointwise_loss(scores, rows.labels) * weights
    lost: Vector = np.bincount(places, weights=losses).astype(np.float64)
    counted: Vector = np.bincount(places, weights=weights).astype(np.float64)
    found = {"log loss": ByNeed(-lost, counted)}
    ranking = np.array([_order_of_need(scores[own], rows.labels[own]) for own in _groups(places, len(numbers))])
    found["AUC"] = ByNeed(ranking[:, 0], ranking[:, 1])
    found["nDCG"] = ByNeed(ranking[:, 2], ranking[:, 4])
    found["average precision"] = ByNeed(ranking[:, 3], ranking[:, 4])
    return found


def _groups(places: NDArray[np.intp], count: int) -> list[NDArray[np.intp]]:
    return [np.flatnonzero(places == number) for number in range(count)]


def _order_of_need(scores: Vector, labels: Vector) -> tuple[float, float, float, float, float]:
    """Pairs in order, pairs, nDCG, average precision, and 1 where the need has both labels, else all 0."""
    accepted, declined = scores[labels == 1], scores[labels == 0]
    pairs = len(accepted) * len(declined)
    if not pairs:
        return 0.0, 0.0, 0.0, 0.0, 0.0
    differences = accepted[:, None] - declined[None, :]
    in_order = float((differences > 0).sum() + 0.5 * (differences == 0).sum())
    # Equal scores stand in the order least kind to the model.
    gains = labels[np.lexsort((labels, -scores))]
    discounts = 1 / np.log2(np.arange(2, len(gains) + 2))
    ideal = discounts[: len(accepted)].sum()
    ranks = np.flatnonzero(gains == 1) + 1
    precision = float((np.arange(1, len(ranks) + 1) / ranks).mean())
    return in_order, float(pairs), float(gains @ discounts / ideal), precision, 1.0


def _standing(measured: dict[str, ByNeed], runs: list[Vector], rows: TrainingRows) -> Standing:
    errors = [expected_calibration_error(np.exp(-np.logaddexp(0.0, -scores)), rows.labels) for scores in runs]
    return Standing(
        -measured["log loss"].value,
        measured["AUC"].value,
        measured["nDCG"].value,
        measured["average precision"].value,
        float(np.mean(errors)),
    )
