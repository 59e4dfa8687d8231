"""Fitting: known weights are found again, nothing speaks against a pair, levels hold as many pairs as their grade."""

import numpy as np
import pytest

from matching.fusion import from_json, probability_of, to_json
from matching.learning.fit import PRIORS, TEXT_SIGNALS, as_model, fit, thresholds
from matching.signals import SIGNALS


def drawn(weights: list[float], intercept: float, rows: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Readings from 0 to 1, and labels drawn by a logistic model of known weights."""
    random = np.random.default_rng(11)
    readings = random.uniform(0, 1, (rows, len(weights)))
    chances = 1 / (1 + np.exp(-(intercept + readings @ np.array(weights))))
    return readings, random.uniform(size=rows) < chances


def test_known_weights_are_found_again() -> None:
    readings, labels = drawn([4.0, 2.0], -3.0)
    fitted = fit(readings, labels)
    assert fitted.weights == pytest.approx([4.0, 2.0], abs=0.25)
    # The intercept is that of readings about their means.
    assert fitted.intercept == pytest.approx(-3.0 + 4.0 * 0.5 + 2.0 * 0.5, abs=0.15)


def test_a_signal_that_would_count_against_a_pair_is_left_out() -> None:
    readings, labels = drawn([4.0, -3.0, 1.0], -1.0)
    weights = fit(readings, labels).weights
    assert weights[1] == 0.0
    assert weights[0] > weights[2] > 0.0


def test_the_model_scores_as_the_regression_does() -> None:
    readings, labels = drawn([1.0 + place for place in range(len(TEXT_SIGNALS))], -4.0, rows=2_000)
    fitted = fit(readings, labels)
    model = from_json(to_json(as_model(fitted, (0.6, 0.3, 0.1), "test")))
    row = readings[0]
    by_terms = model.intercept + sum(
        model.terms[name].weight * (value - model.terms[name].neutral)
        for name, value in zip(TEXT_SIGNALS, row, strict=True)
    )
    # The definition rounds weights to three places and means to four.
    assert by_terms == pytest.approx(float(fitted.scores(row[None, :])[0]), abs=0.01)


def test_every_signal_is_either_fitted_or_has_a_prior() -> None:
    assert set(TEXT_SIGNALS) | set(PRIORS) == {signal.name for signal in SIGNALS}
    assert not set(TEXT_SIGNALS) & set(PRIORS)


def test_levels_hold_as_many_pairs_as_judges_gave_the_grade() -> None:
    scores = np.array([5.0, 4.0, 3.0, 2.0, 1.0, 0.0, -1.0, -2.0])
    grades = np.array([3, 0, 2, 3, 1, 0, 0, 1])
    # Two of grade 3, three of 2 and more, five of 1 and more.
    expected = [round(probability_of(score), 3) for score in (4.0, 3.0, 1.0)]
    assert list(thresholds(scores, grades)) == expected
