"""What the database does for a page of a long queue, and that migrating takes along what is open already."""

import importlib
import json
from typing import Any

import asyncpg
import pytest

from service import migrate
from service.kit.clock import now
from service.kit.db import SET_ACTOR, prepare_connection
from service.review.repository import OPEN, TAKE
from tests.conftest import Server
from tests.review.world import EMPTY, World

# A hundred needs of two fields, each with two hundred outcomes.
MANY = """
with posted as (
    insert into listing (kind, organization_id, state, title, field, region)
    select 'need', $1, 'published', '需求 ' || n, case when n % 50 = 0 then 'wine' else 'goji' end,
           case when n % 25 = 0 then '640500' else '620100' end
    from generate_series(1, 100) as n returning id
), offered as (
    insert into listing (kind, organization_id, state, title, field, region)
    select 'outcome', $2, 'published', '成果 ' || n, 'goji', '110000' from generate_series(1, 200) as n returning id
)
select (select array_agg(id) from posted), (select array_agg(id) from offered)
"""
PAIRS = """
insert into recommendation (need_id, outcome_id, score, probability, level, explanation, model_version)
select need, outcome, random(), random(), 'fair', $3, 'test' from unnest($1::uuid[]) as need, unnest($2::uuid[]) as outcome
"""


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Every node of a plan."""
    return [plan, *(below for child in plan.get("Plans", []) for below in nodes(child))]


@pytest.fixture
async def long_queue(world: World, app_url: str) -> asyncpg.Connection:
    """A connection of the application over 20,000 open pairs, in the name of a broker."""
    keys = world.keys
    needs, outcomes = await world.owner.fetchrow(MANY, keys.enterprise.organization_id, keys.provider.organization_id)
    await world.owner.execute(PAIRS, needs, outcomes, EMPTY)
    await world.owner.fetchval("select settle_review(1000)")
    await world.owner.execute("analyze")
    connection = await asyncpg.connect(app_url, server_settings={"plan_cache_mode": "force_custom_plan"})
    await prepare_connection(connection)
    return connection


LIMITS: dict[str, tuple[Any, ...]] = {
    "all": (None, [], None, None, None, None),
    "a field": (None, [], ["wine", ""], None, None, None),
    "a region": (None, [], None, ["640500"], None, None),
    "a field of a region": (None, [], ["wine", ""], ["640500"], None, None),
    "partner regions": (None, [], None, None, None, 1),
    "an organization with nothing": (None, [], None, None, ["01890a5d-ac96-774b-bcce-b302099a8057"], None),
}


@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS)
@pytest.mark.parametrize("statement", [OPEN, TAKE], ids=["read", "lease"])
async def test_a_page_is_a_walk_along_an_index(
    world: World, long_queue: asyncpg.Connection, statement: str, limits: tuple[Any, ...]
) -> None:
    key = await world.owner.fetchval(
        "select id from api_key where organization_id = $1", world.keys.broker.organization_id
    )
    own = world.keys.broker.organization_id
    rest = (now(), key, None, None, 21) if statement is OPEN else (now(), 20, key, own, None, now())
    change = long_queue.transaction()
    await change.start()
    await long_queue.execute(SET_ACTOR, str(key), str(own), "broker", "plan", "unknown", "")
    prepared = await long_queue.prepare(f"explain (analyze, format json) {statement}")
    (line,) = await prepared.fetch(*limits, *rest)
    await change.rollback()
    await long_queue.close()
    found = nodes(json.loads(line[0])[0]["Plan"])
    assert not [node for node in found if node["Node Type"] == "Seq Scan" and node["Relation Name"] == "review_item"]
    # What is sorted is what little an index by region or organization finds, never the queue.
    for node in found:
        if node["Node Type"] == "Sort":
            assert node["Plans"][0]["Actual Rows"] < 20_000 / 20, node
    if limits in (LIMITS["all"], LIMITS["partner regions"]):
        assert "Sort" not in {node["Node Type"] for node in found}


async def test_what_was_open_before_is_in_the_queue(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    from service import embedded

    admin = await asyncpg.connect(postgres.url("postgres", "postgres"))
    name = f"before_{id(admin):x}"
    await admin.execute(f"create database {name} owner {embedded.OWNER} template template0")
    inside = await asyncpg.connect(postgres.url("postgres", name))
    await inside.execute("create extension vector")
    await inside.close()
    url = postgres.url(embedded.OWNER, name)
    # The one before, whatever its number.
    revision = importlib.import_module("migrations.versions.0017_review").down_revision
    upgrade = migrate.command.upgrade
    with monkeypatch.context() as before:
        before.setattr(migrate.command, "upgrade", lambda config, _: upgrade(config, revision))
        await migrate.migrate(url)
    owner = await asyncpg.connect(url)
    try:
        await owner.execute("""
            insert into organization (name, kind) values ('演示单位', 'enterprise');
            insert into listing (kind, organization_id, state, title)
            select kind, (select id from organization), 'published', kind || n
            from generate_series(1, 2) as n, unnest(array['need', 'outcome']) as kind;
            insert into recommendation (need_id, outcome_id, state, score, probability, level, explanation, model_version)
            select need.id, outcome.id, case when need.title = 'need2' and outcome.title = 'outcome2' then 'accepted' else 'proposed' end,
                   0.5, 0.5, 'fair', '{}', 'test'
            from need, outcome;
        """)
        await migrate.migrate(url)
        rows = await owner.fetch(
            "select title, gain from review_item join listing on listing.id = need_id order by title, gain desc"
        )
        # Of the second need one was accepted, and stands before the one that is open.
        assert [tuple(row) for row in rows] == [("need1", 0.5), ("need1", 0.25), ("need2", 0.25)]
        assert await owner.fetchval("select count(*) from review_unsettled") == 0
    finally:
        await owner.close()
        await admin.execute(f"drop database {name} with (force)")
        await admin.close()
