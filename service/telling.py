"""The loop beside the job queue: from events to notifications, mail and webhooks."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import structlog

from service.kit.actor import SYSTEM
from service.kit.clock import Clock, now
from service.kit.db import transaction
from service.notices import digests, fanout, mail_repository, mailing, repository
from service.resources import Resources
from service.webhooks import delivering, delivering_repository

log = structlog.get_logger("duijie.worker")

# A look at three short indexes. A notification of the database would come no sooner than this matters, and take a
# connection for itself and a lock at each commit.
POLL_SECONDS: Final = 1.0
KEPT_NOTIFICATIONS: Final = timedelta(days=365)
KEPT_MAIL: Final = timedelta(days=90)
KEPT_DELIVERIES: Final = timedelta(days=30)
FORGET_LIMIT: Final = 5_000


async def run(resources: Resources, stop: asyncio.Event) -> None:
    """Tell until `stop` is set. Mail and webhooks do not wait for each other, nor events for either."""
    await asyncio.gather(
        _every("outbox", resources, stop, tell),
        _every("mail", resources, stop, send),
        _every("webhooks", resources, stop, call),
    )


async def tell(resources: Resources, clock: Clock = now) -> int:
    """Work through the outbox; how many events."""
    return await fanout.empty_outbox(resources.pool, resources.settings, clock, delivering.enqueue)


async def send(resources: Resources, clock: Clock = now) -> int:
    """Make the digests that are due, and send mail; how many mails were tried."""
    await digests.make_digests(resources.pool, clock)
    return await mailing.send_mail(resources.pool, resources.settings, clock)


async def call(resources: Resources, clock: Clock = now) -> int:
    """Call endpoints; how many calls."""
    return await delivering.deliver(resources.pool, resources.settings, clock)


async def all_of_it(resources: Resources, clock: Clock = now) -> None:
    """One round of everything: what a worker does in a second."""
    for part in (tell, send, call):
        await part(resources, clock)


async def forget(resources: Resources, clock: Clock = now) -> None:
    """Remove what was told, mailed and delivered long ago, a bounded number in each transaction."""
    moment = clock()
    async with transaction(resources.pool, SYSTEM) as connection:
        await repository.forget_pruned(connection)
    for sweep, kept in (
        (repository.forget, KEPT_NOTIFICATIONS),
        (mail_repository.forget, KEPT_MAIL),
        (delivering_repository.forget, KEPT_DELIVERIES),
    ):
        removed = FORGET_LIMIT
        while removed == FORGET_LIMIT:
            async with transaction(resources.pool, SYSTEM) as connection:
                removed = await sweep(connection, moment - kept, FORGET_LIMIT)


async def _every(
    name: str, resources: Resources, stop: asyncio.Event, part: Callable[[Resources], Awaitable[int]]
) -> None:
    while not stop.is_set():
        try:
            await part(resources)
        except Exception as error:
            # The database may be out of reach for a while; what is due stays due.
            log.error("telling failed", part=name, exc_info=error)
        try:
            await asyncio.wait_for(stop.wait(), POLL_SECONDS)
        except TimeoutError:
            continue
