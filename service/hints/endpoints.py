"""Hints over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from service.access.dependencies import CurrentActor
from service.access.routes import READS, Route
from service.hints import service
from service.hints.schemas import ListingHints
from service.kit.http import problems
from service.listings.schemas import Kind
from service.needs.schemas import NeedDraft
from service.outcomes.schemas import OutcomeDraft

router = APIRouter(tags=["hints"], route_class=Route)

Replaces = Annotated[UUID | None, Query(description="The listing that this text would change / 拟修改的记录")]


@router.post(
    "/needs/hints", summary="Hints for a need's text / 需求文字的完善建议", responses=problems(), openapi_extra=READS
)
async def hints_for_need(
    request: Request, actor: CurrentActor, draft: NeedDraft, replaces: Replaces = None
) -> ListingHints:
    """What a text lacks, near-duplicates, and field, keywords and indicators to confirm. Nothing is stored."""
    return await service.of_content(request.app.state.resources, actor, draft, replaces)


@router.post(
    "/outcomes/hints",
    summary="Hints for an outcome's text / 成果文字的完善建议",
    responses=problems(),
    openapi_extra=READS,
)
async def hints_for_outcome(
    request: Request, actor: CurrentActor, draft: OutcomeDraft, replaces: Replaces = None
) -> ListingHints:
    """What a text lacks, near-duplicates, and field, keywords and indicators to confirm. Nothing is stored."""
    return await service.of_content(request.app.state.resources, actor, draft, replaces)


@router.get("/needs/{need_id}/hints", summary="Hints for a need / 需求的完善建议", responses=problems(403, 404))
async def hints_of_need(request: Request, actor: CurrentActor, need_id: UUID) -> ListingHints:
    """Hints for a stored need, for its organization and for staff."""
    return await service.of_stored(request.app.state.resources, actor, Kind.NEED, need_id)


@router.get(
    "/outcomes/{outcome_id}/hints", summary="Hints for an outcome / 成果的完善建议", responses=problems(403, 404)
)
async def hints_of_outcome(request: Request, actor: CurrentActor, outcome_id: UUID) -> ListingHints:
    """Hints for a stored outcome, for its organization and for staff."""
    return await service.of_stored(request.app.state.resources, actor, Kind.OUTCOME, outcome_id)
