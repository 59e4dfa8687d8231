"""Ranking models on decided pairs, against arithmetic."""

import math

import pytest

from matching.evaluation.decisions import Action, DecidedPair, evaluate_decisions, score_of
from matching.fusion import RankingModel, Term

WORDS = RankingModel("words", 0.0, {"lexical": Term(1.0, 0.5)}, (0.7, 0.4, 0.1))
MEANING = RankingModel("meaning", 0.0, {"semantic": Term(1.0, 0.5)}, (0.7, 0.4, 0.1))


def pair(need: str, outcome: str, action: Action, lexical: float | None, semantic: float) -> DecidedPair:
    return DecidedPair(need, f"需求 {need}", outcome, action, {"lexical": lexical, "semantic": semantic})


PAIRS = [
    pair("n1", "a", "accept", 0.9, 0.1),
    pair("n1", "b", "decline", 0.8, 0.9),
    pair("n1", "c", "snooze", 1.0, 1.0),
    pair("n1", "d", "accept", 0.1, 0.8),
    pair("n2", "e", "decline", 0.5, 0.5),
    pair("n3", "f", "snooze", 0.5, 0.5),
]


def test_decided_pairs_are_ordered_by_each_model_and_snoozed_ones_do_not_count() -> None:
    result = evaluate_decisions(PAIRS, [WORDS, MEANING])
    assert (result.accepted, result.declined, result.snoozed) == (2, 2, 2)
    assert (set(result.titles), result.telling, result.is_few) == ({"n1", "n2"}, 1, True)
    # By words: a, b, d. By meaning: b, d, a. Both accepted pairs gain 7 in the ideal order.
    ideal = 7 + 7 / math.log2(3)
    words, meaning = result.figures["words"]["n1"], result.figures["meaning"]["n1"]
    assert words["ndcg@10_judged"] == pytest.approx((7 + 7 / 2) / ideal)
    assert meaning["ndcg@10_judged"] == pytest.approx((7 / math.log2(3) + 7 / 2) / ideal)
    assert (words["auc"], meaning["auc"]) == (1 / 2, 0.0)
    assert [words[f"accepted@{place}"] for place in (1, 2, 3)] == [1.0, 0.0, 1.0]
    assert [meaning[f"accepted@{place}"] for place in (1, 2, 3)] == [0.0, 1.0, 1.0]
    # A need with one answer only tells nothing of the order, but how often the first place was accepted.
    assert (result.figures["words"]["n2"]["auc"], result.figures["words"]["n2"]["accepted@1"]) == (None, 0.0)
    assert result.intervals("words")["accepted@1"].mean == (1.0 + 0.0) / 2
    assert result.differences()["auc"].mean == 1 / 2 - 0.0
    found = result.win_loss()
    assert found is not None
    assert [need.title for need in found.needs] == ["需求 n1"]
    assert result.as_json()["needs_with_both"] == 1


def test_one_model_is_compared_with_nothing() -> None:
    result = evaluate_decisions(PAIRS, [WORDS])
    assert (result.differences(), result.win_loss(), result.as_json()["win_loss"]) == ({}, None, None)


def test_a_signal_that_was_not_read_then_states_nothing() -> None:
    newer = RankingModel("newer", 1.0, {"lexical": Term(2.0, 0.5), "late": Term(9.0, 0.5)}, (0.7, 0.4, 0.1))
    assert score_of(pair("n", "o", "accept", 0.75, 0.0), newer) == 1.0 + 2.0 * 0.25
    assert score_of(pair("n", "o", "accept", None, 0.0), newer) == 1.0
