"""Rows of mail: made, leased by a worker, and what came of them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.kit.db import Connection, Row, affected
from service.notices.model import Mailing, Recipient

INSERT = """
insert into mail (organization_id, person_id, kind, next_at, created_at) values ($1, $2, 'at_once', $3, $3) returning id
"""
ATTACH = "update notification set mail_id = $2 where id = $1"


async def mail_at_once(connection: Connection, recipient: Recipient, notification_id: UUID, moment: datetime) -> None:
    """Have one notification mailed."""
    mail_id = await connection.fetchval(INSERT, recipient.organization_id, recipient.person_id, moment)
    await connection.execute(ATTACH, notification_id, mail_id)


# Whatever was told before the period's end and no mail carries yet, so that nothing is left out and nothing comes twice.
# The unique index of digests leaves out what is mailed at once, and is used where the statement says so too.
DUE_DIGESTS = """
select distinct organization_id, person_id from notification
where mailing = $1 and mail_id is null and created_at < $2
  and not exists (
      select from mail
      where mail.recipient_id = notification.recipient_id and mail.kind = $1 and mail.period_end = $2 and mail.kind <> 'at_once'
  )
limit $3
"""


async def due_digests(connection: Connection, kind: Mailing, period_end: datetime, limit: int) -> list[Recipient]:
    """Who has something to be told in the digest of a period."""
    rows = await connection.fetch(DUE_DIGESTS, kind, period_end, limit)
    return [Recipient(row["organization_id"], row["person_id"]) for row in rows]


INSERT_DIGEST = """
insert into mail (organization_id, person_id, kind, period_end, next_at, created_at)
values ($1, $2, $3, $4, $5, $5)
on conflict (recipient_id, kind, period_end) where kind <> 'at_once' do nothing
returning id
"""
FILL_DIGEST = """
update notification set mail_id = $1
where recipient_id = $2 and mailing = $3 and mail_id is null and created_at < $4
"""


async def make_digest(
    connection: Connection, recipient: Recipient, kind: Mailing, period_end: datetime, moment: datetime
) -> bool:
    """Make a recipient's digest of a period; False where it was made before."""
    mail_id = await connection.fetchval(
        INSERT_DIGEST, recipient.organization_id, recipient.person_id, kind, period_end, moment
    )
    if mail_id is not None:
        await connection.execute(FILL_DIGEST, mail_id, recipient.id, kind, period_end)
    return mail_id is not None


@dataclass(frozen=True, slots=True)
class Leased:
    """A mail that a worker has in hand until its lease ends."""

    id: UUID
    kind: Mailing
    attempts: int
    leased_until: datetime


# `leased_until` tells the holder of the lease: whoever comes too late with a result finds another's.
LEASE = """
update mail set leased_until = $2
where id in (
    select id from mail
    where state = 'pending' and next_at <= $1 and (leased_until is null or leased_until <= $1)
    order by next_at
    limit $3
    for update skip locked
)
returning id, kind, attempts, leased_until
"""


async def lease(connection: Connection, moment: datetime, until: datetime, limit: int) -> list[Leased]:
    """Take mail that is due and that no worker has in hand."""
    rows = await connection.fetch(LEASE, moment, until, limit)
    return [Leased(row["id"], Mailing(row["kind"]), row["attempts"], row["leased_until"]) for row in rows]


# Who was suspended since it was told is mailed about its account only, as who was before.
CONTENT = """
select notification.text_zh, notification.text_en, notification.category, notification.at
from notification left join organization on organization.id = notification.organization_id
where mail_id = $1 and (category = 'account' or organization.state is distinct from 'suspended')
order by notification.id
"""


async def content(connection: Connection, mail_id: UUID) -> list[Row]:
    """What a mail tells of what its recipient may be mailed about now, oldest first."""
    return await connection.fetch(CONTENT, mail_id)


ADDRESS = """
select coalesce(preference.language, $2) as language, coalesce(person.email, preference.email) as email
from mail
left join notice_preference as preference on preference.recipient_id = mail.recipient_id
left join person on person.id = mail.person_id and person.state = 'active'
where mail.id = $1
"""


async def address(connection: Connection, mail_id: UUID, language: str) -> Row | None:
    """Where a mail goes as of now, and in which language; the address is null where there is none any more."""
    return await connection.fetchrow(ADDRESS, mail_id, language)


SETTLE = """
update mail set state = $3, attempts = attempts + 1, reply = $4, sent_at = $5, leased_until = null
where id = $1 and leased_until = $2 and state = 'pending'
"""


async def settle(connection: Connection, mail: Leased, state: str, reply: str | None, sent_at: datetime | None) -> None:
    """Note what became of a mail, if the lease still holds."""
    await connection.execute(SETTLE, mail.id, mail.leased_until, state, reply, sent_at)


PUT_OFF = """
update mail set attempts = attempts + 1, reply = $4, next_at = $3, leased_until = null
where id = $1 and leased_until = $2 and state = 'pending'
"""


async def put_off(connection: Connection, mail: Leased, until: datetime, reply: str | None) -> None:
    """Have a mail tried again later, if the lease still holds."""
    await connection.execute(PUT_OFF, mail.id, mail.leased_until, until, reply)


FORGET = "delete from mail where id in (select id from mail where state <> 'pending' and created_at < $1 limit $2)"


async def forget(connection: Connection, before: datetime, limit: int) -> int:
    """Remove rows of mail that is settled long ago; how many."""
    return affected(await connection.execute(FORGET, before, limit))
