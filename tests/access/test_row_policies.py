"""Row-level security: what each kind of actor reads and writes with plain SQL, past every rule of the rooms."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest

from service import worker
from service.kit.actor import SYSTEM, Actor, Role
from service.kit.db import Pool, set_actor, transaction
from service.resources import Resources
from tests.conftest import Keys
from tests.http.test_needs import post, published

# Nobody's business: code lists that are read without a key, the queue, and what the service notes about itself.
# Requests are counted before it is known whose they are.
OPEN = frozenset({"field", "industry", "region", "partner_pair", "code", "setting", "alembic_version", "rate_limit"})
LIBRARY = ("pgqueuer",)
TABLES = """
select relname, relrowsecurity from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by relname
"""
POLICIES = "select tablename, policyname from pg_policies where schemaname = 'public'"
# Functions that policies ask and that look past policies, with what is set while they run.
ASKED = """
select distinct asked.proname as name, asked.proconfig as settings
from pg_depend
join pg_proc as asked on asked.oid = pg_depend.refobjid and pg_depend.refclassid = 'pg_proc'::regclass
where pg_depend.classid = 'pg_policy'::regclass and asked.prosecdef
"""
VIEWS = """
select relname, coalesce(reloptions, '{}') as options from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')
"""
DOOR = frozenset({"api_key", "organization", "person", "membership", "person_identity"})


@dataclass(frozen=True, slots=True)
class World:
    """Objects of an enterprise, a provider and a broker, in the states that visibility depends on."""

    draft: UUID
    need: UUID
    outcome: UUID
    raw_outcome: UUID
    recommendation: UUID


@pytest.fixture
async def world(client: httpx2.AsyncClient, keys: Keys, resources: Resources) -> World:
    """A draft and a published need, a draft and a published outcome, and their decided pair."""
    draft = await post(client, keys, title="未公开的工艺改造")
    need = await published(client, keys)
    made = []
    for title in ("枸杞真空脉动干燥装备", "尚未核验的试制样机"):
        content = {"title": title, "description": "真空脉动干燥，八小时一批。", "ip_rights": [{"kind": "trade_secret"}]}
        answer = await client.post("/v1/outcomes", json=content, headers=keys.headers("provider"))
        assert answer.status_code == 201, answer.text
        made.append(answer.json())
    for role, action in (("provider", "submit"), ("operator", "verify"), ("broker", "publish")):
        answer = await client.post(f"/v1/outcomes/{made[0]['id']}/{action}", headers=keys.headers(role))
        assert answer.status_code == 200, answer.text
    await worker.drain(resources, concurrency=2)
    matches = await client.get(f"/v1/needs/{need['id']}/matches", headers=keys.headers("broker"))
    pair = matches.json()["items"][0]["id"]
    decided = await client.post(
        f"/v1/recommendations/{pair}/decisions",
        json={"action": "decline", "code": "too_early"},
        headers=keys.headers("broker"),
    )
    assert decided.status_code in (200, 201), decided.text
    return World(UUID(draft["id"]), UUID(need["id"]), UUID(made[0]["id"]), UUID(made[1]["id"]), UUID(pair))


async def actor_of(pool: Pool, keys: Keys, name: str) -> Actor:
    """The actor behind a member's key, for a transaction without HTTP."""
    member = keys.members[name]
    key = await pool.fetchval("select id from api_key where organization_id = $1", member.organization_id)
    return Actor(key, member.organization_id, frozenset({Role(member.role)}), "probe")


async def test_every_table_has_policies_or_a_reason(pool: Pool) -> None:
    tables = {row["relname"]: row["relrowsecurity"] for row in await pool.fetch(TABLES)}
    business = {name for name in tables if name not in OPEN and not name.startswith(LIBRARY)}
    assert {name for name in business if not tables[name]} == set()
    assert business == {row["tablename"] for row in await pool.fetch(POLICIES)}


async def test_functions_that_policies_ask_keep_their_plans(pool: Pool) -> None:
    asked = {row["name"]: row["settings"] for row in await pool.fetch(ASKED)}
    assert {"offers_outcomes", "owns_listing", "suspended_organization"} <= asked.keys()
    wanted = ["search_path=public", "plan_cache_mode=force_generic_plan"]
    assert {name for name, settings in asked.items() if sorted(settings) != sorted(wanted)} == set()


