"""Rows of organizations: how they have answered, as counted by whoever keeps the questions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from matching.index import Connection
from matching.types import AnswerHistory

if TYPE_CHECKING:
    import asyncpg

# PostgreSQL 18 gives what a row held before.
UPSERT_ORGANIZATION = """
insert into match_organization (organization, answered, overdue, median_hours, counted_at) values ($1, $2, $3, $4, $5)
on conflict (organization) do update
set answered = excluded.answered, overdue = excluded.overdue, median_hours = excluded.median_hours,
    counted_at = excluded.counted_at
returning old.answered, old.overdue, old.median_hours
"""
DELETE_ORGANIZATION = """
delete from match_organization where organization = $1 returning answered, overdue, median_hours
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted of an organization: its history, None where no question says anything yet, and how many questions
    there are to come back to, answered, overdue or open.
    """

    organization: UUID
    history: AnswerHistory | None
    questions: int


async def record(connection: Connection, counted: Counted, at: datetime) -> AnswerHistory | None:
    """Write what was counted, and return what stood there before. Of an organization without questions nothing is kept."""
    if not counted.questions:
        row = await connection.fetchrow(DELETE_ORGANIZATION, counted.organization)
    else:
        history = counted.history
        values = (history.answered, history.overdue, history.median_hours) if history else (0, 0, None)
        row = await connection.fetchrow(UPSERT_ORGANIZATION, counted.organization, *values, at)
    return history_of(row) if row else None


def history_of(row: "asyncpg.Record") -> AnswerHistory | None:
    """The history in the columns `answered`, `overdue` and `median_hours` of a row; None where they hold none."""
    if row["median_hours"] is None:
        return None
    return AnswerHistory(row["answered"], row["overdue"], row["median_hours"])


COUNTED_BEFORE = """
select organization from match_organization where counted_at < $1 order by counted_at limit $2
"""


async def counted_before(connection: Connection, moment: datetime, limit: int) -> Sequence[UUID]:
    """Organizations that were counted last before a moment, the longest ago first."""
    return [row["organization"] for row in await connection.fetch(COUNTED_BEFORE, moment, limit)]
