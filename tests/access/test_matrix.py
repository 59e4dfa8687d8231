"""Who may do and see what: every caller × object × state × endpoint × field, against a table of rules of its own."""

import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any
from zlib import crc32

import pytest
import structlog

from service.app import create_app
from service.contracts import documents
from service.kit.actor import KEY_ROLES, Role, Scope
from service.resources import Resources
from service.settings import Settings
from service.workflows.tables import WORKFLOWS
from tests.access.fields import GUARDED, OPEN
from tests.access.indexing import build_market, index_market
from tests.access.market import ROLES, SCOPES, STATES, Caller, Market
from tests.access.market_contracts import as_text
from tests.access.probing import Count, Probe, UndoingPool, judge, send
from tests.access.requests import objects, operations, request
from tests.access.rules import RULES
from tests.access.ruling import ACTIONS, INNER_ACTIONS, Cell
from tests.conftest import Record

FULL = bool(os.environ.get("FULL"))
# Tags of the OpenAPI document whose endpoints alone are asked, with spaces between; all where it is not set.
TAGS = set(os.environ.get("TAGS", "").split())
LEAST = 1 if TAGS else 100_000 if FULL else 10_000
# In CI each operation is probed with all that it can be, if that is little, and else with every sixth cell of those who
# are let in with all scopes, and every 24th of the others, for whom mostly the door answers. FULL=1 takes all of them, and
# every fourth of the callers with two roles.
SMALL, USUAL, RARE, PAIRED = 400, 6, 24, 4
# Endpoints whose `action` stands in the body, by variant.
DECIDES = "POST /v1/recommendations/{recommendation_id}/decisions"
UNDOES = f"{DECIDES}/undo"


def document() -> dict[str, Any]:
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
        (name.split("/")[2].removesuffix("s"), action)
        for name, _, actions in operations(document())
        for action in actions
    }
    decided = {("recommendation", action) for action in ("accept", "decline", "snooze", "undo")}
    # A change of a contract is recorded, and not asked for as a step.
    assert offered | decided | {("contract", "change")} == set(ACTIONS)


def test_every_role_and_scope_is_probed() -> None:
    assert {role.value for role in KEY_ROLES} == set(ROLES) == {role.value for role in Role} - {"system"}
    assert {scope.value for scope in Scope} == SCOPES


def test_every_field_of_an_answer_is_guarded_or_open() -> None:
    schemas = document()["components"]["schemas"]
    for name in sorted(GUARDED | OPEN):
        ruled = f"{GUARDED[name]} {OPEN[name]}".split()
        assert sorted(ruled) == sorted(schemas[name]["properties"]), name


def role_sets() -> list[frozenset[str]]:
    """Each role by itself; for the full matrix also each two together."""
    sizes = (1, 2) if FULL else (1,)
    return [frozenset(each) for size in sizes for each in combinations(ROLES, size)]


@pytest.fixture
def quiet() -> Iterator[None]:
    """No line for each of thousands of requests."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


@pytest.fixture
async def market(owner_url: str, resources: Resources) -> Market:
    """The market, with what is published indexed."""
    built = await build_market(owner_url, role_sets())
    await index_market(resources, built)
    return built


def asked_for() -> Iterator[tuple[str, list[str], list[str]]]:
    """The operations that are asked, all of them or those of TAGS."""
    described = document()
    for operation, parameters, actions in operations(described):
        method, path = operation.split()
        if not TAGS or TAGS & set(described["paths"][path][method.lower()]["tags"]):
            yield operation, parameters, actions


def probes(market: Market) -> Iterator[Probe]:
    """The matrix: every caller at every endpoint with every object and variant, or the part of it that CI takes."""
    for operation, parameters, actions in asked_for():
        cells = [
            (subject, part, action, variant)
            for subject, part in objects(market, parameters)
            for action in actions or [""]
            for variant in RULES[operation].variants
        ]
        whole = len(cells) * len(market.callers) <= SMALL
        for subject, part, action, variant in cells:
            asked = request(market, operation, subject, part, action, variant)
            named = action_of(operation, action, variant)
            for caller in market.callers:
                probe = Probe(operation, Cell(market, caller, subject, variant, named, part), asked)
                if whole or crc32(probe.label.encode()) % stride(caller) == 0:
                    yield probe


def stride(caller: Caller) -> int:
    """Of how many cells of a caller one is probed."""
    if FULL:
        return PAIRED if len(caller.roles) > 1 else 1
    return USUAL if caller.unlimited else RARE


def action_of(operation: str, action: str, variant: str) -> str:
    """The action that a request asks for: that of its path, or what its body says."""
    if operation == DECIDES:
        return variant if ("recommendation", variant) in ACTIONS else "accept"
    return "undo" if operation == UNDOES else action


async def test_every_cell_is_as_ruled(
    quiet: None,
    settings: Settings,
    resources: Resources,
    market: Market,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Record,
) -> None:
    monkeypatch.setattr(documents, "as_pdf", as_text)
    undoing = UndoingPool(resources.pool)
    app = create_app(settings)
    app.state.resources = replace(resources, pool=undoing)
    count = Count()
    for probe in probes(market):
        if probe.asked.method == "GET":
            answer = await send(app, probe.asked, probe.cell.caller.key)
        else:
            async with undoing.undone():
                answer = await send(app, probe.asked, probe.cell.caller.key)
        judge(probe, answer, count)
        if count.requests % 10_000 == 0:
            print(f"{count.requests} requests, {len(count.wrong)} wrong", flush=True)
    record_property("figure", f"{count.requests} requests with {count.cells} cells; {len(count.wrong)} of them wrong")
    assert not count.wrong, "\n".join(count.wrong[:200])
    assert count.requests >= LEAST
