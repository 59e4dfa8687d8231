"""Mutants of the schema, all against one database: each is made, probed and rolled back in a transaction of its own.

What is probed are the expectations of tests/access/test_policies.py and tests/database/test_once.py, so a mutant that
surprises them fails that test.
"""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg

from proof.mutation.mutants import Mutant
from proof.mutation.running import Result
from service.embedded import OWNER, EmbeddedServer
from tests.access.probes import PROBES, World, fill, surprises
from tests.database.once import let_through

TEST = "tests/access/test_policies.py::test_every_actor_reaches_its_rows_and_no_others"
ONCE = "tests/database/test_once.py::test_nothing_happens_twice_and_nothing_is_rewritten"
TESTS = {"policy": TEST, "table": TEST, "unique": ONCE, "trigger": ONCE}


async def judge(mutants: Sequence[Mutant], server: EmbeddedServer) -> AsyncIterator[Result]:
    """What the probes say of each mutant; one that they do not catch is left to the tests."""
    admin = await asyncpg.connect(server.url("postgres", "postgres"))
    await admin.execute(f"create database probed template duijie owner {OWNER} strategy file_copy")
    superuser = await asyncpg.connect(server.url("postgres", "probed"))
    try:
        world = World(await fill(superuser), superuser)
        if not await _is_quiet(world, superuser):
            raise RuntimeError("the probes fail without any mutant: their verdicts would mean nothing")
        for mutant in mutants:
            started = time.monotonic()
            async with _rolled_back(superuser):
                await superuser.execute(str(mutant.change))
                if TESTS[mutant.kind] == ONCE:
                    caught = bool(await let_through(superuser, world.ids))
                else:
                    # From here on as the application, whom policies bind.
                    await superuser.execute("set local role duijie_app")
                    caught = await _is_caught(world, mutant)
            seconds = round(time.monotonic() - started, 1)
            yield Result(mutant.name, "caught" if caught else "survived", TESTS[mutant.kind] if caught else "", seconds)
    finally:
        await superuser.close()
        await admin.execute("drop database probed with (force)")
        await admin.close()


@asynccontextmanager
async def _rolled_back(connection: "asyncpg.Connection[asyncpg.Record]") -> AsyncIterator[None]:
    change = connection.transaction()
    await change.start()
    try:
        yield
    finally:
        await change.rollback()


async def _is_quiet(world: World, superuser: "asyncpg.Connection[asyncpg.Record]") -> bool:
    async with _rolled_back(superuser):
        if await let_through(superuser, world.ids):
            return False
    async with _rolled_back(superuser):
        await superuser.execute("set local role duijie_app")
        return not any([await surprises(world, table) for table in dict.fromkeys(table for table, _, _ in PROBES)])


async def _is_caught(world: World, mutant: Mutant) -> bool:
    changed = mutant.name.partition(":")[2].partition(".")[0].partition(":")[0]
    tables = dict.fromkeys([changed, *(table for table, _, _ in PROBES)])
    for table in tables:
        if await surprises(world, table):
            return True
    return False
