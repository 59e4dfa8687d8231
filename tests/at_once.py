"""Requests that meet: each has read what it acts on before any of them writes."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import asyncpg

Answer = TypeVar("Answer")
# Who asks is noted before anything is read, and what came of it after everything is written.
TABLES = """
select string_agg(format('%I', table_name), ', ') from information_schema.tables
where table_schema = 'public' and table_type = 'BASE TABLE'
and table_name <> all (array['api_key', 'person_identity', 'idempotency_key', 'rate_limit', 'event'])
"""
# Other databases of the server have their own who wait.
WAITING = """
select count(distinct pid) from pg_locks join pg_stat_activity using (pid) where not granted and datname = current_database()
"""


async def overtaken(owner_url: str, change: str, request: Awaitable[Answer]) -> Answer:
    """The answer to a request that has read what it acts on, and waits for it while a statement changes it."""
    owner = await asyncpg.connect(owner_url)
    try:
        async with owner.transaction():
            await owner.execute(change)
            (sent,) = await _waiting(owner, request)
        return await sent
    finally:
        await owner.close()


async def at_once(owner_url: str, *requests: Awaitable[Answer]) -> list[Answer]:
    """The answers to requests none of which wrote before all had come as far as to write, in their order."""
    owner = await asyncpg.connect(owner_url)
    try:
        async with owner.transaction():
            await owner.execute(f"lock table {await owner.fetchval(TABLES)} in share mode")
            sent = await _waiting(owner, *requests)
        return [await each for each in sent]
    finally:
        await owner.close()


async def _waiting(owner: asyncpg.Connection, *requests: Awaitable[Answer]) -> list[asyncio.Future[Answer]]:
    """Requests that have begun, once each of them waits for the owner or is answered."""
    sent = [asyncio.ensure_future(request) for request in requests]
    for _ in range(2_000):
        if await owner.fetchval(WAITING) >= sum(not each.done() for each in sent):
            break
        await asyncio.sleep(0.01)
    return sent
