"""The one place where contracts meet cases (对接): what a contract takes from a case, and that the case learns of it."""

from dataclasses import dataclass
from uuid import UUID

from service.cases import service as cases
from service.errors import FieldProblem, NotFound, OutOfTurn, ValidationProblem
from service.kit.actor import Actor
from service.kit.db import Connection
from service.kit.language import Text

# Once both sides talk there is something to sign; what is signed already has its contract.
TALKING = frozenset({"consulting", "negotiating"})


@dataclass(frozen=True, slots=True)
class CaseSides:
    """The two sides of a case and their listings."""

    need_id: UUID
    outcome_id: UUID
    need_organization: UUID
    outcome_organization: UUID


async def read_case(connection: Connection, actor: Actor, case_id: UUID) -> CaseSides:
    """The sides of a case that the actor takes part in and that is far enough for a contract.

    Raises:
        ValidationProblem: no such case, or none that the actor may know of.
        OutOfTurn: the sides are not talking yet, or not any more.
    """
    try:
        case = await cases.read(connection, actor, case_id)
    except NotFound as error:
        text = Text(
            "没有这项对接，或无权查看；可在 origin_reason 中说明来源",
            "No such case, or none that you may see: say in origin_reason where the contract comes from",
        )
        raise ValidationProblem([FieldProblem("case_id", "known_case", text)]) from error
    if case.state not in TALKING:
        raise OutOfTurn(
            Text(
                "对接进入磋商或谈判后才能由此录入合同",
                "A contract comes from a case in consultation or negotiation",
            )
        )
    return CaseSides(case.need_id, case.outcome_id, case.need_organization_id, case.outcome_organization_id)


async def mark_contracted(connection: Connection, actor: Actor, case_id: UUID) -> None:
    """Tell a case that its contract is signed.

    Raises:
        OutOfTurn: the case is not in consultation or negotiation, or something that its mode needs is missing.
    """
    await cases.mark_contracted(connection, actor, case_id)
