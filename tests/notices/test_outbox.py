"""From events to notifications: nothing forgotten, nothing doubled, nothing told to whom it is not for."""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import httpx2
import pytest

from service import telling
from service.events import log
from service.kit.actor import SYSTEM
from service.kit.db import Connection, Pool, transaction
from service.notices import fanout
from service.notices.model import Event, Parties
from service.notices.parties import RESOLVERS
from service.resources import Resources
from tests.access.test_confidential import World, made
from tests.conftest import Keys
from tests.http.test_needs import post, published, step
from tests.notices.conftest import StandingClock

NEED = {"title": "枸杞鲜果快速干燥", "description": "求干燥时间短的装备。", "contact_phone": "0951-0000001"}
OUTCOME = {"title": "枸杞真空脉动干燥装备", "description": "干燥时间 10 h。", "contact_phone": "0951-0000002"}
TOLD = "select organization_id, text_zh from notification where action = $1 order by id"


async def told(pool: Pool, action: str) -> list[tuple[UUID, str]]:
    return [tuple(row) for row in await pool.fetch(TOLD, action)]


async def nothing_else(_: Connection, __: Event, ___: Collection[UUID], ____: object) -> None:
    """Endpoints are another matter."""


async def test_every_event_leaves_a_row_also_those_of_bulk_statements(pool: Pool, owner_url: str) -> None:
    owner = await asyncpg.connect(owner_url)
    await owner.execute("""
        insert into event (subject_kind, subject_id, action)
        select 'need', uuidv7(), 'expire' from generate_series(1, 50)
    """)
    await owner.close()
    assert await pool.fetchval("select count(*) from outbox join event on event.id = event_id") == 50


async def test_what_is_rolled_back_leaves_none(pool: Pool) -> None:
    class Broken(Exception):
        pass

    async def breaks() -> None:
        async with transaction(pool, SYSTEM) as connection:
            await log.record(connection, SYSTEM, "need", uuid4(), "expire")
            raise Broken

    with pytest.raises(Broken):
        await breaks()
    assert await pool.fetchval("select count(*) from outbox") == 0


async def test_a_needs_life_is_told_to_its_organization_and_to_operators(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool, clock: StandingClock
) -> None:
    await published(client, keys)
    assert await telling.tell(resources, clock) > 0
    assert await pool.fetchval("select count(*) from outbox") == 0
    assert await told(pool, "submit") == [(keys.operator.organization_id, "需求《枸杞鲜果快速干燥》已提交，等待凝练")]
    assert await told(pool, "publish") == [(keys.enterprise.organization_id, "需求《枸杞鲜果快速干燥》已发布")]
    again = await pool.fetchval("select count(*) from notification")
    await telling.tell(resources, clock)
    assert await pool.fetchval("select count(*) from notification") == again


async def test_an_event_worked_through_twice_tells_once(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool, clock: StandingClock, owner_url: str
) -> None:
    """As after a kill between two stores: the row is there again, the notification stays one."""
    await published(client, keys)
    await telling.tell(resources, clock)
    before = await pool.fetchval("select count(*) from notification")
    owner = await asyncpg.connect(owner_url)
    await owner.execute("insert into outbox (event_id, subject_id) select id, subject_id from event")
    await owner.close()
    await telling.tell(resources, clock)
    assert (before, await pool.fetchval("select count(*) from outbox")) == (
        await pool.fetchval("select count(*) from notification"),
        0,
    )


@pytest.fixture
async def world(client: httpx2.AsyncClient, keys: Keys, resources: Resources) -> World:
    return await made(client, keys, resources, NEED, OUTCOME)


async def test_a_pair_is_told_by_titles_and_never_by_names(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, world: World, pool: Pool, clock: StandingClock
) -> None:
    path = f"/v1/recommendations/{world.pair}"
    answer = await client.post(
        f"{path}/decisions", json={"action": "accept", "note": "值得"}, headers=keys.headers("broker")
    )
    assert answer.status_code == 201
    for role in ("enterprise", "provider"):
        answer = await client.post(f"{path}/consent", json={"purpose": "洽谈"}, headers=keys.headers(role))
        assert answer.status_code == 201
    assert (await client.get(f"{path}/contacts", headers=keys.headers("enterprise"))).status_code == 200
    await telling.tell(resources, clock)
    enterprise, provider, broker = (
        getattr(keys, name).organization_id for name in ("enterprise", "provider", "broker")
    )
    # Accepting opened a case, whose events tell both sides; of the pair itself they are not told once more.
    assert await told(pool, "accept") == []
    assert [whom for whom, _ in await told(pool, "open")] == [enterprise, provider]
    assert [whom for whom, _ in await told(pool, "consent")] == [provider, broker, enterprise, broker]
    assert [whom for whom, _ in await told(pool, "open_contacts")] == [provider]
    names = [keys.members[name].organization_id for name in ("enterprise", "provider", "broker")]
    hidden = [await pool.fetchval("select name from organization where id = $1", each) for each in names]
    texts = " ".join(text for (text,) in await pool.fetch("select text_zh || text_en from notification"))
    for word in (*hidden, "0951-", "值得", "洽谈", "干燥时间"):
        assert word not in texts
    assert "枸杞真空脉动干燥装备" in texts


