"""What sealing costs: transactions that leave one event, with and without the trigger, by one writer and by eight at once.

A seal is written under a lock that is held until the commit is on disk, so writers at once wait for one another's
commits; the single writer shows the arithmetic alone. Rounds with and without take turns, so that a slow moment of the
machine falls on both.
"""

import asyncio
import time
from pathlib import Path
from statistics import median
from uuid import UUID

from bench.figures import Figure
from bench.generated import database, owner_connection
from service import embedded
from service.audit.verification import snapshot, verify
from service.events import log
from service.kit.actor import SYSTEM
from service.kit.db import Pool, create_pool, transaction

ROUNDS = 5
SECONDS = 1.5
SUBJECT = UUID(int=1)
DATA = {"version": 2, "reason": None, "changes": {"title": {"before": "枸杞烘干", "after": "枸杞鲜果低温快速脱水"}}}
SWITCH = {
    True: "alter table event enable trigger event_is_sealed",
    False: "alter table event disable trigger event_is_sealed",
}
# A change of a row besides, as most requests make: what the seal is a part of.
TOUCH = "update organization set updated_at = now() where id = $1"
WRITERS = (1, 8)


async def measure(home: Path) -> list[Figure]:
    """Events a second, and seals verified a second."""
    server = await database(home / "audit")
    owner = await owner_connection(server)
    pool = await create_pool(
        server.url(embedded.APPLICATION), size=max(WRITERS), statement_timeout_ms=15_000, application="bench"
    )
    organizations = [
        await owner.fetchval("insert into organization (name, kind) values ($1, 'market') returning id", f"单位 {n}")
        for n in range(max(WRITERS))
    ]
    figures = []
    for writers in WRITERS:
        rates: dict[bool, list[float]] = {True: [], False: []}
        for turn in range(2 * ROUNDS):
            sealed = turn % 2 == 0
            await owner.execute(SWITCH[sealed])
            rates[sealed].append(await _rate(pool, organizations[:writers]))
        what = f"changes with an event, {writers} at once" if writers > 1 else "changes with an event, one by one"
        figures.append(Figure(f"{what}, sealed", median(rates[True]), "/s", "not sealed", median(rates[False])))
    figures.append(await _verifying(pool))
    await pool.close()
    await owner.close()
    return figures


async def _rate(pool: Pool, organizations: list[UUID]) -> float:
    """Transactions a second, each a change of a row and its event."""
    end = time.perf_counter() + SECONDS

    async def write(organization: UUID) -> int:
        count = 0
        while time.perf_counter() < end:
            async with transaction(pool, SYSTEM) as connection:
                await connection.execute(TOUCH, organization)
                await log.record(connection, SYSTEM, "organization", SUBJECT, "change", data=DATA)
            count += 1
        return count

    return sum(await asyncio.gather(*map(write, organizations))) / SECONDS


async def _verifying(pool: Pool) -> Figure:
    async with snapshot(pool, SYSTEM) as connection:
        begun = time.perf_counter()
        verdict = await verify(connection)
        return Figure("seals verified", verdict.checked / (time.perf_counter() - begun), "/s")
