"""Learning from decisions made through the API, on a real database: train, activate, list, compare, roll back."""

import asyncio
import io
from collections.abc import Coroutine
from typing import Any

import asyncpg
import httpx2
import numpy as np
import pytest
from alembic import command
from alembic.config import Config
from rich.console import Console
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from typer.testing import CliRunner

from matching.fusion import RankingModel, Term, default_model, probability_of, to_json
from matching.learning.examples import training_rows
from matching.learning.simulate import decide, draw_collection
from matching.learning.trees import learn_trees
from matching.signals import SIGNALS
from service import embedded, migrate, training, worker
from service.cli import app
from service.errors import Conflict, NotFound, Unavailable
from service.kit.actor import SYSTEM
from service.kit.db import Pool, transaction
from service.kit.language import current_language
from service.matches import labels, models
from service.resources import Resources
from service.settings import MIGRATIONS, Settings, get_settings
from tests.conftest import Keys, Server
from tests.matches.test_worker import drain, matches, publish

COMMON = "枸杞鲜果低能耗快速热风干燥成套装备与工艺技术"
SUBJECTS = list("甲乙丙丁戊己庚辛")
WANTED, OTHER = "license", "joint_rd"


@pytest.fixture
async def decided(client: httpx2.AsyncClient, keys: Keys, resources: Resources) -> list[str]:
    """Eight needs of eight pairs each, all decided on: accepted exactly where the outcome offers the mode asked for."""
    # All much alike in words, so that every pair is worth storing from either side.
    needs = [await publish(client, keys, "needs", f"{COMMON}{subject}", modes=[WANTED]) for subject in SUBJECTS]
    for number, subject in enumerate(SUBJECTS):
        mode = WANTED if number % 2 else OTHER
        await publish(client, keys, "outcomes", f"{COMMON}{subject}", modes=[mode])
    await drain(resources)
    for need in needs:
        for pair in await matches(client, keys, need):
            fits = WANTED in pair["counterpart"]["modes"]
            body = {"action": "accept"} if fits else {"action": "decline", "code": "mode_mismatch"}
            answer = await client.post(
                f"/v1/recommendations/{pair['id']}/decisions", json=body, headers=keys.headers("broker")
            )
            assert answer.status_code == 201, answer.text
    return needs


@pytest.fixture
def commanded(settings: Settings, app_url: str, owner_url: str) -> Settings:
    """Settings of a command that runs over the test's database."""
    return settings.model_copy(update={"database_url": app_url, "owner_database_url": owner_url})


def screen() -> Console:
    return Console(file=io.StringIO(), width=160)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return " ".join(console.file.getvalue().split())


async def shown(command: Coroutine[Any, Any, Any]) -> str:
    """What a command puts on the screen, in English."""
    current_language.set("en")
    console = screen()
    found = await command
    for part in found if isinstance(found, list) else [found]:
        console.print(part)
    return text_of(console)


async def active_version(pool: Pool) -> str:
    version: str = await pool.fetchval("select version from active_ranking_model")
    return version


async def test_decisions_become_rows_with_what_was_shown(
    client: httpx2.AsyncClient, keys: Keys, decided: list[str], pool: Pool
) -> None:
    async with transaction(pool, SYSTEM) as connection:
        rows = training_rows(await labels.decided(connection), [signal.name for signal in SIGNALS])
    assert len(rows) == await pool.fetchval("select count(*) from decision") == 64
    assert sorted(rows.ranks.tolist()) == sorted(list(range(1, 9)) * 8)
    modes = rows.signals.index("modes")
    assert (rows.labels == (rows.raw[:, modes] > 0.5)).all()
    first = (await matches(client, keys, decided[0]))[0]
    raw = {part["signal"]: part["raw"] for part in first["explanation"]["signals"]}
    place = next(n for n in range(64) if str(rows.need_ids[rows.needs[n]]) == decided[0] and rows.ranks[n] == 1)
    assert [None if value != value else value for value in rows.raw[place].tolist()] == [
        raw[name] for name in rows.signals
    ]


