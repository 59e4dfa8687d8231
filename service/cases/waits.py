"""Who is awaited in a case: begun and ended with its steps, and counted as questions to organizations where they are invitations."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from service.cases import repository
from service.cases.business_days import before_due, term_of
from service.cases.records import SIDES, Case, Party, Wait
from service.kit.db import Connection
from service.responses import service as responses
from service.settings import Settings

# Whom each state awaits, and for what. In `invited` it is whoever has not consented; what has ended awaits nobody.
AWAITED: dict[str, tuple[tuple[Party, str], ...]] = {
    "consented": ((Party.BROKER, "consult"),),
    # The enterprise says first what it needs; from then on it is the turn of whoever was written to.
    "consulting": ((Party.NEED, "reply"),),
    "negotiating": ((Party.NEED, "contract"), (Party.OUTCOME, "contract")),
    "contracted": ((Party.BROKER, "follow"),),
    "following": ((Party.BROKER, "close"),),
}
# Without these a case does not go on, so that it lapses in the end. What a broker leaves undone goes to the operators.
LAPSING = frozenset({"invitation", "reply", "contract"})
# A case is followed for as long as the last question takes to be asked and answered, and the longest term is a year of work.
LONGEST = 250


def days_for(what: str, settings: Settings) -> int:
    """How many business days a party has for something."""
    match what:
        case "invitation":
            return settings.case_invitation_days
        case "reply":
            return settings.case_reply_days
        case "contract":
            return settings.case_contract_days
        case "close":
            months = max(settings.follow_up_months, default=1)
            return min(LONGEST, months * 21 + settings.case_follow_up_days)
        case _:
            return settings.case_broker_days


def next_look(begun_at: datetime, due_at: datetime, reminders: int, settings: Settings) -> datetime:
    """When the clock looks at a wait next, after so many reminders: at the next one, or at its end. Does no I/O."""
    instants = reminders_of(begun_at, due_at, settings)
    return instants[reminders] if reminders < len(instants) else due_at


def reminders_of(begun_at: datetime, due_at: datetime, settings: Settings) -> list[datetime]:
    """The instants at which a party is reminded of a term, earliest first; those that lie before the term are left out."""
    return [each for days in settings.reminders if (each := before_due(due_at, days)) > begun_at]


def renewed(wait: Wait, begun_at: datetime, days: int, settings: Settings) -> Wait:
    """A wait with another term: its reminders begin anew. Does no I/O."""
    term = term_of(begun_at, days)
    return replace(
        wait,
        begun_at=begun_at,
        due_at=term.due,
        days=days,
        provisional=term.provisional,
        reminders=0,
        escalated_at=None,
        next_at=next_look(begun_at, term.due, 0, settings),
    )


async def begin(
    connection: Connection,
    case: Case,
    party: Party,
    what: str,
    at: datetime,
    settings: Settings,
    about: Party | None = None,
) -> Wait:
    """Await a party; the broker's questions are `about` the side that asks."""
    days = days_for(what, settings)
    term = term_of(at, days)
    look = next_look(at, term.due, 0, settings)
    return await repository.begin_wait(connection, case.id, party, what, about, at, days, term, look)


async def invite(
    connection: Connection, case: Case, sides: Sequence[Party], at: datetime, settings: Settings, *, asked: bool = True
) -> None:
    """Await the answers of some sides to their invitation, each a question to its organization unless nobody `asked`."""
    for side in sides:
        wait = await begin(connection, case, side, "invitation", at, settings)
        if asked:
            await responses.invite(connection, case.side_organization(side), wait.id, at)
    if asked and sides:
        await responses.count_invited(connection, [case.side_organization(side) for side in sides], at)


async def answer(connection: Connection, case: Case, side: Party, at: datetime) -> None:
    """A side itself did what it was awaited for, which of an invitation counts as its organization's answer."""
    for wait in await repository.end_waits(connection, case.id, [side], at, [side]):
        if wait.what == "invitation":
            await responses.answer_invitation(connection, case.side_organization(side), wait.id, at)


async def answer_question(connection: Connection, case: Case, side: Party, at: datetime) -> bool:
    """The broker owes a side no answer any more; whether it did."""
    return bool(await repository.end_waits(connection, case.id, [Party.BROKER], at, [Party.BROKER], side))


async def end(connection: Connection, case: Case, at: datetime) -> None:
    """Await nobody: the case is over."""
    await repository.end_waits(connection, case.id, None, at, ())
    await repository.end_invitations(connection, case.id, at)


async def enter(
    connection: Connection,
    case: Case,
    at: datetime,
    settings: Settings,
    consenting: frozenset[Party] = frozenset(),
    *,
    asked: bool = True,
) -> None:
    """Await whom the case's state awaits, and nobody else."""
    await end(connection, case, at)
    if case.state == "invited":
        await invite(connection, case, [side for side in SIDES if side not in consenting], at, settings, asked=asked)
    for party, what in AWAITED.get(case.state, ()):
        await begin(connection, case, party, what, at, settings)
