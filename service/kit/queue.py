"""Jobs in PostgreSQL, by PgQueuer. Nothing else in the project knows the library.

A job is put into the queue by the transaction that makes it necessary, so it exists exactly when its reason does. The
key of a job holds the version that it is for: while one version waits, asking again adds nothing; a newer version is a
job of its own. Jobs run at least once, and each handler leaves the same result however often it runs.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import orjson
from pgqueuer import Job, QueueManager, RetryRequested
from pgqueuer.domain.types import QueueExecutionMode
from pgqueuer.queries import Queries

from service.kit.db import Connection, Pool

INDEX = "index"
RANK = "rank"
# What people wait for goes before what an import or a new model brings in bulk, and ranking in bulk waits until all is
# indexed, so that it sees the whole.
PRIORITIES = {(INDEX, False): 30, (RANK, False): 20, (INDEX, True): 10, (RANK, True): 0}
MOST_ATTEMPTS = 6


@dataclass(frozen=True, slots=True)
class ListingJob:
    """What an index or rank job is about."""

    listing_id: UUID
    version: int

    def payload(self) -> bytes:
        """The job's body."""
        return orjson.dumps({"listing_id": str(self.listing_id), "version": self.version})

    @classmethod
    def read(cls, payload: bytes | None) -> "ListingJob":
        """The job of a body."""
        values = orjson.loads(payload or b"{}")
        return cls(UUID(values["listing_id"]), int(values["version"]))


async def enqueue_index(connection: Connection, listing_id: UUID, version: int, *, bulk: bool = False) -> None:
    """Ask for a listing's profile and vectors to be written, in the caller's transaction."""
    await _enqueue(connection, INDEX, [ListingJob(listing_id, version)], bulk=bulk)


async def enqueue_rank(connection: Connection, jobs: list[ListingJob], *, bulk: bool = False) -> None:
    """Ask for listings to be ranked, in the caller's transaction."""
    await _enqueue(connection, RANK, jobs, bulk=bulk)


async def _enqueue(connection: Connection, entrypoint: str, jobs: list[ListingJob], *, bulk: bool) -> None:
    if not jobs:
        return
    queries = Queries.from_asyncpg_connection(connection)  # type: ignore[arg-type]
    await queries.enqueue(
        [entrypoint] * len(jobs),
        [job.payload() for job in jobs],
        [PRIORITIES[entrypoint, bulk]] * len(jobs),
        dedupe_key=[f"{entrypoint}:{job.listing_id}:{job.version}" for job in jobs],
        on_conflict="skip",
    )


WAITING = "select count(*) from pgqueuer where status in ('queued', 'picked')"


async def waiting(connection: Connection) -> int:
    """Jobs that wait or run."""
    count: int = await connection.fetchval(WAITING)
    return count


FAILED = "select count(*) from pgqueuer where status = 'failed'"


async def failed(connection: Connection) -> int:
    """Jobs given up after every attempt; they stay in the table for a look."""
    count: int = await connection.fetchval(FAILED)
    return count


Handler = Callable[[ListingJob, bool], Awaitable[None]]

# Notifications are a hint; this is how long a job waits at the most when one is lost.
POLL = timedelta(seconds=5)


async def work(
    pool: Pool,
    handlers: Mapping[str, Handler],
    *,
    concurrency: int,
    heartbeat: timedelta,
    stop: asyncio.Event,
    drain: bool = False,
) -> None:
    """Run jobs until `stop` is set, or, if `drain`, until none is left.

    A job whose worker gives no sign for `heartbeat` is taken up by another. A handler is told whether its job came in
    bulk. A failing job is tried again after 2, 4, 8 ... seconds and put aside after `MOST_ATTEMPTS`.
    """
    manager = QueueManager(Queries.from_asyncpg_pool(pool))
    for entrypoint, handler in handlers.items():
        manager.entrypoint(entrypoint, on_failure="hold")(_retrying(entrypoint, handler))
    stopping = asyncio.create_task(_pass_on(stop, manager.shutdown))
    try:
        await manager.run(
            dequeue_timeout=POLL,
            batch_size=max(1, concurrency // 2),
            mode=QueueExecutionMode.drain if drain else QueueExecutionMode.continuous,
            max_concurrent_tasks=max(2, concurrency // 2 * 2),
            heartbeat_timeout=heartbeat,
        )
    finally:
        stopping.cancel()


async def _pass_on(stop: asyncio.Event, shutdown: asyncio.Event) -> None:
    await stop.wait()
    shutdown.set()


def _retrying(entrypoint: str, handler: Handler) -> Callable[[Job], Awaitable[None]]:
    async def run(job: Job) -> None:
        try:
            await handler(ListingJob.read(job.payload), job.priority == PRIORITIES[entrypoint, True])
        except Exception as error:
            if job.attempts + 1 >= MOST_ATTEMPTS:
                raise
            raise RetryRequested(timedelta(seconds=2 ** (job.attempts + 1)), repr(error)) from error

    return run
