"""Rows of endpoints, as their organizations manage them, and of deliveries as they see them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from service.kit.db import Connection, Row, affected
from service.webhooks.schemas import (
    DeliveryState,
    DisabledReason,
    Webhook,
    WebhookAttempt,
    WebhookContent,
    WebhookDelivery,
)

# Endpoints of one organization are counted one at a time, so that two requests do not both find room for the last one.
LOCK = "select pg_advisory_xact_lock(hashtextextended('webhooks ' || $1::uuid::text, 0))"
COUNT = "select count(*) from webhook where organization_id = $1"


async def count_held(connection: Connection, organization_id: UUID) -> int:
    """How many endpoints an organization has; no other is made until the transaction ends."""
    await connection.execute(LOCK, organization_id)
    count: int = await connection.fetchval(COUNT, organization_id)
    return count


INSERT = """
insert into webhook (id, organization_id, url, description, types, ordered, state, disabled_reason, secret)
values ($1, $2, $3, $4, $5, $6, case when $7 then 'enabled' else 'disabled' end, case when not $7 then 'asked' end, $8)
returning *
"""


async def insert(
    connection: Connection, identifier: UUID, organization_id: UUID, content: WebhookContent, secret: bytes
) -> Webhook:
    """Store an endpoint with its sealed secret."""
    row = await connection.fetchrow(
        INSERT, identifier, organization_id, content.url, content.description, content.types, content.ordered,
        content.enabled, secret,
    )  # fmt: skip
    assert row is not None
    return _webhook(row)


def _webhook(row: Row) -> Webhook:
    return Webhook.model_validate(dict(row) | {"old_secret_until": row["old_until"]}, extra="ignore")


LIST = "select * from webhook where organization_id = $1 order by id desc"


async def list_webhooks(connection: Connection, organization_id: UUID) -> list[Webhook]:
    """The endpoints of an organization, newest first."""
    return [_webhook(row) for row in await connection.fetch(LIST, organization_id)]


GET = "select * from webhook where id = $1 and organization_id = $2"


async def get(connection: Connection, identifier: UUID, organization_id: UUID) -> Webhook | None:
    """An endpoint of an organization."""
    row = await connection.fetchrow(GET, identifier, organization_id)
    return _webhook(row) if row else None


# Whoever enables it, or names another address, begins anew.
UPDATE = """
update webhook
set url = $3, description = $4, types = $5, ordered = $6,
    state = case when $7 then 'enabled' else 'disabled' end,
    disabled_reason = case when not $7 then coalesce(disabled_reason, 'asked') end,
    failing_since = case when url = $3 and state = 'enabled' then failing_since end,
    version = version + 1, updated_at = now()
where id = $1 and version = $2
returning *
"""


async def update(connection: Connection, identifier: UUID, version: int, content: WebhookContent) -> Webhook | None:
    """Change an endpoint if it still has `version`; None when it has not."""
    row = await connection.fetchrow(
        UPDATE, identifier, version, content.url, content.description, content.types, content.ordered, content.enabled
    )
    return _webhook(row) if row else None


ROTATE = """
update webhook set secret = $2, old_secret = case when $3::timestamptz is not null then secret end, old_until = $3,
    version = version + 1, updated_at = now()
where id = $1
returning *
"""


async def rotate(connection: Connection, identifier: UUID, secret: bytes, old_until: datetime | None) -> Webhook:
    """Exchange the secret; the one before signs until `old_until` (None: no more), and what was before that no more."""
    row = await connection.fetchrow(ROTATE, identifier, secret, old_until)
    assert row is not None
    return _webhook(row)


DELETE = "delete from webhook where id = $1 and organization_id = $2"


async def delete(connection: Connection, identifier: UUID, organization_id: UUID) -> bool:
    """Remove an endpoint with its deliveries; whether there was one."""
    return affected(await connection.execute(DELETE, identifier, organization_id)) == 1


INSERT_DELIVERY = """
insert into webhook_delivery (webhook_id, organization_id, event_id, subject_id, type, body, next_at, created_at)
values ($1, $2, null, $1, $3, $4, $5, $5)
returning *
"""


async def insert_test(
    connection: Connection, webhook_id: UUID, organization_id: UUID, name: str, body: str, moment: datetime
) -> WebhookDelivery:
    """Have a test sent."""
    row = await connection.fetchrow(INSERT_DELIVERY, webhook_id, organization_id, name, body, moment)
    assert row is not None
    return _delivery(row)


def _delivery(row: Row) -> WebhookDelivery:
    due = row["next_at"] if row["state"] == DeliveryState.PENDING else None
    return WebhookDelivery.model_validate(dict(row) | {"next_at": due}, extra="ignore")


DELIVERIES = """
select * from webhook_delivery
where webhook_id = $1
  and ($2::text is null or state = $2)
  and ($3::uuid is null or id < $3)
order by id desc
limit $4
"""


async def deliveries(
    connection: Connection, webhook_id: UUID, state: DeliveryState | None, before: UUID | None, limit: int
) -> list[WebhookDelivery]:
    """Deliveries to an endpoint, newest first."""
    return [_delivery(row) for row in await connection.fetch(DELIVERIES, webhook_id, state, before, limit)]


GET_DELIVERY = "select * from webhook_delivery where id = $1 and webhook_id = $2"
ATTEMPTS = "select number, at, milliseconds, status, error from webhook_attempt where delivery_id = $1 order by number"


async def delivery(
    connection: Connection, identifier: UUID, webhook_id: UUID
) -> tuple[WebhookDelivery, str, list[WebhookAttempt]] | None:
    """One delivery, its body and its attempts, the first one first."""
    row = await connection.fetchrow(GET_DELIVERY, identifier, webhook_id)
    if row is None:
        return None
    attempts = await connection.fetch(ATTEMPTS, identifier)
    return _delivery(row), row["body"], [WebhookAttempt.model_validate(dict(each)) for each in attempts]


REPLAY = """
update webhook_delivery set state = 'pending', tries = 0, next_at = $6, leased_until = null
where id in (
    select id from webhook_delivery
    where webhook_id = $1 and state = any ($2) and ($3::uuid is null or id = $3)
      and ($4::timestamptz is null or created_at >= $4) and ($5::timestamptz is null or created_at < $5)
    order by id
    limit $7
)
"""


async def replay(
    connection: Connection,
    webhook_id: UUID,
    states: Sequence[DeliveryState],
    delivery_id: UUID | None,
    since: datetime | None,
    until: datetime | None,
    moment: datetime,
    limit: int,
) -> int:
    """Have deliveries sent again, the oldest first; how many."""
    return affected(
        await connection.execute(
            REPLAY, webhook_id, [each.value for each in states], delivery_id, since, until, moment, limit
        )
    )


# The reason is what the endpoint's organization is told.
DISABLE = """
update webhook set state = 'disabled', disabled_reason = $2, version = version + 1, updated_at = now()
where id = $1 and state = 'enabled'
"""
BURY = """
update webhook_delivery set state = 'dead', last_error = coalesce(last_error, 'endpoint disabled'), leased_until = null
where webhook_id = $1 and state = 'pending'
"""


async def disable(connection: Connection, identifier: UUID, reason: DisabledReason) -> bool:
    """Call an endpoint no more; what waits for it can be sent again later. Whether it was enabled until now."""
    changed = affected(await connection.execute(DISABLE, identifier, reason)) == 1
    if changed:
        await connection.execute(BURY, identifier)
    return changed


async def bury(connection: Connection, identifier: UUID) -> None:
    """Give up what waits for an endpoint that its organization has disabled."""
    await connection.execute(BURY, identifier)
