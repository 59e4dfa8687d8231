"""What a broker decides on a recommended pair; each decision is a row that teaches the ranking."""

from uuid import UUID

from service.cases import opening
from service.errors import Conflict, FieldProblem, Forbidden, NotFound, ValidationProblem
from service.events import log
from service.kit.actor import Actor
from service.kit.clock import now
from service.kit.db import Connection, Row
from service.kit.etag import check_if_match
from service.kit.language import Text
from service.matches import repository
from service.matches.schemas import Decision, DecisionRequest
from service.workflows.engine import Advanced, advance
from service.workflows.refusals import as_error
from service.workflows.tables import RECOMMENDATION

NO_RECOMMENDATION = Text("没有这条推荐，或无权查看", "No such recommendation, or none that you may see")


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
    connection: Connection, actor: Actor, identifier: UUID, request: DecisionRequest, if_match: str | None
) -> Decision:
    """Accept, decline or snooze a pair, and keep what the broker had before the eyes.

    Raises:
        NotFound, Forbidden: not this actor's to decide.
        OutOfTurn: already decided, or off the lists. Conflict: somebody decided at the same moment.
        ValidationProblem: the snooze lies in the past.
    """
    row = await read(connection, actor, identifier)
    if if_match is not None:
        check_if_match(if_match, row["version"])
    moment = now()
    if request.snoozed_until is not None and request.snoozed_until <= moment:
        text = Text("必须晚于当前时间", "Must lie in the future")
        raise ValidationProblem([FieldProblem("snoozed_until", "future", text)])
    step = advance(RECOMMENDATION, row["state"], request.action, actor, owner=False, now=moment)
    if not isinstance(step, Advanced):
        raise as_error(RECOMMENDATION, step)
    rank = await repository.rank_in_need(connection, row["need_id"], row["score"], identifier)
    if not await repository.decide(connection, identifier, step.source, step.target, request.snoozed_until):
        raise Conflict(Text("刚有他人处理了这条推荐，请重新读取", "Somebody else decided just now: read again"))
    decision = await repository.insert_decision(
        connection,
        identifier,
        actor.key_id,
        actor.organization_id,
        request.action,
        request.code,
        request.note,
        request.snoozed_until,
        rank,
        row["model_version"],
        row["explanation"],
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
        await opening.open_case(connection, actor, row)
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
