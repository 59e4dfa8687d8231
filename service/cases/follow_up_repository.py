"""Rows of follow-up questions and their answers."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from service.cases.business_days import Term
from service.kit.db import Connection, Row


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question to a side, `months` after the contract, and its answer once there is one."""

    id: UUID
    case_id: UUID
    side: str
    months: int
    asked_at: datetime
    due_at: datetime
    provisional: bool
    reminders: int
    answered_at: datetime | None
    used: bool | None
    paid: bool | None
    amount: Decimal | None
    currency: str
    note: str


def _follow_up(row: Row) -> FollowUp:
    return FollowUp(**{name: row[name] for name in FollowUp.__dataclass_fields__})


# A case that is opened again and followed again asks what it has not asked yet.
INSERT = """
insert into follow_up (case_id, side, months, asked_at, due_at, provisional, next_at) values ($1, $2, $3, $4, $5, $6, $4)
on conflict (case_id, side, months) do nothing
"""


async def insert(connection: Connection, case_id: UUID, side: str, months: int, asked_at: datetime, term: Term) -> None:
    """Plan a question."""
    await connection.execute(INSERT, case_id, side, months, asked_at, term.due, term.provisional)


LIST = "select * from follow_up where case_id = $1 order by months, side"


async def of_case(connection: Connection, case_id: UUID) -> list[FollowUp]:
    """The questions of a case that the actor may know of."""
    return [_follow_up(row) for row in await connection.fetch(LIST, case_id)]


ASKED = """
select follow_up.* from follow_up join docking_case on docking_case.id = case_id
where case_id = any ($1) and answered_at is null and asked_at <= $2 and closed_as is distinct from 'lost'
order by due_at, id
"""


async def asked(connection: Connection, cases: list[UUID], at: datetime) -> list[FollowUp]:
    """Questions of some cases that wait for an answer and that the actor may know of."""
    return [_follow_up(row) for row in await connection.fetch(ASKED, cases, at)]


ANSWER = """
update follow_up
set answered_at = $2, used = $3, paid = $4, amount = $5, currency = $6, note = $7, next_at = null
where id = $1 and answered_at is null
returning *
"""


async def answer(
    connection: Connection,
    identifier: UUID,
    at: datetime,
    *,
    used: bool,
    paid: bool,
    amount: Decimal | None,
    currency: str,
    note: str,
) -> FollowUp | None:
    """Keep an answer; None where there is one already."""
    row = await connection.fetchrow(ANSWER, identifier, at, used, paid, amount, currency, note)
    return _follow_up(row) if row else None


# Skips what another round has in hand. Where nothing came of a contract nobody is asked any more.
DUE = """
select follow_up.id, case_id, side, months, asked_at, due_at, reminders, docking_case.state,
       case side when 'need' then need_organization_id else outcome_organization_id end as organization
from follow_up join docking_case on docking_case.id = case_id
where answered_at is null and next_at <= $1 and closed_as is distinct from 'lost'
order by next_at, follow_up.id
limit $2
for update of follow_up skip locked
"""


async def due(connection: Connection, at: datetime, limit: int) -> list[Row]:
    """Questions that are to be put or reminded of."""
    return await connection.fetch(DUE, at, limit)


SET_CLOCK = "update follow_up set due_at = $2, provisional = $3, reminders = $4, next_at = $5 where id = $1"


async def set_clock(
    connection: Connection, identifier: UUID, term: Term, reminders: int, next_at: datetime | None
) -> None:
    """Keep what the clock of a question shows."""
    await connection.execute(SET_CLOCK, identifier, term.due, term.provisional, reminders, next_at)
