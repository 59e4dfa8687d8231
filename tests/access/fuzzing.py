"""Schemathesis against the application in this process, with the keys of a market: `make fuzz`."""

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import asyncpg
import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis.errors import Flaky, Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from service.app import create_app
from service.kit.db import create_pool
from service.resources import DatabaseUrls, Resources, resources_over
from service.settings import Settings
from tests.access.indexing import index_market
from tests.access.market import Aviary, Caller, Canary, Market
from tests.access.probing import readable
from tests.access.requests import KINDS
from tests.access.rules import may_know
from tests.access.ruling import PUBLIC, REVIEWERS

CHECKS: Final = (
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
)  # fmt: skip
CANARY: Final = re.compile(Aviary.PATTERN)
# Operators suspend, revoke and erase as the run goes; without mending nobody would be left to ask.
MEND: Final = """
with keys as (update api_key set revoked_at = null, expires_at = null where id = any ($1)),
     houses as (
         update organization set state = 'verified', suspended_at = null, verified_at = coalesce(verified_at, now())
         where id = any ($2) and state <> 'verified'
     ),
     people as (
         update person set state = 'active', erased_at = null, name = '演示人员', email = id || '@example.com'
         where id = any ($3) and state = 'erased'
     )
update membership set ended_at = null, valid_until = null
where id = any ($4) and not exists (
    select from membership as other
    where other.person_id = membership.person_id and other.organization_id = membership.organization_id
      and other.ended_at is null and other.id <> membership.id
)
"""
STATE: Final = "select state from listing where id = $1"
OFFERS: Final = """
select exists (
    select from listing join organization on organization.id = organization_id
    where organization_id = $1 and listing.kind = 'outcome' and listing.state in ('published', 'transferred')
      and organization.state <> 'suspended'
)
"""
# Whether a pair of the organization has both consents open, for the other side or for whoever introduces the two.
CONSENTED: Final = """
select exists (
    select from consent as theirs
    join consent as other on other.recommendation_id = theirs.recommendation_id and other.side <> theirs.side
    where theirs.organization_id = $1 and theirs.withdrawn_at is null and other.withdrawn_at is null
      and ($2 or other.organization_id = $3)
)
"""
EVERY: Final = 100
# The share of requests whose caller the door keeps out.
KEPT_OUT: Final = 0.05
# What the application raised besides its answers, the last of it explaining a 500.
RAISED: Final[list[str]] = []


@dataclass(slots=True)
class Findings:
    """What a run saw: how many requests, which answers, and everything that should not have been."""

    requests: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    found: dict[str, str] = field(default_factory=dict)

    def note(self, kind: str, example: str) -> None:
        """Keep the first example of each finding."""
        if kind not in self.found:
            print(f"{kind}\n{example}\n")
            self.found[kind] = example


async def as_owner(owner_url: str, statement: str, *values: Any) -> Any:
    """The first value of a statement that the database's owner runs."""
    connection = await asyncpg.connect(owner_url)
    try:
        return await connection.fetchval(statement, *values)
    finally:
        await connection.close()


def without_canaries(body: Any) -> Any:
    """A body as it would be without words of earlier answers, which Schemathesis sends again: what it wrote it may read."""
    match body:
        case str():
            return CANARY.sub("word", body)
        case dict():
            return {without_canaries(name): without_canaries(value) for name, value in body.items()}
        case list():
            return [without_canaries(each) for each in body]
        case _:
            return body


def application(settings: Settings, urls: DatabaseUrls, market: Market) -> Any:
    """The application over a database, opened on the loop that it is called from."""

    @asynccontextmanager
    async def opener(_: Settings) -> AsyncIterator[Resources]:
        pool = await create_pool(urls.application, size=5, statement_timeout_ms=30_000, application="fuzz")
        try:
            async with resources_over(settings, urls, pool) as held:
                await held.encoders.primary.encoder()
                await index_market(held, market)
                yield held
        finally:
            await pool.close()

    app = create_app(settings, opener)

    async def served(scope: Any, receive: Any, send: Any) -> None:
        # As a server does: the 500 was answered, and what it was is in the log.
        try:
            await app(scope, receive, send)
        except Exception as error:
            RAISED.append(repr(error)[:300])

    return served


