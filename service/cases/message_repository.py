"""Rows of messages, their files, and how far somebody has read."""

from datetime import datetime
from uuid import UUID

from service.kit.actor import Actor
from service.kit.db import Connection, Row

# The case's row gives the number, so that two at once do not get the same.
NEXT_NUMBER = "update docking_case set messages = messages + 1 where id = $1 returning messages"
INSERT = """
insert into case_message (case_id, number, channel, party, body, organization_id, key_id, person_id, sent_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id
"""


async def insert(
    connection: Connection, actor: Actor, case_id: UUID, channel: str, party: str, body: str, at: datetime
) -> tuple[UUID, int]:
    """Keep a message in the actor's name; its id and number."""
    number: int = await connection.fetchval(NEXT_NUMBER, case_id)
    identifier: UUID = await connection.fetchval(
        INSERT, case_id, number, channel, party, body, actor.organization_id, actor.key_id, actor.person_id, at
    )
    return identifier, number


# Readers of each message: parties of whom somebody has read up to it, besides the one who sent it.
PAGE = """
select message.id, number, channel, party, body, sent_at,
       case when file.message_id is not null then
           jsonb_build_object('name', name, 'media_type', media_type, 'size', size, 'sha256', encode(digest, 'hex'))
       end as attachment,
       array(
           select distinct mark.party from case_read_mark as mark
           where mark.case_id = message.case_id and mark.number >= message.number and mark.party <> message.party
             and message.channel in ('shared', mark.party, case mark.party when 'broker' then message.channel else '' end)
           order by 1
       ) as read_by
from case_message as message
left join case_attachment as file on file.message_id = message.id
where message.case_id = $1 and ($2::text is null or channel = $2) and message.number > $3
order by number
limit $4
"""


async def page(connection: Connection, case_id: UUID, channel: str | None, after: int, limit: int) -> list[Row]:
    """Messages of a case that the actor reads, oldest first, from after a number."""
    return await connection.fetch(PAGE, case_id, channel, after, limit)


UNREAD = """
select message.case_id, count(*) as unread from case_message as message
left join case_read_mark as mark on mark.case_id = message.case_id and mark.caller = $2
where message.case_id = any ($1) and message.number > coalesce(mark.number, 0)
  and coalesce(message.person_id, message.key_id) is distinct from $2 and message.key_id is distinct from $2
group by message.case_id
"""


async def unread(connection: Connection, cases: list[UUID], caller: UUID | None) -> dict[UUID, int]:
    """How many messages of some cases somebody has not read, those without any left out."""
    return {row["case_id"]: row["unread"] for row in await connection.fetch(UNREAD, cases, caller)}


# A mark only moves on.
MARK = """
insert into case_read_mark (case_id, caller, party, number, at) values ($1, $2, $3, $4, $5)
on conflict (case_id, caller) do update
set number = greatest(case_read_mark.number, excluded.number), at = excluded.at, party = excluded.party
returning number
"""


async def mark(connection: Connection, case_id: UUID, caller: UUID, party: str, number: int, at: datetime) -> int:
    """Keep up to which message somebody has read; never back."""
    kept: int = await connection.fetchval(MARK, case_id, caller, party, number, at)
    return kept


STORE = "update docking_case set stored_bytes = stored_bytes + $2 where id = $1"
ATTACH = """
insert into case_attachment (message_id, case_id, name, media_type, size, digest, content)
values ($1, $2, $3, $4, length($5::bytea), sha256($5), $5)
"""


async def attach(
    connection: Connection, message_id: UUID, case_id: UUID, name: str, media_type: str, content: bytes
) -> None:
    """Keep a message's file, and count it to those of its case."""
    await connection.execute(STORE, case_id, len(content))
    await connection.execute(ATTACH, message_id, case_id, name, media_type, content)


FILE = "select name, media_type, content from case_attachment where message_id = $1 and case_id = $2"


async def file(connection: Connection, case_id: UUID, message_id: UUID) -> Row | None:
    """A message's file that the actor may read."""
    return await connection.fetchrow(FILE, message_id, case_id)
