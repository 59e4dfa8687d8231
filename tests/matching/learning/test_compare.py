"""The comparison: measures by hand, intervals that can be told, and what may be activated."""

from dataclasses import replace

import numpy as np
import pytest

from matching.fusion import Ranking, RankingModel, Term
from matching.learning.compare import (
    ByNeed,
    Comparison,
    Interval,
    Standing,
    _order_of_need,
    compare,
    interval_of,
    verdict_on,
)
from matching.learning.examples import TrainingRows
from matching.learning.logistic import learn_weights
from tests.matching.learning.test_logistic import ACTIVE, drawn


def test_the_order_of_one_need_by_hand() -> None:
    in_order, pairs, ndcg, precision, counted = _order_of_need(np.array([3.0, 2.0, 1.0]), np.array([1.0, 0.0, 1.0]))
    assert (in_order, pairs, counted) == (1.0, 2.0, 1.0)
    assert ndcg == pytest.approx((1 / np.log2(2) + 1 / np.log2(4)) / (1 / np.log2(2) + 1 / np.log2(3)))
    assert precision == pytest.approx((1 / 1 + 2 / 3) / 2)


def test_equal_scores_count_half_a_pair_and_stand_in_the_worst_order() -> None:
    in_order, pairs, ndcg, precision, _ = _order_of_need(np.array([1.0, 1.0]), np.array([1.0, 0.0]))
    assert (in_order, pairs) == (0.5, 1.0)
    assert ndcg == pytest.approx(1 / np.log2(3))
    assert precision == 0.5


def test_a_need_with_one_label_says_nothing_of_the_order() -> None:
    assert _order_of_need(np.array([1.0, 2.0]), np.array([1.0, 1.0])) == (0.0, 0.0, 0.0, 0.0, 0.0)


def test_an_interval_is_that_of_the_mean_over_needs() -> None:
    random = np.random.default_rng(1)
    differences = random.normal(0.3, 1.0, 400)
    found = interval_of(ByNeed(differences, np.ones(400)), ByNeed(np.zeros(400), np.ones(400)))
    error = differences.std() / np.sqrt(400)
    assert found.mean == pytest.approx(differences.mean())
    assert (found.low, found.high) == pytest.approx(
        (differences.mean() - 1.96 * error, differences.mean() + 1.96 * error), abs=0.02
    )


def test_an_interval_is_the_same_at_every_call_and_empty_measures_have_none() -> None:
    measure, other = ByNeed(np.arange(9.0), np.ones(9)), ByNeed(np.zeros(9), np.ones(9))
    assert interval_of(measure, other) == interval_of(measure, other)
    nothing = ByNeed(np.zeros(3), np.zeros(3))
    assert interval_of(nothing, nothing) == Interval(0.0, 0.0, 0.0)


def unchanged(_: TrainingRows) -> RankingModel:
    return ACTIVE


GAIN, NOTHING, LOSS = Interval(0.1, 0.05, 0.15), Interval(0.02, -0.01, 0.05), Interval(-0.1, -0.2, -0.01)
STANDING = Standing(0.6, 0.6, 0.8, 0.7, 0.1)


def outcome(
    gain: Interval,
    order: Interval,
    recalibration: Interval = NOTHING,
    agreement: Interval = GAIN,
    new_agreement: Interval = GAIN,
) -> Comparison:
    gains = {"log loss": gain, "AUC": order, "nDCG": order, "average precision": order}
    return Comparison(200, 40, STANDING, STANDING, STANDING, gains, recalibration, agreement, new_agreement)


@pytest.mark.parametrize(
    ("comparison", "verdict"),
    [
        (outcome(GAIN, NOTHING), "weights"),
        (outcome(GAIN, LOSS), "kept"),
        (outcome(GAIN, Interval(-0.01, -0.05, 0.03)), "kept"),
        (outcome(NOTHING, GAIN), "kept"),
        (outcome(LOSS, GAIN), "kept"),
        (outcome(NOTHING, GAIN, recalibration=GAIN), "calibration"),
        (outcome(NOTHING, GAIN, recalibration=GAIN, agreement=NOTHING), "kept"),
        (outcome(GAIN, GAIN, new_agreement=NOTHING), "kept"),
        (outcome(GAIN, GAIN, agreement=NOTHING), "weights"),
    ],
)
def test_only_what_is_better_may_be_activated(comparison: Comparison, verdict: str) -> None:
    assert verdict_on(comparison) == verdict


def test_a_better_model_is_seen_to_be_better_and_its_needs_were_held_back() -> None:
    truth = RankingModel("truth", 0.0, {"one": Term(0.5, 0.5), "two": Term(6.0, 0.5)}, (0.7, 0.4, 0.1))
    rows = drawn(truth, 600, 3)
    seen: list[set[int]] = []

    def learn(part: TrainingRows) -> Ranking:
        seen.append(set(part.needs.tolist()))
        return learn_weights(part, ACTIVE, "new").model

    found = compare(rows, ACTIVE, learn, partitions=1)
    assert len(seen) == 5
    assert all(len(part) < 60 for part in seen)
    # each need is held back from exactly one of the five models
    assert sorted(need for part in seen for need in set(range(60)) - part) == list(range(60))
    assert verdict_on(found) == "weights"
    assert found.candidate.auc > found.active.auc


def test_the_active_model_itself_as_candidate_gains_nothing() -> None:
    found = compare(drawn(ACTIVE, 300, 4), ACTIVE, unchanged, partitions=1)
    assert found.gains["AUC"] == Interval(0.0, 0.0, 0.0)
    assert verdict_on(found) != "weights"


def test_few_needs_are_refused() -> None:
    rows = drawn(ACTIVE, 40, 5)
    with pytest.raises(ValueError, match="at least 5 needs"):
        compare(rows, ACTIVE, unchanged)
    same = replace(rows, needs=np.zeros(40, dtype=np.int64))
    with pytest.raises(ValueError, match="there are 1"):
        compare(same, ACTIVE, unchanged)
