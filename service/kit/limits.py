"""Rate limits that hold over every process: a bucket a key and a bucket an organization, in the database.

Counting runs in connections of its own, each statement by itself: a request that is rolled back has still been made,
and one that takes long must not hold the bucket of the others.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import structlog

from service.kit.db import APPLICATION_ROLE, SEARCH_PATH, Connection, Pool, affected
from service.kit.rates import Rate, Standing, standing

log = structlog.get_logger("duijie.limits")

CONNECTIONS = 2
PATIENCE_SECONDS = 1.0

# The generic cell rate algorithm (ITU-T I.371, annex A) with one number a bucket: when it is full again. The second
# bucket is asked only where the first one gave, so that a key which is refused uses up nothing of its organization's.
# Null where a bucket refused; then the number before this statement says how long to wait.
TAKE = """
with of_key as (
    insert into rate_limit as bucket (subject, full_at) values ($1, now() + make_interval(secs => $2))
    on conflict (subject) do update set full_at = greatest(bucket.full_at, now()) + make_interval(secs => $2)
    where greatest(bucket.full_at, now()) + make_interval(secs => $2) <= now() + make_interval(secs => $3)
    returning full_at
), of_organization as (
    insert into rate_limit as bucket (subject, full_at) select $4, now() + make_interval(secs => $5) from of_key
    on conflict (subject) do update set full_at = greatest(bucket.full_at, now()) + make_interval(secs => $5)
    where greatest(bucket.full_at, now()) + make_interval(secs => $5) <= now() + make_interval(secs => $6)
    returning full_at
)
select extract(epoch from (select full_at from of_key) - now())::float8 as key,
       extract(epoch from (select full_at from of_organization) - now())::float8 as organization,
       extract(epoch from (select full_at from rate_limit where subject = $1) - now())::float8 as key_before,
       extract(epoch from (select full_at from rate_limit where subject = $4) - now())::float8 as organization_before
"""


class _Stateless(asyncpg.Connection[asyncpg.Record] if TYPE_CHECKING else asyncpg.Connection):  # type: ignore[misc]
    """A connection on which nothing is ever set, so that nothing has to be reset when it goes back: half the way saved."""

    def get_reset_query(self) -> str:
        """Nothing to run."""
        return ""


class SharedBuckets:
    """The buckets of keys and organizations; a rate that is None limits nothing."""

    def __init__(self, pool: Pool, key: Rate | None, organization: Rate | None) -> None:
        self._pool = pool
        self._key = key
        self._organization = organization

    async def take(self, key_id: UUID, organization_id: UUID, cost: int) -> list[Standing]:
        """Take `cost` units of both buckets; what they say, or nothing where the database did not answer.

        Limits protect from load, not from access: where they cannot be counted the request goes on, and the log says so.
        """
        of_key = self._key.seconds_for(cost) if self._key else 0.0
        of_organization = self._organization.seconds_for(cost) if self._organization else 0.0
        try:
            async with self._pool.acquire(timeout=PATIENCE_SECONDS) as connection:
                row = await connection.fetchrow(
                    TAKE,
                    f"key:{key_id}",
                    of_key,
                    float(self._key.window_seconds if self._key else 0),
                    f"organization:{organization_id}",
                    of_organization,
                    float(self._organization.window_seconds if self._organization else 0),
                    timeout=PATIENCE_SECONDS,
                )
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            log.warning("rate limits are not counted", error=type(error).__name__)
            return []
        assert row is not None
        told = []
        if self._key:
            told.append(_of("key", self._key, row["key"], row["key_before"], cost))
        # Refused by the key's bucket, the organization's was not asked.
        if self._organization and row["key"] is not None:
            before = row["organization_before"]
            told.append(_of("organization", self._organization, row["organization"], before, cost))
        return told


def _of(name: str, rate: Rate, after: float | None, before: float | None, cost: int) -> Standing:
    if after is not None:
        return standing(name, rate, after, cost, taken=True)
    # A bucket that came to be while this statement ran is not in its snapshot: it is then as good as empty.
    return standing(name, rate, float(rate.window_seconds) if before is None else before, cost, taken=False)


@asynccontextmanager
async def open_buckets(url: str, key: Rate | None, organization: Rate | None) -> AsyncIterator[SharedBuckets | None]:
    """Buckets over connections of their own, opened when first needed; None where nothing is limited."""
    if key is None and organization is None:
        yield None
        return
    pool = await asyncpg.create_pool(
        url,
        min_size=0,
        max_size=CONNECTIONS,
        connection_class=_Stateless,
        server_settings={
            "role": APPLICATION_ROLE,
            "search_path": SEARCH_PATH,
            "statement_timeout": str(int(PATIENCE_SECONDS * 1000)),
            "application_name": "duijie limits",
        },
    )
    try:
        yield SharedBuckets(pool, key, organization)
    finally:
        await pool.close()


# A full bucket is as good as none; the margin is for clocks that differ.
MARGIN = timedelta(minutes=10)
SWEEP = """
delete from rate_limit
where subject in (select subject from rate_limit where full_at < $1 limit $2 for update skip locked)
"""


async def sweep(connection: Connection, moment: datetime, limit: int) -> int:
    """Remove buckets that are full, at most `limit`; how many there were."""
    return affected(await connection.execute(SWEEP, moment - MARGIN, limit))
