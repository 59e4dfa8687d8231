"""Rows of deliveries as the worker takes them in hand."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.kit.db import Connection, affected
from service.notices.model import Event
from service.webhooks.calling import Call

ENQUEUE = """
insert into webhook_delivery (webhook_id, organization_id, event_id, subject_id, type, body, next_at, created_at)
select webhook.id, webhook.organization_id, $2, $3, $4, $5, $6, $6
from webhook join organization on organization.id = webhook.organization_id
where webhook.organization_id = any ($1) and webhook.state = 'enabled' and organization.state <> 'suspended'
  and (webhook.types = '{}' or $4 = any (webhook.types))
order by webhook.id
on conflict on constraint webhook_delivery_once do nothing
"""


async def enqueue(
    connection: Connection, organizations: Collection[UUID], event: Event, body: str, moment: datetime
) -> int:
    """Have an event delivered to the endpoints of organizations that ask for its type; how many."""
    status = await connection.execute(
        ENQUEUE, list(organizations), event.id, event.subject_id, event.type, body, moment
    )
    return affected(status)


@dataclass(frozen=True, slots=True)
class Leased:
    """A delivery that a worker has in hand until its lease ends, with all that a call takes."""

    id: UUID
    webhook_id: UUID
    organization_id: UUID
    body: str
    attempts: int
    tries: int
    leased_until: datetime
    url: str
    secret: bytes
    old_secret: bytes | None


# A few of each endpoint, so that a slow one does not keep the others waiting, and organizations in turns: each with one before
# any with two, so that nobody fills a round with endpoints that hang. Of an ordered endpoint only the earliest of each subject.
# What is due is looked for without a lock and then held, where no other worker was quicker; `leased_until` tells who holds it.
LEASE = """
with due as materialized (
    select one.id, next_at, row_number() over (partition by endpoint.organization_id order by next_at, one.id) as turn
    from webhook as endpoint cross join lateral (
        select id, next_at from webhook_delivery as one
        where one.webhook_id = endpoint.id and one.state = 'pending' and one.next_at <= $1
          and (one.leased_until is null or one.leased_until <= $1)
          and not (endpoint.ordered and exists (
              select from webhook_delivery as earlier
              where earlier.webhook_id = one.webhook_id and earlier.subject_id = one.subject_id
                and earlier.state = 'pending' and earlier.id < one.id
          ))
        order by one.next_at, one.id
        limit $3
    ) as one
    where endpoint.state = 'enabled' and endpoint.organization_id not in (select suspended_organization())
), chosen as materialized (
    select id from due order by turn, next_at, id limit $4
), held as materialized (
    select id from webhook_delivery
    where id in (select id from chosen) and state = 'pending' and next_at <= $1
      and (leased_until is null or leased_until <= $1)
    for update skip locked
)
update webhook_delivery as delivery set leased_until = $2
from held, webhook
where delivery.id = held.id and webhook.id = delivery.webhook_id
returning delivery.id, webhook_id, delivery.organization_id, body, attempts, tries, leased_until, url, secret,
          case when old_until > $1 then old_secret end as old_secret
"""


async def lease(connection: Connection, moment: datetime, until: datetime, *, of_each: int, limit: int) -> list[Leased]:
    """Take deliveries that are due and that no worker has in hand: so many of each endpoint, so many together."""
    return [Leased(**dict(row)) for row in await connection.fetch(LEASE, moment, until, of_each, limit)]


# The endpoint first and its deliveries then, as whoever disables it does: in another order two would wait for each other.
LOCK = "select from webhook where id = $1 for no key update"


async def lock(connection: Connection, webhook_id: UUID) -> None:
    """Hold an endpoint until the transaction ends; a new delivery to it need not wait."""
    await connection.execute(LOCK, webhook_id)


DELIVERED = """
update webhook_delivery
set state = 'delivered', delivered_at = $3, attempts = attempts + 1, tries = tries + 1, last_status = $4, last_error = null,
    leased_until = null
where id = $1 and leased_until = $2 and state = 'pending'
"""
WORKS = "update webhook set failing_since = null where id = $1 and failing_since is not null"


async def delivered(connection: Connection, held: Leased, call: Call, moment: datetime) -> bool:
    """Note that the endpoint has it; False where the lease was lost to another worker meanwhile."""
    if not affected(await connection.execute(DELIVERED, held.id, held.leased_until, moment, call.status)):
        return False
    await _attempt(connection, held, call, moment)
    await connection.execute(WORKS, held.webhook_id)
    return True


PUT_OFF = """
update webhook_delivery
set state = case when $3::timestamptz is null then 'dead' else 'pending' end, next_at = coalesce($3, next_at),
    attempts = attempts + 1, tries = tries + 1, last_status = $4, last_error = $5, leased_until = null
where id = $1 and leased_until = $2 and state = 'pending'
"""
FAILS = "update webhook set failing_since = coalesce(failing_since, $2) where id = $1 returning failing_since"


async def failed(
    connection: Connection, held: Leased, call: Call, moment: datetime, next_at: datetime | None
) -> datetime | None:
    """Note that it has not, and when it is tried next (None: given up); since when the endpoint fails.

    None where the lease was lost to another worker meanwhile.
    """
    status = await connection.execute(PUT_OFF, held.id, held.leased_until, next_at, call.status, call.error)
    if not affected(status):
        return None
    await _attempt(connection, held, call, moment)
    since: datetime | None = await connection.fetchval(FAILS, held.webhook_id, moment)
    return since


ATTEMPT = """
insert into webhook_attempt (delivery_id, number, organization_id, at, milliseconds, status, error)
values ($1, $2, $3, $4, $5, $6, $7)
"""


async def _attempt(connection: Connection, held: Leased, call: Call, moment: datetime) -> None:
    await connection.execute(
        ATTEMPT, held.id, held.attempts + 1, held.organization_id, moment, call.milliseconds, call.status, call.error
    )


FORGET = """
delete from webhook_delivery where id in (
    select id from webhook_delivery where created_at < $1 and state <> 'pending' order by created_at limit $2
)
"""


async def forget(connection: Connection, before: datetime, limit: int) -> int:
    """Remove deliveries of long ago with their attempts; how many."""
    return affected(await connection.execute(FORGET, before, limit))
