"""The one place where contracts meet cases (对接): what a contract takes from a case, and that the case learns of it."""

from dataclasses import dataclass
from uuid import UUID

from service.cases import service as cases
from service.cases.records import CONTRACTED, ENDED, TALKING
from service.errors import Conflict, FieldProblem, NotFound, OutOfTurn, ValidationProblem
from service.kit.actor import Actor
from service.kit.db import Connection
from service.kit.language import Text
from service.matches import consents
from service.matches.consent_schemas import Side
from service.settings import Settings

NO_CONSENT = Text(
    "一方已撤回同意：双方重新同意后才能录入和签订合同",
    "A side has withdrawn its consent: a contract is entered and signed once both consent again",
)
NOT_CONSENTED = Text(
    "双方都同意对接（POST /v1/cases/{id}/answer）后才能由此录入合同",
    "A contract comes from a case once both sides said yes (POST /v1/cases/{id}/answer)",
)
OVER = Text(
    "对接已结束或失效：失效的由技术经理人重新启动（POST /v1/cases/{id}/reopen）；已结束的，双方的同意仍有效时可用 recommendation_id，"
    "否则在 origin_reason 中说明来源",
    "The case is over. A lapsed one is opened again by its broker (POST /v1/cases/{id}/reopen); of a closed one name the pair by "
    "recommendation_id while both sides still consent, or say in origin_reason where the contract comes from",
)


@dataclass(frozen=True, slots=True)
class CaseSides:
    """The pair of a case, its two sides and their listings."""

    recommendation_id: UUID
    need_id: UUID
    outcome_id: UUID
    need_organization: UUID
    outcome_organization: UUID


async def read_case(connection: Connection, actor: Actor, case_id: UUID) -> CaseSides:
    """The sides of a case that the actor takes part in and that is far enough for a contract.

    Raises:
        ValidationProblem: no such case, or none that the actor may know of.
        OutOfTurn: not both sides consent, or the case is over.
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
        raise OutOfTurn(OVER if case.state in ENDED else NOT_CONSENTED)
    if len(await consents.consenting(connection, case.recommendation_id)) < len(Side):
        raise OutOfTurn(NO_CONSENT)
    return CaseSides(
        case.recommendation_id, case.need_id, case.outcome_id, case.need_organization_id, case.outcome_organization_id
    )


async def check_no_case(connection: Connection, recommendation_id: UUID) -> None:
    """Let no contract of a pair be entered past its case, which would not learn of it in time.

    Raises:
        Conflict: the pair has an active case; it is named.
    """
    case = await cases.latest(connection, recommendation_id)
    if case is not None and case.state not in ENDED:
        raise Conflict(
            Text(
                f'该推荐对的对接正在进行，合同由对接录入：请把 recommendation_id 换成 "case_id": "{case.id}"',
                f'The pair has a case under way, and its contract comes from that: send "case_id": "{case.id}" in place of '
                "recommendation_id",
            )
        )


async def mark_contracted(
    connection: Connection, actor: Actor, case_id: UUID | None, recommendation_id: UUID | None, settings: Settings
) -> None:
    """Tell the case that its contract is signed: the one that it names, or the active one of the pair that it names.

    Whatever state the case talks in, it is contracted by its first contract; a further one leaves it where it is. A pair
    whose case is over, or that never had one, has its contract alone.

    Raises:
        OutOfTurn: a side of the pair does not consent any more, the case is over, or something that its mode needs is missing.
    """
    if case_id is None and recommendation_id is None:
        return
    if case_id is None:
        assert recommendation_id is not None
        # The case is held before consents are asked for, as by whoever withdraws one.
        found = await cases.latest(connection, recommendation_id)
    else:
        found = await cases.hold(connection, (await cases.read(connection, actor, case_id)).id)
        recommendation_id = found.recommendation_id
        if found.state in ENDED:
            raise OutOfTurn(OVER)
    if len(await consents.consenting(connection, recommendation_id)) < len(Side):
        raise OutOfTurn(NO_CONSENT)
    if found is not None and found.state not in ENDED | CONTRACTED:
        await cases.mark_contracted(connection, actor, found.id, settings)
