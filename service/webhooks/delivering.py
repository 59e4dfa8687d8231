"""Delivers what is due: leased, called, settled; three steps in three transactions, none of which waits for an endpoint."""

import asyncio
import random
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from service.events import log as events
from service.kit.actor import SYSTEM
from service.kit.backoff import delay_after
from service.kit.clock import Clock
from service.kit.db import Connection, Pool, transaction
from service.notices.model import Event
from service.notices.rules import WEBHOOK_TYPES
from service.settings import Settings
from service.webhooks import delivering_repository, repository
from service.webhooks.calling import Call, call
from service.webhooks.delivering_repository import Leased
from service.webhooks.payload import body_of
from service.webhooks.schemas import DisabledReason
from service.webhooks.signing import headers
from service.webhooks.vault import Unreadable, Vault, open_vault

log = structlog.get_logger("duijie.webhooks")

AT_ONCE: Final = 32
OF_EACH_ENDPOINT: Final = 4
# Longer than a call can take and be settled (DUIJIE_WEBHOOK_SECONDS is 60 at most): a worker that was killed is followed by another.
LEASE: Final = timedelta(minutes=2)
# An endpoint that nothing got through to for so long is called no more.
LONGEST_FAILURE: Final = timedelta(days=5)


async def enqueue(connection: Connection, event: Event, organizations: Collection[UUID], moment: datetime) -> None:
    """Have an event delivered to whom it concerns, in the transaction that takes it from the outbox."""
    if organizations and event.type in WEBHOOK_TYPES:
        await delivering_repository.enqueue(connection, organizations, event, body_of(event), moment)


async def deliver(pool: Pool, settings: Settings, clock: Clock, chance: Callable[[], float] = random.random) -> int:
    """Deliver what is due, round by round until nothing is; how many calls.

    A kill in the middle leaves leases that end; what was called without its being noted is called again under the
    same webhook-id.
    """
    calls = 0
    while True:
        async with transaction(pool, SYSTEM) as connection:
            moment = clock()
            held = await delivering_repository.lease(
                connection, moment, moment + LEASE, of_each=OF_EACH_ENDPOINT, limit=AT_ONCE
            )
        if not held:
            return calls
        # Where nothing is to be signed no key is made.
        vault = open_vault(settings)
        results = await asyncio.gather(
            *(_deliver(pool, settings, vault, each, clock, chance) for each in held), return_exceptions=True
        )
        for error in (each for each in results if isinstance(each, Exception)):
            # What could not be noted is called again when its lease has ended.
            log.error("delivery not noted", exc_info=error)
        calls += len(held)


async def _deliver(
    pool: Pool, settings: Settings, vault: Vault, held: Leased, clock: Clock, chance: Callable[[], float]
) -> None:
    came_of = await _call(settings, vault, held, clock())
    moment = clock()
    async with transaction(pool, SYSTEM) as connection:
        await delivering_repository.lock(connection, held.webhook_id)
        if came_of.delivered:
            await delivering_repository.delivered(connection, held, came_of, moment)
            return
        next_at = None if came_of.gone else _next(held, came_of, moment, chance())
        since = await delivering_repository.failed(connection, held, came_of, moment, next_at)
        if since is None:
            return
        log.info("webhook not delivered", webhook_id=str(held.webhook_id), status=came_of.status, error=came_of.error)
        if came_of.gone:
            await _disable(connection, held.webhook_id, DisabledReason.GONE)
        elif moment - since >= LONGEST_FAILURE:
            await _disable(connection, held.webhook_id, DisabledReason.FAILING)


async def _call(settings: Settings, vault: Vault, held: Leased, moment: datetime) -> Call:
    try:
        sealed = [held.secret] if held.old_secret is None else [held.secret, held.old_secret]
        secrets = [vault.open(each, held.webhook_id) for each in sealed]
    except Unreadable:
        log.error("the secret of an endpoint cannot be read: DUIJIE_WEBHOOK_KEY is not the one it was kept under")
        return Call(None, "the service cannot read the secret", 0)
    body = held.body.encode()
    return await call(
        held.url,
        headers(str(held.id), moment, body, secrets),
        body,
        seconds=settings.webhook_seconds,
        private=settings.webhook_private,
    )


def _next(held: Leased, came_of: Call, moment: datetime, chance: float) -> datetime | None:
    """When the next attempt is due; None: given up. An endpoint may ask for later, not for sooner."""
    wait = delay_after(held.tries + 1, chance)
    return None if wait is None else moment + max(wait, came_of.retry_after or wait)


async def _disable(connection: Connection, webhook_id: UUID, reason: DisabledReason) -> None:
    """Call an endpoint no more. The event of it tells its organization."""
    if await repository.disable(connection, webhook_id, reason):
        await events.record(
            connection, SYSTEM, "webhook", webhook_id, "disable",
            from_state="enabled", to_state="disabled", data={"reason": reason},
        )  # fmt: skip
