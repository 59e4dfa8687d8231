"""Random sequences of leasing, deciding, undoing and waiting by several brokers at once, against a model of what must hold."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from service.errors import ServiceError
from service.kit.actor import SYSTEM, Actor, Role
from service.kit.clock import now
from service.kit.db import Connection, Pool, transaction
from service.matches import decisions, undo
from service.matches import repository as pairs
from service.matches.schemas import DecisionRequest
from service.review import service
from service.review.schemas import LeaseRequest
from service.settings import get_settings
from tests.review.world import World

LENGTH, WITHIN = timedelta(minutes=30), timedelta(minutes=10)
STEPS = 60
ACTIONS = ("lease", "lease", "decide", "decide", "decide", "release", "undo", "undo", "wait", "wake")


@dataclass
class Model:
    """What a sequence has done so far, as plain dictionaries: states, leases, the deciders, and how many events there must be."""

    state: dict[UUID, str]
    lease: dict[UUID, tuple[UUID, datetime]] = field(default_factory=dict)
    asleep: dict[UUID, datetime] = field(default_factory=dict)
    made: dict[UUID, tuple[UUID, datetime]] = field(default_factory=dict)
    events: Counter[UUID] = field(default_factory=Counter)

    def free(self, pair: UUID, at: datetime) -> bool:
        """Whether a pair is open and nobody's."""
        return self.state[pair] == "proposed" and (pair not in self.lease or self.lease[pair][1] <= at)

    def taken_from(self, actor: Actor, pair: UUID, at: datetime) -> bool:
        """Whether another has the pair under lease."""
        holder, until = self.lease.get(pair, (actor.key_id, at))
        return self.state[pair] == "proposed" and holder != actor.key_id and until > at


@dataclass
class Run:
    """One sequence over a pool, with a clock of its own."""

    pool: Pool
    model: Model
    brokers: list[Actor]
    chance: random.Random
    at: datetime

    async def step(self) -> None:
        """One random action of a random broker; the model says what must come of it."""
        actor, pair = self.chance.choice(self.brokers), self.chance.choice(list(self.model.state))
        await getattr(self, self.chance.choice(ACTIONS))(actor, pair)

    async def refused(self, actor: Actor, act: Callable[[Connection], Awaitable[object]]) -> int | None:
        """The status that an action is refused with; None where it is done."""
        try:
            async with transaction(self.pool, actor) as connection:
                await act(connection)
        except ServiceError as error:
            return error.status
        return None

    async def lease(self, actor: Actor, _: UUID) -> None:
        wanted = self.chance.randint(1, 4)
        async with transaction(self.pool, actor) as connection:
            answer = await service.lease(connection, actor, LeaseRequest(limit=wanted), LENGTH)
        got = [item.recommendation.id for item in answer.items]
        free = [each for each in self.model.state if self.model.free(each, self.at)]
        assert set(got) <= set(free)
        assert len(got) == min(wanted, len(free))
        for each in got:
            self.model.lease[each] = (actor.key_id, self.at + LENGTH)

    async def release(self, actor: Actor, _: UUID) -> None:
        async with transaction(self.pool, actor) as connection:
            answer = await service.release(connection, actor, None)
        mine = {p for p, (holder, _) in self.model.lease.items() if holder == actor.key_id}
        assert set(answer.released) == {each for each in mine if self.model.state[each] == "proposed"}
        for each in mine:
            del self.model.lease[each]

    async def decide(self, actor: Actor, pair: UUID) -> None:
        request = self.chance.choice(
            [
                DecisionRequest(action="accept"),
                DecisionRequest(action="decline", code="vague"),
                DecisionRequest(action="snooze", snoozed_until=self.at + timedelta(minutes=45)),
            ]
        )
        may = self.model.state[pair] in ("proposed", "snoozed") and not self.model.taken_from(actor, pair, self.at)
        status = await self.refused(actor, lambda to: decisions.decide(to, actor, pair, request, None, get_settings()))
        assert status == (None if may else 409)
        if not may:
            return
        target = {"accept": "accepted", "decline": "declined", "snooze": "snoozed"}[request.action]
        self.model.state[pair] = target
        self.model.lease.pop(pair, None)
        self.model.asleep.pop(pair, None)
        if request.snoozed_until is not None:
            self.model.asleep[pair] = request.snoozed_until
        self.model.made[pair] = (actor.key_id, self.at)
        self.model.events[pair] += 1

    async def undo(self, actor: Actor, pair: UUID) -> None:
        holder, at = self.model.made.get(pair, (None, self.at))
        decided = self.model.state[pair] in ("accepted", "declined", "snoozed")
        expected = 409 if not decided else 403 if holder != actor.key_id else 409 if self.at > at + WITHIN else None
        assert await self.refused(actor, lambda to: undo.undo(to, actor, pair, None, WITHIN)) == expected
        if expected is not None:
            return
        self.model.state[pair] = "proposed"
        del self.model.made[pair]
        self.model.asleep.pop(pair, None)
        self.model.events[pair] += 1

    async def wait(self, _: Actor, __: UUID) -> None:
        self.at += timedelta(minutes=self.chance.choice((1, 9, 31)))

    async def wake(self, _: Actor, __: UUID) -> None:
        async with transaction(self.pool, SYSTEM) as connection:
            await pairs.wake(connection, self.at)
        for each in [each for each, until in self.model.asleep.items() if until <= self.at]:
            self.model.state[each] = "proposed"
            del self.model.asleep[each]
            self.model.made.pop(each, None)
            self.model.events[each] += 1


