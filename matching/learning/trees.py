"""Many labels: boosted trees that learn an order (LightGBM's lambdarank), brought to probabilities.

Trees find what a sum cannot say, such as "price matters once the indicators are met", and need thousands of labels for
it. They are held to the same promises as the weights: more of a signal never lowers a score (monotone constraints), and
the score is the sum of the signals' parts (Shapley values, see `matching.fusion.trees`).

The rank that a pair was decided at goes in as LightGBM's position field: an additive bias for each position is learned
beside the trees and left out of their predictions (LightGBM documentation, Advanced Topics, "Support for Position Bias
Treatment"). Lambdarank: Burges, "From RankNet to LambdaRank to LambdaMART: An Overview" (2010).

Scores of lambdarank have no scale of their own. A straight line brings them to log-odds (Platt 1999), fitted on scores
of needs that the trees did not see. Isotonic regression would fit closer, but its steps would break the sum of parts.
"""

from types import ModuleType
from typing import Any

import numpy as np
from scipy.optimize import minimize

from matching.fusion import Ranking, TreeModel
from matching.fusion.model import Matrix, Thresholds, Vector
from matching.fusion.trees import lightgbm
from matching.learning.examples import TrainingRows
from matching.learning.folds import folds_of
from matching.learning.logistic import equated, neutrals_of, pointwise_loss, row_weights

LEAST_ROWS = 2_000
LEAST_NEEDS = 100
FOLDS = 4
MOST_TREES = 400
PATIENCE = 40
# Positions from here on share one bias.
DEEPEST = 30
PARAMETERS = {
    "objective": "lambdarank",
    "learning_rate": 0.05,
    "num_leaves": 8,
    "min_data_in_leaf": 50,
    "lambda_l2": 5.0,
    "monotone_constraints_method": "advanced",
    "lambdarank_position_bias_regularization": 1.0,
    "lambdarank_truncation_level": 30,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "seed": 1,
    "verbosity": -1,
}
# The line's slope is kept above 0: whatever the trees put higher is at least as probable.
LEAST_SCALE = 0.01


def enough_for_trees(rows: TrainingRows) -> bool:
    """Whether there are labels enough: 2,000 on 100 needs."""
    return len(rows) >= LEAST_ROWS and rows.need_count >= LEAST_NEEDS


def learn_trees(rows: TrainingRows, active: Ranking, version: str, seed: int = 0) -> TreeModel:
    """Trees for `rows`, as many as held-back needs gain from; levels hold about as many pairs as the active model's.

    Raises:
        TreesUnavailableError: LightGBM cannot be loaded.
        ValueError: rows of fewer than four needs.
    """
    if rows.need_count < FOLDS:
        raise ValueError(f"rows: decisions on at least {FOLDS} needs are needed, there are {rows.need_count}")
    weights, _ = row_weights(rows)
    neutrals = neutrals_of(rows, active)
    readings = np.where(np.isnan(rows.raw), neutrals, rows.raw)
    folds = folds_of(rows.needs, FOLDS, seed)
    held_back, rounds = np.zeros(len(rows)), []
    for fold in range(FOLDS):
        held = folds == fold
        booster, count = _boost(rows.take(~held), readings[~held], MOST_TREES, (rows.take(held), readings[held]))
        held_back[held] = booster.predict(readings[held], num_iteration=count)
        rounds.append(count)
    scale, offset = _line(held_back, rows.labels, weights)
    booster, _ = _boost(rows, readings, max(1, round(float(np.mean(rounds)))), None)
    contributions: Matrix = booster.predict(readings, pred_contrib=True)
    parts = scale * contributions[:, :-1]
    intercept = offset + scale * float(contributions[0, -1])
    return TreeModel(
        version,
        intercept,
        rows.signals,
        tuple(neutrals.tolist()),
        tuple(np.average(np.abs(parts), axis=0, weights=weights).tolist()),
        scale,
        booster.model_to_string(),
        _cuts(rows, active, intercept + parts.sum(axis=1), weights),
    )


def _cuts(rows: TrainingRows, active: Ranking, scores: Vector, weights: Vector) -> Thresholds:
    return equated(active.thresholds, active.scores(rows.signals, rows.raw), scores, weights)


def _boost(
    rows: TrainingRows, readings: Matrix, most: int, held_back: tuple[TrainingRows, Matrix] | None
) -> tuple[Any, int]:
    """Boost up to `most` trees; with rows held back, stop where their nDCG has not risen for a while."""
    library = lightgbm()
    parameters = PARAMETERS | {"monotone_constraints": [1] * len(rows.signals)}
    training = _dataset(library, rows, readings)
    if held_back is None:
        return library.train(parameters, training, num_boost_round=most), most
    booster = library.train(
        parameters | {"metric": "ndcg", "eval_at": [10]},
        training,
        num_boost_round=most,
        valid_sets=[_dataset(library, *held_back)],
        callbacks=[library.early_stopping(PATIENCE, verbose=False)],
    )
    return booster, booster.best_iteration or most


def _dataset(library: ModuleType, rows: TrainingRows, readings: Matrix) -> Any:
    """LightGBM's form of rows: sorted by need, with the size of each need's group."""
    order = np.argsort(rows.needs, kind="stable")
    _, sizes = np.unique(rows.needs, return_counts=True)
    return library.Dataset(
        readings[order],
        label=rows.labels[order],
        weight=rows.weights[order],
        group=sizes,
        position=np.minimum(rows.ranks[order], DEEPEST) - 1,
        params={"verbosity": -1},
        free_raw_data=False,
    )


def _line(scores: Vector, labels: Vector, weights: Vector) -> tuple[float, float]:
    """Slope and offset that bring the trees' scores to log-odds."""

    def loss(values: Vector) -> tuple[float, Vector]:
        logits = values[0] * scores + values[1]
        residuals = (np.exp(-np.logaddexp(0.0, -logits)) - labels) * weights
        return float(pointwise_loss(logits, labels) @ weights), np.array([residuals @ scores, residuals.sum()])

    bounds = [(LEAST_SCALE, None), (None, None)]
    slope, offset = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(slope), float(offset)
