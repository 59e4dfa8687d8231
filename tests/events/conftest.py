"""Chains of events, and a way past every lock: a superuser with triggers off, as an intruder would work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID, uuid4

import asyncpg
import pytest

from service.audit.verification import Verdict, snapshot, verify
from service.events import log
from service.events.chain import Point
from service.kit.actor import SYSTEM
from service.kit.db import Pool, transaction
from tests.conftest import Server

Append = Callable[[int], Awaitable[None]]
Check = Callable[..., Awaitable[Verdict]]


@pytest.fixture
def append(pool: Pool) -> Append:
    """Append so many events, each in a transaction of its own, one after the other."""

    async def go(count: int) -> None:
        for number in range(count):
            async with transaction(pool, SYSTEM) as connection:
                await log.record(connection, SYSTEM, "need", uuid4(), "change", data={"标题": f"第 {number} 次", "n": 1.50})

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


__all__ = ["Append", "Check", "asyncio", "event_at"]
