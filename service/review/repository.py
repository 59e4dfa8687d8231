"""Rows of the review queue, and what providers are told of declines."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from service.kit.actor import Actor
from service.kit.db import Connection, Row


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the queue: what its pairs have in common; None means any."""

    needs: list[UUID] | None = None
    # Needs that an earlier stretch has shown already.
    without: list[UUID] = field(default_factory=list)
    fields: list[str] | None = None
    regions: list[str] | None = None
    organizations: list[UUID] | None = None
    partnership: int | None = None


# The values decide the plan: a walk along the gains, or along the index of what narrows the queue most.
PLAN_EACH_TIME = "select set_config('plan_cache_mode', 'force_custom_plan', true)"


async def plan_each_time(connection: Connection) -> None:
    """Let the database plan by the values until the transaction ends."""
    await connection.execute(PLAN_EACH_TIME)


OPEN = """
select recommendation_id, gain, partnership, leased_until, leased_to from review_item
where ($1::uuid[] is null or need_id = any ($1))
  and need_id <> all ($2::uuid[])
  and ($3::text[] is null or field = any ($3))
  and ($4::text[] is null or need_region = any ($4) or outcome_region = any ($4))
  and ($5::uuid[] is null or need_organization = any ($5) or outcome_organization = any ($5))
  and ($6::smallint is null or partnership = $6)
  and (leased_until is null or leased_until <= $7 or leased_to = $8)
  and ($9::float8 is null or (gain, recommendation_id) < ($9, $10::uuid))
order by gain desc, recommendation_id desc
limit $11
"""


async def open_items(
    connection: Connection,
    stretch: Stretch,
    holder: UUID | None,
    at: datetime,
    *,
    after: tuple[float, UUID] | None,
    limit: int,
) -> list[Row]:
    """Pairs of a stretch that nobody else works on, best gain first."""
    gain, identifier = after or (None, None)
    return await connection.fetch(OPEN, *_of(stretch), at, holder, gain, identifier, limit)


# Whoever comes at the same moment finds these rows locked and takes the next ones.
TAKE = """
with free as materialized (
    select recommendation_id from review_item
    where ($1::uuid[] is null or need_id = any ($1))
      and need_id <> all ($2::uuid[])
      and ($3::text[] is null or field = any ($3))
      and ($4::text[] is null or need_region = any ($4) or outcome_region = any ($4))
      and ($5::uuid[] is null or need_organization = any ($5) or outcome_organization = any ($5))
      and ($6::smallint is null or partnership = $6)
      and (leased_until is null or leased_until <= $7)
    order by gain desc, recommendation_id desc
    limit $8
    for no key update skip locked
)
update review_item
set leased_to = $9, leased_organization = $10, leased_person = $11, leased_until = $12
from free where review_item.recommendation_id = free.recommendation_id
returning review_item.recommendation_id, gain, partnership, leased_until, leased_to
"""


async def take(
    connection: Connection, actor: Actor, stretch: Stretch, holder: UUID, at: datetime, until: datetime, *, limit: int
) -> list[Row]:
    """Lease the best free pairs of a stretch; those leased, best gain first."""
    rows = await connection.fetch(TAKE, *_of(stretch), at, limit, holder, actor.organization_id, actor.person_id, until)
    return sorted(rows, key=lambda row: (-row["gain"], -row["recommendation_id"].int))


def _of(stretch: Stretch) -> tuple[object, ...]:
    return stretch.needs, stretch.without, stretch.fields, stretch.regions, stretch.organizations, stretch.partnership


LEASED = """
select recommendation_id, gain, partnership, leased_until, leased_to from review_item
where leased_to = $1 and leased_until > $2
  and ($3::float8 is null or (gain, recommendation_id) < ($3, $4::uuid))
order by gain desc, recommendation_id desc
limit $5
"""


async def leased_items(
    connection: Connection, holder: UUID | None, at: datetime, *, after: tuple[float, UUID] | None, limit: int
) -> list[Row]:
    """Pairs that somebody has under lease, best gain first."""
    gain, identifier = after or (None, None)
    return await connection.fetch(LEASED, holder, at, gain, identifier, limit)