async def test_training_activates_what_is_better_and_ranks_everything_anew(
    client: httpx2.AsyncClient,
    keys: Keys,
    decided: list[str],
    pool: Pool,
    resources: Resources,
    commanded: Settings,
) -> None:
    console = screen()
    current_language.set("en")
    await training.train(commanded, console, dry_run=False, least=50, activating=True)
    version = await active_version(pool)
    assert version.startswith("learned-")
    assert f"{version} is active now" in text_of(console)
    assert "modes" in text_of(console)
    assert "decided pairs by level" in text_of(console)
    row = await pool.fetchrow("select * from ranking_model where version = $1", version)
    assert (row["origin"], row["parent"], row["labels"], row["needs"]) == (
        "decisions",
        default_model().version,
        64,
        8,
    )
    assert row["report"]["gains"]["log loss"]["low"] > 0
    assert row["definition"]["terms"]["modes"]["weight"] > default_model().terms["modes"].weight
    actions = await pool.fetch("select action from event where subject_kind = 'ranking_model' order by id")
    assert [each["action"] for each in actions] == ["install", "learn", "train"]
    assert await pool.fetchval("select count(*) from pgqueuer where entrypoint = 'rank'") == 16
    await drain(resources)
    ranked = await matches(client, keys, decided[0])
    assert {pair["model_version"] for pair in ranked} == {version}
    offered = [WANTED in pair["counterpart"]["modes"] for pair in ranked]
    assert offered == sorted(offered, reverse=True)
    # What was decided stays, with its rank and its model.
    assert await pool.fetchval("select count(*) from decision where model_version <> $1", version) == 64


async def test_a_dry_run_and_no_activate_leave_the_active_model(
    decided: list[str], pool: Pool, commanded: Settings
) -> None:
    console = screen()
    current_language.set("en")
    await training.train(commanded, console, dry_run=True, least=50, activating=True)
    assert "dry run: nothing was kept" in text_of(console)
    assert await pool.fetchval("select count(*) from ranking_model") == 1
    await training.train(commanded, screen(), dry_run=False, least=50, activating=False)
    assert await active_version(pool) == default_model().version
    assert await pool.fetchval("select count(*) from ranking_model") == 2


async def test_too_few_decisions_or_needs_are_refused(decided: list[str], pool: Pool, commanded: Settings) -> None:
    with pytest.raises(Conflict, match="64 decisions"):
        await training.train(commanded, screen(), dry_run=False, least=65, activating=True)
    # Snoozed anew, the pairs of five needs are no labels any more.
    await pool.execute(
        """
        insert into decision (recommendation_id, action, snoozed_until, rank, model_version, features)
        select id, 'snooze', now() + interval '1 day', 1, 'default-2', explanation
        from recommendation where need_id in (select id from need order by id limit 5)
        """
    )
    with pytest.raises(Conflict, match="at least 5 are needed"):
        await training.train(commanded, screen(), dry_run=False, least=10, activating=True)


async def test_a_model_activated_meanwhile_stops_the_training(decided: list[str], pool: Pool) -> None:
    from matching.learning.propose import propose

    async with transaction(pool, SYSTEM) as connection:
        rows = training_rows(await labels.decided(connection), [signal.name for signal in SIGNALS])
        before = await models.active_ranking(connection)
    proposal = propose(rows, before, "learned-x")
    async with transaction(pool, SYSTEM) as connection:
        await training.conclude(connection, proposal, before.version, activating=False)
    with pytest.raises(Conflict, match="learned-x is taken"):
        async with transaction(pool, SYSTEM) as connection:
            await training.conclude(connection, proposal, before.version, activating=True)
    await keep_and_activate(pool, "other")
    with pytest.raises(Conflict, match="during training"):
        async with transaction(pool, SYSTEM) as connection:
            await training.conclude(connection, proposal, before.version, activating=True)
    assert await active_version(pool) == "other"


def model_of(version: str) -> RankingModel:
    return RankingModel(version, -1.0, {"modes": Term(2.0, 0.5)}, (0.7, 0.4, 0.1))


async def keep_and_activate(pool: Pool, *versions: str) -> None:
    for version in versions:
        async with transaction(pool, SYSTEM) as connection:
            await models.keep_learned(connection, model_of(version), models.Learned(default_model().version, 1, 1, {}))
            await models.activate(connection, SYSTEM, version)


async def test_rollback_goes_back_step_by_step(pool: Pool, resources: Resources) -> None:
    await worker.keep_house(resources)
    await keep_and_activate(pool, "a", "b")
    for expected in ("a", default_model().version):
        async with transaction(pool, SYSTEM) as connection:
            assert await models.rollback(connection, SYSTEM) == expected
        assert await active_version(pool) == expected
    with pytest.raises(Conflict, match="nothing to go back to"):
        async with transaction(pool, SYSTEM) as connection:
            await models.rollback(connection, SYSTEM)
    # After a rollback the next activation is undone to where the rollback led.
    await keep_and_activate(pool, "c")
    async with transaction(pool, SYSTEM) as connection:
        assert await models.rollback(connection, SYSTEM) == default_model().version
    history = [row["action"] for row in await pool.fetch("select action from ranking_activation order by id")]
    assert history == ["install", "activate", "activate", "rollback", "rollback", "activate", "rollback"]


