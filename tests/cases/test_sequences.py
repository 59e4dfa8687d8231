"""Random sequences of actions by random actors over the service's functions: what holds in every case at every moment."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from service.cases import follow_up_repository, follow_ups, leaving, meetings, messages, repository
from service.cases import service as cases
from service.cases.codes import LostCode
from service.cases.follow_up_schemas import FollowUpRequest
from service.cases.meetings import MilestoneContent
from service.cases.message_schemas import Channel, MessageRequest
from service.cases.schemas import AnswerRequest, CaseAction, CloseRequest, ExtensionRequest, LeaveRequest, Terms
from service.errors import ServiceError
from service.kit.actor import SYSTEM, Actor
from service.kit.db import Connection, Pool, set_actor, transaction
from service.matches import consents, decisions
from service.matches.schemas import DecisionRequest
from service.resources import Resources
from service.settings import get_settings
from tests.access.test_confidential import made
from tests.access.test_row_policies import actor_of
from tests.cases.helpers import BEGIN, NEED, OUTCOME, Clock
from tests.conftest import Keys

SETTINGS = get_settings()
Act = Callable[[Connection, Actor, UUID], Awaitable[object]]
TERMS = Terms(mode="service", terms={"service": "x", "fee": "1", "delivered_on": "2027-01-01", "acceptance": "x"})  # type: ignore[arg-type]


def acts(recommendation: UUID) -> dict[str, Act]:
    """Every action on a case, by name."""

    def answer(**content: Any) -> Act:
        request = AnswerRequest.model_validate(content)
        return lambda connection, actor, case: cases.answer(connection, actor, case, request, SETTINGS)

    def step(action: CaseAction) -> Act:
        return lambda connection, actor, case: cases.advance(connection, actor, case, action, None, SETTINGS)

    def say(channel: Channel) -> Act:
        async def act(connection: Connection, actor: Actor, case: UUID) -> None:
            request = MessageRequest(channel=channel, body="x")
            await messages.send(connection, actor, await cases.read(connection, actor, case), request, SETTINGS)

        return act

    def close(**content: Any) -> Act:
        request = CloseRequest.model_validate(content)
        return lambda connection, actor, case: cases.close(connection, actor, case, request, None)

    async def milestone(connection: Connection, actor: Actor, case: UUID) -> None:
        content = MilestoneContent(title="x", due_on=BEGIN.date())
        await meetings.set_milestone(connection, actor, await cases.read(connection, actor, case), content)

    async def follow_up(connection: Connection, actor: Actor, case: UUID) -> None:
        found = await cases.read(connection, actor, case)
        rows = await follow_up_repository.of_case(connection, case)
        own = [row for row in rows if row.side in found.sides_of(actor) and row.answered_at is None]
        if own:
            await follow_ups.answer(connection, actor, found, own[0].id, FollowUpRequest(used=True, paid=False))

    async def leave(connection: Connection, actor: Actor, case: UUID) -> object:
        return await leaving.leave(connection, actor, case, LeaveRequest(code=LostCode.NO_FUNDS), None)

    more = ExtensionRequest(party="need", days=3)  # type: ignore[arg-type]
    return {
        "consent": answer(answer="yes", purpose="洽谈"),
        "decline": answer(answer="no", code="too_early"),
        "question": answer(answer="question", text="x"),
        "withdraw_consent": lambda connection, actor, _: consents.withdraw(
            connection, actor, recommendation, None, SETTINGS
        ),
        **{str(action): step(action) for action in CaseAction},
        **{f"message {channel}": say(channel) for channel in Channel},
        "leave": leave,
        "close_lost": close(closed_as="lost", code="no_funds"),
        "close_won": close(closed_as="won", code="in_use"),
        "extend": lambda connection, actor, case: cases.extend(connection, actor, case, more, SETTINGS),
        "set_terms": lambda connection, actor, case: cases.set_terms(connection, actor, case, TERMS, "*"),
        "contract": lambda connection, actor, case: cases.mark_contracted(connection, actor, case, SETTINGS),
        "undo": lambda connection, actor, _: cases.close_unanswered(connection, actor, recommendation),
        "milestone": milestone,
        "follow_up": follow_up,
    }


NAMES = sorted(acts(UUID(int=0)))
ROLES = ("enterprise", "provider", "broker", "operator", "authority", "stranger")
# Actions of those whose they are, drawn as often as those of anybody, so that sequences get far.
USUAL = [
    *((who, name) for who in ("enterprise", "provider") for name in ("consent", "question", "message shared", "follow_up")),
    ("enterprise", "message need"), ("provider", "message outcome"), ("broker", "message need"), ("broker", "message outcome"),
    ("broker", "message broker"), ("provider", "consult"), ("enterprise", "negotiate"), ("provider", "set_terms"),
    ("enterprise", "milestone"), ("broker", "contract"), ("broker", "follow"), ("broker", "extend"), ("broker", "reopen"),
    ("broker", "close_won"), ("enterprise", "withdraw_consent"), ("provider", "decline"), ("enterprise", "leave"), ("broker", "undo"),
    ("broker", "close_lost"), ("clock", "9"), ("clock", "40"),
]  # fmt: skip
ANY = st.one_of(
    st.tuples(st.sampled_from(ROLES), st.sampled_from(NAMES)),
    st.tuples(st.just("clock"), st.integers(1, 60).map(str)),
)
# The way to a case that is closed as won; a sequence begins with some of it.
WAY = [
    ("enterprise", "consent"), ("provider", "consent"), ("broker", "consult"), ("provider", "negotiate"),
    ("provider", "set_terms"), ("broker", "contract"), ("broker", "follow"), ("broker", "close_won"),
]  # fmt: skip
STEP = st.one_of(st.sampled_from(USUAL), ANY)


@dataclass(slots=True)
class Run:
    """A case under random actions, and what was seen of it."""

    pool: Pool
    actors: dict[str, Actor]
    recommendation: UUID
    case: UUID
    clock: Clock
    taken: list[str] = field(default_factory=list)

    async def take(self, who: str, name: str) -> None:
        """One action, refused or not; one event for what is done, none for what is refused."""
        if who == "clock":
            self.clock.go(timedelta(days=int(name)))
            async with transaction(self.pool, SYSTEM) as connection:
                before = await self._events(connection)
                changed = await cases.keep_clock(connection, self.clock.at, SETTINGS)
                await set_actor(connection, SYSTEM)
                assert await self._events(connection) - before == changed
            return
        async with transaction(self.pool, SYSTEM) as connection:
            before = await self._events(connection)
            done: object = None
            try:
                async with connection.transaction():
                    await set_actor(connection, self.actors[who])
                    done = await acts(self.recommendation)[name](connection, self.actors[who], self.case)
            except ServiceError:
                done = False
            await set_actor(connection, SYSTEM)
            events = await self._events(connection) - before
            # With nothing to answer or undo, and after a case's end, nothing happens to the case.
            quiet = name in ("follow_up", "undo", "withdraw_consent")
            assert events == (done is not False) or (quiet and events <= 1), (who, name)
            if done is not False:
                self.taken.append(name)

    async def _events(self, connection: Connection) -> int:
        return int(await connection.fetchval("select count(*) from event where subject_kind = 'case'"))

    async def check(self) -> None:
        """What must hold at every moment."""
        async with transaction(self.pool, SYSTEM) as connection:
            case = await repository.get(connection, self.case)
            assert case is not None
            active = (
                "select count(*) from docking_case where state not in ('closed', 'lapsed') and recommendation_id = $1"
            )
            assert await connection.fetchval(active, self.recommendation) <= 1
            awaited = await repository.open_waits(connection, [self.case])
            assert bool(awaited) == (case.state not in ("closed", "lapsed")), (case.state, self.taken)
            for wait in awaited:
                assert wait.due_at > wait.begun_at
                assert wait.next_at is not None or wait.what not in ("invitation", "reply", "contract")
            consenting = await consents.consenting(connection, self.recommendation)
            both = len(consenting) == 2
            if case.state in ("consented", "consulting", "negotiating"):
                assert both
            if case.state == "invited":
                assert not both
        async with transaction(self.pool, self.actors["provider"]) as connection:
            shown = await cases.show(connection, self.actors["provider"], self.case)
            assert shown.need is not None
            # No identity before both consents, and none after one is withdrawn.
            assert (shown.need.organization is not None) == both
            assert [each.party for each in shown.awaiting if each.what != "follow_up"] == [
                each.party for each in awaited
            ]


async def fresh(pool: Pool, actors: dict[str, Actor], recommendation: UUID) -> UUID:
    """A new case of the pair, in place of all that was: as its owner would clean up."""
    async with transaction(pool, SYSTEM) as connection:
        found = await connection.fetch("select id from docking_case where state not in ('closed', 'lapsed')")
        moment = BEGIN
        for row in found:
            await repository.advance(
                connection,
                row["id"],
                await _state(connection, row["id"]),
                "closed",
                moment,
                closed_as="lost",
                code="other",
            )
            await repository.end_waits(connection, row["id"], None, moment, ())
        await connection.execute(
            "update recommendation set state = 'proposed', version = version + 1 where id = $1", recommendation
        )
    for role in ("enterprise", "provider"):
        async with transaction(pool, actors[role]) as connection:
            await connection.execute(
                "update consent set withdrawn_at = clock_timestamp(), withdrawn_by_key = $2"
                " where recommendation_id = $1 and withdrawn_at is null",
                recommendation,
                actors[role].key_id,
            )
    async with transaction(pool, actors["broker"]) as connection:
        await decisions.decide(
            connection, actors["broker"], recommendation, DecisionRequest(action="accept"), None, SETTINGS
        )
        identifier: UUID = await connection.fetchval("select id from docking_case order by id desc limit 1")
    return identifier


async def _state(connection: Connection, identifier: UUID) -> str:
    return str(await connection.fetchval("select state from docking_case where id = $1", identifier))


async def test_random_sequences_keep_every_invariant(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await made(client, keys, resources, NEED, OUTCOME)
    actors = {role: await actor_of(pool, keys, role) for role in ROLES}
    clock, recommendation = Clock(monkeypatch), UUID(world.pair)
    loop, far = asyncio.get_running_loop(), set[str]()

    async def one(steps: list[tuple[str, str]]) -> None:
        clock.go(BEGIN)
        run = Run(resources.pool, actors, recommendation, await fresh(pool, actors, recommendation), clock)
        await run.check()
        for who, name in steps:
            await run.take(who, name)
            await run.check()
        far.update(run.taken)

    @settings(
        max_examples=60, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.integers(0, len(WAY)), st.lists(STEP, min_size=12, max_size=30))
    def sequences(begun: int, steps: list[tuple[str, str]]) -> None:
        asyncio.run_coroutine_threadsafe(one([*WAY[:begun], *steps]), loop).result()

    await one(WAY)
    await asyncio.to_thread(sequences)
    # The sequences are not only refusals.
    assert len(far) >= 17, sorted(set(NAMES) - far)
