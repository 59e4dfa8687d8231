"""Sealing: gapless whatever happens at once, by nobody but the trigger, and in a form that Python computes alike."""

import asyncio
import random
from dataclasses import astuple, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service import embedded, migrate
from service.audit import repository
from service.audit.verification import snapshot
from service.events import log
from service.events.chain import BEGINNING, Event, canonical, digest_of
from service.kit.actor import SYSTEM
from service.kit.addresses import AddressClass
from service.kit.db import Connection, Pool, create_pool, set_actor, transaction
from tests.conftest import Server
from tests.events.conftest import Append, Check


async def positions(source: Pool | Connection) -> list[int]:
    return [row["position"] for row in await source.fetch("select position from event_seal order by position")]


async def test_fifty_transactions_at_once_leave_no_gap(app_url: str, check: Check) -> None:
    chance = random.Random(4)
    pool = await create_pool(app_url, size=50, statement_timeout_ms=30_000, application="test")

    async def work(number: int) -> None:
        async with transaction(pool, SYSTEM) as connection:
            for _ in range(1 + number % 3):
                await log.record(connection, SYSTEM, "need", uuid4(), "change")
            await asyncio.sleep(chance.random() / 50)

    async def work_in_vain(_: int) -> None:
        async with pool.acquire() as connection:
            begun = connection.transaction()
            await begun.start()
            await set_actor(connection, SYSTEM)
            await log.record(connection, SYSTEM, "need", uuid4(), "change")
            await asyncio.sleep(chance.random() / 50)
            await begun.rollback()

    await asyncio.gather(*(work_in_vain(n) if n % 5 == 0 else work(n) for n in range(50)))
    # Of 50, every fifth is in vain; the others append 1, 2 or 3.
    expected = sum(1 + n % 3 for n in range(50) if n % 5)
    async with transaction(pool, SYSTEM) as connection:
        assert await positions(connection) == list(range(1, expected + 1))
    await pool.close()
    verdict = await check()
    assert (verdict.checked, verdict.broken) == (expected, None)


async def test_nothing_is_sealed_before_the_commit(pool: Pool) -> None:
    async with transaction(pool, SYSTEM) as connection:
        await log.record(connection, SYSTEM, "need", uuid4(), "change")
        assert await connection.fetchval("select count(*) from event_seal") == 0
    assert await positions(pool) == [1]


@pytest.mark.parametrize(
    "statement",
    [
        "update event set action = 'x'",
        "delete from event",
        "truncate event",
        "insert into event (at, subject_kind, subject_id, action) values (now() - interval '1 day', 'need', uuidv7(), 'x')",
        "insert into event (id, subject_kind, subject_id, action) values (uuidv7(), 'need', uuidv7(), 'x')",
        "insert into event_seal select 9, id, sha256(''), sha256('') from event limit 1",
        "update event_seal set position = position + 1",
        "delete from event_seal",
        "truncate event_seal",
        "insert into event_checkpoint (position, hash) values (1, sha256(''))",
        "alter table event disable trigger all",
        "set session_replication_role = replica",
    ],
)
async def test_the_application_appends_and_does_nothing_else(pool: Pool, append: Append, statement: str) -> None:
    await append(1)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute(statement)


@pytest.mark.parametrize("role", [embedded.OWNER, "postgres"])
@pytest.mark.parametrize(
    "statement",
    [
        "update event set action = 'x'",
        "delete from event",
        "truncate event, event_seal",
        "update event_seal set position = position + 1",
        "delete from event_seal",
        "truncate event_seal",
        "update event_checkpoint set position = 2",
        "delete from event_checkpoint",
    ],
)
async def test_owner_and_superuser_meet_the_triggers(
    postgres: Server, database: str, append: Append, role: str, statement: str
) -> None:
    await append(2)
    owner = await asyncpg.connect(postgres.url(role, database))
    try:
        if "checkpoint" in statement:
            await owner.execute("insert into event_checkpoint (position, hash) values (1, sha256(''))")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="is append-only"):
            await owner.execute(statement)
    finally:
        await owner.close()


async def test_the_class_of_the_address_comes_with_the_actor_or_with_the_transaction(pool: Pool) -> None:
    actor = replace(SYSTEM, address_class=AddressClass.PRIVATE)
    async with transaction(pool, actor) as connection:
        await log.record(connection, actor, "need", uuid4(), "change")
        await connection.execute("insert into event (subject_kind, subject_id, action) values ('need', uuidv7(), 'x')")
    await pool.execute("insert into event (subject_kind, subject_id, action) values ('need', uuidv7(), 'y')")
    rows = await pool.fetch("select address_class from event join event_seal on event_id = event.id order by position")
    assert [row["address_class"] for row in rows] == ["private", "private", "unknown"]


