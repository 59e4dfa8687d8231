"""Rows of meetings and milestones."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from service.kit.db import Connection, Row

MEETINGS = "select * from case_meeting where case_id = $1 order by starts_at, id"


async def meetings(connection: Connection, case_id: UUID) -> list[Row]:
    """The meetings of a case by their beginning."""
    return await connection.fetch(MEETINGS, case_id)


COUNT_MEETINGS = "select count(*) from case_meeting where case_id = $1"
COUNT_MILESTONES = "select count(*) from case_milestone where case_id = $1"


async def count_meetings(connection: Connection, case_id: UUID) -> int:
    """How many meetings a case has."""
    count: int = await connection.fetchval(COUNT_MEETINGS, case_id)
    return count


async def count_milestones(connection: Connection, case_id: UUID) -> int:
    """How many milestones a case has."""
    count: int = await connection.fetchval(COUNT_MILESTONES, case_id)
    return count


MEETING = "select * from case_meeting where case_id = $1 and id = $2"


async def meeting(connection: Connection, case_id: UUID, identifier: UUID) -> Row | None:
    """One meeting of a case."""
    return await connection.fetchrow(MEETING, case_id, identifier)


INSERT_MEETING = """
insert into case_meeting (case_id, title, place, agenda, starts_at, ends_at, cancelled, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8) returning *
"""


async def insert_meeting(connection: Connection, case_id: UUID, content: dict[str, Any], at: datetime) -> Row:
    """Keep a meeting."""
    row = await connection.fetchrow(INSERT_MEETING, case_id, *_values(content), at)
    assert row is not None
    return row


UPDATE_MEETING = """
update case_meeting
set title = $3, place = $4, agenda = $5, starts_at = $6, ends_at = $7, cancelled = $8, updated_at = $9, version = version + 1
where id = $1 and version = $2
returning *
"""


async def update_meeting(
    connection: Connection, identifier: UUID, version: int, content: dict[str, Any], at: datetime
) -> Row | None:
    """Change a meeting that still has the version; None where it has not."""
    return await connection.fetchrow(UPDATE_MEETING, identifier, version, *_values(content), at)


def _values(content: dict[str, Any]) -> list[Any]:
    return [content[name] for name in ("title", "place", "agenda", "starts_at", "ends_at", "cancelled")]


MILESTONES = "select * from case_milestone where case_id = $1 order by due_on, id"


async def milestones(connection: Connection, case_id: UUID) -> list[Row]:
    """The milestones of a case by their day."""
    return await connection.fetch(MILESTONES, case_id)


MILESTONE = "select * from case_milestone where case_id = $1 and id = $2"


async def milestone(connection: Connection, case_id: UUID, identifier: UUID) -> Row | None:
    """One milestone of a case."""
    return await connection.fetchrow(MILESTONE, case_id, identifier)


INSERT_MILESTONE = """
insert into case_milestone (case_id, title, due_on, done_on, updated_at) values ($1, $2, $3, $4, $5) returning *
"""


async def insert_milestone(
    connection: Connection, case_id: UUID, title: str, due_on: date, done_on: date | None, at: datetime
) -> Row:
    """Keep a milestone."""
    row = await connection.fetchrow(INSERT_MILESTONE, case_id, title, due_on, done_on, at)
    assert row is not None
    return row


UPDATE_MILESTONE = """
update case_milestone set title = $3, due_on = $4, done_on = $5, updated_at = $6, version = version + 1
where id = $1 and version = $2
returning *
"""


async def update_milestone(
    connection: Connection, identifier: UUID, version: int, title: str, due_on: date, done_on: date | None, at: datetime
) -> Row | None:
    """Change a milestone that still has the version; None where it has not."""
    return await connection.fetchrow(UPDATE_MILESTONE, identifier, version, title, due_on, done_on, at)