class Fuzzer:
    """Sends what Schemathesis generates, each request as some caller of the market, and looks at what comes back."""

    def __init__(self, app: Any, market: Market, owner_url: str, most: int, seed: int = 1) -> None:
        self.schema = schemathesis.openapi.from_asgi("/openapi.json", app)
        # Who asks is chosen here: Schemathesis would take the key off a fifth of what it generates.
        self.schema.config.generation.update(with_security_parameters=False)
        self.market = market
        self.most = most
        self.findings = Findings()
        self._owner_url = owner_url
        self._chance = random.Random(seed)
        self._callers = [each for each in market.callers if each.standing == "good"]
        # A suspended organization may be restored by a request of the run.
        self._kept_out = [each for each in market.callers if each.standing not in ("good", "suspended")]
        self._ids = {
            name: [str(each.id) for each in market.subjects if each.kind == kind] for name, kind in KINDS.items()
        }

    @property
    def done(self) -> bool:
        """Whether enough was sent."""
        return self.findings.requests >= self.most

    def send(self, case: Any, call: Callable[..., Any]) -> Any:
        """Send one case, with ids that exist half of the time, and check the answer."""
        case.body = without_canaries(case.body)
        caller = self._chance.choice(self._kept_out if self._chance.random() < KEPT_OUT else self._callers)
        for name in case.path_parameters or {}:
            if name in self._ids and self._chance.random() < 0.5:
                case.path_parameters[name] = self._chance.choice(self._ids[name])
        case.headers.pop("Authorization", None)
        if caller.key:
            case.headers["Authorization"] = f"Bearer {caller.key}"
        response = call()
        self._look(case, caller, response)
        return response

    def _look(self, case: Any, caller: Caller, response: Any) -> None:
        self.findings.requests += 1
        label = case.operation.label
        self.findings.answers[f"{response.status_code}"] += 1
        shown = readable(response.content)
        for token in set(CANARY.findall(shown)):
            canary = self.market.aviary.canaries.get(token)
            if canary is not None and self._hidden(label, caller, canary):
                place = shown.index(token)
                around = shown[max(0, place - 1500) : place + 500]
                kind = f"{label}: shows {canary.guard} of {canary.house}"
                self.findings.note(kind, f"to {caller.name}: {around}\n{case.as_curl_command()[:1500]}")
        try:
            case.validate_response(response, checks=CHECKS, headers={})
        except (Failure, FailureGroup) as failure:
            for each in getattr(failure, "exceptions", (failure,)):
                kind = f"{label}: {type(each).__name__}: {response.status_code}"
                raised = RAISED[-1] if RAISED and response.status_code == 500 else ""
                self.findings.note(kind, f"{caller.name}: {raised} {str(each)[:1500]}\n{case.as_curl_command()[:1500]}")
        if self.findings.requests % EVERY == 0:
            self._mend()

    def _hidden(self, label: str, caller: Caller, canary: Canary) -> bool:
        if may_know(self.market, caller, canary):
            return False
        if caller.standing != "good":
            return True
        # Earlier requests of the run may have opened it: by both consents, by publishing it, or by an outcome in the
        # organization's name.
        house = self.market.houses[canary.house].id
        opened = canary.guard == "house" or (canary.guard == "contact" and label.endswith("/contacts"))
        if opened and self._consented(caller, house, canary.guard):
            return False
        if canary.guard == "house":
            return not asyncio.run(as_owner(self._owner_url, OFFERS, house))
        if canary.guard != "text" or canary.subject is None:
            return True
        about = canary.subject
        listing = next(
            each.id
            for each in self.market.subjects
            if (each.kind, each.house, each.state) == (about.kind, about.house, about.state)
        )
        return asyncio.run(as_owner(self._owner_url, STATE, listing)) not in PUBLIC[about.kind]

    def _consented(self, caller: Caller, house: UUID, guard: str) -> bool:
        introduces = guard == "contact" and caller.has(*REVIEWERS)
        own = self.market.houses[caller.house].id
        return bool(asyncio.run(as_owner(self._owner_url, CONSENTED, house, introduces, own)))

    def _mend(self) -> None:
        def ids(kind: str) -> list[UUID]:
            return [each.id for each in self.market.subjects if each.kind == kind and each.state == "active"]

        keys = [each.key_id for each in self.market.callers if each.standing == "good"]
        houses = [self.market.houses[label].id for label in "APXT"]
        asyncio.run(as_owner(self._owner_url, MEND, keys, houses, ids("person"), ids("membership")))
        print(f"{self.findings.requests} requests, {len(self.findings.found)} findings", flush=True)

    def run(self) -> Findings:
        """Alternate between single operations and sequences that follow links, until enough was sent."""
        while not self.done:
            for operation in self.schema.get_all_operations():
                if not self.done:
                    self._operation(operation.ok(), examples=6)
            self._sequences(examples=20)
        return self.findings

    def _operation(self, operation: Any, examples: int) -> None:
        mode = self._chance.choice((GenerationMode.POSITIVE, GenerationMode.POSITIVE, GenerationMode.NEGATIVE))

        @hypothesis.seed(self._chance.randrange(2**32))
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        @_settings(examples)
        def one(case: Any) -> None:
            self.send(case, case.call)

        # Without parameters nothing can be wrong with a request.
        with suppress(Flaky, Unsatisfiable):
            one()

    def _sequences(self, examples: int) -> None:
        fuzzer = self

        class Sequence(self.schema.as_state_machine()):  # type: ignore[misc]
            def call(self, case: Any, **_: Any) -> Any:
                return fuzzer.send(case, case.call)

            def validate_response(self, *_: Any, **__: Any) -> None:
                # Looked at when it was sent.
                return

        hypothesis.seed(self._chance.randrange(2**32))(Sequence)
        # The service has a state, and answers a repeated request differently: which Hypothesis calls flaky.
        with suppress(Flaky):
            Sequence.run(settings=_settings(examples, stateful_step_count=15))


def _settings(examples: int, **more: Any) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        **more,
    )
