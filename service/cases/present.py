"""A case as a caller is shown it: the two sides by tier, who is awaited, and what is missing."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from service.cases import follow_up_repository, message_repository, repository, schemas
from service.cases.follow_up_repository import FollowUp
from service.cases.modes import Needed, missing
from service.cases.records import Case, Party, Wait
from service.cases.schemas import Awaited, CaseStep, Missing
from service.cases.steps import try_step
from service.kit import clock
from service.kit.actor import Actor, Role
from service.kit.db import Connection
from service.matches.lists import counterparts_of
from service.matches.schemas import Counterpart
from service.taxonomy.schemas import Mode
from service.workflows.engine import Advanced


async def present(connection: Connection, actor: Actor, cases: Sequence[Case]) -> list[schemas.Case]:
    """Some cases, in their order."""
    identifiers = [case.id for case in cases]
    moment = clock.now()
    sides = await counterparts_of(connection, actor, [id for case in cases for id in (case.need_id, case.outcome_id)])
    waits: dict[UUID, list[Awaited]] = {case.id: [] for case in cases}
    by_id = {case.id: case for case in cases}
    found: dict[UUID, list[Wait]] = {case.id: [] for case in cases}
    for wait in await repository.open_waits(connection, identifiers):
        found[wait.case_id].append(wait)
        waits[wait.case_id].append(_awaited(actor, by_id[wait.case_id], wait, moment))
    for asked in await follow_up_repository.asked(connection, identifiers, moment):
        waits[asked.case_id].append(_asked(actor, by_id[asked.case_id], asked, moment))
    unread = await message_repository.unread(connection, identifiers, actor.caller_id)
    shown = []
    for case in cases:
        inside = bool(case.sides_of(actor)) or case.steered_by(actor)
        mode = Mode(case.mode) if case.mode else None
        need = sides.get(case.need_id)
        told = _tells_region(actor, case, need)
        shown.append(
            schemas.Case(
                **{name: getattr(case, name) for name in PLAIN},
                need_region=case.need_region if told else None,
                partner_pairs=case.partner_pairs if told else [],
                need=need,
                outcome=sides.get(case.outcome_id),
                your_sides=list(case.sides_of(actor)),
                partner=told and bool(case.partner_pairs),
                terms=case.terms if inside else {},
                missing=[as_missing(each) for each in missing(mode, case.terms)],
                awaiting=sorted(waits[case.id], key=lambda each: each.until),
                unread=unread.get(case.id, 0),
                actions=_actions(actor, case, found[case.id], moment),
            )
        )
    return shown


PLAIN = (
    "id", "recommendation_id", "state", "version", "broker_organization_id", "outcome_region", "mode", "closed_as", "code",
    "opened_at", "state_since", "contracted_at", "closed_at",
)  # fmt: skip


def _tells_region(actor: Actor, case: Case, need: Counterpart | None) -> bool:
    """Whether a reader is told where the need's side lies.

    The region of a case is the organization's where the need names none. The other side, to whom the organization is nobody
    yet, is told what the need says and no more.
    """
    if actor.is_staff or case.sides_of(actor) != (Party.OUTCOME,):
        return True
    return need is not None and (need.organization is not None or need.region == case.need_region)


def as_missing(needed: Needed) -> Missing:
    """What is needed, in the caller's language."""
    return Missing(name=needed.name, kind=needed.kind, label=str(needed.label))


# By which steps of the table something is done that has another name, or several outcomes.
STEPS_OF: dict[CaseStep, tuple[str, ...]] = {
    CaseStep.ANSWER: ("consent", "decline"),
    CaseStep.CLOSE: ("close_won", "close_lost"),
}


def _actions(actor: Actor, case: Case, waits: Sequence[Wait], moment: datetime) -> list[CaseStep]:
    """What the actor may do now. An answer is its side's that is invited, or has asked; a side alone leaves."""
    own = case.sides_of(actor)
    asked = {wait.about or wait.party for wait in waits if wait.what in ("invitation", "question")}

    def may(step: CaseStep) -> bool:
        if (step is CaseStep.ANSWER and asked.isdisjoint(own)) or (step is CaseStep.LEAVE and not own):
            return False
        names = STEPS_OF.get(step, (step.value,))
        return any(isinstance(try_step(actor, case, name, moment), Advanced) for name in names)

    return [step for step in CaseStep if may(step)]


def _is(actor: Actor, case: Case, party: Party) -> bool:
    if party is Party.BROKER:
        return case.handled_by(actor) and not actor.has(Role.ADMINISTRATOR)
    return party in case.sides_of(actor)


def _awaited(actor: Actor, case: Case, wait: Wait, moment: datetime) -> Awaited:
    return Awaited(
        party=wait.party,
        what=wait.what,
        you=_is(actor, case, wait.party),
        since=wait.asked_at,
        until=wait.due_at,
        provisional=wait.provisional,
        overdue=wait.due_at <= moment,
        escalated=wait.escalated_at is not None,
    )


def _asked(actor: Actor, case: Case, asked: FollowUp, moment: datetime) -> Awaited:
    return Awaited(
        party=Party(asked.side),
        what="follow_up",
        you=_is(actor, case, Party(asked.side)),
        since=asked.asked_at,
        until=asked.due_at,
        provisional=asked.provisional,
        overdue=asked.due_at <= moment,
        escalated=False,
    )
