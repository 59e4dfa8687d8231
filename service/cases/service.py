"""Rules of cases, and what other rooms may call: `read`, `latest`, `mark_contracted`, `close_unanswered`, `is_touched`, `keep_clock`."""

from datetime import date, datetime, time
from uuid import UUID

from service.cases import (
    clock as response_clock,
)
from service.cases import (
    docking,
    follow_ups,
    invitations,
    message_repository,
    modes,
    present,
    repository,
    schemas,
    steps,
    waits,
)
from service.cases.codes import UNDONE
from service.cases.records import ENDED, Case, Party
from service.cases.schemas import AnswerRequest, CaseAction, CloseRequest, ExtensionRequest, Terms
from service.errors import Conflict, FieldProblem, Forbidden, NotFound, OutOfTurn, ValidationProblem
from service.events import log
from service.kit import clock
from service.kit.actor import Actor
from service.kit.db import Connection
from service.kit.etag import check_if_match
from service.kit.language import Text
from service.kit.pages import decode_id, encode_cursor
from service.matches import consents
from service.matches.consent_schemas import ConsentRequest, Side
from service.regions.schemas import region_prefix
from service.settings import Settings
from service.taxonomy.schemas import Mode

NOT_THEIR_NOTES = Text(
    "备注存入技术经理人的工作记录，仅承办人可写：请去掉备注，并选用 other 以外的代码",
    "A note goes among the broker's own, which only the broker writes: leave it out, and take a code other than `other`",
)
NO_CASE = Text("没有这个对接，或无权查看", "No such case, or none that you may see")
NOT_YOURS = Text("只有对接双方可以执行此操作", "Only the two sides of the case may do this")
NOT_STEERED = Text("只有承办的技术经理人或运营方可以执行此操作", "Only the case's broker or an operator may do this")
keep_clock = response_clock.keep


async def read(connection: Connection, actor: Actor, identifier: UUID) -> Case:
    """A case that the actor may know of: one of its sides, staff, or the operator of its partner pair.

    Raises:
        NotFound: there is none, or the actor may not know of it.
    """
    case = await repository.get(connection, identifier)
    # Who operates a partner pair only the database knows; it has let the row through.
    if case is None or not (actor.is_staff or case.sides_of(actor) or case.partner_pairs):
        raise NotFound(NO_CASE)
    return case


async def show(connection: Connection, actor: Actor, identifier: UUID) -> schemas.Case:
    """A case as the actor is shown it. Raises as `read`."""
    return (await present.present(connection, actor, [await read(connection, actor, identifier)]))[0]


async def page(
    connection: Connection,
    actor: Actor,
    *,
    states: list[str] | None,
    awaiting: str | None,
    partner: bool | None,
    region: str | None,
    limit: int,
    cursor: str | None,
    due: date | None = None,
) -> schemas.CasePage:
    """A page of the cases that the actor may know of, newest first. `awaiting` is a party, or `me`; a region holds what lies in it.

    With `due` only those in which somebody, or who is named by `awaiting`, has a term that ends by that day.
    """
    after = decode_id(cursor)
    mine = awaiting == "me"
    if mine and actor.organization_id is None:
        return schemas.CasePage(items=[], next=None)
    found = await repository.page(
        connection,
        after=after,
        states=states,
        partner=partner,
        region=f"{region_prefix(region)}%" if region else None,
        awaiting_organization=actor.organization_id if mine else None,
        awaiting_party=None if mine else awaiting,
        due_until=datetime.combine(due, time.max, clock.MARKET_ZONE) if due else None,
        reader=None if actor.is_staff else actor.organization_id,
        limit=limit + 1,
    )
    shown = found[:limit]
    return schemas.CasePage(
        items=await present.present(connection, actor, shown),
        next=encode_cursor(str(shown[-1].id)) if len(found) > limit else None,
    )


async def answer(
    connection: Connection, actor: Actor, identifier: UUID, request: AnswerRequest, settings: Settings
) -> schemas.Case:
    """Answer an invitation for the actor's side: yes, which is its consent to the pair, no, or a question.

    Raises:
        NotFound, Forbidden, OutOfTurn, ValidationProblem: as consents and invitations say.
    """
    case = await read(connection, actor, identifier)
    side = own_side(case, actor, request.side)
    if request.answer == "yes":
        assert request.purpose is not None
        if case.state in ENDED:
            # Its consent would go to a newer case of the pair.
            raise OutOfTurn(invitations.OVER)
        await consents.give(
            connection,
            actor,
            case.recommendation_id,
            ConsentRequest(purpose=request.purpose, side=Side(side)),
            settings,
        )
        return await show(connection, actor, identifier)
    held = await hold(connection, identifier)
    if request.answer == "no":
        assert request.code is not None
        await invitations.decline(connection, actor, held, side, request.code.value, request.text)
    else:
        assert request.text is not None
        await invitations.question(connection, actor, held, side, request.text, settings)
    return await show(connection, actor, identifier)


