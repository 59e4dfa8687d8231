"""What learning promises, on brokers whose taste is known: 200 decisions go half the way, and chance costs nothing."""

import numpy as np
import pytest

from bench.learning import losses_closed, mean_ndcg, ndcg_closed, run
from matching.fusion import RankingModel, Term, default_model
from matching.learning.propose import propose
from matching.learning.simulate import (
    Collection,
    centred,
    decide,
    draw_collection,
    hidden_model,
    quality,
    ranked,
)

# So many tastes that the mean over them does not hang on one.
SEEDS = range(24)


def test_200_decisions_close_at_least_half_the_gap() -> None:
    runs = [run(default_model(), 20, seed) for seed in SEEDS]
    assert ndcg_closed(runs) >= 0.5
    assert losses_closed(runs)[0] >= 0.5


def test_random_decisions_cost_at_most_one_percent() -> None:
    runs = [run(default_model(), 20, seed, random_decisions=True) for seed in SEEDS]
    assert mean_ndcg(runs, "after") >= 0.99 * mean_ndcg(runs, "before")


def test_random_decisions_lower_the_log_loss_and_that_proves_nothing() -> None:
    active = default_model()
    random = np.random.default_rng(5)
    rows = decide(draw_collection(active, 20, 50, random), active, None, 200, random)
    proposal = propose(rows, active, "learned")
    found = proposal.comparison
    # Whoever knows that half of all pairs are accepted does better than a model that does not, and orders nothing better.
    assert found.candidate.log_loss < found.active.log_loss - 0.1
    assert found.gains["log loss"].low <= 0
    assert proposal.verdict == "kept"


def test_everything_accepted_or_everything_declined_changes_no_order() -> None:
    active = default_model()
    random = np.random.default_rng(1)
    collection = draw_collection(active, 20, 50, random)
    rows = decide(collection, active, None, 200, random)
    for label in (0.0, 1.0):
        rows.labels[:] = label
        proposal = propose(rows, active, "learned")
        assert proposal.verdict == "kept"
        assert isinstance(proposal.candidate, RankingModel)
        assert all(term.weight >= 0 for term in proposal.candidate.terms.values())


def test_decisions_keep_the_rank_that_was_shown() -> None:
    active = default_model()
    random = np.random.default_rng(2)
    collection = draw_collection(active, 10, 40, random)
    rows = decide(collection, active, active, 100, random, shown=20)
    scores = active.scores(collection.signals, collection.raw)
    for need, own in enumerate(ranked(scores, collection.needs)):
        mine = rows.take(rows.needs == need)
        assert len(mine) == 10
        np.testing.assert_array_equal(mine.raw, collection.raw[own[mine.ranks - 1]])
    assert rows.ranks.max() <= 20


def test_the_simulation_takes_real_readings() -> None:
    active = RankingModel("a", 0.0, {"one": Term(2.0, 0.5)}, (0.7, 0.4, 0.1))
    collection = Collection(("one",), np.array([[0.9], [0.1], [np.nan], [0.6]]), np.array([0, 0, 1, 1]))
    same = quality(active, active, collection)
    assert same.ndcg == 1.0
    turned = RankingModel("b", 0.0, {"one": Term(0.0, 0.5)}, (0.7, 0.4, 0.1))
    assert quality(turned, active, collection).loss > same.loss


def test_brokers_are_as_sure_as_before_and_accept_the_share_asked_for() -> None:
    active = default_model()
    random = np.random.default_rng(3)
    collection = draw_collection(active, 30, 60, random)
    hidden = centred(hidden_model(active, random), collection, shown=20, rate=0.4)
    scores = hidden.scores(collection.signals, collection.raw)
    first = np.concatenate([rows[:20] for rows in ranked(scores, collection.needs)])
    assert np.mean(1 / (1 + np.exp(-scores[first]))) == pytest.approx(0.4, abs=0.01)
    assert all(term.weight >= 0 for term in hidden.terms.values())
