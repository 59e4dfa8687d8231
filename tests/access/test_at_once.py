"""Every acting endpoint, asked for the same by two requests at the same moment: both are answered, and one is served where one can be."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final

import pytest

from service import embedded
from service.app import create_app
from service.contracts import documents
from service.kit.db import create_pool
from service.resources import DatabaseUrls, Resources, resources_over
from service.settings import Settings
from tests.access.indexing import build_market, index_market
from tests.access.market import Market
from tests.access.market_contracts import as_text
from tests.access.probing import Probe, send
from tests.access.requests import objects, request
from tests.access.rules import RULES
from tests.access.ruling import Cell
from tests.access.test_matrix import action_of, asked_for, quiet, role_sets
from tests.at_once import at_once
from tests.conftest import Record, Server, cloned

__all__ = ["quiet"]


@asynccontextmanager
async def over(postgres: Server, settings: Settings, database: str) -> AsyncIterator[Resources]:
    """What a process holds of a database, let go of at the end."""
    urls = DatabaseUrls(postgres.url(embedded.APPLICATION, database), postgres.url(embedded.OWNER, database))
    pool = await create_pool(urls.application, size=2, statement_timeout_ms=30_000, application="test")
    try:
        async with resources_over(settings, urls, pool) as held:
            await held.encoders.primary.encoder()
            yield held
    finally:
        await pool.close()


# What two may do at the same moment: making something, and what changes nothing the second time.
BOTH: Final = frozenset(
    """
    POST /v1/match
    POST /v1/review/leases
    DELETE /v1/review/leases
    POST /v1/cases/{case_id}/messages
    POST /v1/cases/{case_id}/attachments
    POST /v1/cases/{case_id}/read
    POST /v1/cases/{case_id}/meetings
    POST /v1/cases/{case_id}/milestones
    POST /v1/cases/{case_id}/extensions
    POST /v1/imports
    POST /v1/needs/hints
    POST /v1/outcomes/hints
    POST /v1/refinements/{listing_id}/questions
    POST /v1/needs
    POST /v1/outcomes
    POST /v1/contracts
    DELETE /v1/subsidy-rules/{rule_id}
    POST /v1/notifications/read
    POST /v1/notifications/{notification_id}/read
    POST /v1/webhooks
    DELETE /v1/webhooks/{webhook_id}
    POST /v1/webhooks/{webhook_id}/rotate
    POST /v1/webhooks/{webhook_id}/test
    POST /v1/webhooks/{webhook_id}/replay
    POST /v1/organizations/{organization_id}/keys
    DELETE /v1/keys/{key_id}
    DELETE /v1/organizations/{organization_id}/members/{membership_id}
    POST /v1/organizations
    """.strip().split("\n    ")
)


def served(market: Market) -> Iterator[Probe]:
    """One request of each acting endpoint, action and variant that the rules let through."""
    for operation, parameters, actions in asked_for():
        if operation.startswith("GET "):
            continue
        for action in actions or [""]:
            for variant in RULES[operation].variants:
                cells = (
                    Cell(market, caller, subject, variant, action_of(operation, action, variant), part)
                    for subject, part in objects(market, parameters)
                    for caller in market.callers
                    if caller.unlimited
                )
                cell = next((cell for cell in cells if RULES[operation].status(cell) < 300), None)
                if cell is not None:
                    asked = request(market, operation, cell.subject, cell.part, action, variant)
                    yield Probe(operation, cell, asked)


async def test_two_equal_requests_at_once_are_both_answered(
    quiet: None,
    settings: Settings,
    postgres: Server,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Record,
) -> None:
    monkeypatch.setattr(documents, "as_pdf", as_text)
    app = create_app(settings)
    async with over(postgres, settings, database) as held:
        market = await build_market(held.urls.owner, role_sets())
        await index_market(held, market)
    probes, wrong = list(served(market)), []
    for probe in probes:
        async with cloned(postgres, database) as copy, over(postgres, settings, copy) as held:
            app.state.resources = held
            both = await at_once(held.urls.owner, *(send(app, probe.asked, probe.cell.caller.key) for _ in range(2)))
        statuses = sorted(answer.status for answer in both)
        if statuses[0] >= 300 or statuses[1] >= 500 or (statuses[1] < 300) != (probe.operation in BOTH):
            wrong.append(f"{statuses} {probe.label}: {[a.headers.get('x-error', a.body[:160]) for a in both]}")
    record_property("figure", f"{len(probes)} requests sent twice at once, {len(wrong)} of them answered wrongly")
    assert not wrong, "\n".join(wrong)
