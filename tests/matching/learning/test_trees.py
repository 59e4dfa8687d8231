"""Trees: monotone, explained by parts that add up to log-odds, calibrated, and absent without harm."""

import builtins
import math
from typing import Any

import numpy as np
import pytest

from matching.fusion import (
    Ranking,
    RankingModelError,
    TreeModel,
    TreesUnavailableError,
    from_json,
    probability_of,
    to_json,
    trees,
)
from matching.learning import propose as proposing
from matching.learning import trees as learning
from matching.learning.calibration import expected_calibration_error
from matching.learning.examples import TrainingRows
from matching.learning.trees import enough_for_trees, learn_trees
from matching.types import Reading
from tests.matching.learning.test_logistic import ACTIVE

NAMES = ("one", "two", "idle")


def both_or_nothing(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Readings, and the chance that a broker accepts: high where both signals are, which no sum of the two can say."""
    raw = np.random.default_rng(seed).uniform(0, 1, (count, 3))
    return raw, np.where((raw[:, 0] > 0.4) & (raw[:, 1] > 0.6), 0.9, 0.2)


@pytest.fixture(scope="module")
def rows() -> TrainingRows:
    random = np.random.default_rng(2)
    count = 2_400
    raw, chances = both_or_nothing(count, 1)
    raw[random.random(count) < 0.1, 2] = np.nan
    ranks = np.tile(np.arange(1, 21), count // 20)
    needs = np.repeat(np.arange(count // 20), 20)
    labels = (random.random(count) < chances).astype(float)
    return TrainingRows(NAMES, raw, labels, np.ones(count), ranks, needs, ("active",) * count)


@pytest.fixture(scope="module")
def model(rows: TrainingRows) -> TreeModel:
    return learn_trees(rows, ACTIVE, "trees-1")


def test_parts_add_up_to_the_score_and_agree_with_many_at_once(model: TreeModel, rows: TrainingRows) -> None:
    scores = model.scores(NAMES, rows.raw[:20])
    for row, score in zip(rows.raw[:20], scores, strict=True):
        readings = [
            (name, Reading(None if np.isnan(raw) else float(raw))) for name, raw in zip(NAMES, row, strict=True)
        ]
        contributions = model.contributions([*readings, ("unknown", Reading(1.0))])
        assert [each.signal for each in contributions] == [*NAMES, "unknown"]
        assert contributions[-1].part == 0.0
        assert model.score(contributions) == pytest.approx(score)


def test_the_score_is_the_trees_own_on_a_straight_line(model: TreeModel, rows: TrainingRows) -> None:
    stated = np.where(np.isnan(rows.raw), model.neutrals, rows.raw)
    own = trees._loaded(model.booster).predict(stated)
    slope, offset = np.polyfit(own, model.scores(NAMES, rows.raw), 1)
    assert slope == pytest.approx(model.scale)
    np.testing.assert_allclose(model.scores(NAMES, rows.raw), slope * own + offset, atol=1e-9)


def test_more_of_a_signal_never_lowers_a_score(model: TreeModel) -> None:
    random = np.random.default_rng(3)
    for column in range(3):
        for _ in range(20):
            raw = np.tile(random.random(3), (50, 1))
            raw[:, column] = np.linspace(0, 1, 50)
            assert (np.diff(model.scores(NAMES, raw)) >= -1e-9).all()


def test_trees_find_what_a_sum_cannot_say_and_state_chances(model: TreeModel) -> None:
    raw, chances = both_or_nothing(4_000, 9)
    stated = np.array([probability_of(float(score)) for score in model.scores(NAMES, raw)])
    for chance in (0.2, 0.9):
        assert stated[chances == chance].mean() == pytest.approx(chance, abs=0.12)
    happened = np.random.default_rng(10).random(len(stated)) < chances
    assert expected_calibration_error(stated, happened) <= 0.08
    assert model.weights[2] < min(model.weights[:2]) / 4


def test_what_is_not_stated_is_read_as_neutral(model: TreeModel) -> None:
    known = model.neutral_readings()
    unstated = model.scores(NAMES, np.array([[np.nan, 0.9, 0.1]]))
    assert unstated == pytest.approx(model.scores(NAMES, np.array([[known["one"], 0.9, 0.1]])))
    assert model.scores(("two", "idle"), np.array([[0.9, 0.1]])) == pytest.approx(unstated)


def test_a_model_of_trees_survives_json(model: TreeModel) -> None:
    assert from_json(to_json(model)) == model


def test_recalibrated_trees_keep_their_order(model: TreeModel, rows: TrainingRows) -> None:
    other = model.rescaled("other", 1.0, 0.5, (0.8, 0.5, 0.2))
    before, after = model.scores(NAMES, rows.raw), other.scores(NAMES, rows.raw)
    np.testing.assert_allclose(after - 1.0, 0.5 * (before - model.intercept), atol=1e-9)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"booster": "tree"}, "trees cannot be read"),
        ({"scale": 0}, "scale"),
        ({"scale": math.inf}, "not finite"),
        ({"kind": "forest"}, "logistic or trees"),
        ({"signals": {"one": {"weight": 1, "neutral": 0.5}}}, "take 3 signals"),
        ({"thresholds": {"strong": 0.1, "fair": 0.5, "weak": 0.1}}, "descend"),
    ],
)
def test_broken_trees_are_refused(model: TreeModel, change: dict[str, Any], named: str) -> None:
    import json

    with pytest.raises(RankingModelError, match=named):
        from_json(json.dumps(json.loads(to_json(model)) | change))


def missing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "lightgbm":
            raise error
        return real(name, *arguments, **options)

    trees._loaded.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without)


def test_without_the_systems_library_the_error_names_its_package(
    model: TreeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = to_json(model)
    missing(monkeypatch, OSError("libgomp.so.1: cannot open shared object file"))
    with pytest.raises(TreesUnavailableError, match="libgomp1"):
        from_json(text)
    # What is not of trees needs nothing.
    assert from_json(to_json(ACTIVE)).version == "active"


def test_without_lightgbm_learning_goes_on_with_weights(rows: TrainingRows, monkeypatch: pytest.MonkeyPatch) -> None:
    missing(monkeypatch, ImportError("No module named 'lightgbm'"))
    proposal = proposing.propose(rows, ACTIVE, "new")
    assert "pip install lightgbm" in proposal.trees
    assert proposal.figures()["kind"] == "logistic"


def test_many_labels_bring_trees_where_they_do_better(rows: TrainingRows, monkeypatch: pytest.MonkeyPatch) -> None:
    assert enough_for_trees(rows)
    assert not enough_for_trees(rows.take(rows.needs < 99))
    # One learned model stands for all five folds: what is tested is the choice, and learning takes its time.
    known = learn_trees(rows.take(rows.needs < 60), ACTIVE, "new")

    def learned(part: TrainingRows, active: Ranking, version: str) -> TreeModel:
        return known

    monkeypatch.setattr(proposing, "learn_trees", learned)
    held_back = rows.take(rows.needs >= 60)
    monkeypatch.setattr(proposing, "enough_for_trees", lambda _: True)
    proposal = proposing.propose(held_back, ACTIVE, "new")
    assert (proposal.trees, proposal.verdict, proposal.figures()["kind"]) == ("better", "weights", "trees")


def test_few_needs_are_refused(rows: TrainingRows) -> None:
    with pytest.raises(ValueError, match="at least 4 needs"):
        learn_trees(rows.take(rows.needs < 3), ACTIVE, "new")


def test_positions_below_the_deepest_share_one_bias(rows: TrainingRows) -> None:
    deep = TrainingRows(
        rows.signals, rows.raw, rows.labels, rows.weights, rows.ranks * 10, rows.needs, rows.model_versions
    )
    data = learning._dataset(trees.lightgbm(), deep, np.nan_to_num(rows.raw)).construct()
    assert int(data.get_position().max()) <= learning.DEEPEST - 1
