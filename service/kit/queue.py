"""Jobs in PostgreSQL, by PgQueuer. Nothing else in the project knows the library.

A job is put into the queue by the transaction that makes it necessary, so it exists exactly when its reason does. The
key of a job holds the version that it is for: while one version waits, asking again adds nothing; a newer version is a
job of its own. Jobs run at least once, and each handler leaves the same result however often it runs.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import orjson
from pgqueuer.queries import Queries

from service.kit.db import Connection

INDEX = "index"
RANK = "rank"
# Listings that people wait for go before the many that a new model or an import brings.
PRIORITY_LIVE = 10
PRIORITY_BULK = 0


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
        [PRIORITY_BULK if bulk else PRIORITY_LIVE] * len(jobs),
        dedupe_key=[f"{entrypoint}:{job.listing_id}:{job.version}" for job in jobs],
        on_conflict="skip",
    )


WAITING = "select count(*) from pgqueuer where status in ('queued', 'picked')"


async def waiting(connection: Connection) -> int:
    """Jobs that wait or run."""
    count: int = await connection.fetchval(WAITING)
    return count


# A worker beats every half of this; a job without a beat for so long is taken up by another worker.
HEARTBEAT_TIMEOUT = timedelta(seconds=30)
