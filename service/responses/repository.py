"""Rows of questions to organizations."""

from datetime import datetime, timedelta
from uuid import UUID

from service.kit.db import Connection, Row, affected

ASK = """
insert into organization_response (organization_id, kind, subject_id, asked_at) values ($1, $2, $3, $4)
on conflict (kind, subject_id) where ended_at is null do nothing
"""


async def ask(connection: Connection, organization_id: UUID, kind: str, subject_id: UUID, at: datetime) -> None:
    """Keep that a subject asks its organization; a question that is open stays the one."""
    await connection.execute(ASK, organization_id, kind, subject_id, at)


# The clocks of two machines may differ by more than an answer takes.
END = """
update organization_response set ended_at = greatest(asked_at, $3), answered = $4
where kind = $1 and subject_id = $2 and ended_at is null
"""


async def end(connection: Connection, kind: str, subject_id: UUID, at: datetime, *, answered: bool) -> bool:
    """End the open question of a subject; whether there was one."""
    return affected(await connection.execute(END, kind, subject_id, at, answered)) == 1


# Counting sees what others have committed only once it has the lock, so that of two answers none is left out.
# Not the organization's row: whoever returns a listing may not change the organization, so may not lock it either.
LOCK = "select pg_advisory_xact_lock(hashtextextended('responses ' || $1::uuid::text, 0))"
LOCK_FREE = """
select id from (select id from unnest($1::uuid[]) as given (id) order by id) as given
where pg_try_advisory_xact_lock(hashtextextended('responses ' || id::text, 0))
"""


async def lock(connection: Connection, organization_id: UUID) -> None:
    """Let nobody else count an organization until the transaction ends."""
    await connection.execute(LOCK, organization_id)


async def lock_free(connection: Connection, organization_ids: list[UUID]) -> list[UUID]:
    """Lock the organizations that nobody else has locked, and return these."""
    return [row["id"] for row in await connection.fetch(LOCK_FREE, organization_ids)]


# A question counts if it was answered, or went without an answer for longer than is fair.
COUNT = """
select asked.id as organization_id, count(response.id) filter (where answered or ended_at is null or lasted > $4) as questions,
    count(*) filter (where answered) as answered,
    count(*) filter (where not answered and lasted > $4) as overdue,
    (percentile_cont(0.5) within group (order by extract(epoch from lasted)::double precision)
        filter (where answered or lasted > $4)) / 3600 as median_hours
from unnest($1::uuid[]) as asked (id)
left join lateral (
    select id, answered, ended_at, coalesce(ended_at, greatest(asked_at, $2)) - asked_at as lasted
    from organization_response where organization_id = asked.id and asked_at >= $3
) response on true
group by asked.id
"""


async def count(
    connection: Connection, organization_ids: list[UUID], at: datetime, since: datetime, overdue: timedelta
) -> list[Row]:
    """For each organization its questions since a moment that are answered, overdue, or open, and the median in hours."""
    return await connection.fetch(COUNT, organization_ids, at, since, overdue)


INVITATION_ANSWERS = "select answered, median_hours from invitation_answers($1, $2, $3)"


async def invitation_answers(
    connection: Connection, organization_id: UUID, since: datetime, least: int
) -> tuple[int, float] | None:
    """How many invitations of an organization since a moment are answered, and the median in hours, from `least` on."""
    row = await connection.fetchrow(INVITATION_ANSWERS, organization_id, since, least)
    return (row["answered"], row["median_hours"]) if row and row["answered"] is not None else None
