"""Changes of a signed contract: proposed by one side and confirmed by the other, or entered by staff with the paper."""

from datetime import datetime
from uuid import UUID

import pydantic

from service.contracts import repository
from service.contracts.changes import CHANGEABLE, Change, difference, replay
from service.contracts.checks import CHANGED_MEANWHILE, check_past, refused
from service.contracts.kept import Kept, changed_terms, check_sums, derived, due_after
from service.contracts.schemas import Terms
from service.contracts.service import read
from service.contracts.views import ChangeRequest, ContractChange
from service.errors import Conflict, FieldProblem, Forbidden, OutOfTurn, ValidationProblem
from service.events import log
from service.kit.actor import SYSTEM, Actor
from service.kit.clock import now, today
from service.kit.db import Connection
from service.kit.language import Text
from service.kit.validation import problems_of
from service.workflows.engine import Advanced, advance
from service.workflows.tables import CONTRACT


async def propose(connection: Connection, actor: Actor, identifier: UUID, request: ChangeRequest) -> ContractChange:
    """Record a change. It holds at once where staff enters it or no other side is here, else once that confirms it.

    Raises:
        NotFound, Forbidden, OutOfTurn: not this actor's, or not in this state.
        ValidationProblem: names each field that may not change, breaks a rule or does not differ.
        Conflict: somebody else changed the contract at the same moment.
    """
    kept = await read(connection, actor, identifier)
    moment = now()
    step = advance(CONTRACT, kept.state, "change", actor, owner=kept.is_side(actor), now=moment)
    if not isinstance(step, Advanced):
        raise refused(step)
    after = _changed(kept, request)
    change = difference(kept.terms, after)
    # A broker of one of the sides speaks for that side, and not for both.
    holds = kept.introduced_by(actor) or not kept.others(actor)
    if not holds:
        # Whoever looked at the contract before has not seen what now waits; and of two at once, one waits.
        await _touch(connection, kept, moment)
    made = await repository.insert_change(
        connection, actor, identifier, "change", dict(change.old), dict(change.new), request.reason,
        request.effective_on, request.signed_on, moment, holds=holds,
    )  # fmt: skip
    if holds:
        await _apply(connection, actor, kept, change, step, moment)
    else:
        await log.record(
            connection, actor, "contract", identifier, "propose_change", data={"fields": sorted(change.new)}
        )
    return made


def _changed(kept: Kept, request: ChangeRequest) -> Terms:
    problems = [
        FieldProblem(
            f"terms.{name}",
            "changeable",
            Text(
                f"不能变更此字段；可变更：{'、'.join(sorted(CHANGEABLE))}",
                f"Not a term that may change; these may: {', '.join(sorted(CHANGEABLE))}",
            ),
        )
        for name in request.terms
        if name not in CHANGEABLE
    ]
    if problems:
        raise ValidationProblem(problems)
    try:
        after = changed_terms(kept.terms, request.terms)
    except pydantic.ValidationError as error:
        raise ValidationProblem(
            [FieldProblem(f"terms.{each.field}", each.rule, each.message) for each in problems_of(error.errors())]
        ) from error
    check_sums(after)
    if after == kept.terms:
        text = Text("与现行条款没有区别", "Nothing differs from the terms as they are")
        raise ValidationProblem([FieldProblem("terms", "differs", text)])
    check_past("signed_on", request.signed_on, kept.row["signed_on"])
    return after


async def confirm_waiting(connection: Connection, actor: Actor, kept: Kept, moment: datetime) -> None:
    """Let the change hold that the other side proposed.

    Raises:
        OutOfTurn: none waits. Forbidden: the actor's own side proposed it, or it is none.
        Conflict: somebody else changed the contract at the same moment.
    """
    if kept.row["waiting"] is None:
        raise OutOfTurn(Text("没有待确认的变更", "No change waits to be confirmed"))
    waiting = await repository.get_change(connection, kept.id, kept.row["waiting"])
    if actor.owns(waiting.organization_id) or not kept.is_side(actor):
        raise Forbidden(Text("变更由对方确认", "A change is confirmed by the other side"))
    # Whoever else deals with it at the same moment changes the contract too, and is refused for that.
    await repository.confirm_change(connection, waiting.id, moment)
    step = advance(CONTRACT, kept.state, "change", SYSTEM, owner=False, now=moment)
    if not isinstance(step, Advanced):
        raise refused(step)
    await _apply(connection, actor, kept, Change(waiting.old, waiting.new), step, moment)


async def _apply(
    connection: Connection, actor: Actor, kept: Kept, change: Change, step: Advanced, moment: datetime
) -> None:
    after = replay(kept.terms, [change])
    due = due_after(after, kept.received, today())
    if not await repository.apply_change(
        connection, kept.id, step.source, kept.version, step.target, derived(after), due, moment
    ):
        raise Conflict(CHANGED_MEANWHILE)
    # Which fields, and not what they say: the record of the change keeps that for the parties.
    await log.record(
        connection, actor, "contract", kept.id, "change",
        from_state=step.source, to_state=step.target, data={"fields": sorted(change.new)},
    )  # fmt: skip


async def _touch(connection: Connection, kept: Kept, moment: datetime) -> None:
    if not await repository.transition(
        connection, kept.id, kept.state, kept.version, kept.state, moment, next_due_on=kept.row["next_due_on"]
    ):
        raise Conflict(CHANGED_MEANWHILE)
