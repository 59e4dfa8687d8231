"""Schemathesis over the whole API: no server error, no undocumented answer, nothing of a stranger's."""

import asyncio
import logging
import os
from collections.abc import Iterator
from uuid import uuid4

import asyncpg
import pytest
import structlog
from schemathesis.python.asgi import shutdown_lifespans

from service import embedded
from service.resources import DatabaseUrls
from service.settings import Settings
from tests.access.fuzzing import Fuzzer, application
from tests.access.indexing import build_market
from tests.access.market import ROLES
from tests.conftest import Record, Server

REQUESTS = int(os.environ.get("REQUESTS", "600"))
SEED = int(os.environ.get("SEED", "1"))


async def _clone(postgres: Server, name: str) -> None:
    admin = await asyncpg.connect(postgres.url("postgres", "postgres"))
    await admin.execute(
        f"create database {name} template {postgres.template} owner {embedded.OWNER} strategy file_copy"
    )
    await admin.close()


async def _drop(postgres: Server, name: str) -> None:
    admin = await asyncpg.connect(postgres.url("postgres", "postgres"))
    await admin.execute(f"drop database {name} with (force)")
    await admin.close()


@pytest.fixture
def urls(postgres: Server) -> Iterator[DatabaseUrls]:
    """A database of its own; no event loop may run here, since Schemathesis has one of its own."""
    name = f"fuzz_{uuid4().hex}"
    asyncio.run(_clone(postgres, name))
    yield DatabaseUrls(postgres.url(embedded.APPLICATION, name), postgres.url(embedded.OWNER, name))
    asyncio.run(_drop(postgres, name))


@pytest.fixture
def quiet() -> Iterator[None]:
    """No line for each of thousands of requests."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


def test_generated_requests_get_documented_answers(
    quiet: None, settings: Settings, urls: DatabaseUrls, record_property: Record
) -> None:
    market = asyncio.run(build_market(urls.owner, [frozenset({role}) for role in ROLES]))
    try:
        findings = Fuzzer(application(settings, urls, market), market, urls.owner, REQUESTS, SEED).run()
    finally:
        # Schemathesis keeps applications open until the process ends, which is later than their database does.
        shutdown_lifespans()
    answers = dict(sorted(findings.answers.items()))
    record_property("figure", f"{findings.requests} requests: {answers}, {len(findings.found)} findings")
    assert not findings.found, "\n\n".join(f"{kind}\n{example}" for kind, example in sorted(findings.found.items()))