async def test_a_migration_seals_what_is_there(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = await asyncpg.connect(postgres.url("postgres", "postgres"))
    name = f"sealed_{uuid4().hex}"
    await admin.execute(f"create database {name} owner {embedded.OWNER} template template0")
    inside = await asyncpg.connect(postgres.url("postgres", name))
    await inside.execute("create extension vector")
    await inside.close()
    url = postgres.url(embedded.OWNER, name)
    upgrade = migrate.command.upgrade
    with monkeypatch.context() as before:
        before.setattr(migrate.command, "upgrade", lambda config, _: upgrade(config, "0010"))
        await migrate.migrate(url)
    owner = await asyncpg.connect(url)
    await owner.execute(
        "insert into event (subject_kind, subject_id, action, data) "
        "select 'need', uuidv7(), 'change', jsonb_build_object('n', n) from generate_series(1, 7) n"
    )
    await owner.close()
    await migrate.migrate(url)
    pool = await create_pool(
        postgres.url(embedded.APPLICATION, name), size=2, statement_timeout_ms=30_000, application="test"
    )
    async with snapshot(pool, SYSTEM) as connection:
        entries = [entry async for entry in repository.sealed(connection, 1, 100)]
    assert [(entry.seal.position, entry.event and entry.event.data) for entry in entries] == [
        (n, f'{{"n": {n}}}') for n in range(1, 8)
    ]
    await pool.close()
    await admin.execute(f"drop database {name} with (force)")
    await admin.close()


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
EVENT_ROW = """
select event_digest(row (
    $1::uuid, $2::timestamptz, $3::uuid, $4::uuid, $5::text, $6::text, $7::uuid, $8::text, $9::text, $10::text, $11::jsonb,
    $12::text, null::uuid
)::event) as digest,
trim_scale(extract(epoch from $2) * 1000000)::text as at_microseconds, $11::jsonb::text as data
"""
ZONES = [("UTC", "ISO, DMY"), ("Asia/Shanghai", "German"), ("America/St_Johns", "SQL, MDY")]


@given(
    keys=st.tuples(st.uuids(), st.uuids(), st.none() | st.uuids(), st.none() | st.uuids()),
    at=st.datetimes(datetime(1700, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC)),
    words=st.tuples(texts, texts, texts, st.none() | texts, st.none() | texts),
    data=st.dictionaries(texts, json_values, max_size=4),
    zone=st.sampled_from(ZONES),
)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_python_and_the_database_seal_alike_whatever_the_session_is_set_to(
    postgres: Server, keys: Any, at: datetime, words: Any, data: dict[str, Any], zone: tuple[str, str]
) -> None:
    async def go() -> tuple[bytes, Event]:
        connection = await asyncpg.connect(
            postgres.url("postgres", postgres.template), server_settings={"timezone": zone[0], "datestyle": zone[1]}
        )
        try:
            request, kind, action, source, target = words
            row = await connection.fetchrow(
                EVENT_ROW, keys[0], at, keys[2], keys[3], request, kind, keys[1], action, source, target,
                orjson.dumps(_small(data)).decode(), "private",
            )  # fmt: skip
        finally:
            await connection.close()
        microseconds = (at - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution)
        assert row["at_microseconds"] == str(microseconds)
        event = Event(
            str(keys[0]), str(microseconds), keys[2] and str(keys[2]), keys[3] and str(keys[3]), request, "private", kind,
            str(keys[1]), action, source, target, row["data"],
        )  # fmt: skip
        return row["digest"], event

    digest, event = asyncio.run(go())
    assert digest_of(event) == digest


def _small(value: Any) -> Any:
    # orjson writes integers of 64 bits at most.
    if isinstance(value, int) and not isinstance(value, bool):
        return max(-(2**63), min(2**63 - 1, value))
    if isinstance(value, list):
        return [_small(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _small(entry) for name, entry in value.items()}
    return value


fields = st.none() | texts
events = st.builds(
    Event, id=texts, at_microseconds=texts, key_id=fields, organization_id=fields, request_id=texts, address_class=texts,
    subject_kind=texts, subject_id=texts, action=texts, from_state=fields, to_state=fields, data=texts,
)  # fmt: skip


# Of nothing but what the form itself is written with, so that fields could run into each other if they did at all.
marks = st.none() | st.text("0123:,-", max_size=3)


@given(one=st.lists(marks, min_size=12, max_size=12), cut=st.integers(0, 10))
def test_text_that_moves_from_one_field_to_the_next_makes_another_form(one: list[Any], cut: int) -> None:
    joined = (one[cut] or "") + (one[cut + 1] or "")
    for place in range(len(joined) + 1):
        other = [*one[:cut], joined[:place], joined[place:], *one[cut + 2 :]]
        assert (canonical(Event(*one)) == canonical(Event(*other))) == (one == other)


@given(event=events)
def test_the_form_is_read_back_by_its_lengths(event: Event) -> None:
    """Whoever verifies in another language needs no more than: digits, colon, bytes, comma; or a hyphen and a comma."""
    rest, values = canonical(event), []
    while rest:
        if rest[:2] == b"-,":
            values.append(None)
            rest = rest[2:]
            continue
        length, _, rest = rest.partition(b":")
        values.append(rest[: int(length)].decode())
        assert rest[int(length) : int(length) + 1] == b","
        rest = rest[int(length) + 1 :]
    assert values == ["duijie-event-1", *astuple(event)]


def test_the_beginning_is_thirty_two_zero_bytes() -> None:
    assert str(BEGINNING) == "0:" + "0" * 64
