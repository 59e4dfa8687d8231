"""Chains of events, and a way past every lock: a superuser with triggers off, as an intruder would work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID, uuid4

import asyncpg
import pytest
from typer.testing import CliRunner

from service.audit.verification import Verdict, snapshot, verify
from service.cli import app
from service.events import log
from service.events.chain import Point
from service.kit.actor import SYSTEM
from service.kit.db import Pool, transaction
from service.settings import Settings, get_settings
from tests.conftest import Server

Append = Callable[[int], Awaitable[None]]
Check = Callable[..., Awaitable[Verdict]]
Command = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
def append(pool: Pool) -> Append:
    """Append so many events, each in a transaction of its own, one after the other."""

    async def go(count: int) -> None:
        for number in range(count):
            async with transaction(pool, SYSTEM) as connection:
                await log.record(
                    connection, SYSTEM, "need", uuid4(), "change", data={"标题": f"第 {number} 次", "n": 1.50}
                )

    return go


@pytest.fixture
def check(pool: Pool) -> Check:
    """Verify the chain as the application role."""

    async def go(first: int | None = None, last: int | None = None, anchor: Point | None = None) -> Verdict:
        async with snapshot(pool, SYSTEM) as connection:
            return await verify(connection, first=first, last=last, anchor=anchor)

    return go


@pytest.fixture
async def intruder(postgres: Server, database: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A superuser for whom no trigger and no foreign key holds."""
    connection = await asyncpg.connect(postgres.url("postgres", database))
    await connection.execute("set session_replication_role = replica")
    yield connection
    await connection.close()


async def event_at(connection: "asyncpg.Connection[asyncpg.Record] | Pool", position: int) -> UUID:
    """The event at a position."""
    found: UUID = await connection.fetchval("select event_id from event_seal where position = $1", position)
    return found


@pytest.fixture
def duijie(settings: Settings, app_url: str, owner_url: str) -> Command:
    """Run the command line against the test's database: exit code and what it printed."""
    environment = {
        "DUIJIE_DATABASE_URL": app_url,
        "DUIJIE_OWNER_DATABASE_URL": owner_url,
        "DUIJIE_HOME": str(settings.home),
        "DUIJIE_LANGUAGE": "en",
        "DUIJIE_LOG_LEVEL": "error",
    }

    async def go(*arguments: str) -> tuple[int, str]:
        get_settings.cache_clear()
        result = await asyncio.to_thread(CliRunner().invoke, app, ["audit", *arguments], env=environment)
        get_settings.cache_clear()
        return result.exit_code, result.output

    return go
