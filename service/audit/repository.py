"""Rows of the audit trail: events with their seals, in the order of the chain."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.events.chain import BEGINNING, Event, Point, Seal
from service.kit.db import Connection, Row

# How many rows of a cursor are in memory at once.
BATCH = 2_000

# An event in the very texts that are sealed; null where the seal has lost it.
SEALED = """
select seal.position, seal.event_id::text as sealed_id, seal.digest, seal.hash, event.at,
       event.id::text as id, trim_scale(extract(epoch from event.at) * 1000000)::text as at_microseconds,
       event.key_id::text as key_id, event.organization_id::text as organization_id, event.request_id,
       event.address_class, event.subject_kind, event.subject_id::text as subject_id, event.action, event.from_state,
       event.to_state, event.data::text as data
from event_seal as seal
left join event on event.id = seal.event_id
where seal.position between $1 and $2
order by seal.position
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A seal with its event, if that is still there."""

    seal: Seal
    event: Event | None


async def sealed(connection: Connection, first: int, last: int) -> AsyncIterator[Entry]:
    """The chain between two positions, both included, in order and in bounded memory; needs a transaction."""
    async for row in connection.cursor(SEALED, first, last, prefetch=BATCH):
        yield _entry(row)


def _entry(row: Row) -> Entry:
    seal = Seal(row["position"], row["sealed_id"], row["digest"], row["hash"])
    if row["id"] is None:
        return Entry(seal, None)
    event = Event(
        row["id"],
        row["at_microseconds"],
        row["key_id"],
        row["organization_id"],
        row["request_id"],
        row["address_class"],
        row["subject_kind"],
        row["subject_id"],
        row["action"],
        row["from_state"],
        row["to_state"],
        row["data"],
    )
    return Entry(seal, event)


LAST_SEAL = "select position, hash from event_seal order by position desc limit 1"
LAST_CHECKPOINT = "select position, hash from event_checkpoint order by position desc limit 1"


async def head(connection: Connection) -> Point:
    """The last place of the chain; the checkpoint where all before it was pruned, or the beginning."""
    row = await connection.fetchrow(LAST_SEAL)
    return Point(row["position"], row["hash"]) if row else await start(connection)


async def start(connection: Connection) -> Point:
    """The place after which events are kept: the last checkpoint, or the beginning."""
    row = await connection.fetchrow(LAST_CHECKPOINT)
    return Point(row["position"], row["hash"]) if row else BEGINNING


SEAL_AT = "select position, hash from event_seal where position = $1"


async def point_at(connection: Connection, position: int) -> Point | None:
    """The place at a position, if there is a seal."""
    row = await connection.fetchrow(SEAL_AT, position)
    return Point(row["position"], row["hash"]) if row else None


# No index: it is asked once, after a break has been found.
POSITION_OF_DIGEST = "select position from event_seal where digest = $1 limit 1"


async def position_of_digest(connection: Connection, digest: bytes) -> int | None:
    """Where an event's own digest stands in the chain."""
    found: int | None = await connection.fetchval(POSITION_OF_DIGEST, digest)
    return found


# Also once. Either the digest that belongs to a seal's hash stands elsewhere, or the whole seal that belongs here does.
POSITION_OF_LINK = """
select position from event_seal
where position <> $2 and sha256($1::bytea || int8send($2::bigint) || digest) in (hash, $3)
limit 1
"""


async def position_of_link(connection: Connection, before: Point, hash_there: bytes) -> int | None:
    """Where the seal stands now that would follow upon `before`, whose successor has `hash_there` instead."""
    found: int | None = await connection.fetchval(POSITION_OF_LINK, before.hash, before.position + 1, hash_there)
    return found


# Keys of events grow with time, so those of a span of the chain lie close together. Null bounds: from the beginning, to
# the end.
UNSEALED = """
select event.id::text
from event
where ($1::uuid is null or event.id >= $1) and ($2::uuid is null or event.id <= $2)
  and not exists (select from event_seal where event_seal.event_id = event.id)
order by event.id
limit 1
"""


async def unsealed(connection: Connection, lowest: UUID | None, highest: UUID | None) -> str | None:
    """The first event between two keys that has no seal."""
    found: str | None = await connection.fetchval(UNSEALED, lowest, highest)
    return found


