"""Weights from few labels: near the active model without them, near the truth with many, never below zero."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.fusion import RankingModel, Term, default_model, probability_of
from matching.learning.examples import TrainingRows
from matching.learning.logistic import Problem, equated, learn_weights, pointwise_loss, recalibrate, row_weights

ACTIVE = RankingModel("active", -1.0, {"one": Term(4.0, 0.5), "two": Term(1.0, 0.5)}, (0.7, 0.4, 0.1))


def rows_of(
    raw: np.ndarray, labels: np.ndarray, each: int = 10, signals: tuple[str, ...] = ("one", "two")
) -> TrainingRows:
    count = len(labels)
    needs = np.arange(count) // each
    return TrainingRows(
        signals, raw, labels.astype(float), np.ones(count), np.arange(count) % each + 1, needs, ("active",) * count
    )


def drawn(model: RankingModel, count: int, seed: int, columns: int = 2) -> TrainingRows:
    random = np.random.default_rng(seed)
    raw = random.uniform(0, 1, (count, columns))
    signals = tuple(model.terms)
    chances = 1 / (1 + np.exp(-model.scores(signals, raw)))
    return rows_of(raw, random.random(count) < chances, signals=signals)


def test_many_labels_find_the_weights_that_made_them() -> None:
    truth = RankingModel("truth", 0.5, {"one": Term(1.0, 0.5), "two": Term(6.0, 0.5)}, (0.7, 0.4, 0.1))
    model = learn_weights(drawn(truth, 20_000, 1), ACTIVE, "new").model
    assert {name: term.weight for name, term in model.terms.items()} == pytest.approx(
        {"one": 1.0, "two": 6.0}, abs=0.35
    )
    assert model.intercept == pytest.approx(0.5, abs=0.1)


def test_labels_of_the_active_model_itself_leave_it_where_it_is() -> None:
    rows = drawn(ACTIVE, 200, 2)
    learned = learn_weights(rows, ACTIVE, "new")
    changes = np.abs(learned.model.scores(rows.signals, rows.raw) - ACTIVE.scores(rows.signals, rows.raw))
    assert changes.mean() < 0.4


def test_a_signal_that_brokers_decide_against_gets_no_weight_below_zero() -> None:
    random = np.random.default_rng(4)
    raw = random.uniform(0, 1, (2_000, 2))
    labels = random.random(2_000) < 1 / (1 + np.exp(-(4 * raw[:, 0] - 6 * raw[:, 1])))
    terms = learn_weights(rows_of(raw, labels), ACTIVE, "new").model.terms
    assert terms["two"].weight == pytest.approx(0.0, abs=1e-9)
    assert terms["one"].weight > 1.0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(10, 80))
def test_no_weight_is_ever_below_zero(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    raw = np.where(random.random((count, 2)) < 0.3, np.nan, random.random((count, 2)))
    model = learn_weights(rows_of(raw, random.random(count) < 0.5, each=4), ACTIVE, "new").model
    assert all(term.weight >= 0 for term in model.terms.values())
    assert 1 >= model.thresholds[0] >= model.thresholds[1] >= model.thresholds[2] >= 0


def test_no_row_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one decision"):
        learn_weights(rows_of(np.zeros((0, 2)), np.zeros(0)), ACTIVE, "new")


def test_a_signal_that_the_model_does_not_know_begins_at_nothing_and_can_be_learned() -> None:
    random = np.random.default_rng(5)
    raw = random.uniform(0, 1, (4_000, 3))
    labels = random.random(4_000) < 1 / (1 + np.exp(-(5 * raw[:, 2] - 2.5)))
    rows = rows_of(raw, labels, signals=("one", "two", "fresh"))
    assert learn_weights(rows.take(np.arange(20)), ACTIVE, "new").model.terms["fresh"].weight < 1.0
    assert learn_weights(rows, ACTIVE, "new").model.terms["fresh"].weight == pytest.approx(5.0, abs=0.6)


def test_signals_of_the_model_without_a_column_keep_their_terms() -> None:
    rows = drawn(RankingModel("t", 0.0, {"two": Term(3.0, 0.5)}, (0.7, 0.4, 0.1)), 200, 6, columns=1)
    assert learn_weights(rows, ACTIVE, "new").model.terms["one"] == ACTIVE.terms["one"]


def test_the_gradient_leads_to_a_minimum_of_the_stated_loss() -> None:
    rows = drawn(ACTIVE, 300, 7)
    weights, _ = row_weights(rows)
    problem = Problem.of(rows, ACTIVE, weights)
    found = problem.solve(0.4)

    def loss(solution: np.ndarray) -> float:
        covariance = np.eye(2) * 0.4**2 + 0.5**2 * np.outer(problem.centre, problem.centre)
        away = solution[1:] - problem.centre
        prior = (solution[0] - ACTIVE.intercept) ** 2 / 2.0**2 + away @ np.linalg.inv(covariance) @ away
        return float(pointwise_loss(problem.scores(solution), rows.labels) @ weights + prior / 2)

    random = np.random.default_rng(8)
    assert all(loss(found) <= loss(found + 0.05 * random.standard_normal(3)) for _ in range(50))


def test_without_reach_the_order_stays_whatever_the_labels_say() -> None:
    rows = drawn(ACTIVE, 100, 11)
    problem = Problem.of(rows, ACTIVE, np.ones(100))
    problem = replace(problem, labels=1 - rows.labels)
    model = problem.as_model(problem.solve(0.0), "flat", rows)
    before, after = ACTIVE.scores(rows.signals, rows.raw), model.scores(rows.signals, rows.raw)
    assert np.array_equal(np.argsort(before, kind="stable"), np.argsort(after, kind="stable"))
    # as flat as may be
    assert model.terms["one"].weight == pytest.approx(4.0 * 0.05)


def test_recalibration_changes_no_order() -> None:
    bold = RankingModel("bold", 2.0, {"one": Term(8.0, 0.5), "two": Term(2.0, 0.5)}, (0.7, 0.4, 0.1))
    rows = drawn(ACTIVE, 3_000, 9)
    model = recalibrate(rows, bold, "calmer")
    before, after = bold.scores(rows.signals, rows.raw), model.scores(rows.signals, rows.raw)
    assert np.array_equal(np.argsort(before, kind="stable"), np.argsort(after, kind="stable"))
    # the labels are those of half the weights and intercept -1
    assert isinstance(model, RankingModel)
    assert model.terms["one"].weight == pytest.approx(4.0, rel=0.1)
    assert model.intercept == pytest.approx(-1.0, abs=0.15)


def test_levels_keep_their_share_when_the_scale_changes() -> None:
    before = np.linspace(-4, 4, 801)
    after = 0.5 * before + 3
    cuts = equated((0.7, 0.4, 0.1), before, after, np.ones(801))
    expected = [probability_of(0.5 * np.log(each / (1 - each)) + 3) for each in (0.7, 0.4, 0.1)]
    assert list(cuts) == pytest.approx(expected, abs=1e-4)
    shares = [np.mean(1 / (1 + np.exp(-before)) >= cut) for cut in (0.7, 0.4, 0.1)]
    assert [np.mean(1 / (1 + np.exp(-after)) >= cut) for cut in cuts] == pytest.approx(shares, abs=0.003)


def test_levels_stay_where_scores_stay() -> None:
    scores = np.array([1.0, 0.0, -2.0])
    assert equated((0.7, 0.4, 0.1), scores, scores, np.ones(3)) == (0.7, 0.4, 0.1)


def test_the_signals_of_the_shipped_model_are_taken_as_they_come() -> None:
    active = default_model()
    rows = drawn(active, 100, 10, columns=len(active.terms))
    assert set(learn_weights(rows, active, "new").model.terms) == set(active.terms)
