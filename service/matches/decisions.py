"""What a broker decides on recommended pairs; each decision is a row that teaches the ranking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.cases import opening
from service.errors import Conflict, FieldProblem, Forbidden, NotFound, ServiceError, ValidationProblem
from service.events import log
from service.kit.actor import Actor
from service.kit.clock import now
from service.kit.db import Connection, Row
from service.kit.etag import check_if_match
from service.kit.language import Text
from service.matches import decision_repository, repository
from service.matches.schemas import Decision, DecisionRequest
from service.review import leases
from service.settings import Settings
from service.workflows.engine import Advanced, advance
from service.workflows.refusals import as_error
from service.workflows.tables import RECOMMENDATION

NO_RECOMMENDATION = Text("没有这条推荐，或无权查看", "No such recommendation, or none that you may see")


@dataclass(frozen=True, slots=True)
class Asked:
    """A decision that is asked for: on which pair, what, and the version that was seen, as If-Match has it."""

    identifier: UUID
    request: DecisionRequest
    if_match: str | None = None


async def read(connection: Connection, actor: Actor, identifier: UUID) -> Row:
    """A recommendation, for those whose work reviewing is.

    Raises:
        NotFound: there is none, or the actor may not know of it.
    """
    row = await repository.get(connection, identifier) if actor.is_staff else None
    if row is None:
        raise NotFound(NO_RECOMMENDATION)
    return row


async def read_as_side_or_staff(connection: Connection, actor: Actor, identifier: UUID) -> Row:
    """A recommendation, for staff, and once a broker accepted it for the organizations of its two listings.

    Raises:
        NotFound: there is none, or the actor may not know of it.
    """
    if actor.is_staff:
        return await read(connection, actor, identifier)
    row = await repository.get(connection, identifier)
    if (
        row is None
        or row["state"] != "accepted"
        or not await repository.sides_of(connection, row, actor.organization_id)
    ):
        raise NotFound(NO_RECOMMENDATION)
    return row


async def decide(
    connection: Connection,
    actor: Actor,
    identifier: UUID,
    request: DecisionRequest,
    if_match: str | None,
    settings: Settings,
) -> Decision:
    """Accept, decline or snooze a pair, and keep what the broker had before the eyes.

    Raises:
        NotFound, Forbidden: not this actor's to decide.
        OutOfTurn: already decided, or off the lists. Conflict: somebody decided at the same moment.
        Leased: another broker works on it. PreconditionFailed: another version than the one seen.
        ValidationProblem: the snooze lies in the past, or the text to the provider names who posted the need.
    """
    (answer,) = await decide_many(connection, actor, [Asked(identifier, request, if_match)], settings)
    if isinstance(answer, ServiceError):
        raise answer
    return answer


async def decide_many(
    connection: Connection, actor: Actor, asked: Sequence[Asked], settings: Settings
) -> list[Decision | ServiceError]:
    """Make decisions in one transaction; for each, in order, the decision or why it is not made.

    What can be decided is decided: whoever wants all or nothing raises, so that the transaction is undone. Pairs are held
    in one order by everybody who changes several, so that nobody waits in a circle.
    """
    moment = now()
    rows = await repository.get_many(connection, [each.identifier for each in asked]) if actor.is_staff else {}
    names = await _names_behind(connection, asked, rows)
    answers: list[Decision | ServiceError | None] = []
    planned: dict[int, Advanced] = {}
    seen: set[UUID] = set()
    for place, each in enumerate(asked):
        try:
            if each.identifier in seen:
                raise Conflict(Text("同一推荐在本次提交中出现多次", "The pair is in this request more than once"))
            planned[place] = _plan(actor, each, rows.get(each.identifier), names, moment)
            seen.add(each.identifier)
            answers.append(None)
        except ServiceError as error:
            answers.append(error)
    wanted = [asked[place].identifier for place in planned]
    held = await repository.hold(connection, wanted)
    taken = await leases.of_others(connection, actor, wanted, moment)
    accepted = [asked[place].identifier for place in planned if asked[place].request.action == "accept"]
    await opening.prepare(connection, [rows[identifier] for identifier in accepted])
    for place, step in planned.items():
        each = asked[place]
        try:
            if each.if_match is not None:
                # A ranking may have changed what was seen, and left it undecided.
                check_if_match(each.if_match, held[each.identifier]["version"])
            leases.check_free(each.identifier, taken)
            answers[place] = await _keep(connection, actor, each.request, rows[each.identifier], step, moment, settings)
        except ServiceError as error:
            answers[place] = error
    await leases.settle(connection)
    return [answer for answer in answers if answer is not None]


async def _names_behind(
    connection: Connection, asked: Sequence[Asked], rows: Mapping[UUID, Row]
) -> dict[UUID, list[str]]:
    told = [each.identifier for each in asked if each.request.to_provider and each.identifier in rows]
    return await decision_repository.names_behind(connection, [rows[one]["need_id"] for one in told]) if told else {}


def _plan(actor: Actor, asked: Asked, row: Row | None, names: Mapping[UUID, list[str]], moment: datetime) -> Advanced:
    """The step that a decision takes, by what was read before anything is held.

    Raises:
        ServiceError: why it may not be taken.
    """
    if row is None:
        raise NotFound(NO_RECOMMENDATION)
    if asked.if_match is not None:
        check_if_match(asked.if_match, row["version"])
    request = asked.request
    if request.snoozed_until is not None and request.snoozed_until <= moment:
        text = Text("必须晚于当前时间", "Must lie in the future")
        raise ValidationProblem([FieldProblem("snoozed_until", "future", text)])
    step = advance(RECOMMENDATION, row["state"], request.action, actor, owner=False, now=moment)
    if not isinstance(step, Advanced):
        raise as_error(RECOMMENDATION, step)
    told = (request.to_provider or "").casefold()
    if any(name.casefold() in told for name in names.get(row["need_id"], [])):
        text = Text(
            "不能写出需求方单位名称：成果方尚不知道是谁",
            "Must not name who posted the need: the provider does not know",
        )
        raise ValidationProblem([FieldProblem("to_provider", "names_the_need", text)])
    return step


async def _keep(
    connection: Connection,
    actor: Actor,
    request: DecisionRequest,
    row: Row,
    step: Advanced,
    moment: datetime,
    settings: Settings,
) -> Decision:
    identifier: UUID = row["id"]
    rank = await decision_repository.rank_in_need(connection, row["need_id"], row["score"], identifier)
    if not await decision_repository.decide(connection, identifier, step.source, step.target, request.snoozed_until):
        raise Conflict(Text("刚有他人处理了这条推荐，请重新读取", "Somebody else decided just now: read again"))
    decision = await decision_repository.insert(
        connection,
        actor,
        identifier,
        request.action,
        request.code,
        request.note,
        request.to_provider,
        request.snoozed_until,
        rank,
        row["model_version"],
        row["explanation"],
        moment,
    )
    await log.record(
        connection,
        actor,
        "recommendation",
        identifier,
        request.action,
        from_state=step.source,
        to_state=step.target,
        data={"code": request.code, "rank": rank, "decision": str(decision.id)},
    )
    if request.action == "accept":
        case = await opening.open_case(connection, actor, row, settings)
        return decision.model_copy(update={"case_id": case.id})
    return decision


def check_may_read_list(actor: Actor, organization_id: UUID) -> None:
    """A ranked list is for the listing's own organization and for staff."""
    if not (actor.is_staff or actor.owns(organization_id)):
        raise Forbidden(
            Text(
                "推荐结果仅对发布单位、技术经理人和运营方开放",
                "Matches are for the listing's organization, brokers and operators",
            )
        )