# A checkpoint is believed when the chain after it holds the event of the pruning that made it.
PRUNING = """
select exists (
    select from event join event_seal on event_seal.event_id = event.id
    where event.subject_kind = 'event_chain' and event.action = 'prune' and event_seal.position > $1
      and event.data ->> 'position' = $1::bigint::text and event.data ->> 'hash' = $2
)
"""


async def pruning_is_recorded(connection: Connection, checkpoint: Point) -> bool:
    """Whether an event says that the chain was pruned up to this place."""
    found: bool = await connection.fetchval(PRUNING, checkpoint.position, checkpoint.hash.hex())
    return found


EVENTS = """
select seal.position, seal.digest, seal.hash, event.id, event.at, event.key_id, event.organization_id, event.request_id,
       event.address_class, event.subject_kind, event.subject_id, event.action, event.from_state, event.to_state, event.data
from event
join event_seal as seal on seal.event_id = event.id
where ($1::text is null or event.subject_kind = $1)
  and ($2::uuid is null or event.subject_id = $2)
  and ($3::uuid is null or event.organization_id = $3)
  and ($4::text is null or event.action = $4)
  and ($5::timestamptz is null or event.at >= $5)
  and ($6::timestamptz is null or event.at < $6)
  and ($7::bigint is null or seal.position < $7)
order by seal.position desc
limit $8
"""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which events; None: any. `until` is the first instant that is not included."""

    subject_kind: str | None = None
    subject_id: UUID | None = None
    organization_id: UUID | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def events(connection: Connection, filters: Filters, before: int | None, limit: int) -> list[Row]:
    """Sealed events, the latest place of the chain first."""
    return await connection.fetch(
        EVENTS,
        filters.subject_kind,
        filters.subject_id,
        filters.organization_id,
        filters.action,
        filters.since,
        filters.until,
        before,
        limit,
    )


# An event's instant is that of its transaction's beginning, so the chain is not quite in the order of instants: a file
# holds the whole stretch between the first and the last place of its days.
SPAN = """
select min(position) as first, max(position) as last
from event join event_seal on event_seal.event_id = event.id
where event.at >= $1 and event.at < $2
"""


async def span(connection: Connection, since: datetime, until: datetime) -> tuple[int, int] | None:
    """The first and the last position of the events of a span of time; None where there are none."""
    row = await connection.fetchrow(SPAN, since, until)
    return (row["first"], row["last"]) if row and row["first"] is not None else None


# One pruning at a time; reading goes on.
LOCK_CHECKPOINTS = "lock table event_checkpoint in exclusive mode"
# The stretch from the beginning in which every event is older: up to the place before the first that is not.
OLD = """
select seal.position, seal.hash, seal.event_id
from event_seal as seal
where seal.position < coalesce(
    (select min(young.position) from event join event_seal as young on young.event_id = event.id where event.at >= $1),
    9223372036854775807
)
order by seal.position desc
limit 1
"""
ADD_CHECKPOINT = "insert into event_checkpoint (position, hash) values ($1, $2)"
# In one statement, so that each event is named by the seal that goes with it.
DELETE_SEALS = """
with gone as (delete from event_seal where position <= $1 returning event_id)
select event_id from gone
"""
DELETE_EVENTS = "delete from event where id = any ($1)"


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a pruning removed: up to which place, the event there, and how many."""

    point: Point
    event_id: UUID
    events: int


async def prune(owner: Connection, before: datetime) -> Pruned | None:
    """Remove the longest stretch from the beginning whose events are all older; None where there is none."""
    await owner.execute(LOCK_CHECKPOINTS)
    row = await owner.fetchrow(OLD, before)
    if row is None:
        return None
    point = Point(row["position"], row["hash"])
    await owner.execute(ADD_CHECKPOINT, point.position, point.hash)
    count = 0
    begin = (await start_before(owner, point.position)) + 1
    for first in range(begin, point.position + 1, BATCH):
        gone = await owner.fetch(DELETE_SEALS, min(first + BATCH - 1, point.position))
        await owner.execute(DELETE_EVENTS, [each["event_id"] for each in gone])
        count += len(gone)
    return Pruned(point, row["event_id"], count)


CHECKPOINT_BEFORE = "select coalesce(max(position), 0) from event_checkpoint where position < $1"


async def start_before(connection: Connection, position: int) -> int:
    """The position of the checkpoint before a position, or 0."""
    found: int = await connection.fetchval(CHECKPOINT_BEFORE, position)
    return found
