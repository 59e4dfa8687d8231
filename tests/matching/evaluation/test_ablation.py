"""Weighing the same readings anew gives what ranking anew would give."""

from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from matching.embedding.fake import FakeEncoder
from matching.evaluation import evaluate, load
from matching.evaluation.ablation import alone, rescored, without
from matching.fusion import RankingModel, Term, default_model
from matching.signals import SIGNALS
from matching.types import Contribution, Match
from tests.matching.conftest import named

MODEL = RankingModel("test", -1.0, {"semantic": Term(2.0, 0.5), "lexical": Term(4.0, 0.25)}, (0.7, 0.4, 0.1))


def match(outcome: str, semantic: float | None, lexical: float | None) -> Match:
    """A pair with two readings, as the model above scores it."""
    raws = {"semantic": semantic, "lexical": lexical, "unheard": 0.5}
    parts = tuple(Contribution(name, raw, 0.0, 0.0) for name, raw in raws.items())
    return Match(named("need"), named(outcome), 0.0, 0.5, "none", parts)


PAIRS = [match("a", 1.0, 0.0), match("b", 0.0, 0.75), match("c", None, 0.375)]


def order(ranking: RankingModel) -> list[tuple[str, float]]:
    names = {named(name): name for name in "abc"}
    return [(names[found.outcome_id], found.score) for found in rescored(PAIRS, ranking)]


def test_every_variant_weighs_the_same_readings() -> None:
    # Score: -1 + 2 (semantic - 0.5) + 4 (lexical - 0.25), and nothing for what is not stated.
    assert order(MODEL) == [("b", -1 - 1 + 2), ("c", -1 + 0.5), ("a", -1 + 1 - 1)]
    assert order(without(MODEL, "semantic")) == [("b", -1 + 2), ("c", -1 + 0.5), ("a", -1 - 1)]
    assert order(without(MODEL, "lexical")) == [("a", -1 + 1), ("c", -1), ("b", -1 - 1)]
    assert order(alone(MODEL, "lexical")) == order(without(MODEL, "semantic"))


def test_a_signal_without_weight_speaks_for_a_pair_when_alone() -> None:
    assert alone(MODEL, "unheard").terms == {"unheard": Term(1.0, 0.0)}
    assert without(MODEL, "unheard").terms == MODEL.terms


@pytest.fixture
def ranking() -> RankingModel:
    """The code's own model."""
    return default_model()


async def test_the_whole_is_the_ranking_itself_and_signals_are_those_registered(
    owner: "asyncpg.Connection[asyncpg.Record]", folder: Path, ranking: RankingModel
) -> None:
    result = await evaluate(owner, FakeEncoder(), ranking, load(folder), ["duijie"], ablation=True)
    assert result.ablation is not None
    whole, *rows = result.ablation.rows
    assert whole.kind == "whole"
    assert whole.ndcg.mean == result.systems["duijie"].ndcg
    assert (whole.ndcg_difference.mean, whole.ndcg_difference.high) == (0.0, 0.0)
    speaking = [row.signal for row in rows if row.kind == "alone"]
    assert [row.signal for row in rows if row.kind == "without"] == speaking
    assert {*speaking, *result.ablation.silent} == {signal.name for signal in SIGNALS}
    # The data states no price and no region, so that these can neither help nor hurt.
    assert {"price", "region"} <= set(result.ablation.silent)
    report = result.as_json()["ablation"]
    assert [row["variant"] for row in report["rows"]] == ["whole", *(row.kind for row in rows)]


async def test_without_a_signal_means_ranked_without_it(
    owner: "asyncpg.Connection[asyncpg.Record]", folder: Path, ranking: RankingModel
) -> None:
    result = await evaluate(owner, FakeEncoder(), ranking, load(folder), ["duijie"], ablation=True)
    assert result.ablation is not None
    for row in result.ablation.rows[1:]:
        changed = (without if row.kind == "without" else alone)(ranking, row.signal)
        anew = await evaluate(owner, FakeEncoder(), replace(changed, version="anew"), load(folder), ["duijie"])
        assert row.ndcg.mean == anew.systems["duijie"].ndcg, (row.kind, row.signal)