# Those who act for one broker take turns, so that two of them do not both find room for the last ones.
LOCK_BROKER = (
    "select pg_advisory_xact_lock(hashtextextended('leases ' || $1::uuid::text || coalesce($2::uuid::text, ''), 0))"
)
COUNT_LEASED = """
select count(*) from review_item
where leased_organization = $1 and leased_person is not distinct from $2 and leased_to is not null and leased_until > $3
"""


async def count_leased(connection: Connection, organization_id: UUID, person_id: UUID | None, at: datetime) -> int:
    """How many pairs a broker has under lease, by whichever key; no more are taken for it until the transaction ends."""
    await connection.execute(LOCK_BROKER, organization_id, person_id)
    count: int = await connection.fetchval(COUNT_LEASED, organization_id, person_id, at)
    return count


LEASED_BY = """
select given.place - 1 as place, need_id
from unnest($1::uuid[], $2::uuid[]) with ordinality as given (organization_id, person_id, place)
join review_item on leased_organization = given.organization_id and leased_person is not distinct from given.person_id
where leased_to is not null and leased_until > $3
"""


async def leased_by(
    connection: Connection, organizations: list[UUID], persons: list[UUID | None], at: datetime
) -> list[tuple[int, UUID]]:
    """What some brokers have under lease, by all keys that act for them: places in the two lists, each with a pair's need."""
    return [(row["place"], row["need_id"]) for row in await connection.fetch(LEASED_BY, organizations, persons, at)]


# What is being changed at this moment is left: its lease ends by time, if the pair does not leave the queue now.
RELEASE = """
with own as materialized (
    select recommendation_id from review_item
    where leased_to = $1 and ($2::uuid[] is null or recommendation_id = any ($2))
    for no key update skip locked
)
update review_item
set leased_to = null, leased_organization = null, leased_person = null, leased_until = null
from own where review_item.recommendation_id = own.recommendation_id
returning review_item.recommendation_id
"""


async def release(connection: Connection, holder: UUID, identifiers: list[UUID] | None) -> list[UUID]:
    """End leases of somebody's: those on the pairs named, or all; the pairs that are free again."""
    return [row["recommendation_id"] for row in await connection.fetch(RELEASE, holder, identifiers)]


# Waits for a lease that is being taken, so that the next statement sees it.
HOLD = """
select recommendation_id from review_item where recommendation_id = any ($1) order by need_id, outcome_id for no key update
"""
OF_OTHERS = """
select recommendation_id, leased_until from review_item
where recommendation_id = any ($1) and leased_until > $2 and leased_to is distinct from $3
"""


async def leased_by_others(
    connection: Connection, identifiers: list[UUID], holder: UUID | None, at: datetime
) -> dict[UUID, datetime]:
    """Pairs that others have under lease, with the end of it; nobody leases any of them until the transaction ends."""
    await connection.execute(HOLD, identifiers)
    rows = await connection.fetch(OF_OTHERS, identifiers, at, holder)
    return {row["recommendation_id"]: row["leased_until"] for row in rows}


SETTLE = "select settle_review($1)"


async def settle(connection: Connection, most: int) -> int:
    """Count the places of needs anew whose pairs came, went or changed; how many entries were worked off."""
    settled: int = await connection.fetchval(SETTLE, most)
    return settled


# In pages by outcome, and of each outcome all codes.
DECLINES = """
with declines as materialized (select * from declines_of_own($1, $2)), page as (
    select distinct outcome_id from declines where $3::uuid is null or outcome_id < $3 order by outcome_id desc limit $4
)
select outcome_id, listing.title, code.code, label_zh as zh, label_en as en, count(*) as times, max(decided_at) as last_at,
       coalesce(array_agg(told order by decided_at desc) filter (where told is not null), '{}') as told
from page join declines using (outcome_id) join listing on listing.id = outcome_id
join code on code.list = 'decline_codes' and code.code = declines.code
group by outcome_id, listing.title, code.code, label_zh, label_en
order by outcome_id desc, times desc, code.code
"""


async def declines(
    connection: Connection, since: datetime, until: datetime, before: UUID | None, limit: int
) -> list[Row]:
    """Declines of the acting organization's outcomes by outcome and code, newest outcome first; `limit` outcomes."""
    return await connection.fetch(DECLINES, since, until, before, limit)