async def test_what_is_unknown_or_active_is_refused(pool: Pool, resources: Resources) -> None:
    await worker.keep_house(resources)
    with pytest.raises(NotFound, match="duijie models list"):
        async with transaction(pool, SYSTEM) as connection:
            await models.activate(connection, SYSTEM, "nothing")
    with pytest.raises(Conflict, match="active already"):
        async with transaction(pool, SYSTEM) as connection:
            await models.activate(connection, SYSTEM, default_model().version)


async def test_the_codes_next_default_replaces_only_what_nobody_chose(
    pool: Pool, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    await worker.keep_house(resources)
    monkeypatch.setattr(models, "default_model", lambda: model_of("default-next"))
    await worker.keep_house(resources)
    assert await active_version(pool) == "default-next"
    # Whoever goes back to the earlier default means it only until the next activation by the code.
    await keep_and_activate(pool, "chosen")
    monkeypatch.setattr(models, "default_model", lambda: model_of("default-later"))
    await worker.keep_house(resources)
    assert await active_version(pool) == "chosen"
    async with transaction(pool, SYSTEM) as connection:
        await models.rollback(connection, SYSTEM)
    await worker.keep_house(resources)
    assert await active_version(pool) == "default-later"


async def test_a_default_that_was_chosen_by_hand_stays(
    pool: Pool, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    await worker.keep_house(resources)
    shipped = default_model().version
    monkeypatch.setattr(models, "default_model", lambda: model_of("default-next"))
    await worker.keep_house(resources)
    async with transaction(pool, SYSTEM) as connection:
        await models.activate(connection, SYSTEM, shipped)
    await worker.keep_house(resources)
    assert await active_version(pool) == shipped


async def test_two_that_activate_at_once_do_so_one_after_the_other(pool: Pool, resources: Resources) -> None:
    await worker.keep_house(resources)
    await asyncio.gather(*(keep_and_activate(pool, name) for name in "abcd"))
    rows = await pool.fetch("select id, before from ranking_activation order by id")
    # A line: every activation but the first goes back to another, and no two to the same.
    befores = [row["before"] for row in rows if row["before"] is not None]
    assert (len(rows), len(befores), len(set(befores))) == (5, 4, 4)


async def test_lists_ranked_by_another_model_are_picked_up(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool, resources: Resources
) -> None:
    need = await publish(client, keys, "needs", "枸杞干燥", modes=[WANTED])
    await publish(client, keys, "outcomes", "枸杞干燥装备", modes=[WANTED])
    await drain(resources)
    await keep_and_activate(pool, "other")
    await pool.execute("delete from pgqueuer")
    await drain(resources)
    assert {pair["model_version"] for pair in await matches(client, keys, need)} == {"other"}


async def test_a_model_of_trees_ranks_and_explains(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool, resources: Resources
) -> None:
    need = await publish(client, keys, "needs", f"{COMMON}甲", modes=[WANTED])
    await publish(client, keys, "outcomes", f"{COMMON}乙", modes=[WANTED])
    await drain(resources)
    active = default_model()
    random = np.random.default_rng(1)
    rows = decide(draw_collection(active, 30, 40, random), active, active, 600, random)
    model = learn_trees(rows, active, "trees")
    async with transaction(pool, SYSTEM) as connection:
        await models.keep_learned(connection, model, models.Learned(active.version, 600, 30, {}))
        await models.activate(connection, SYSTEM, "trees")
    await drain(resources)
    (pair,) = await matches(client, keys, need)
    explanation = pair["explanation"]
    assert pair["model_version"] == "trees"
    total = model.intercept + sum(part["part"] for part in explanation["signals"])
    # Parts are kept to four places.
    assert explanation["score"] == pytest.approx(total, abs=0.001)
    assert pair["probability"] == pytest.approx(probability_of(total), abs=0.001)
    assert {part["signal"] for part in explanation["signals"]} == {signal.name for signal in SIGNALS}


async def test_a_model_that_cannot_run_here_is_no_internal_error(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matching.fusion import TreesUnavailableError

    await worker.keep_house(resources)
    await keep_and_activate(pool, "trees")

    def without(_: str) -> None:
        raise TreesUnavailableError("LightGBM needs libgomp1")

    monkeypatch.setattr(models, "from_json", without)
    body = {"looking_for": "outcomes", "text": "枸杞干燥"}
    answer = await client.post("/v1/match", json=body, headers=keys.headers("broker"))
    assert answer.status_code == 503
    assert "libgomp1" in answer.json()["detail"]
    with pytest.raises(Unavailable):
        async with transaction(pool, SYSTEM) as connection:
            await models.activate(connection, SYSTEM, default_model().version)


async def test_the_lists_and_the_shadow_comparison(
    decided: list[str], pool: Pool, commanded: Settings, resources: Resources
) -> None:
    same = RankingModel("same", *(getattr(default_model(), name) for name in ("intercept", "terms", "thresholds")))
    async with transaction(pool, SYSTEM) as connection:
        await models.keep_learned(connection, same, models.Learned(default_model().version, 0, 0, {}))
        await models.keep_learned(connection, model_of("by-mode"), models.Learned(default_model().version, 64, 8, {}))
    page = await shown(training.listing(commanded))
    assert [name in page for name in (default_model().version, "same", "by-mode", "64")] == [True] * 4
    unchanged = await shown(training.compare(commanded, "same"))
    assert "8 published needs" in unchanged
    assert "1.000" in unchanged
    before = await pool.fetch("select id, score, version from recommendation order by id")
    changed = await shown(training.compare(commanded, "by-mode"))
    assert changed != unchanged.replace("same", "by-mode")
    assert await pool.fetch("select id, score, version from recommendation order by id") == before
    detail = await shown(training.show(commanded, "by-mode"))
    assert "modes" in detail
    assert "2.000" in detail


async def test_the_commands_end_to_end(
    decided: list[str], pool: Pool, commanded: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {
        "DUIJIE_DATABASE_URL": str(commanded.database_url),
        "DUIJIE_OWNER_DATABASE_URL": str(commanded.owner_database_url),
        "DUIJIE_HOME": str(commanded.home),
        "DUIJIE_LANGUAGE": "en",
        "COLUMNS": "80",
    }

    async def duijie(*arguments: str) -> tuple[int, str]:
        get_settings.cache_clear()
        result = await asyncio.to_thread(CliRunner().invoke, app, arguments, env=environment)
        get_settings.cache_clear()
        return result.exit_code, result.output

    shipped = default_model().version
    code, output = await duijie("train", "ranking", "--min-decisions", "500")
    assert (code, output) == (
        1, "There are 64 decisions to learn from, fewer than 500; --min-decisions lowers the bar\n"
    )  # fmt: skip
    code, output = await duijie("train", "ranking")
    assert code == 0, output
    learned = await active_version(pool)
    assert learned != shipped
    code, output = await duijie("models", "list")
    assert (code, shipped in output, learned in output) == (0, True, True)
    code, output = await duijie("models", "show", learned)
    assert (code, "intercept" in output, "log loss" in output) == (0, True, True)
    code, output = await duijie("models", "compare", shipped)
    assert (code, "Kendall" in output) == (0, True)
    code, output = await duijie("models", "rollback")
    assert (code, await active_version(pool)) == (0, shipped)
    code, output = await duijie("models", "activate", learned)
    assert (code, await active_version(pool)) == (0, learned)
    code, output = await duijie("models", "activate", learned)
    assert (code, "active already" in output) == (1, True)


async def test_the_migration_keeps_the_model_that_was_active(postgres: Server) -> None:
    admin = await asyncpg.connect(postgres.url("postgres", "postgres"))
    name = f"before_{id(admin):x}"
    await admin.execute(f"create database {name} owner {embedded.OWNER} template template0")
    try:
        inside = await asyncpg.connect(postgres.url("postgres", name))
        await inside.execute("create extension vector")
        await inside.close()
        url = postgres.url(embedded.OWNER, name)
        await upgrade_to(url, "0003")
        owner = await asyncpg.connect(url)
        insert = "insert into ranking_model (version, definition) values ($1, $2::text::jsonb)"
        for version in ("default-1", "ours"):
            await owner.execute(insert, version, to_json(model_of(version)))
        await owner.execute("insert into active_ranking_model (version) values ('ours')")
        await migrate.migrate(url)
        row = await owner.fetchrow("select version, action, chosen, before from ranking_activation")
        assert tuple(row) == ("ours", "activate", True, None)
        origins = await owner.fetch("select version, origin, labels from ranking_model order by version")
        assert [tuple(each) for each in origins] == [("default-1", "shipped", 0), ("ours", "shipped", 0)]
        await owner.close()
    finally:
        await admin.execute(f"drop database {name} with (force)")
        await admin.close()


async def upgrade_to(url: str, revision: str) -> None:
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url), poolclass=NullPool
    )

    def run(connection: Any) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()
