"""What an organization is asked and how soon it answers; counted for the ranking, which reads it of an outcome's provider.

A question is a listing that a reviewer returned for changes; its answer is the next submission by the organization itself,
and no submission in its name. A question is also an invitation to a case; its answer is a yes, a no or a question by the
side itself. How soon an organization answers is the median over the questions of two years:

- an answered question counts with the time that its answer took;
- one that went without an answer for more than two weeks counts with the time that it was open: until now, or until
  somebody else submitted the listing or it was withdrawn. An answer would have taken longer still, so the median is the
  least that it can be. Left out, silence would be better than a late answer;
- one that has been open for less, or was ended by others within two weeks, says nothing.

Of invitations alone, and of answered ones alone, the response time is made that is published (`published`): what the market
is told of an organization should say one plain thing, and only from enough cases.

A median rather than a mean, since one question that was forgotten says little. A survival estimate would use the open questions
of less than two weeks too; for the handful that an organization is asked, a figure that anybody can check is worth more.

Organizations are counted at each step of theirs, and once a day besides: open questions grow older, old ones leave the two years.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from matching.index import organizations
from matching.index.organizations import Counted
from matching.signals.responsiveness import promptness
from matching.types import AnswerHistory
from service.kit.db import Connection, ranking_role
from service.matches.models import rank_outcomes_of
from service.responses import repository

REVISION = "revision"
INVITATION = "invitation"
# As long as the ranking takes an outcome to lose half of its freshness.
REMEMBERED = timedelta(days=730)
OVERDUE = timedelta(days=14)
COUNTED_EVERY = timedelta(days=1)
# So many a round of housekeeping: in an hour, 30,000 organizations.
COUNTED_AT_ONCE = 500
# Lists are ranked anew when the provider's reading moves to another tenth, by the shipped weight 0.03 in log-odds. Overdue
# questions that grow older every day move it less and less.
STEPS = 10


async def follow(
    connection: Connection, listing_id: UUID, action: str, at: datetime, organization_id: UUID, *, by_owner: bool
) -> None:
    """Keep what a step of a listing says of its organization, in the transaction of the step.

    Whoever returns a listing of the own organization asks nobody. `by_owner`: the listing's organization took the step.
    """
    match action:
        case "return" if not by_owner:
            await repository.ask(connection, organization_id, REVISION, listing_id, at)
            changed = True
        case "submit" | "withdraw":
            answered = by_owner and action == "submit"
            changed = await repository.end(connection, REVISION, listing_id, at, answered=answered)
        case _:
            changed = False
    if changed:
        await repository.lock(connection, organization_id)
        await _count(connection, [organization_id], at)


async def invite(connection: Connection, organization_id: UUID, subject_id: UUID, at: datetime) -> None:
    """Keep that an organization is invited, by the id of what awaits it; `count_invited` follows."""
    await repository.ask(connection, organization_id, INVITATION, subject_id, at)


async def hold(connection: Connection, organization_ids: Collection[UUID]) -> None:
    """Let nobody else count some organizations until the transaction ends; before several of them are asked one by one."""
    # In one order for everybody, so that no two wait for each other.
    for organization_id in sorted(set(organization_ids)):
        await repository.lock(connection, organization_id)


async def count_invited(connection: Connection, organization_ids: list[UUID], at: datetime) -> None:
    """Count organizations that were invited, so that the daily count comes upon those that never answer."""
    await hold(connection, organization_ids)
    await _count(connection, sorted(set(organization_ids)), at)


async def answer_invitation(connection: Connection, organization_id: UUID, subject_id: UUID, at: datetime) -> None:
    """Keep that an organization itself answered an invitation, and count it."""
    if await repository.end(connection, INVITATION, subject_id, at, answered=True):
        await repository.lock(connection, organization_id)
        await _count(connection, [organization_id], at)


async def published(
    connection: Connection, organization_id: UUID, at: datetime, least: int
) -> tuple[int, float] | None:
    """How many invitations an organization answered in two years, and the median in hours; None from fewer than `least`."""
    return await repository.invitation_answers(connection, organization_id, at - REMEMBERED, least)


async def count_due(connection: Connection, at: datetime) -> int:
    """Count anew some of the organizations that were not counted for a day; how many. Those under way elsewhere are left."""
    async with ranking_role(connection):
        due = await organizations.counted_before(connection, at - COUNTED_EVERY, COUNTED_AT_ONCE)
    free = await repository.lock_free(connection, list(due))
    await _count(connection, free, at)
    return len(free)


async def _count(connection: Connection, organization_ids: list[UUID], at: datetime) -> None:
    for row in await repository.count(connection, organization_ids, at, at - REMEMBERED, OVERDUE):
        counted = Counted(row["organization_id"], organizations.history_of(row), row["questions"])
        async with ranking_role(connection):
            before = await organizations.record(connection, counted, at)
        if _step(before) != _step(counted.history):
            await rank_outcomes_of(connection, counted.organization)


def _step(history: AnswerHistory | None) -> int | None:
    reading = promptness(history)
    return None if reading is None else round(reading * STEPS)
