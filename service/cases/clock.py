"""The response clock: reminders before a term ends, the broker told when it has, and in the end the lapse of the case.

Called by the worker at every round of housekeeping. Each wait says when it has to be looked at next, and is looked at once
for each such moment however often this runs; after an outage what was missed is done once, and the broker has the whole
time of grace from when it was told.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from service.cases import docking, follow_ups, repository, steps, waits
from service.cases.business_days import term_of
from service.cases.records import Case, Wait
from service.events import log
from service.kit.actor import SYSTEM
from service.kit.db import Connection
from service.listings import service as listings
from service.settings import Settings

# So many of a kind a round: the rest waits for the next one.
AT_ONCE = 200


async def keep(connection: Connection, now: datetime, settings: Settings) -> int:
    """Remind, escalate and lapse what is due at `now`, in the name of the service; how many waits and follow-ups changed."""
    changed = 0
    ended: set[UUID] = set()
    for row in await repository.due_waits(connection, now, AT_ONCE):
        case = await repository.lock(connection, row["case_id"], waiting=False)
        wait = await repository.still_due(connection, row["id"], now) if case else None
        if case is not None and wait is not None:
            after = await _look(connection, case, wait, now, settings)
            ended |= {case.need_id} if docking.concerns(case, after) else set()
            changed += 1
    # At last and in one order, since others who hold a need wait for nothing that is held here.
    for need_id in sorted(ended):
        await listings.settle_docking(connection, SYSTEM, need_id)
    for wait in await repository.provisional_waits(connection, AT_ONCE):
        if counted := recounted(wait, settings):
            await repository.set_clock(connection, counted)
            changed += 1
    return changed + await follow_ups.remind_due(connection, now, AT_ONCE, settings)


def recounted(wait: Wait, settings: Settings) -> Wait | None:
    """A provisional wait as it is by the calendar that is published by now; None where it still is not. Does no I/O."""
    counted = waits.renewed(wait, wait.begun_at, wait.days, settings)
    return None if counted.provisional else counted


async def _look(connection: Connection, case: Case, wait: Wait, now: datetime, settings: Settings) -> Case:
    """Do what the clock of a wait asks for at `now`; the case after it."""
    if now < wait.due_at:
        passed = sum(each <= now for each in waits.reminders_of(wait.begun_at, wait.due_at, settings))
        look = waits.next_look(wait.begun_at, wait.due_at, passed, settings)
        await repository.set_clock(connection, replace(wait, reminders=passed, next_at=look))
        await _record(connection, case, wait, "remind")
    elif wait.escalated_at is None:
        lapses = term_of(now, settings.case_grace_days).due if wait.what in waits.LAPSING else None
        await repository.set_clock(connection, replace(wait, escalated_at=now, next_at=lapses))
        await _record(connection, case, wait, "escalate")
    else:
        after = await steps.take(connection, SYSTEM, case, "lapse", now)
        await waits.end(connection, after, now)
        await _record(connection, case, wait, "lapse", after.state)
        return after
    return case


async def _record(connection: Connection, case: Case, wait: Wait, action: str, target: str | None = None) -> None:
    organization = case.organization_of(wait.party)
    broker = case.broker_organization_id
    data = {
        "party": wait.party,
        "what": wait.what,
        "due": wait.due_at.isoformat(),
        "organization": str(organization) if organization else None,
        "broker": str(broker) if broker else None,
    }
    await log.record(
        connection, SYSTEM, "case", case.id, action, from_state=case.state, to_state=target or case.state, data=data
    )
