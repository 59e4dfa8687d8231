"""Rows of brokers, their qualifications and assignments."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from service.errors import Conflict
from service.kit.db import Connection, Row
from service.kit.language import Text

# One's own profile, else that of the organization that one acts for.
OF_ACTOR = """
select * from broker
where organization_id = $1 and (person_id is not distinct from $2 or ($3 and person_id is null))
order by person_id nulls last
limit 1
"""


async def of_actor(
    connection: Connection, organization_id: UUID, person_id: UUID | None, *, or_organization: bool
) -> Row | None:
    """The profile of a person in an organization, or of the organization itself where the person has none."""
    return await connection.fetchrow(OF_ACTOR, organization_id, person_id, or_organization)


GET = "select * from broker where id = $1 and name <> ''"


async def get(connection: Connection, identifier: UUID) -> Row | None:
    """One broker; those whose person was erased are none any more."""
    return await connection.fetchrow(GET, identifier)


INSERT = """
insert into broker (
    organization_id, person_id, name, introduction, fields, regions, organizations, languages, capacity, available
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
returning *
"""


async def insert(connection: Connection, organization_id: UUID, person_id: UUID | None, *values: object) -> Row:
    """Store a profile: name, introduction, fields, regions, organizations, languages, capacity, available.

    Raises:
        Conflict: it was made at the same moment.
    """
    try:
        row = await connection.fetchrow(INSERT, organization_id, person_id, *values)
    except asyncpg.UniqueViolationError as error:
        raise Conflict(Text("资料刚被创建，请重新读取", "The profile was made just now: read again")) from error
    assert row is not None
    return row


UPDATE = """
update broker
set name = $3, introduction = $4, fields = $5, regions = $6, organizations = $7, languages = $8, capacity = $9,
    available = $10, version = version + 1, updated_at = now()
where id = $1 and version = $2
returning *
"""


async def update(connection: Connection, identifier: UUID, version: int, *values: object) -> Row | None:
    """Replace a profile if it still has the version; values as of `insert`."""
    return await connection.fetchrow(UPDATE, identifier, version, *values)


DELETE_QUALIFICATIONS = "delete from broker_qualification where broker_id = $1"
INSERT_QUALIFICATIONS = """
insert into broker_qualification (broker_id, position, title, issuer, number, issued_on, valid_until)
select $1, position, title, issuer, number, issued_on, valid_until
from jsonb_to_recordset($2) as given (
    position integer, title text, issuer text, number text, issued_on date, valid_until date
)
"""


async def replace_qualifications(connection: Connection, identifier: UUID, given: list[dict[str, Any]]) -> None:
    """Write what a broker states now in the place of what it stated before."""
    await connection.execute(DELETE_QUALIFICATIONS, identifier)
    rows = [each | {"position": position} for position, each in enumerate(given)]
    await connection.execute(INSERT_QUALIFICATIONS, identifier, rows)


QUALIFICATIONS = """
select broker_id, title, issuer, number, issued_on, valid_until from broker_qualification
where broker_id = any ($1) order by broker_id, position
"""


async def qualifications(connection: Connection, identifiers: list[UUID]) -> dict[UUID, list[Row]]:
    """What brokers state, by broker."""
    found: dict[UUID, list[Row]] = {identifier: [] for identifier in identifiers}
    for row in await connection.fetch(QUALIFICATIONS, identifiers):
        found[row["broker_id"]].append(row)
    return found


LIST = """
select broker.*, organization.brief as organization
from broker left join organization_brief as organization on organization.id = broker.organization_id
where broker.name <> ''
  and ($1::text is null or broker.fields = '{}' or $1 = any (broker.fields))
  and ($2::uuid is null or broker.id < $2)
order by broker.id desc
limit $3
"""


async def list_brokers(connection: Connection, field: str | None, before: UUID | None, limit: int) -> list[Row]:
    """Brokers, newest first, with their organization where the caller may know it."""
    return await connection.fetch(LIST, field, before, limit)


FIGURES = """
select counted.* from unnest($1::uuid[]) with ordinality as given (id, place)
cross join lateral broker_figures(given.id, $2, $3) as counted
order by place
"""


async def figures(connection: Connection, identifiers: list[UUID], since: datetime, until: datetime) -> list[Row]:
    """Counts of brokers' work in a period, in their order."""
    return await connection.fetch(FIGURES, identifiers, since, until)


IS_ACTING = "select is_acting_broker($1)"


async def is_acting(connection: Connection, identifier: UUID) -> bool:
    """Whether there is still somebody who acts as this broker."""
    found: bool = await connection.fetchval(IS_ACTING, identifier)
    return found


ASSIGNED = """
select need_id from broker_assignment join listing on listing.id = need_id
where broker_id = $1 and ended_at is null and listing.state in ('submitted', 'refining', 'published', 'docking')
order by assigned_at, broker_assignment.id
limit 1000
"""


async def assigned(connection: Connection, identifier: UUID) -> list[UUID]:
    """Needs that a broker was given and that are not done, oldest assignment first, at most 1,000."""
    return [row["need_id"] for row in await connection.fetch(ASSIGNED, identifier)]


ASSIGNED_TO = """
select given.place - 1 as place, need_id
from unnest($1::uuid[]) with ordinality as given (broker_id, place)
join broker_assignment on broker_assignment.broker_id = given.broker_id and ended_at is null
join listing on listing.id = need_id and listing.state in ('submitted', 'refining', 'published', 'docking')
"""


async def assigned_to(connection: Connection, identifiers: list[UUID]) -> list[tuple[int, UUID]]:
    """Needs that some brokers were given and that are not done: places in the list, each with a need."""
    return [(row["place"], row["need_id"]) for row in await connection.fetch(ASSIGNED_TO, identifiers)]


LOCK_NEED = "select pg_advisory_xact_lock(hashtextextended('assignment ' || $1::uuid::text, 0))"
# Clocks of two machines differ a little; nothing ends before it began.
END = """
update broker_assignment set ended_at = greatest(assigned_at, $2) where need_id = $1 and ended_at is null returning *
"""
ASSIGN = """
insert into broker_assignment (need_id, broker_id, assigned_at) values ($1, $2, $3) returning id
"""


async def lock_need(connection: Connection, need_id: UUID) -> None:
    """Let changes of a need's broker take turns."""
    await connection.execute(LOCK_NEED, need_id)


async def end_assignment(connection: Connection, need_id: UUID, at: datetime) -> Row | None:
    """Take a need from its broker; the assignment, or None where it was nobody's."""
    return await connection.fetchrow(END, need_id, at)


async def assign(connection: Connection, need_id: UUID, broker_id: UUID, at: datetime) -> UUID:
    """Give a need that nobody has to a broker; the assignment's id."""
    identifier: UUID = await connection.fetchval(ASSIGN, need_id, broker_id, at)
    return identifier


UNKNOWN_ORGANIZATIONS = """
select given.id from unnest($1::uuid[]) as given (id) where not exists (select from organization where id = given.id)
"""


async def unknown_organizations(connection: Connection, identifiers: list[UUID]) -> list[UUID]:
    """Those among some ids that are no organization's."""
    return [row["id"] for row in await connection.fetch(UNKNOWN_ORGANIZATIONS, identifiers)]