def own_side(case: Case, actor: Actor, wanted: Side | None) -> Party:
    """The side that the actor speaks for: its organization's, or of two the wanted one.

    Raises:
        Forbidden: it has none. ValidationProblem: it has both, and none is named.
    """
    own = case.sides_of(actor)
    if not own or (wanted is not None and Party(wanted) not in own):
        raise Forbidden(NOT_YOURS)
    if wanted is None and len(own) > 1:
        text = Text("双方均为本单位，请指明 need 或 outcome", "Both sides are your organization's: say need or outcome")
        raise ValidationProblem([FieldProblem("side", "missing", text)])
    return Party(wanted) if wanted else own[0]


async def hold(connection: Connection, identifier: UUID) -> Case:
    """A case, held until the transaction ends.

    Raises:
        Forbidden: the actor may see and not change it.
    """
    case = await repository.lock(connection, identifier)
    if case is None:
        # Seen, but not to be changed by whoever acts: an authority, the operator of a partner pair.
        raise Forbidden(NOT_STEERED)
    return case


async def advance(
    connection: Connection,
    actor: Actor,
    identifier: UUID,
    action: CaseAction,
    if_match: str | None,
    settings: Settings,
) -> schemas.Case:
    """Take a step.

    Raises:
        NotFound, Forbidden, OutOfTurn, Conflict: not this actor's step, or not now.
        PreconditionFailed: the case has changed since it was seen.
    """
    case = await read(connection, actor, identifier)
    if if_match is not None:
        check_if_match(if_match, case.version)
    moment = clock.now()
    consenting = await consents.consenting(connection, case.recommendation_id) if action == "reopen" else frozenset()
    name = "resume" if action == "reopen" and len(consenting) == len(Side) else action.value
    after = await steps.take(connection, actor, case, name, moment)
    await waits.enter(connection, after, moment, settings, consenting)
    if action is CaseAction.FOLLOW:
        await follow_ups.plan(connection, after, settings)
    await _record(connection, actor, case, after, name)
    return await show(connection, actor, identifier)


async def close(
    connection: Connection, actor: Actor, identifier: UUID, request: CloseRequest, if_match: str | None
) -> schemas.Case:
    """End a case as won or lost, with a code. Raises as `advance`.

    Raises:
        ValidationProblem: a note by somebody who does not write the broker's notes.
    """
    case = await read(connection, actor, identifier)
    if if_match is not None:
        check_if_match(if_match, case.version)
    if request.note and case.steered_by(actor) and not case.handled_by(actor):
        raise ValidationProblem([FieldProblem("note", "brokers_note", NOT_THEIR_NOTES)])
    moment = clock.now()
    after = await steps.take(
        connection,
        actor,
        case,
        f"close_{request.closed_as}",
        moment,
        closed_as=request.closed_as,
        code=request.code,
    )
    if request.note:
        await message_repository.insert(connection, actor, after.id, "broker", Party.BROKER, request.note, moment)
    await waits.end(connection, after, moment)
    await _record(connection, actor, case, after, "close", {"as": request.closed_as, "code": request.code})
    return await show(connection, actor, identifier)


async def extend(
    connection: Connection, actor: Actor, identifier: UUID, request: ExtensionRequest, settings: Settings
) -> schemas.Case:
    """Give a party that is awaited another term, from today; its reminders begin anew.

    Raises:
        NotFound, Forbidden: not this actor's case to steer. OutOfTurn: the party is not awaited.
    """
    case = await read(connection, actor, identifier)
    if not case.steered_by(actor):
        raise Forbidden(NOT_STEERED)
    await hold(connection, identifier)
    moment = clock.now()
    found = [wait for wait in await repository.open_waits(connection, [identifier]) if wait.party is request.party]
    if not found:
        raise OutOfTurn(Text("当前并未等待该方", "That party is not awaited now"))
    for wait in found:
        await repository.set_clock(connection, waits.renewed(wait, moment, request.days, settings))
    await _record(connection, actor, case, case, "extend", {"party": request.party, "days": request.days})
    return await show(connection, actor, identifier)


