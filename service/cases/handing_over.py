"""A case changes hands: another broker goes on with it, so that nobody is left waiting by one who leaves."""

from uuid import UUID

from service.brokers import service as brokers
from service.cases import repository, schemas, service, waits
from service.cases.records import Party
from service.cases.schemas import HandOverRequest
from service.errors import FieldProblem, Forbidden, OutOfTurn, ValidationProblem
from service.events import log
from service.kit import clock
from service.kit.actor import Actor
from service.kit.db import Connection
from service.kit.etag import check_if_match
from service.kit.language import Text
from service.settings import Settings


async def hand_over(
    connection: Connection,
    actor: Actor,
    identifier: UUID,
    request: HandOverRequest,
    if_match: str | None,
    settings: Settings,
) -> schemas.Case:
    """Give a case to another broker. What the former one was awaited for awaits the new one, with a whole term.

    The notes of the broker go with the case: the former broker's organization reads them no longer. How much the new one
    has in hand is not looked at, since the sides must not wait for that; whether it takes on new work is.

    Raises:
        NotFound: no such case, or none that the actor may know of. PreconditionFailed: it has changed since it was seen.
        Forbidden: neither the case's broker nor an operator. ValidationProblem: nobody acts as that broker.
        OutOfTurn: the case is closed, the broker has it already, or takes on nothing new.
    """
    await service.read(connection, actor, identifier)
    case = await service.hold(connection, identifier)
    if not case.steered_by(actor):
        raise Forbidden(service.NOT_STEERED)
    if if_match is not None:
        check_if_match(if_match, case.version)
    broker = await brokers.find(connection, request.broker_id)
    if broker is None:
        raise ValidationProblem([FieldProblem("broker_id", "known_broker", brokers.NO_BROKER)])
    if case.state == "closed":
        raise OutOfTurn(Text("对接已办结，不能移交", "The case is closed: there is nothing to hand over"))
    new = broker["organization_id"], broker["person_id"]
    if new == (case.broker_organization_id, case.broker_person_id):
        raise OutOfTurn(Text("该对接已由其承办", "The case is this broker's already"))
    if not broker["available"]:
        raise OutOfTurn(
            Text(
                "该技术经理人目前不接受新任务，请另选", "The broker takes on nothing new at present: choose another one"
            )
        )
    moment = clock.now()
    after = await repository.hand_over(connection, identifier, *new, moment)
    for wait in await repository.open_waits(connection, [identifier]):
        if wait.party is Party.BROKER:
            days = waits.days_for(wait.what, settings)
            await repository.set_clock(connection, waits.renewed(wait, moment, days, settings))
    former = str(case.broker_organization_id) if case.broker_organization_id else None
    data = {
        "broker": str(request.broker_id),
        "organization": str(after.broker_organization_id),
        "former": former,
        "reason": request.reason,
    }
    await log.record(
        connection, actor, "case", identifier, "hand_over", from_state=case.state, to_state=after.state, data=data
    )
    return await service.show(connection, actor, identifier)
