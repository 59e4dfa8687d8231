"""结对: which organization sees the cases of a partner pair. Assigned by operators; a pair has one operator at a time."""

from datetime import datetime
from uuid import UUID

from asyncpg import ForeignKeyViolationError, UniqueViolationError

from service.access.lookups import read_organization
from service.cases.follow_up_schemas import PartnerOperator, PartnerOperatorRequest
from service.errors import Conflict, FieldProblem, Forbidden, NotFound, ValidationProblem
from service.events import log
from service.kit import clock
from service.kit.actor import Actor, Role
from service.kit.db import Connection
from service.kit.language import Text

ASSIGNERS = (Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM)

LIST = "select * from partner_operator where ended_at is null order by program, from_region, to_region"


async def assigned(connection: Connection) -> list[PartnerOperator]:
    """The operators of partner pairs at present."""
    return [PartnerOperator.model_validate(dict(row)) for row in await connection.fetch(LIST)]


ASSIGN = """
insert into partner_operator (from_region, to_region, program, organization_id, assigned_at) values ($1, $2, $3, $4, $5)
returning *
"""


async def assign(connection: Connection, actor: Actor, request: PartnerOperatorRequest) -> PartnerOperator:
    """Let an organization see the cases of a partner pair, those that are there and those to come.

    Raises:
        Forbidden: neither operator nor administrator. NotFound: no such organization.
        ValidationProblem: no such partner pair. Conflict: the pair has an operator.
    """
    _check(actor)
    await read_organization(connection, actor, request.organization_id)
    try:
        async with connection.transaction():
            row = await connection.fetchrow(
                ASSIGN, request.from_region, request.to_region, request.program, request.organization_id, clock.now()
            )
    except UniqueViolationError as error:
        raise Conflict(Text("该结对关系已有运营单位，请先解除", "The pair has an operator: end that first")) from error
    except ForeignKeyViolationError as error:
        text = Text("没有这个结对关系，见 GET /v1/partner-pairs", "No such partner pair, see GET /v1/partner-pairs")
        raise ValidationProblem([FieldProblem("program", "unknown", text)]) from error
    assert row is not None
    made = PartnerOperator.model_validate(dict(row))
    await _record(connection, actor, made, "assign")
    return made


END = "update partner_operator set ended_at = greatest(assigned_at, $2) where id = $1 and ended_at is null returning *"


async def end(connection: Connection, actor: Actor, identifier: UUID) -> PartnerOperator:
    """End an assignment; the organization sees those cases no longer.

    Raises:
        Forbidden: neither operator nor administrator. NotFound: none that is there still.
    """
    _check(actor)
    moment: datetime = clock.now()
    row = await connection.fetchrow(END, identifier, moment)
    if row is None:
        raise NotFound(Text("没有这项授权，或已解除", "No such assignment, or it has ended"))
    ended = PartnerOperator.model_validate(dict(row))
    await _record(connection, actor, ended, "end")
    return ended


def _check(actor: Actor) -> None:
    if not actor.has(*ASSIGNERS):
        raise Forbidden(Text("结对运营单位由运营方或管理员指定", "Operators and administrators assign partner pairs"))


async def _record(connection: Connection, actor: Actor, assignment: PartnerOperator, action: str) -> None:
    pair = f"{assignment.from_region}:{assignment.to_region}:{assignment.program}"
    data = {"pair": pair, "organization": str(assignment.organization_id)}
    await log.record(connection, actor, "partner_operator", assignment.id, action, data=data)
