"""Brokers with a hidden taste: how much of it learning finds, measured where the truth is known.

A collection is needs with candidates, each candidate a row of raw readings: drawn here, or real ones. The hidden model is
the active one with other weights. Brokers walk the active model's list of each need from the top and decide by the
hidden probability, so labels have the biases that real ones have: only what was shown, mostly high ranks, and noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.fusion import Ranking, RankingModel, Term, probability_of
from matching.fusion.model import Matrix, Vector
from matching.learning.examples import TrainingRows
from matching.learning.logistic import pointwise_loss

# Of the log-odds that a signal contributes, one standard deviation; and how much of a reading is the pair's own fit.
CONTRIBUTION = 0.9
COMMON = 0.5
# What share of pairs states nothing, for signals with a weight below LIGHT: those of facets, as listings often lack them.
UNSTATED = 0.4
LIGHT = 2.0
K = 10


@dataclass(frozen=True, slots=True, eq=False)
class Collection:
    """Readings of the candidates of many needs: `raw` is n x signals with NaN for not stated, `needs` of length n."""

    signals: tuple[str, ...]
    raw: Matrix
    needs: NDArray[np.int64]

    def of(self, chosen: NDArray[np.int64]) -> "Collection":
        """The part that belongs to some needs."""
        held = np.isin(self.needs, chosen)
        return Collection(self.signals, self.raw[held], self.needs[held])


def draw_collection(model: RankingModel, needs: int, candidates: int, random: np.random.Generator) -> Collection:
    """Synthetic readings for the signals that a model names: about their neutral value, from 0 to 1, correlated.

    A signal's readings spread the less the more it weighs, as they do in reality: the weight is fitted to the spread.
    """
    names = tuple(model.terms)
    count = needs * candidates
    fit = random.standard_normal(count)
    raw = np.empty((count, len(names)))
    for column, term in enumerate(model.terms.values()):
        own = random.standard_normal(count)
        spread = min(0.25, CONTRIBUTION / max(term.weight, 0.1))
        raw[:, column] = term.neutral + spread * (np.sqrt(COMMON) * fit + np.sqrt(1 - COMMON) * own)
        if term.weight < LIGHT:
            raw[random.random(count) < UNSTATED, column] = np.nan
    return Collection(names, np.clip(raw, 0.0, 1.0), np.repeat(np.arange(needs), candidates))


def hidden_model(active: RankingModel, random: np.random.Generator, intercept: float | None = None) -> RankingModel:
    """A taste of its own: every weight of the active model times a factor from 1/8 to 8, all as strong as before.

    Factors are drawn evenly on a logarithmic scale. Weights are then scaled so that their sum, in units of the readings'
    spread, stays: brokers are as sure as the active model is, about other things.
    """
    weights = np.array([term.weight for term in active.terms.values()])
    spreads = np.minimum(0.25, CONTRIBUTION / np.maximum(weights, 0.1))
    changed = weights * 8.0 ** random.uniform(-1, 1, len(weights))
    changed *= (weights * spreads).sum() / (changed * spreads).sum()
    terms = {
        name: Term(float(weight), term.neutral)
        for (name, term), weight in zip(active.terms.items(), changed, strict=True)
    }
    return RankingModel("hidden", active.intercept if intercept is None else intercept, terms, active.thresholds)


def centred(model: RankingModel, collection: Collection, shown: int, rate: float = 0.5) -> RankingModel:
    """The model with the intercept at which brokers accept `rate` of the first `shown` of each list, by its own order."""
    scores = model.scores(collection.signals, collection.raw)
    first = np.concatenate([rows[:shown] for rows in ranked(scores, collection.needs)])
    low, high = -50.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        accepted = np.mean([probability_of(float(score) + middle) for score in scores[first]])
        low, high = (middle, high) if accepted < rate else (low, middle)
    return RankingModel(model.version, model.intercept + low, model.terms, model.thresholds)


def ranked(scores: Vector, needs: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """For each need the numbers of its rows, best first."""
    order = np.lexsort((np.arange(len(scores)), -scores, needs))
    return np.split(order, np.flatnonzero(np.diff(needs[order])) + 1)


def decide(
    collection: Collection,
    active: Ranking,
    hidden: Ranking | None,
    count: int,
    random: np.random.Generator,
    *,
    shown: int = 20,
    steepness: float = 0.5,
) -> TrainingRows:
    """About `count` decisions on the active model's lists, spread over all needs; without a hidden model at random.

    Of each list the first `shown` are seen, and decided on with propensity 1 / rank^steepness.
    """
    lists = ranked(active.scores(collection.signals, collection.raw), collection.needs)
    chances = np.arange(1, shown + 1) ** -steepness
    each = count // len(lists)
    places, ranks = [], []
    for number, rows in enumerate(lists):
        visible = min(shown, len(rows))
        wanted = min(visible, each + (number < count - each * len(lists)))
        share = chances[:visible] / chances[:visible].sum()
        picked = np.sort(random.choice(visible, size=wanted, replace=False, p=share))
        places.append(rows[picked])
        ranks.append(picked + 1)
    chosen = np.concatenate(places)
    truth = np.full(len(chosen), 0.5)
    if hidden is not None:
        scores = hidden.scores(collection.signals, collection.raw[chosen])
        truth = np.array([probability_of(float(score)) for score in scores])
    return TrainingRows(
        collection.signals,
        collection.raw[chosen],
        (random.random(len(chosen)) < truth).astype(np.float64),
        np.ones(len(chosen)),
        np.concatenate(ranks).astype(np.int64),
        collection.needs[chosen],
        (active.version,) * len(chosen),
    )


@dataclass(frozen=True, slots=True)
class Quality:
    """Of a model on a collection, in expectation over the hidden model's labels: no luck of the draw in it.

    `ndcg` is nDCG@10 with the hidden probability as gain; `loss` the log loss over the first 20 of the hidden lists.
    """

    ndcg: float
    loss: float


def quality(model: Ranking, hidden: Ranking, collection: Collection) -> Quality:
    """How well a model orders and states what brokers of the hidden taste would do."""
    scores = model.scores(collection.signals, collection.raw)
    truth_scores = hidden.scores(collection.signals, collection.raw)
    truth = np.exp(-np.logaddexp(0.0, -truth_scores))
    discounts = 1 / np.log2(np.arange(2, K + 2))
    best = ranked(truth_scores, collection.needs)
    found = ranked(scores, collection.needs)
    ndcgs = [
        float(truth[mine[:K]] @ discounts[: len(mine)]) / float(truth[ideal[:K]] @ discounts[: len(ideal)])
        for mine, ideal in zip(found, best, strict=True)
    ]
    seen = np.concatenate([rows[: 2 * K] for rows in best])
    return Quality(float(np.mean(ndcgs)), float(pointwise_loss(scores[seen], truth[seen]).mean()))


def gap_closed(before: Sequence[float], after: Sequence[float], best: Sequence[float]) -> float:
    """The share of the way from `before` to `best` that `after` has gone, over all runs together.

    >>> gap_closed([0.8, 0.9], [0.9, 0.95], [1.0, 1.0]) == 0.15 / 0.3
    True
    """
    gap = float(np.sum(best) - np.sum(before))
    return float(np.sum(after) - np.sum(before)) / gap if gap else 0.0
