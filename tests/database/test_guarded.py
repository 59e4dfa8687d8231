"""A statement that changes a row compares what it was promised first: asked by itself, over a connection that may all."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from starlette.responses import Response

from service.access import repository as organizations
from service.cases import repository as cases
from service.cases.partners import END as END_OPERATOR
from service.cases.records import Party
from service.contracts import repository as contracts
from service.contracts.subsidy_rules import END_VERSION
from service.kit import idempotency
from service.kit.actor import SYSTEM
from service.kit.clock import now
from service.kit.db import Connection, Pool, prepare_connection, transaction
from service.listings import refinement_repository as refinements
from service.listings import repository as listings
from service.matches import decision_repository as decisions
from service.matches import models
from service.matches import repository as pairs
from service.notices import mail_repository
from service.responses import repository as responses
from service.webhooks import delivering_repository as delivering
from service.webhooks import repository as webhooks
from tests.access.indexing import build_market
from tests.access.market import Market

BEFORE, AT, LATE = datetime(2001, 1, 1, tzinfo=UTC), datetime(2002, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


@pytest.fixture
async def market(owner_url: str) -> Market:
    return await build_market(owner_url, [frozenset({"enterprise"})])


def some(market: Market, kind: str, state: str, house: str = "A") -> UUID:
    return next(each.id for each in market.of_kind(kind) if (each.house, each.state) == (house, state))


# Each with a state that the row is not in.
Step = Callable[[Connection, Market], Awaitable[object]]
STEPS: dict[str, Step] = {
    "organization": lambda c, m: organizations.transition(c, m.houses["A"].id, "registered", "suspended", AT),
    "case": lambda c, m: cases.advance(c, some(m, "case", "consulting"), "consented", "negotiating", AT),
    "listing": lambda c, m: listings.transition(c, some(m, "need", "published"), "draft", "withdrawn", AT),
    "recommendation": lambda c, m: decisions.decide(
        c, some(m, "recommendation", "declined"), "proposed", "accepted", None
    ),
}


@pytest.mark.parametrize("what", STEPS)
async def test_a_step_from_another_state_changes_nothing(market: Market, pool: Pool, what: str) -> None:
    async with transaction(pool, SYSTEM) as connection:
        assert not await STEPS[what](connection, market)


async def test_pairs_come_and_go_from_the_states_that_say_so(market: Market, pool: Pool) -> None:
    states = "select state, count(*) from recommendation group by state order by state"

    async def counted() -> dict[str, int]:
        return {row["state"]: row["count"] for row in await pool.fetch(states)}

    before = await counted()
    assert {"proposed", "snoozed", "accepted", "declined", "superseded"} <= set(before)
    every = [{"need_id": row["need_id"], "outcome_id": row["outcome_id"]} for row in await pool.fetch(
        "select need_id, outcome_id from recommendation"
    )]  # fmt: skip
    # Whatever the time says of one that does not sleep.
    await pool.execute("update recommendation set snoozed_until = now() where state in ('accepted', 'declined')")
    async with transaction(pool, SYSTEM) as connection:
        await pairs.wake(connection, LATE)
    awake = before | {"snoozed": 0, "proposed": before["proposed"] + before["snoozed"]}
    assert await counted() == {state: times for state, times in awake.items() if times}
    async with transaction(pool, SYSTEM) as connection:
        await connection.execute(pairs.REVIVE, every)
    revived = awake | {"superseded": 0, "proposed": awake["proposed"] + awake["superseded"]}
    assert await counted() == {state: times for state, times in revived.items() if times}
    async with transaction(pool, SYSTEM) as connection:
        for need in {each["need_id"] for each in every}:
            await pairs.supersede(connection, need, None)
    gone = revived | {"proposed": 0, "superseded": revived["proposed"]}
    assert await counted() == {state: times for state, times in gone.items() if times}


ENDED: dict[str, tuple[str, Callable[[Connection, UUID], Awaitable[Any]]]] = {
    "partner_operator": ("id", lambda c, one: c.fetch(END_OPERATOR, one, LATE)),
    "case_wait": ("case_id", lambda c, one: cases.end_waits(c, one, None, LATE, list(Party))),
    "refinement": ("listing_id", lambda c, one: refinements.end(c, one, LATE, published=True)),
}


@pytest.mark.parametrize("table", ENDED)
async def test_what_has_ended_does_not_end_again(market: Market, owner_url: str, table: str) -> None:
    column, end = ENDED[table]
    begun = {"partner_operator": "assigned_at", "case_wait": "asked_at", "refinement": "begun_at"}[table]
    owner = await asyncpg.connect(owner_url)
    one = await owner.fetchval(f"select {column} from {table} where ended_at is null limit 1")
    # As if that had been long ago.
    await owner.execute(f"update {table} set {begun} = $2, ended_at = $2 where {column} = $1", one, BEFORE)
    await end(owner, one)
    assert await owner.fetchval(f"select max(ended_at) from {table} where {column} = $1", one) == BEFORE
    await owner.close()


async def test_an_answer_that_was_counted_is_not_counted_again(market: Market, pool: Pool, owner_url: str) -> None:
    owner = await asyncpg.connect(owner_url)
    subject = some(market, "need", "draft")
    await owner.execute(
        "insert into organization_response (organization_id, kind, subject_id, asked_at) values ($1, 'revision', $2, $3)",
        market.houses["A"].id,
        subject,
        BEFORE,
    )
    async with transaction(pool, SYSTEM) as connection:
        assert await responses.end(connection, "revision", subject, AT, answered=False)
        assert not await responses.end(connection, "revision", subject, LATE, answered=True)
    await owner.close()


async def test_listings_expire_from_the_states_that_have_a_term(market: Market, pool: Pool) -> None:
    await pool.execute("update listing set expires_on = '2000-01-01'")
    async with transaction(pool, SYSTEM) as connection:
        due = [identifier for identifier, _ in await listings.due(connection, date(2100, 1, 1), 1_000)]
    found = await pool.fetch("select distinct state from listing where id = any ($1)", due)
    assert sorted(row["state"] for row in found) == ["published", "refining", "submitted", "verified"]


async def test_a_party_confirms_for_itself(market: Market, pool: Pool, owner_url: str) -> None:
    contract, owner = some(market, "contract", "draft"), await asyncpg.connect(owner_url)
    await contracts.confirm_party(owner, contract, market.houses["A"].id, AT)
    await owner.close()
    confirmed = "select organization_id from contract_party where contract_id = $1 and confirmed_at = $2"
    assert [row["organization_id"] for row in await pool.fetch(confirmed, contract, AT)] == [market.houses["A"].id]


async def test_a_version_of_a_rule_ends_once_or_earlier(market: Market, pool: Pool, owner_url: str) -> None:
    owner = await asyncpg.connect(owner_url)
    rule = await owner.fetchval("select id from subsidy_rule limit 1")
    await owner.execute("update subsidy_rule set valid_until = valid_from + 100 where id = $1", rule)
    first = await owner.fetchval("select valid_until from subsidy_rule where id = $1", rule)
    await owner.execute(END_VERSION, rule, first + timedelta(days=10))
    assert await owner.fetchval("select valid_until from subsidy_rule where id = $1", rule) == first
    await owner.close()


async def test_an_endpoint_that_is_disabled_is_left_alone(market: Market, owner_url: str) -> None:
    owner = await asyncpg.connect(owner_url)
    found = "select id from webhook where state = $1 and organization_id = $2"
    enabled, disabled = [await owner.fetchval(found, state, market.houses["A"].id) for state in ("enabled", "disabled")]
    await owner.execute("update webhook_delivery set state = 'pending'")
    leased = await delivering.lease(owner, LATE, LATE + timedelta(1), of_each=100, limit=100)
    assert enabled in {each.webhook_id for each in leased}
    assert disabled not in {each.webhook_id for each in leased}
    # It is disabled once, and for one reason.
    before = await owner.fetchrow("select version, disabled_reason from webhook where id = $1", disabled)
    await owner.execute(webhooks.DISABLE, disabled, "failing")
    assert await owner.fetchrow("select version, disabled_reason from webhook where id = $1", disabled) == before
    # What has arrived is not given up.
    await owner.execute("update webhook_delivery set state = 'delivered', delivered_at = now()")
    await owner.execute(webhooks.BURY, enabled)
    assert await owner.fetchval("select count(*) from webhook_delivery where state = 'dead'") == 0
    # Nor does it go for another organization.
    assert not await webhooks.delete(owner, enabled, market.houses["X"].id)
    await owner.close()


async def test_mail_is_leased_when_it_is_due_and_not_yet_sent(market: Market, owner_url: str) -> None:
    owner = await asyncpg.connect(owner_url)
    house = market.houses["A"].id
    due, *_ = [
        await owner.fetchval(
            "insert into mail (organization_id, kind, state, next_at, sent_at, created_at) "
            "values ($1, 'at_once', $2, $3, case when $2 = 'sent' then now() end, now()) returning id",
            house, state, at,
        )
        for state, at in (("pending", BEFORE), ("pending", LATE), ("sent", BEFORE))
    ]  # fmt: skip
    assert [each.id for each in await mail_repository.lease(owner, AT, LATE, 100)] == [due]
    await owner.close()


async def test_one_model_is_noted_as_activated(pool: Pool) -> None:
    async with transaction(pool, SYSTEM) as connection:
        for version in ("one", "other"):
            await connection.execute("insert into ranking_model (version, definition) values ($1, '{}')", version)
        assert await connection.fetch(models.TOUCH, "one")
        activated = await connection.fetch("select version from ranking_model where activated_at = now()")
    assert [row["version"] for row in activated] == ["one"]


async def test_an_idempotency_key_is_its_callers_for_a_day(market: Market, owner_url: str) -> None:
    first, second = [each.key_id for each in market.callers if each.key_id][:2]
    assert first is not None
    assert second is not None
    asked = idempotency.Asked("one", "POST", "/v1/needs", bytes(32))
    said = {first: b'"a"', second: b'"b"'}
    owner = await asyncpg.connect(owner_url)
    await prepare_connection(owner)
    async with owner.transaction():
        for caller, text in said.items():
            claim = await idempotency.claim(owner, caller, asked, now())
            await idempotency.keep(claim, Response(text, 201), frozenset())
        for caller, text in said.items():
            with pytest.raises(idempotency.Replay) as replayed:
                await idempotency.replay(owner, caller, asked, now())
            assert replayed.value.response.body == text
        # Its day is over: nothing is answered by it, and it goes.
        tomorrow = now() + idempotency.KEPT + timedelta(seconds=1)
        await idempotency.replay(owner, first, asked, tomorrow)
        assert await idempotency.sweep(owner, now(), 100) == 0
        assert await idempotency.sweep(owner, tomorrow, 100) == 2
    await owner.close()