async def test_whether_an_organization_offers_outcomes_is_read_off_an_index(owner_url: str) -> None:
    """However many needs it has: the question of `offers_outcomes`."""
    owner = await asyncpg.connect(owner_url)
    try:
        holder = await owner.fetchval(
            "insert into organization (name, kind) values ('沙湖示范农机合作社', 'enterprise') returning id"
        )
        await owner.execute(
            "insert into listing (kind, organization_id, state, title, description)"
            " select 'need', $1, 'published', '滩羊饲喂', '按量饲喂' from generate_series(1, 5000)",
            holder,
        )
        await owner.execute("analyze listing")
        await owner.execute("set plan_cache_mode = force_generic_plan")
        body = await owner.fetchval("select prosrc from pg_proc where proname = 'offers_outcomes'")
        question = body.split("exists (", 1)[1].rsplit(")", 1)[0].replace("of_organization", "$1")
        await owner.execute(f"prepare question (uuid) as {question}")
        plan = await owner.fetch(f"explain execute question ('{holder}')")
    finally:
        await owner.close()
    assert "listing_offered" in plan[0][0], plan


async def test_every_view_reads_by_the_rights_of_who_asks(pool: Pool) -> None:
    views = {row["relname"]: row["options"] for row in await pool.fetch(VIEWS)}
    assert {"need", "outcome", "organization_brief"} <= set(views)
    assert [name for name, options in views.items() if "security_invoker=true" not in options] == []


async def test_who_is_not_named_sees_nothing(world: World, app_url: str, pool: Pool) -> None:
    tables = [row["relname"] for row in await pool.fetch(TABLES) if row["relrowsecurity"]]
    bare = await asyncpg.connect(app_url)
    door = await asyncpg.connect(app_url, server_settings={"duijie.roles": "door"})
    filled = 0
    try:
        for table in tables:
            rows = await pool.fetchval(f"select count(*) from {table}")
            filled += rows > 0
            readable = await bare.fetchval("select has_table_privilege($1, 'select')", table)
            if not readable:
                continue
            assert await bare.fetchval(f"select count(*) from {table}") == 0, table
            assert await door.fetchval(f"select count(*) from {table}") == (rows if table in DOOR else 0), table
        assert filled >= 10
    finally:
        await bare.close()
        await door.close()