async def test_subjects_are_told_in_the_order_of_their_events(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool, clock: StandingClock
) -> None:
    for _ in range(3):
        need = await published(client, keys)
        assert (await step(client, keys, "operator", need, "withdraw")).status_code == 200
        assert (await step(client, keys, "operator", need, "reopen")).status_code == 200
    await asyncio.gather(*(telling.tell(resources, clock) for _ in range(3)))
    rows = await pool.fetch("select subject_id, event_id from notification where subject_kind = 'need' order by id")
    by_subject: dict[UUID, list[UUID]] = {}
    for row in rows:
        by_subject.setdefault(row["subject_id"], []).append(row["event_id"])
    assert len(by_subject) == 3
    for events in by_subject.values():
        assert events == sorted(events)
        assert len(events) == 4


async def test_workers_side_by_side_tell_each_event_once(
    resources: Resources, pool: Pool, keys: Keys, clock: StandingClock, owner_url: str
) -> None:
    owner = await asyncpg.connect(owner_url)
    await owner.execute(
        "insert into listing (kind, organization_id, state, title) select 'need', $1, 'expired', 'n' || n from generate_series(1, 300) n",
        keys.enterprise.organization_id,
    )
    await owner.execute("insert into event (subject_kind, subject_id, action) select 'need', id, 'expire' from listing")
    await owner.close()
    worked = await asyncio.gather(*(telling.tell(resources, clock) for _ in range(4)))
    assert sum(worked) >= 300
    assert len(await told(pool, "expire")) == 300
    assert await pool.fetchval("select count(*) from outbox") == 0


async def test_an_event_that_cannot_be_told_holds_up_its_own_subject_only(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool, clock: StandingClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    bad, good = await post(client, keys), await post(client, keys)
    for need in (bad, good):
        assert (await step(client, keys, "enterprise", need, "submit")).status_code == 200

    async def breaks(connection: Connection, event: Event) -> Parties | None:
        if str(event.subject_id) == bad["id"]:
            raise ZeroDivisionError
        return await RESOLVERS["need"](connection, event)

    monkeypatch.setattr(fanout, "RESOLVERS", {**RESOLVERS, "need": breaks})
    # What has no rule does not come so far; of the bad need the submission fails, and waits.
    await telling.tell(resources, clock)
    assert [row["subject_id"] for row in await pool.fetch("select subject_id from outbox")] == [UUID(bad["id"])]
    assert len(await told(pool, "submit")) == 1
    monkeypatch.undo()
    await telling.tell(resources, clock)
    assert len(await told(pool, "submit")) == 1
    clock.move(minutes=1)
    await telling.tell(resources, clock)
    assert len(await told(pool, "submit")) == 2


async def test_an_unknown_subject_or_kind_is_done_quietly(
    resources: Resources, pool: Pool, clock: StandingClock
) -> None:
    async with transaction(pool, SYSTEM) as connection:
        await log.record(connection, SYSTEM, "case", uuid4(), "lapse")
        await log.record(connection, SYSTEM, "unheard_of", uuid4(), "lapse")
    assert await telling.tell(resources, clock) == 2
    assert await pool.fetchval("select count(*) from outbox") == 0
    assert await pool.fetchval("select count(*) from notification") == 0


async def test_what_is_turned_off_both_ways_is_not_written(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool, clock: StandingClock
) -> None:
    headers = keys.headers("enterprise") | {"If-Match": '"1"'}
    body = {"categories": {"listing": {"in_app": False, "mail": "off"}}}
    answer = await client.put("/v1/notifications/preferences", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    await published(client, keys)
    await telling.tell(resources, clock)
    assert await told(pool, "publish") == []


async def test_old_notifications_are_forgotten(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool, clock: StandingClock
) -> None:
    await published(client, keys)
    await telling.tell(resources, clock)
    counts = []
    for days in (364, 2):
        clock.move(days=days)
        await telling.forget(replace(resources), clock)
        counts.append(await pool.fetchval("select count(*) from notification"))
    assert counts[0] > 0
    assert counts[1] == 0


MAILED = """
insert into mail (organization_id, kind, state, next_at, created_at, sent_at)
values ($1, 'at_once', $2, $3, $3, case when $2 = 'sent' then $3::timestamptz end)
"""
DELIVERED = """
insert into webhook_delivery (webhook_id, organization_id, subject_id, type, body, state, next_at, created_at, delivered_at)
values ($1, $2, uuidv7(), 'test', '{}', $3, $4, $4, $4)
"""


async def test_old_mail_and_deliveries_are_forgotten_once_they_are_settled(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, owner_url: str, clock: StandingClock
) -> None:
    own = keys.enterprise.organization_id
    hook = {"url": "https://erp.example.com/duijie"}
    made = (await client.post("/v1/webhooks", json=hook, headers=keys.headers("enterprise"))).json()
    owner = await asyncpg.connect(owner_url)
    for days in (1, 1_000):
        at = clock() - timedelta(days=days)
        for state in ("pending", "sent"):
            await owner.execute(MAILED, own, state, at)
        for state in ("pending", "delivered"):
            await owner.execute(DELIVERED, made["id"], own, state, at)
    await telling.forget(resources, clock)
    for table, settled in (("mail", "sent"), ("webhook_delivery", "delivered")):
        left = await owner.fetch(f"select state, created_at < $1 as old from {table}", clock() - timedelta(days=500))
        assert sorted(map(tuple, left)) == sorted([("pending", True), ("pending", False), (settled, False)]), table
    await owner.close()
