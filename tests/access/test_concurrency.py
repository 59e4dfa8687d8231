"""What happens when two do the same at once: exactly one effect, one event, one answer that says so."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest

from service.kit.db import Pool
from tests.access.helpers import events_of
from tests.access.indexing import build_market
from tests.access.market import ROLES, Caller, Market, Subject

ROUNDS = 25


@pytest.fixture
async def owner(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection, which puts objects back where they were."""
    connection = await asyncpg.connect(owner_url)
    yield connection
    await connection.close()


@pytest.fixture
async def market(owner_url: str) -> Market:
    """A market with a caller of each role in each of four organizations."""
    return await build_market(owner_url, [frozenset({role}) for role in ROLES])


def caller(market: Market, name: str) -> Caller:
    """A caller by its name."""
    return next(each for each in market.callers if each.name == name)


def one(market: Market, kind: str, state: str, house: str) -> Subject:
    """The first object of a kind in a state."""
    return next(s for s in market.subjects if (s.kind, s.state, s.house) == (kind, state, house))


async def post(client: httpx2.AsyncClient, who: Caller, path: str, body: Any = None) -> httpx2.Response:
    """A request of a caller."""
    return await client.post(path, json=body, headers={"Authorization": f"Bearer {who.key}"})


async def new_events(pool: Pool, subject: UUID, before: int) -> list[tuple[str, str | None, str | None]]:
    """Events on an object after the first `before`."""
    return (await events_of(pool, subject))[before:]


def assert_chain(events: list[tuple[str, str | None, str | None]], start: str, end: str) -> None:
    """Each event begins where the one before it ended, from `start` to `end`."""
    state: str | None = start
    for _, source, target in events:
        assert source == state, events
        state = target
    assert state == end, events


async def test_two_brokers_decide_on_one_pair(
    client: httpx2.AsyncClient, pool: Pool, owner: asyncpg.Connection, market: Market
) -> None:
    pair = one(market, "recommendation", "proposed", "A").id
    brokers = caller(market, "broker of T"), caller(market, "broker of X")
    bodies = {"action": "accept"}, {"action": "decline", "code": "too_early"}
    for turn in range(ROUNDS):
        await owner.execute("update recommendation set state = 'proposed' where id = $1", pair)
        # The case of the last round's acceptance; a pair has one active case.
        await owner.execute("delete from docking_case where recommendation_id = $1", pair)
        decided = await pool.fetchval("select count(*) from decision where recommendation_id = $1", pair)
        events = len(await events_of(pool, pair))
        # Both accept in every other round; in the others they want different things.
        asked = zip(brokers, (bodies[0], bodies[turn % 2]), strict=True)
        answers = await asyncio.gather(
            *(post(client, who, f"/v1/recommendations/{pair}/decisions", body) for who, body in asked)
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        made = next(answer.json() for answer in answers if answer.status_code == 201)
        assert await pool.fetchval("select count(*) from decision where recommendation_id = $1", pair) == decided + 1
        state = await pool.fetchval("select state from recommendation where id = $1", pair)
        assert state == {"accept": "accepted", "decline": "declined"}[made["action"]]
        assert await new_events(pool, pair, events) == [(made["action"], "proposed", state)]


async def test_two_operators_verify_one_organization(
    client: httpx2.AsyncClient, pool: Pool, owner: asyncpg.Connection, market: Market
) -> None:
    house = market.houses["N"].id
    operators = caller(market, "operator of T"), caller(market, "administrator of T")
    for _ in range(ROUNDS):
        await owner.execute("update organization set state = 'registered', verified_at = null where id = $1", house)
        events = len(await events_of(pool, house))
        answers = await asyncio.gather(*(post(client, who, f"/v1/organizations/{house}/verify") for who in operators))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        assert await new_events(pool, house, events) == [("verify", "registered", "verified")]


async def test_an_organization_is_verified_and_suspended_at_once(
    client: httpx2.AsyncClient, pool: Pool, owner: asyncpg.Connection, market: Market
) -> None:
    house = market.houses["N"].id
    who = caller(market, "operator of T")
    for turn in range(ROUNDS):
        await owner.execute(
            "update organization set state = 'registered', verified_at = null, suspended_at = null where id = $1", house
        )
        events = len(await events_of(pool, house))
        actions = ("verify", "suspend") if turn % 2 else ("suspend", "verify")
        answers = await asyncio.gather(
            *(post(client, who, f"/v1/organizations/{house}/{action}") for action in actions)
        )
        # A verified organization may be suspended, so both may happen one after the other; never on one state.
        statuses = [answer.status_code for answer in answers]
        assert set(statuses) <= {200, 409}
        assert 200 in statuses
        happened = await new_events(pool, house, events)
        assert len(happened) == statuses.count(200)
        assert_chain(happened, "registered", await pool.fetchval("select state from organization where id = $1", house))


async def test_a_need_is_published_and_withdrawn_at_once(
    client: httpx2.AsyncClient, pool: Pool, owner: asyncpg.Connection, market: Market
) -> None:
    need = one(market, "need", "submitted", "A").id
    broker, enterprise = caller(market, "broker of T"), caller(market, "enterprise of A")
    for turn in range(ROUNDS):
        await owner.execute("update listing set state = 'submitted' where id = $1", need)
        events = len(await events_of(pool, need))
        steps = [(broker, "publish"), (enterprise, "withdraw")]
        asked = steps if turn % 2 else steps[::-1]
        answers = await asyncio.gather(*(post(client, who, f"/v1/needs/{need}/{step}") for who, step in asked))
        statuses = [answer.status_code for answer in answers]
        assert set(statuses) <= {200, 409}
        happened = await new_events(pool, need, events)
        assert len(happened) == statuses.count(200) >= 1
        assert_chain(happened, "submitted", await pool.fetchval("select state from listing where id = $1", need))


async def test_a_key_is_rotated_twice_at_once(client: httpx2.AsyncClient, pool: Pool, market: Market) -> None:
    who = caller(market, "administrator of A")
    path = f"/v1/organizations/{market.houses['A'].id}/keys"
    for _ in range(ROUNDS):
        made = (await post(client, who, path, {"label": "演示密钥", "roles": ["enterprise"]})).json()
        answers = await asyncio.gather(*(post(client, who, f"/v1/keys/{made['id']}/rotate") for _ in range(2)))
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        successor = next(answer.json() for answer in answers if answer.status_code == 201)
        assert successor["replaces"] == made["id"]
        assert [action for action, _, _ in await events_of(pool, made["id"])] == ["create", "rotate"]
        replaced = await pool.fetchval("select replaced_by from api_key where id = $1", UUID(made["id"]))
        assert str(replaced) == successor["id"]
