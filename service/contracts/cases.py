"""The one place where contracts meet cases (对接): what a contract takes from a case, and that the case learns of it."""

from dataclasses import dataclass
from uuid import UUID

from service.cases import service as cases
from service.errors import FieldProblem, NotFound, OutOfTurn, ValidationProblem
from service.kit.actor import Actor
from service.kit.db import Connection
from service.kit.language import Text
from service.matches import consents
from service.matches.consent_schemas import Side

# Once both sides talk there is something to sign; what is signed already has its contract.
TALKING = frozenset({"consulting", "negotiating"})
NO_CONSENT = Text(
    "一方已撤回同意：双方重新同意后才能签订",
    "A side has withdrawn its consent: the contract is signed once both consent again",
)


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


async def mark_contracted(
    connection: Connection, actor: Actor, case_id: UUID | None, recommendation_id: UUID | None
) -> None:
    """Tell the case that its contract is signed: the one that it names, or that of the pair that it names.

    A contract of a pair binds a case in which the sides talk; before and after that it is the pair's alone.

    Raises:
        OutOfTurn: the case is not in consultation or negotiation, something that its mode needs is missing, or a side of
            the pair does not consent any more.
    """
    if case_id is None and recommendation_id is not None:
        # The case is held before consents are asked for, as by whoever withdraws one.
        found = await cases.latest(connection, recommendation_id)
        if len(await consents.consenting(connection, recommendation_id)) < len(Side):
            raise OutOfTurn(NO_CONSENT)
        case_id = found.id if found is not None and found.state in TALKING else None
    if case_id is not None:
        await cases.mark_contracted(connection, actor, case_id)
