"""Who may do and see what: every caller × object × state × endpoint × field, against a table of rules of its own."""

import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import asyncpg
import pytest
import structlog

from service import worker
from service.app import create_app
from service.kit import queue
from service.kit.actor import KEY_ROLES, SYSTEM, Role, Scope
from service.kit.db import Pool, prepare_connection, transaction
from service.resources import Resources
from service.settings import Settings
from service.workflows.tables import WORKFLOWS
from tests.access.market import ROLES, SCOPES, STATES, Builder, Market
from tests.access.probing import Count, Probe, UndoingPool, judge, send
from tests.access.requests import objects, operations, request
from tests.access.rules import ACTIONS, INNER_ACTIONS, RULES, Cell

FULL = bool(os.environ.get("FULL"))
LEAST = 100_000 if FULL else 10_000
# Endpoints whose `action` stands in the body, by variant.
DECIDES = "POST /v1/recommendations/{recommendation_id}/decisions"


def document() -> dict[str, object]:
    """The OpenAPI document as the code makes it."""
    return create_app(Settings(model="fake")).openapi()


def test_every_endpoint_has_a_rule_and_every_rule_an_endpoint() -> None:
    assert {name for name, _, _ in operations(document())} == set(RULES)


def test_every_action_and_state_of_the_workflows_has_a_rule() -> None:
    tables = {(subject, step.action) for subject, table in WORKFLOWS.items() for step in table.transitions}
    assert tables == set(ACTIONS) | INNER_ACTIONS
    assert {subject: set(table.states) | set(table.labels) for subject, table in WORKFLOWS.items()} == {
        subject: set(states) for subject, states in STATES.items()
    }


def test_every_action_that_is_offered_has_a_rule() -> None:
    offered = {
        (name.split("/")[2].removesuffix("s"), action) for name, _, actions in operations(document()) for action in actions
    }
    decided = {("recommendation", action) for action in ("accept", "decline", "snooze")}
    assert offered | decided == set(ACTIONS)


def test_every_role_and_scope_is_probed() -> None:
    assert {role.value for role in KEY_ROLES} == set(ROLES) == {role.value for role in Role} - {"system"}
    assert {scope.value for scope in Scope} == SCOPES


def role_sets() -> list[frozenset[str]]:
    """Each role by itself; for the full matrix every set of roles that a key can carry."""
    sizes = range(1, len(ROLES) + 1) if FULL else (1,)
    return [frozenset(each) for size in sizes for each in combinations(ROLES, size)]


@pytest.fixture
def quiet() -> Iterator[None]:
    """No line for each of thousands of requests."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


@pytest.fixture
async def market(owner_url: str, resources: Resources, pool: Pool) -> Market:
    """The market, with what is published indexed."""
    connection = await asyncpg.connect(owner_url)
    await prepare_connection(connection)
    try:
        await connection.execute("set search_path = public, matching")
        async with connection.transaction():
            built = await Builder(connection).build(role_sets=role_sets())
    finally:
        await connection.close()
    async with transaction(pool, SYSTEM) as indexing:
        for each in built.subjects:
            if each.kind in ("need", "outcome") and each.state == "published" and each.house in "AP":
                await queue.enqueue_index(indexing, each.id, 2)
    await worker.drain(resources, concurrency=1)
    return built


def probes(market: Market) -> Iterator[Probe]:
    """The matrix: every caller at every endpoint with every object and variant."""
    for operation, parameters, actions in operations(document()):
        for subject, part in objects(market, parameters):
            for action in actions or [""]:
                for variant in RULES[operation].variants:
                    asked = request(market, operation, subject, part, action, variant)
                    decided = "accept" if variant in ("stale", "broken") else variant
                    named = decided if operation == DECIDES else action
                    if variant == "stale" and operation == DECIDES:
                        asked = replace(asked, headers=(*asked.headers, ("If-Match", '"77"')))
                    for caller in market.callers:
                        yield Probe(operation, Cell(market, caller, subject, variant, named, part), asked)


async def test_every_cell_is_as_ruled(
    quiet: None, settings: Settings, resources: Resources, market: Market
) -> None:
    undoing = UndoingPool(resources.pool)
    app = create_app(settings)
    app.state.resources = replace(resources, pool=undoing)
    count = Count()
    import time
    spent = {}
    for probe in probes(market):
        t = time.perf_counter()
        if probe.asked.method == "GET":
            answer = await send(app, probe.asked, probe.cell.caller.key)
        else:
            async with undoing.undone():
                answer = await send(app, probe.asked, probe.cell.caller.key)
        judge(probe, answer, count)
        a = spent.setdefault(probe.operation, [0, 0.0]); a[0]+=1; a[1]+=time.perf_counter()-t
    print(f"\n{count.requests} requests, {count.fields} fields and answers searched, {len(count.wrong)} wrong cells")
    for k, v in sorted(spent.items(), key=lambda i: -i[1][1])[:25]: print(k, v[0], round(v[1],1), round(1000*v[1]/v[0],1))
    open('/tmp/wrong.txt','w').write("\n".join(count.wrong))
    assert not count.wrong, "\n".join(count.wrong[:200])
    assert count.requests >= LEAST
