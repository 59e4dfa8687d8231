"""A side ends its part in a case, with a code: the case is over, and the side's consent with it."""

from uuid import UUID

from service.cases import docking, message_repository, schemas, service, steps, waits
from service.cases.records import CONTRACTED, ENDED
from service.cases.schemas import LeaveRequest
from service.errors import OutOfTurn
from service.events import log
from service.kit import clock
from service.kit.actor import Actor
from service.kit.db import Connection
from service.kit.etag import check_if_match
from service.kit.language import Text
from service.matches import consents
from service.matches.consent_schemas import Side

BOUND = Text(
    "双方已签约，不能单方退出对接：解除合同请用 POST /v1/contracts/{id}/cancel，之后由技术经理人办结对接",
    "The two have signed, and neither leaves by itself: a party ends the contract by POST /v1/contracts/{id}/cancel, and then the "
    "broker closes the case",
)
OVER = Text("该对接已结束或失效，无需退出", "The case is closed or lapsed already: there is nothing to leave")


async def leave(
    connection: Connection, actor: Actor, identifier: UUID, request: LeaveRequest, if_match: str | None
) -> schemas.Case:
    """End the part of the actor's side: the case is closed as lost with its code, and contact data close at once.

    A text goes to the broker alone. A side that is still invited says no by it, which counts as its answer.

    Raises:
        NotFound, Forbidden: no case that the actor may know of, or not a side of it.
        PreconditionFailed: it has changed since it was seen. ValidationProblem: both sides are the actor's, and none is named.
        OutOfTurn: the two have signed, or the case is over.
    """
    case = await service.read(connection, actor, identifier)
    side = service.own_side(case, actor, request.side)
    # Before the case, as by whoever withdraws a consent.
    await consents.hold(connection, case.recommendation_id)
    case = await service.hold(connection, identifier)
    if if_match is not None:
        check_if_match(if_match, case.version)
    if case.state in CONTRACTED | ENDED:
        raise OutOfTurn(BOUND if case.state in CONTRACTED else OVER)
    moment = clock.now()
    if request.text:
        await message_repository.insert(connection, actor, case.id, side, side, request.text, moment)
    await waits.answer(connection, case, side, moment)
    after = await steps.take(connection, actor, case, "leave", moment, closed_as="lost", code=request.code.value)
    await waits.end(connection, after, moment)
    data = {"side": side, "code": request.code.value}
    await log.record(
        connection, actor, "case", case.id, "leave", from_state=case.state, to_state=after.state, data=data
    )
    await docking.follow(connection, actor, case, after)
    await consents.end_with_case(connection, actor, case.recommendation_id, Side(side))
    return await service.show(connection, actor, identifier)
