"""跟踪: after a contract both sides are asked at intervals whether the result is used and whether it paid.

The questions are planned when the case begins to be followed, and stand when it is closed as won meanwhile.
"""

from calendar import monthrange
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from service.cases import follow_up_repository as repository
from service.cases import follow_up_schemas as schemas
from service.cases.business_days import term_of
from service.cases.records import SIDES, Case
from service.errors import Forbidden, NotFound, OutOfTurn
from service.events import log
from service.kit import clock
from service.kit.actor import SYSTEM, Actor
from service.kit.clock import MARKET_ZONE
from service.kit.db import Connection
from service.kit.language import Text
from service.settings import Settings

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


async def plan(connection: Connection, case: Case, settings: Settings) -> None:
    """Plan the questions of a case that begins to be followed, counted from its contract."""
    assert case.contracted_at is not None
    signed = case.contracted_at.astimezone(MARKET_ZONE).date()
    for months in settings.follow_up_months:
        asked = datetime.combine(months_after(signed, months), MORNING, MARKET_ZONE)
        term = term_of(asked, settings.case_follow_up_days)
        for side in SIDES:
            await repository.insert(connection, case.id, side, months, asked, term)


async def remind_due(connection: Connection, now: datetime, limit: int, settings: Settings) -> int:
    """Ask what is to be asked and remind of what is overdue, each once for its moment; how many."""
    due = await repository.due(connection, now, limit)
    for row in due:
        asking = now < row["due_at"]
        # Planned months ahead: by the time it is asked, the calendar of its year is published as a rule.
        term = term_of(row["asked_at"], settings.case_follow_up_days)
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


NO_QUESTION = Text("没有这项回访，或无权查看", "No such follow-up, or none that you may see")


def figures_of(rows: list[repository.FollowUp], now: datetime) -> schemas.Figures:
    """Add up the answers that there are. Does no I/O."""
    answered = [row for row in rows if row.answered_at is not None]
    paid: dict[str, Decimal] = {}
    for row in answered:
        if row.amount is not None:
            paid[row.currency] = paid.get(row.currency, Decimal(0)) + row.amount
    used = sum(bool(row.used) for row in answered)
    return schemas.Figures(asked=sum(row.asked_at <= now for row in rows), answered=len(answered), used=used, paid=paid)


def _shown(row: repository.FollowUp) -> schemas.FollowUp:
    return schemas.FollowUp(**{name: getattr(row, name) for name in schemas.FollowUp.model_fields})


async def of_case(connection: Connection, actor: Actor, case: Case) -> schemas.FollowUps:
    """The questions of a case that the actor may know of, and their figures.

    Raises:
        Forbidden: neither a side of the case nor staff.
    """
    if not (actor.is_staff or case.sides_of(actor)):
        raise Forbidden(Text("回访仅对双方、技术经理人和运营方开放", "Follow-ups are for the two sides and staff"))
    rows = await repository.of_case(connection, case.id)
    return schemas.FollowUps(items=[_shown(row) for row in rows], figures=figures_of(rows, clock.now()))


async def answer(
    connection: Connection, actor: Actor, case: Case, identifier: UUID, request: schemas.FollowUpRequest
) -> schemas.FollowUp:
    """Answer a question for the actor's side; from the day on which it is asked.

    Raises:
        NotFound: no such question that the actor may know of. Forbidden: it is another's to answer.
        OutOfTurn: answered already, not asked yet, or nothing came of the case.
    """
    found = next((row for row in await repository.of_case(connection, case.id) if row.id == identifier), None)
    if found is None:
        raise NotFound(NO_QUESTION)
    if found.side not in case.sides_of(actor):
        raise Forbidden(Text("回访只能由该方单位自己答复", "Each side answers for itself"))
    moment = clock.now()
    if moment < found.asked_at:
        day = found.asked_at.astimezone(MARKET_ZONE).date()
        raise OutOfTurn(Text(f"尚未到回访时间（{day} 起答复）", f"It is not asked yet: answer it from {day} on"))
    if case.closed_as == "lost":
        raise OutOfTurn(Text("对接未成，不再回访", "Nothing came of the case: nothing is asked any more"))
    kept = await repository.answer(connection, identifier, moment, **request.model_dump())
    if kept is None:
        raise OutOfTurn(Text("该回访已答复", "It has been answered already"))
    # Amounts are the side's own business, and stay with the answer.
    data = {"side": kept.side, "months": kept.months, "used": kept.used, "paid": kept.paid}
    await log.record(
        connection, actor, "case", case.id, "answer_follow_up", from_state=case.state, to_state=case.state, data=data
    )
    return _shown(kept)
