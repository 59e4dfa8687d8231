"""What is held is held: while one transaction has it, another waits; and what is taken by one is passed over by the next."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from service.access import repository as organizations
from service.brokers import repository as brokers
from service.cases import follow_up_repository
from service.cases import repository as cases
from service.contracts import subsidy_rules
from service.kit.actor import SYSTEM, Actor, Role
from service.kit.db import Connection, Pool, transaction
from service.listings import repository as listings
from service.matches import consent_repository
from service.matches import repository as matches
from service.notices import mail_repository
from service.notices import repository as notices
from service.responses import repository as responses
from service.review import repository as review
from service.webhooks import delivering_repository as delivering
from service.webhooks import repository as webhooks
from tests.access.indexing import build_market

LATE = datetime(2200, 1, 1, tzinfo=UTC)
MAIL = (
    "insert into mail (organization_id, kind, next_at, created_at) select id, 'at_once', now(), now() from organization"
)
PENDING = "update webhook_delivery set state = 'pending'"
FOLLOWED = "update follow_up set next_at = now() where answered_at is null"
EXPIRED = "update listing set expires_on = '2000-01-01' where state = 'published'"


@dataclass(frozen=True, slots=True)
class Things:
    """Something of each kind."""

    organization: UUID
    need: UUID
    pair: UUID
    pair_of_case: UUID
    webhook: UUID
    broker: Actor
    holder: UUID


@pytest.fixture
async def things(owner_url: str, pool: Pool) -> Things:
    market = await build_market(owner_url, [frozenset({"enterprise"})])
    owner = await asyncpg.connect(owner_url)
    for statement in (MAIL, PENDING, FOLLOWED, EXPIRED):
        await owner.execute(statement)
    await owner.close()
    holder = uuid4()
    pair = await pool.fetchrow("select id, need_id from recommendation where state = 'proposed' limit 1")
    assert pair is not None
    return Things(
        market.houses["A"].id,
        pair["need_id"],
        pair["id"],
        await pool.fetchval("select recommendation_id from docking_case limit 1"),
        await pool.fetchval("select id from webhook where state = 'enabled' limit 1"),
        Actor(holder, market.houses["T"].id, frozenset({Role.BROKER})),
        holder,
    )


@asynccontextmanager
async def held(pool: Pool, actor: Actor = SYSTEM) -> AsyncIterator[tuple[Connection, Connection]]:
    """Two transactions of an actor; the second waits for nothing longer than a moment."""
    async with transaction(pool, actor) as first, transaction(pool, actor) as second:
        await second.execute("set local lock_timeout = '100ms'")
        yield first, second


Doing = Callable[[Connection, Things], Awaitable[Any]]


def changing(table: str, column: str, name: str) -> Doing:
    """What every change of a row does first."""
    statement = f"select from {table} where {column} = $1 for no key update"
    return lambda connection, it: connection.execute(statement, getattr(it, name))


def in_turn(doing: Doing) -> tuple[Doing, Doing]:
    """Two who do the same."""
    return doing, doing


CHANGE_NEED = changing("listing", "id", "need")
CHANGE_PAIR = changing("recommendation", "id", "pair")
# By what is promised: who holds, and who waits for it.
HELD: dict[str, tuple[Doing, Doing]] = {
    "an organization is not suspended meanwhile": (
        lambda c, it: organizations.lock_state(c, it.organization),
        changing("organization", "id", "organization"),
    ),
    "a listing is not changed meanwhile": (lambda c, it: listings.lock_state(c, it.need), CHANGE_NEED),
    "a need is held": (lambda c, it: listings.hold(c, it.need), CHANGE_NEED),
    "the newest case of a pair is held": (
        lambda c, it: cases.lock_latest(c, it.pair_of_case),
        changing("docking_case", "recommendation_id", "pair_of_case"),
    ),
    "who changes a consent keeps out who opens": (
        lambda c, it: consent_repository.lock(c, it.pair, to_change=True),
        lambda c, it: consent_repository.lock(c, it.pair, to_change=False),
    ),
    "pairs are held": (lambda c, it: matches.hold(c, [it.pair]), CHANGE_PAIR),
    "all pairs of a listing are held": (lambda c, it: matches.hold_pairs_of(c, it.need), CHANGE_PAIR),
    "no ranking meanwhile": (
        lambda c, _: matches.wait_for_rankings(c),
        lambda c, _: matches.hold_ranking(c),
    ),
    "endpoints are counted in turn": in_turn(lambda c, it: webhooks.count_held(c, it.organization)),
    "an endpoint is held": (lambda c, it: delivering.lock(c, it.webhook), changing("webhook", "id", "webhook")),
    "responses are counted in turn": in_turn(lambda c, it: responses.lock(c, it.organization)),
    "leases of a broker are counted in turn": in_turn(
        lambda c, it: review.count_leased(c, it.organization, None, LATE)
    ),
    "leases of pairs are held": (
        lambda c, it: review.leased_by_others(c, [it.pair], None, LATE),
        changing("review_item", "recommendation_id", "pair"),
    ),
    "a need's broker changes in turn": in_turn(lambda c, it: brokers.lock_need(c, it.need)),
    "versions of a rule are made in turn": in_turn(lambda c, _: c.execute(subsidy_rules.LOCK_RULE, "city_buyer")),
}


@pytest.mark.parametrize("promise", HELD)
async def test_what_is_held_is_waited_for(pool: Pool, things: Things, promise: str) -> None:
    hold, contend = HELD[promise]
    async with held(pool) as (_, second):
        await contend(second, things)
    async with held(pool) as (first, second):
        await hold(first, things)
        with pytest.raises(asyncpg.LockNotAvailableError):
            await contend(second, things)


TAKEN: dict[str, Doing] = {
    "follow-ups": lambda c, _: follow_up_repository.due(c, LATE, 100),
    "listings whose day has passed": lambda c, _: listings.due(c, date(2100, 1, 1), 100),
    "events to tell": lambda c, _: notices.take(c, LATE, 1_000),
    "mail": lambda c, _: mail_repository.lease(c, LATE, LATE + timedelta(1), 100),
    "deliveries": lambda c, _: delivering.lease(c, LATE, LATE + timedelta(1), of_each=100, limit=100),
    "pairs to review": lambda c, it: review.take(
        c, it.broker, review.Stretch(), it.holder, LATE, LATE + timedelta(1), limit=100
    ),
}


@pytest.mark.parametrize("what", TAKEN)
async def test_what_is_taken_is_passed_over(pool: Pool, things: Things, what: str) -> None:
    take = TAKEN[what]
    async with held(pool, things.broker if what == "pairs to review" else SYSTEM) as (first, second):
        assert await take(first, things)
        assert not await take(second, things)


async def test_a_release_passes_over_what_is_being_decided(pool: Pool, things: Things) -> None:
    async with transaction(pool, things.broker) as connection:
        await TAKEN["pairs to review"](connection, things)
    async with held(pool, things.broker) as (first, second):
        await changing("review_item", "recommendation_id", "pair")(first, things)
        released = await review.release(second, things.holder, None)
        assert things.pair not in released


async def test_pairs_that_leave_the_lists_are_locked_one_after_the_other(pool: Pool) -> None:
    """In the order that everybody keeps, so that two never wait in a circle; the update alone would take any."""
    plan = await pool.fetch(f"explain {matches.SUPERSEDE}", uuid4(), None)
    lines = [row[0].strip().removeprefix("->  ").partition(" ")[0] for row in plan]
    assert "LockRows" in lines
    assert "Sort" in lines[lines.index("LockRows") :]
