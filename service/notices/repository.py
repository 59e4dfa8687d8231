"""Rows of the outbox, of notifications and of preferences."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from service.kit.actor import Actor
from service.kit.db import Connection, Row, affected
from service.notices.model import Category, Event, Mailing, Notice, Recipient

# The earliest event of each subject that nobody works on: who is told of one subject is told in the order of its events.
# An earlier one that another worker has in hand is seen until it has gone, so that the later one waits for it.
TAKE = """
select event.id, event.at, event.subject_kind, event.subject_id, event.action, event.to_state, event.organization_id,
       event.person_id, event.data, outbox.attempts
from outbox join event on event.id = outbox.event_id
where outbox.next_at <= $1
  and not exists (
      select from outbox as earlier
      where earlier.subject_id = outbox.subject_id and earlier.event_id < outbox.event_id
  )
order by outbox.event_id
limit $2
for update of outbox skip locked
"""


async def take(connection: Connection, moment: datetime, limit: int) -> list[tuple[Event, int]]:
    """Events to be told of, each with how often that failed; held until the transaction ends."""
    rows = await connection.fetch(TAKE, moment, limit)
    return [(Event(**{name: row[name] for name in Event.__slots__}), row["attempts"]) for row in rows]


DONE = "delete from outbox where event_id = any ($1)"


async def done(connection: Connection, events: Sequence[UUID]) -> None:
    """Take events out of the outbox."""
    await connection.execute(DONE, list(events))


# An event may be pruned before anybody could be told of it, and would hold up its subject for ever.
ORPHANS = "delete from outbox where not exists (select from event where event.id = event_id)"


async def forget_pruned(connection: Connection) -> None:
    """Take out what there is no event of any more."""
    await connection.execute(ORPHANS)


PUT_OFF = "update outbox set attempts = attempts + 1, next_at = $2 where event_id = $1"


async def put_off(connection: Connection, event_id: UUID, until: datetime) -> None:
    """Leave an event that could not be worked out for later."""
    await connection.execute(PUT_OFF, event_id, until)


PREFERENCES = """
select recipient.id, preference.language, preference.email, preference.categories, preference.id is not null as chosen,
       person.email as own_email, coalesce(organization.state, 'verified') as state
from unnest($1::uuid[]) as recipient (id)
left join notice_preference as preference on preference.recipient_id = recipient.id
left join person on person.id = recipient.id
left join organization on organization.id = recipient.id
"""


async def preferences_of(connection: Connection, recipients: Sequence[UUID]) -> dict[UUID, Row]:
    """What recipients chose and where their mail would go, by id; `chosen` is false where nothing was chosen."""
    return {row["id"]: row for row in await connection.fetch(PREFERENCES, list(recipients))}


# A worker that comes a second time finds the row and leaves it as it is.
INSERT = """
insert into notification (event_id, organization_id, person_id, for_role, category, subject_kind, subject_id, action,
                          text_zh, text_en, in_app, mailing, at, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
on conflict on constraint notification_once do nothing
returning id
"""


async def insert(
    connection: Connection, event: Event, notice: Notice, *, in_app: bool, mailing: Mailing, moment: datetime
) -> UUID | None:
    """Tell one recipient of an event; None where it has been told before."""
    to = notice.recipient
    identifier: UUID | None = await connection.fetchval(
        INSERT, event.id, to.organization_id, to.person_id, to.role, notice.category, event.subject_kind,
        event.subject_id, event.action, notice.text.zh, notice.text.en, in_app, mailing, event.at, moment,
    )  # fmt: skip
    return identifier


# The policy leaves those of the caller's organization and person.
LIST = """
select id, event_id, category, subject_kind, subject_id, action, text_zh, text_en, at, read_at, person_id is not null as personal
from notification
where recipient_id = any ($1) and in_app
  and (not $2 or read_at is null)
  and ($3::text is null or category = $3)
  and ($4::uuid is null or id < $4)
order by id desc
limit $5
"""


async def list_notifications(
    connection: Connection,
    recipients: Sequence[UUID],
    *,
    unread: bool,
    category: Category | None,
    before: UUID | None,
    limit: int,
) -> list[Row]:
    """What recipients were told, newest first."""
    return await connection.fetch(LIST, list(recipients), unread, category, before, limit)


COUNTS = """
select category, count(*) as unread from notification
where recipient_id = any ($1) and in_app and read_at is null
group by category
"""


async def unread(connection: Connection, recipients: Sequence[UUID]) -> dict[Category, int]:
    """How much is unread, by category."""
    return {Category(row["category"]): row["unread"] for row in await connection.fetch(COUNTS, list(recipients))}


MARK = """
update notification set read_at = coalesce(read_at, $3)
where id = $2 and recipient_id = any ($1) and in_app
returning id, event_id, category, subject_kind, subject_id, action, text_zh, text_en, at, read_at, person_id is not null as personal
"""


async def mark(connection: Connection, recipients: Sequence[UUID], identifier: UUID, moment: datetime) -> Row | None:
    """Mark one as read; the first time stays. None where there is none."""
    return await connection.fetchrow(MARK, list(recipients), identifier, moment)


MARK_ALL = """
update notification set read_at = $4
where recipient_id = any ($1) and in_app and read_at is null
  and ($2::text is null or category = $2) and ($3::uuid is null or id <= $3)
"""


async def mark_all(
    connection: Connection, recipients: Sequence[UUID], category: Category | None, up_to: UUID | None, moment: datetime
) -> int:
    """Mark everything as read, or that of a category, or up to one; how many were unread."""
    return affected(await connection.execute(MARK_ALL, list(recipients), category, up_to, moment))


GET_PREFERENCE = "select * from notice_preference where recipient_id = $1"


async def preference(connection: Connection, recipient_id: UUID) -> Row | None:
    """What a recipient chose."""
    return await connection.fetchrow(GET_PREFERENCE, recipient_id)


INSERT_PREFERENCE = """
insert into notice_preference (organization_id, person_id, language, email, categories)
values ($1, $2, $3, $4, $5)
on conflict on constraint notice_preference_once do nothing
returning *
"""
UPDATE_PREFERENCE = """
update notice_preference set language = $3, email = $4, categories = $5, version = version + 1, updated_at = now()
where recipient_id = $1 and version = $2
returning *
"""


async def save_preference(
    connection: Connection,
    recipient: Recipient,
    version: int,
    language: str,
    email: str | None,
    categories: dict[str, Any],
) -> Row | None:
    """Keep what a recipient chose if it still has `version`, which is 1 before the first time; None when it has not."""
    if version == 1:
        return await connection.fetchrow(
            INSERT_PREFERENCE, recipient.organization_id, recipient.person_id, language, email, categories
        )
    return await connection.fetchrow(UPDATE_PREFERENCE, recipient.id, version, language, email, categories)


LAST_BOUNCE = "select max(created_at) from mail where recipient_id = $1 and state = 'bounced'"


async def last_bounce(connection: Connection, recipient_id: UUID) -> datetime | None:
    """When mail to a recipient was last refused for good."""
    at: datetime | None = await connection.fetchval(LAST_BOUNCE, recipient_id)
    return at


FORGET = """
delete from notification where id in (select id from notification where created_at < $1 order by created_at limit $2)
"""


async def forget(connection: Connection, before: datetime, limit: int) -> int:
    """Remove what was told long ago; how many."""
    return affected(await connection.execute(FORGET, before, limit))


def recipients_of(actor: Actor) -> list[UUID]:
    """Whose notices an actor reads: its organization's and its person's."""
    return [each for each in (actor.organization_id, actor.person_id) if each is not None]