async def check(world: World, model: Model, at: datetime) -> None:
    """The queue holds what is proposed and no other, each lease is one broker's, each action left one event, places add up."""
    rows = await world.owner.fetch("select * from review_item")
    assert {row["recommendation_id"] for row in rows} == {p for p, state in model.state.items() if state == "proposed"}
    held = {
        r["recommendation_id"]: (r["leased_to"], r["leased_until"])
        for r in rows
        if r["leased_to"] and r["leased_until"] > at
    }
    assert held == {p: lease for p, lease in model.lease.items() if lease[1] > at and model.state[p] == "proposed"}
    states = {row["id"]: row["state"] for row in await world.owner.fetch("select id, state from recommendation")}
    assert states == model.state
    events = await world.owner.fetch(
        "select subject_id, count(*) as times from event where subject_kind = 'recommendation' group by 1"
    )
    assert {row["subject_id"]: row["times"] for row in events} == {p: n for p, n in model.events.items() if n}
    for need in world.needs.values():
        accepted = await world.owner.fetchval(
            "select count(*) from recommendation where need_id = $1 and state = 'accepted'", need
        )
        of_need = sorted((row for row in rows if row["need_id"] == need), key=lambda row: -row["score"])
        for place, row in enumerate(of_need, start=accepted + 1):
            assert row["gain"] == row["probability"] / 2 ** (place.bit_length() - 1)


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_is_done_in_whatever_order(
    world: World, second: str, serving_pool: Pool, pool: Pool, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    names = [(need, outcome) for need in "ABC" for outcome in "abcd"]
    drawn = dict(zip(names, chance.sample(range(1, 100), len(names)), strict=True))
    await world.fill({n: {o: drawn[n, o] / 100 for m, o in names if m == n} for n in "ABC"})
    brokers = []
    for role in ("broker", second):
        member = world.keys.members[role]
        key = await pool.fetchval(
            "select id from api_key where organization_id = $1 and 'broker' = any (roles)", member.organization_id
        )
        brokers.append(Actor(key, member.organization_id, frozenset({Role.BROKER}), "sequence"))
    run = Run(serving_pool, Model(dict.fromkeys(world.pairs.values(), "proposed")), brokers, chance, now())
    for module in (service, decisions, undo):
        monkeypatch.setattr(module, "now", lambda: run.at)
    for _ in range(STEPS):
        await run.step()
    await world.settle()
    await check(world, run.model, run.at)
    assert sum(run.model.events.values()) > 5
