"""Models on the decisions of a real market: what brokers accepted should stand before what they declined."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from rich.console import Console

from matching.fusion import RankingModel, default_model, to_json
from service.errors import NotFound
from service.evaluation import Options, judge_models, run_decisions
from service.kit.actor import SYSTEM
from service.kit.db import Pool, transaction
from service.matches import samples
from service.matches.models import activate
from service.resources import Resources
from service.settings import Settings
from tests.conftest import Keys
from tests.evaluation.conftest import said
from tests.matches.test_decisions import decide
from tests.matches.test_worker import NEEDS, drain, matches, publish_all

BACKWARDS = "backwards-1"


@pytest.fixture
async def pairs(client: httpx2.AsyncClient, keys: Keys, resources: Resources) -> list[dict[str, Any]]:
    """The ranked pairs of the first need, the best accepted, the second declined, the third snoozed."""
    needs, _ = await publish_all(client, keys)
    await drain(resources)
    found = await matches(client, keys, needs[0])
    until = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    bodies = (
        {"action": "accept"},
        {"action": "decline", "code": "too_early"},
        {"action": "snooze", "snoozed_until": until},
    )
    for pair, body in zip(found, bodies, strict=False):
        assert (await decide(client, keys, pair, **body)).status_code == 201
    return found


async def keep(pool: Pool, model: RankingModel) -> None:
    """A model in the table of versions, not active."""
    await pool.execute(
        "insert into ranking_model (version, definition) values ($1, $2::text::jsonb)", model.version, to_json(model)
    )


def backwards() -> RankingModel:
    """The code's own model with every weight turned round."""
    model = default_model()
    terms = {name: type(term)(-term.weight, term.neutral) for name, term in model.terms.items()}
    return RankingModel(BACKWARDS, model.intercept, terms, model.thresholds)


async def test_the_last_decision_on_a_pair_is_read_with_what_signals_say(
    pool: Pool, pairs: list[dict[str, Any]], client: httpx2.AsyncClient, keys: Keys
) -> None:
    # The snoozed pair comes back and is declined at last.
    await pool.execute(
        "update recommendation set state = 'proposed', snoozed_until = null where id = $1", pairs[2]["id"]
    )
    assert (await decide(client, keys, pairs[2], action="decline", code="vague")).status_code == 201
    async with transaction(pool, SYSTEM) as connection:
        decided = await samples.decided_pairs(connection)
    by_outcome = {each.pair.outcome: each.pair for each in decided}
    assert [by_outcome[pair["counterpart"]["id"]].action for pair in pairs[:3]] == ["accept", "decline", "decline"]
    for pair in pairs[:3]:
        read = by_outcome[pair["counterpart"]["id"]]
        assert read.title == NEEDS[0]
        assert read.readings == {part["signal"]: part["raw"] for part in pair["explanation"]["signals"]}


async def test_the_active_model_is_compared_with_a_version(
    pool: Pool, pairs: list[dict[str, Any]], reached: Settings, console: Console, tmp_path: Path
) -> None:
    await keep(pool, backwards())
    file = tmp_path / "decisions.json"
    await run_decisions(reached, console, BACKWARDS, Options(needs=True, file=file))
    report = orjson.loads(file.read_bytes())
    assert report["decisions"] == {"accepted": 1, "declined": 1, "snoozed": 1}
    assert (report["needs"], report["needs_with_both"], report["few"]) == (1, 1, True)
    active, other = default_model().version, BACKWARDS
    assert list(report["models"]) == [active, other]
    assert (report["models"][active]["auc"]["mean"], report["models"][other]["auc"]["mean"]) == (1.0, 0.0)
    assert report["differences"]["auc"]["mean"] == 1.0
    assert report["models"][active]["accepted@1"]["mean"] == 1.0
    assert report["win_loss"]["needs"][0]["title"] == NEEDS[0]
    # The version was kept after the decisions, and might have learned from them.
    assert [warning["en"].split(" ", 1)[0] for warning in report["warnings"]] == ["Only", "3"]
    for words in (active, BACKWARDS, "Only 1 needs hold both", "3 decisions are older than the model", NEEDS[0]):
        assert words in said(console)


async def test_the_active_model_alone(pool: Pool, pairs: list[dict[str, Any]]) -> None:
    judged = await judge_models(pool, None)
    assert judged.result.versions == [default_model().version]
    assert judged.result.differences() == {}


async def test_another_active_model_is_compared_with_the_codes_own(pool: Pool, pairs: list[dict[str, Any]]) -> None:
    await keep(pool, backwards())
    async with transaction(pool, SYSTEM) as connection:
        await activate(connection, SYSTEM, BACKWARDS)
    judged = await judge_models(pool, None)
    assert judged.result.versions == [BACKWARDS, default_model().version]
    assert judged.result.differences()["auc"].mean == -1.0


async def test_what_is_missing_is_told(pool: Pool, keys: Keys) -> None:
    with pytest.raises(NotFound, match="No recommendation was accepted or declined yet"):
        await judge_models(pool, None)
    with pytest.raises(NotFound, match=f"No ranking model oracle; there are: .*{default_model().version}"):
        await judge_models(pool, "oracle")