async def set_terms(
    connection: Connection, actor: Actor, identifier: UUID, request: Terms, if_match: str | None
) -> schemas.Case:
    """Keep the mode of cooperation and what was agreed of it, in place of what was there.

    Raises:
        NotFound, Forbidden: not a case that the actor takes part in.
        OutOfTurn: before both consented, or once it is contracted.
        PreconditionRequired, PreconditionFailed. ValidationProblem: names the wrong terms.
    """
    case = await read(connection, actor, identifier)
    if not (case.sides_of(actor) or case.steered_by(actor)):
        raise Forbidden(NOT_STEERED)
    check_if_match(if_match, case.version)
    if case.state not in ("consented", "consulting", "negotiating"):
        text = Text(
            "双方同意后、签约前才能商定合作方式", "Terms are set once both sides consented, and before the contract"
        )
        raise OutOfTurn(text)
    terms, problems = modes.checked(request.mode, request.terms)
    if problems:
        raise ValidationProblem(problems)
    held = await hold(connection, identifier)
    # Somebody else may have been quicker between reading and holding.
    check_if_match(if_match, held.version)
    after = await repository.set_terms(connection, identifier, request.mode, terms, clock.now())
    named: dict[str, object] = {"mode": request.mode, "settled": sorted(terms)}
    await _record(connection, actor, held, after, "set_terms", named)
    return await show(connection, actor, identifier)


async def mark_contracted(connection: Connection, actor: Actor, identifier: UUID, settings: Settings) -> Case:
    """A contract of the case was signed: called by the room of contracts, in its transaction.

    Raises:
        NotFound, Forbidden: not a case of the actor's.
        OutOfTurn: not both sides consent, it is contracted already, or something that the mode needs is missing.
    """
    await read(connection, actor, identifier)
    # Held before it is looked at, so that nobody takes a term away between the look and the step.
    case = await hold(connection, identifier)
    moment = clock.now()
    lacking = modes.missing(Mode(case.mode) if case.mode else None, case.terms)
    if lacking and case.state in ("consented", "consulting", "negotiating"):
        raise OutOfTurn(
            Text(
                f"签约前还需商定：{'、'.join(each.label.zh for each in lacking)}；由任一方或技术经理人填写（PUT /v1/cases/{{id}}/terms）",
                f"Before the contract has to be settled, by either side or the broker (PUT /v1/cases/{{id}}/terms): "
                f"{', '.join(each.label.en for each in lacking)}",
            )
        )
    after = await steps.take(connection, actor, case, "contract", moment)
    await waits.enter(connection, after, moment, settings)
    await _record(connection, actor, case, after, "contract")
    return after


async def latest(connection: Connection, recommendation_id: UUID) -> Case | None:
    """The newest case of a recommendation, held until the transaction ends; None where it has none."""
    return await repository.lock_latest(connection, recommendation_id)


async def is_touched(connection: Connection, recommendation_id: UUID) -> bool:
    """Whether somebody did anything in the newest case of a recommendation; False where there is none."""
    case = await repository.lock_latest(connection, recommendation_id)
    return case is not None and await _touched(connection, case)


async def _touched(connection: Connection, case: Case) -> bool:
    return case.state != "invited" or await repository.was_answered(connection, case)


async def close_unanswered(connection: Connection, actor: Actor, recommendation_id: UUID) -> bool:
    """Close the newest case of a recommendation whose acceptance is undone, in that transaction; whether there was one.

    Raises:
        Forbidden: not this actor's case. Conflict: a side has answered already, or the case has gone on.
    """
    case = await repository.lock_latest(connection, recommendation_id)
    if case is None or case.state in ENDED:
        return False
    if await _touched(connection, case):
        raise Conflict(
            Text("对接双方已有答复，不能撤销", "A side has answered in the case already: it cannot be undone")
        )
    moment = clock.now()
    after = await steps.take(connection, actor, case, "undo", moment, closed_as="undone", code=UNDONE)
    await waits.end(connection, after, moment)
    await _record(connection, actor, case, after, "undo")
    return True


async def _record(
    connection: Connection,
    actor: Actor,
    before: Case,
    after: Case,
    action: str,
    data: dict[str, object] | None = None,
) -> None:
    await log.record(
        connection, actor, "case", after.id, action, from_state=before.state, to_state=after.state, data=data
    )
    await docking.follow(connection, actor, before, after)
