"""The worker: index and rank jobs, and the housekeeping that time brings."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from service import telling
from service.cases import service as cases
from service.kit import idempotency, limits, queue
from service.kit.actor import SYSTEM
from service.kit.clock import now, today
from service.kit.db import transaction
from service.listings import service as listings
from service.matches import indexing, repository, switching
from service.resources import Resources
from service.responses import service as responses
from service.review import leases

log = structlog.get_logger("duijie.worker")

HOUSEKEEPING_SECONDS = 60
SWEEP_LIMIT = 5_000


async def run(resources: Resources, *, concurrency: int, stop: asyncio.Event) -> None:
    """Work until `stop` is set; jobs under way are finished first."""
    handlers = {queue.INDEX: indexing.index_job(resources), queue.RANK: indexing.rank_job(resources)}
    housekeeping = asyncio.create_task(_every(HOUSEKEEPING_SECONDS, lambda: keep_house(resources), stop))
    told = asyncio.create_task(telling.run(resources, stop))
    log.info("worker started", concurrency=concurrency)
    try:
        await queue.work(resources.pool, handlers, concurrency=concurrency, heartbeat=_heartbeat(resources), stop=stop)
    finally:
        housekeeping.cancel()
        told.cancel()
        await asyncio.gather(housekeeping, told, return_exceptions=True)
        log.info("worker stopped")


async def drain(resources: Resources, *, concurrency: int) -> None:
    """Work until no job is left."""
    await keep_house(resources)
    handlers = {queue.INDEX: indexing.index_job(resources), queue.RANK: indexing.rank_job(resources)}
    await queue.work(
        resources.pool,
        handlers,
        concurrency=concurrency,
        heartbeat=_heartbeat(resources),
        stop=asyncio.Event(),
        drain=True,
    )


def _heartbeat(resources: Resources) -> timedelta:
    return timedelta(seconds=resources.settings.worker_heartbeat_seconds)


async def keep_house(resources: Resources) -> None:
    """Expire what is due, wake snoozed pairs, count answers, settle the review queue and the embedding model.

    And pick up what no job stands for.
    """
    async with transaction(resources.pool, SYSTEM) as connection:
        while await listings.expire_due(connection, today()):
            pass
        await repository.wake(connection, now())
        await responses.count_due(connection, now())
    # By themselves, since a transaction that settles waits for nothing afterwards.
    settled = 1
    while settled:
        async with transaction(resources.pool, SYSTEM) as connection:
            settled = await leases.settle(connection)
    async with transaction(resources.pool, SYSTEM) as connection:
        await cases.keep_clock(connection, now(), resources.settings)
    await _forget(resources)
    await telling.forget(resources)
    await switching.settle(resources)
    async with transaction(resources.pool, SYSTEM) as connection:
        # The keys of jobs hold versions, so for what still waits this adds nothing.
        for job in await repository.unindexed(connection, SWEEP_LIMIT):
            await queue.enqueue_index(connection, job.listing_id, job.version, bulk=True)
        await queue.enqueue_rank(connection, await repository.unranked(connection, SWEEP_LIMIT), bulk=True)


async def _forget(resources: Resources) -> None:
    """Remove stored answers and rate buckets that say nothing any more, a bounded number in each transaction."""
    for sweep in (idempotency.sweep, limits.sweep):
        removed = SWEEP_LIMIT
        while removed == SWEEP_LIMIT:
            async with transaction(resources.pool, SYSTEM) as connection:
                removed = await sweep(connection, now(), SWEEP_LIMIT)


async def _every(seconds: float, action: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await action()
        except Exception as error:
            # Housekeeping that fails is tried again at the next turn; the jobs go on meanwhile.
            log.error("housekeeping failed", exc_info=error)
        try:
            await asyncio.wait_for(stop.wait(), seconds)
        except TimeoutError:
            continue