async def test_the_application_cannot_step_around_the_policies(world: World, app_url: str) -> None:
    connection = await asyncpg.connect(app_url)
    try:
        assert (
            await connection.fetchval("select rolbypassrls or rolsuper from pg_roles where rolname = current_user")
            is False
        )
        await connection.execute("set row_security = off")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("select * from listing")
        for statement in (
            "alter table listing disable row level security",
            "drop policy event_left_by_who_acts on event",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


REVIEWERS = frozenset({"broker", "operator", "administrator"})
STAFF = frozenset({"broker", "operator", "authority", "administrator"})
OVERSEERS = frozenset({"operator", "authority", "administrator"})
ACTORS = ("enterprise", "stranger", "provider", "other_provider", "broker", "operator", "authority", "administrator")
# Which statement finds which object, and who besides staff may see it; the rule is written here once more, on purpose.
PROBES: tuple[tuple[str, str, Callable[[World], UUID], frozenset[str]], ...] = (
    ("a draft", "select 1 from listing where id = $1", lambda w: w.draft, STAFF | {"enterprise"}),
    ("a draft by the view", "select 1 from need where id = $1", lambda w: w.draft, STAFF | {"enterprise"}),
    ("a published need", "select 1 from listing where id = $1", lambda w: w.need, frozenset(ACTORS)),
    ("a published outcome", "select 1 from outcome where id = $1", lambda w: w.outcome, frozenset(ACTORS)),
    ("a draft outcome", "select 1 from outcome where id = $1", lambda w: w.raw_outcome, STAFF | {"provider"}),
    ("a published right", "select 1 from ip_right where listing_id = $1", lambda w: w.outcome, frozenset(ACTORS)),
    ("a draft's right", "select 1 from ip_right where listing_id = $1", lambda w: w.raw_outcome, STAFF | {"provider"}),
    ("a need's history", "select 1 from listing_revision where listing_id = $1", lambda w: w.need, STAFF | {"enterprise"}),
    ("an outcome's history", "select 1 from listing_revision where listing_id = $1", lambda w: w.outcome, STAFF | {"provider"}),
    ("the pair", "select 1 from recommendation where id = $1", lambda w: w.recommendation, STAFF | {"enterprise", "provider"}),
    ("the decision", "select 1 from decision where recommendation_id = $1", lambda w: w.recommendation, STAFF),
    ("the need's owner", "select 1 from organization join listing on organization_id = organization.id where listing.id = $1",
     lambda w: w.need, STAFF | {"enterprise"}),
    ("the need's owner in few words",
     "select 1 from organization_brief as brief join listing on organization_id = brief.id where listing.id = $1",
     lambda w: w.need, STAFF | {"enterprise"}),
    ("the outcome's owner", "select 1 from organization join listing on organization_id = organization.id where listing.id = $1",
     lambda w: w.outcome, frozenset(ACTORS)),
    ("who posted the need", "select 1 from event where subject_id = $1 and action = 'create'", lambda w: w.need,
     OVERSEERS | {"enterprise"}),
    ("who decided", "select 1 from event where subject_id = $1 and action = 'decline'", lambda w: w.recommendation,
     OVERSEERS | {"broker"}),
    ("how far ranking is", "select 1 from listing_matching where listing_id = $1", lambda w: w.need, frozenset(ACTORS)),
)  # fmt: skip


async def test_each_actor_sees_its_rows_and_no_others(world: World, keys: Keys, pool: Pool) -> None:
    wrong = []
    for name in ACTORS:
        async with transaction(pool, await actor_of(pool, keys, name)) as connection:
            for what, statement, of, allowed in PROBES:
                seen = bool(await connection.fetch(statement, of(world)))
                if seen != (name in allowed):
                    wrong.append((name, what, seen))
    assert wrong == []


async def test_keys_are_seen_by_their_own_organization_and_operators(keys: Keys, pool: Pool) -> None:
    for name in ACTORS:
        async with transaction(pool, await actor_of(pool, keys, name)) as connection:
            owners = {row["organization_id"] for row in await connection.fetch("select organization_id from api_key")}
        everybody = {member.organization_id for member in keys.members.values()}
        expected = everybody if name in ("operator", "administrator") else {keys.members[name].organization_id}
        assert owners == expected, name


# A change of another's rows touches none; what would be new in another's name is refused.
CHANGES: tuple[tuple[str, str, Callable[[World], UUID], frozenset[str]], ...] = (
    ("a need", "update listing set title = title where id = $1", lambda w: w.need, REVIEWERS | {"enterprise"}),
    ("an outcome", "update listing set title = title where id = $1", lambda w: w.outcome, REVIEWERS | {"provider"}),
    ("rights", "delete from ip_right where listing_id = $1", lambda w: w.outcome, REVIEWERS | {"provider"}),
)  # fmt: skip


async def rolled_back(pool: Pool, actor: Actor, statement: str, *values: Any) -> int | None:
    """How many rows a statement touches in the name of an actor, None where the database refuses it; nothing stays."""
    async with pool.acquire() as connection:
        change = connection.transaction()
        await change.start()
        try:
            await set_actor(connection, actor)
            return int((await connection.execute(statement, *values)).rpartition(" ")[2])
        except asyncpg.InsufficientPrivilegeError:
            return None
        finally:
            await change.rollback()


@pytest.mark.parametrize(("what", "statement", "of", "allowed"), CHANGES)
async def test_nobody_changes_what_is_anothers(
    world: World,
    keys: Keys,
    pool: Pool,
    what: str,
    statement: str,
    of: Callable[[World], UUID],
    allowed: frozenset[str],
) -> None:
    for name in ACTORS:
        touched = await rolled_back(pool, await actor_of(pool, keys, name), statement, of(world))
        assert bool(touched) == (name in allowed), (name, what)


async def test_sides_take_a_pair_off_the_lists_and_do_nothing_else_with_it(
    world: World, keys: Keys, pool: Pool
) -> None:
    await pool.execute("update recommendation set state = 'proposed'")
    for name, may_leave, may_accept in (
        ("enterprise", True, False), ("provider", True, False), ("stranger", False, False),
        ("authority", False, False), ("broker", True, True),
    ):  # fmt: skip
        actor = await actor_of(pool, keys, name)
        for state, allowed in (("superseded", may_leave), ("accepted", may_accept)):
            statement = "update recommendation set state = $2 where id = $1"
            assert bool(await rolled_back(pool, actor, statement, world.recommendation, state)) == allowed, (
                name,
                state,
            )


CONSENT = """
insert into consent (recommendation_id, side, organization_id, key_id, purpose) values ($1, $2, $3, $4, '洽谈')
"""
END_CONSENT = """
update consent set withdrawn_at = now() + interval '1 minute', withdrawn_by_key = $2 where recommendation_id = $1
"""


async def test_a_side_consents_for_itself_and_only_to_an_accepted_pair(world: World, keys: Keys, pool: Pool) -> None:
    pair = world.recommendation
    sides = {"enterprise": "need", "provider": "outcome"}
    for state, open_for in (("declined", {}), ("accepted", sides)):
        await pool.execute("update recommendation set state = $1", state)
        for name in ACTORS:
            actor = await actor_of(pool, keys, name)
            for side in ("need", "outcome"):
                made = await rolled_back(pool, actor, CONSENT, pair, side, actor.organization_id, actor.key_id)
                assert (made == 1) == (open_for.get(name) == side), (state, name, side)
    enterprise, broker = await actor_of(pool, keys, "enterprise"), await actor_of(pool, keys, "broker")
    # Neither does a side consent in the name of another key, nor a broker in the name of a side.
    values = (pair, "need", enterprise.organization_id)
    assert await rolled_back(pool, enterprise, CONSENT, *values, broker.key_id) is None
    assert await rolled_back(pool, broker, CONSENT, *values, broker.key_id) is None


async def test_a_consent_is_read_by_both_sides_and_staff_and_ended_by_its_own(
    world: World, keys: Keys, pool: Pool
) -> None:
    await pool.execute("update recommendation set state = 'accepted'")
    enterprise = await actor_of(pool, keys, "enterprise")
    async with transaction(pool, enterprise) as connection:
        await connection.execute(CONSENT, world.recommendation, "need", enterprise.organization_id, enterprise.key_id)
    for name in ACTORS:
        actor = await actor_of(pool, keys, name)
        async with transaction(pool, actor) as connection:
            seen = bool(
                await connection.fetch("select 1 from consent where recommendation_id = $1", world.recommendation)
            )
        assert seen == (name in STAFF | {"enterprise", "provider"}), name
        ended = await rolled_back(pool, actor, END_CONSENT, world.recommendation, actor.key_id)
        assert bool(ended) == (name == "enterprise"), name
    # What a consent says is not changed, by its own organization neither.
    changed = "update consent set purpose = 'x' where recommendation_id = $1"
    assert await rolled_back(pool, enterprise, changed, world.recommendation) is None
    async with transaction(pool, enterprise) as connection:
        await connection.execute(END_CONSENT, world.recommendation, enterprise.key_id)
    again = "update consent set withdrawn_at = null, withdrawn_by_key = null where recommendation_id = $1"
    assert not await rolled_back(pool, enterprise, again, world.recommendation)


async def test_organizations_know_each_other_while_both_consent(world: World, keys: Keys, pool: Pool) -> None:
    await pool.execute("update recommendation set state = 'accepted'")
    seen = "select 1 from organization where id = $1"
    provider, enterprise = await actor_of(pool, keys, "provider"), await actor_of(pool, keys, "enterprise")

    async def known() -> dict[str, bool]:
        told = {}
        for name in ("provider", "other_provider", "stranger"):
            async with transaction(pool, await actor_of(pool, keys, name)) as connection:
                told[name] = bool(await connection.fetch(seen, enterprise.organization_id))
        return told

    nobody = dict.fromkeys(("provider", "other_provider", "stranger"), False)
    assert await known() == nobody
    for actor, side in ((enterprise, "need"), (provider, "outcome")):
        assert await known() == nobody
        async with transaction(pool, actor) as connection:
            await connection.execute(CONSENT, world.recommendation, side, actor.organization_id, actor.key_id)
    assert await known() == nobody | {"provider": True}
    async with transaction(pool, provider) as connection:
        await connection.execute(END_CONSENT, world.recommendation, provider.key_id)
    assert await known() == nobody


EVENT = """
insert into event (key_id, organization_id, subject_kind, subject_id, action) values ($1, $2, 'need', $3, 'submit')
"""
REVISION = """
insert into listing_revision (listing_id, version, content, key_id, organization_id) values ($3, 99, '{}', $1, $2)
"""
DECISION = """
insert into decision (recommendation_id, key_id, organization_id, action, rank, model_version, features)
values ($3, $1, $2, 'accept', 1, 'x', '{}')
"""


async def test_nobody_writes_in_anothers_name(world: World, keys: Keys, pool: Pool) -> None:
    broker, enterprise = await actor_of(pool, keys, "broker"), await actor_of(pool, keys, "enterprise")
    for statement, subject in ((EVENT, world.need), (REVISION, world.need), (DECISION, world.recommendation)):
        assert await rolled_back(pool, broker, statement, broker.key_id, broker.organization_id, subject) == 1
        assert (
            await rolled_back(pool, broker, statement, enterprise.key_id, enterprise.organization_id, subject) is None
        )


async def test_only_the_service_finds_pairs_and_chooses_models(world: World, keys: Keys, pool: Pool) -> None:
    pair = """
    insert into recommendation (need_id, outcome_id, score, probability, level, explanation, model_version)
    values ($1, $2, 1, 0.5, 'fair', '{}', 'x')
    """
    for name in ACTORS:
        actor = await actor_of(pool, keys, name)
        assert await rolled_back(pool, actor, pair, world.draft, world.outcome) is None, name
        assert not await rolled_back(pool, actor, "update active_ranking_model set version = version"), name
    assert await rolled_back(pool, SYSTEM, pair, world.draft, world.outcome) == 1
