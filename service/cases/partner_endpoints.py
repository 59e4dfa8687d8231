"""Operators of partner pairs, and response times of organizations, over HTTP."""

from uuid import UUID

from fastapi import APIRouter

from service.access.dependencies import Tx
from service.access.routes import Route
from service.cases import partners
from service.cases.follow_up_schemas import PartnerOperator, PartnerOperatorRequest, ResponseTime
from service.kit import clock
from service.kit.http import problems
from service.responses import service as responses

router = APIRouter(tags=["cases"], route_class=Route)


@router.get("/partner-operators", summary="Operators of partner pairs / 结对运营单位", responses=problems())
async def list_operators(tx: Tx) -> list[PartnerOperator]:
    """Which organization sees the cases of which partner pair."""
    return await partners.assigned(tx.connection)


@router.post(
    "/partner-operators",
    status_code=201,
    summary="Assign a partner pair / 指定结对运营单位",
    responses=problems(403, 404, 409),
)
async def assign_operator(tx: Tx, body: PartnerOperatorRequest) -> PartnerOperator:
    """Let an organization see the cases of a pair (operators, administrators)."""
    return await partners.assign(tx.connection, tx.actor, body)


@router.delete(
    "/partner-operators/{assignment_id}", summary="End an assignment / 解除结对运营单位", responses=problems(403, 404)
)
async def end_operator(tx: Tx, assignment_id: UUID) -> PartnerOperator:
    """The organization sees those cases no longer (operators, administrators)."""
    return await partners.end(tx.connection, tx.actor, assignment_id)


@router.get(
    "/organizations/{organization_id}/response",
    summary="How soon an organization answers / 单位答复时效",
    responses=problems(),
)
async def read_response_time(tx: Tx, organization_id: UUID) -> ResponseTime:
    """The median over the invitations that it answered in two years, from enough of them; an id that nobody has has none."""
    least = tx.settings.response_least_answers
    found = await responses.published(tx.connection, organization_id, clock.now(), least)
    return ResponseTime(
        organization_id=organization_id,
        enough=found is not None,
        least=least,
        answered=found[0] if found else None,
        median_hours=round(found[1], 2) if found else None,
    )
