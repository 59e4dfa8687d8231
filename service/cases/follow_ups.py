"""跟踪: after a contract both sides are asked at intervals whether the result is used and whether it paid.

The questions are planned when the case begins to be followed, and stand when it is closed as won meanwhile.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from service.cases import follow_up_repository as repository
from service.cases.business_days import term_of
from service.cases.records import SIDES, Case
from service.events import log
from service.kit.actor import SYSTEM
from service.kit.clock import MARKET_ZONE
from service.kit.db import Connection
from service.settings import get_settings

# Besides being asked, a side is reminded so often, at the end of its term and then every so many days.
REMINDERS = 3
AGAIN = timedelta(days=14)
MORNING = time(9)


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or the last day of a month that is shorter.

    >>> months_after(date(2026, 11, 30), 3)
    datetime.date(2027, 2, 28)
    """
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


async def plan(connection: Connection, case: Case) -> None:
    """Plan the questions of a case that begins to be followed, counted from its contract."""
    settings = get_settings()
    assert case.contracted_at is not None
    signed = case.contracted_at.astimezone(MARKET_ZONE).date()
    for months in settings.follow_up_months:
        asked = datetime.combine(months_after(signed, months), MORNING, MARKET_ZONE)
        term = term_of(asked, settings.case_follow_up_days)
        for side in SIDES:
            await repository.insert(connection, case.id, side, months, asked, term)


async def remind_due(connection: Connection, now: datetime, limit: int) -> int:
    """Ask what is to be asked and remind of what is overdue, each once for its moment; how many."""
    due = await repository.due(connection, now, limit)
    days = get_settings().case_follow_up_days
    for row in due:
        asking = now < row["due_at"]
        # Planned months ahead: by the time it is asked, the calendar of its year is published as a rule.
        term = term_of(row["asked_at"], days)
        reminders = row["reminders"] + (not asking)
        look = term.due if asking else now + AGAIN if reminders < REMINDERS else None
        await repository.set_clock(connection, row["id"], term, reminders, look)
        data = {"side": row["side"], "months": row["months"], "organization": str(row["organization"])}
        action = "ask_follow_up" if asking else "remind_follow_up"
        state = row["state"]
        await log.record(
            connection, SYSTEM, "case", row["case_id"], action, from_state=state, to_state=state, data=data
        )
    return len(due)


@dataclass(frozen=True, slots=True)
class Figures:
    """What the answers of a case add up to: how many were asked, answered, say that it is used, and paid by currency."""

    asked: int
    answered: int
    used: int
    paid: dict[str, Decimal]


def figures_of(rows: list[repository.FollowUp], now: datetime) -> Figures:
    """Add up the answers that there are. Does no I/O."""
    answered = [row for row in rows if row.answered_at is not None]
    paid: dict[str, Decimal] = {}
    for row in answered:
        if row.amount is not None:
            paid[row.currency] = paid.get(row.currency, Decimal(0)) + row.amount
    return Figures(
        sum(row.asked_at <= now for row in rows), len(answered), sum(bool(row.used) for row in answered), paid
    )
