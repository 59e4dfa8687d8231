"""Matches and decisions over HTTP."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from service.access.dependencies import CurrentActor, Tx
from service.access.routes import READS, Route
from service.kit.etag import etag
from service.kit.http import ETAG_HEADER, LIMIT, Cursor, IfMatch, Limit, made, problems
from service.listings.schemas import Kind
from service.matches import decisions, lists, undo
from service.matches.schemas import (
    AdHocRequest,
    AdHocResult,
    Decision,
    DecisionRequest,
    MatchLevel,
    MatchPage,
    Recommendation,
    RecommendationState,
)

router = APIRouter(tags=["matches"], route_class=Route)

States = Annotated[list[RecommendationState] | None, Query(alias="state", description="状态，可多选")]
PartnersFirst = Annotated[
    bool, Query(description="From partner regions first, and of these the best first / 结对地区优先")
]
Levels = Annotated[list[MatchLevel] | None, Query(alias="level", description="相关度，可多选")]


@router.get("/needs/{need_id}/matches", summary="Outcomes for a need / 需求的推荐成果", responses=problems(403, 404))
async def matches_of_need(
    tx: Tx,
    need_id: UUID,
    state: States = None,
    level: Levels = None,
    partners_first: PartnersFirst = False,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> MatchPage:
    """The stored ranked list of a need, best first, for its organization and for staff."""
    narrowing = _narrowing(state, level, partners_first)
    return await lists.ranked_page(
        tx.connection, tx.actor, Kind.NEED, need_id, narrowing=narrowing, limit=limit, cursor=cursor
    )


@router.get(
    "/outcomes/{outcome_id}/matches", summary="Needs for an outcome / 成果的推荐需求", responses=problems(403, 404)
)
async def matches_of_outcome(
    tx: Tx,
    outcome_id: UUID,
    state: States = None,
    level: Levels = None,
    partners_first: PartnersFirst = False,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> MatchPage:
    """The stored ranked list of an outcome, best first; needs stay anonymous to the provider."""
    narrowing = _narrowing(state, level, partners_first)
    return await lists.ranked_page(
        tx.connection, tx.actor, Kind.OUTCOME, outcome_id, narrowing=narrowing, limit=limit, cursor=cursor
    )


def _narrowing(
    states: list[RecommendationState] | None, levels: list[MatchLevel] | None, partners_first: bool
) -> lists.Narrowing:
    return lists.Narrowing(
        [*map(str, states)] if states else None, [*map(str, levels)] if levels else None, partners_first
    )


@router.post(
    "/match", summary="Match a text without storing it / 即时匹配", responses=problems(503), openapi_extra=READS
)
async def match_text(request: Request, actor: CurrentActor, body: AdHocRequest) -> AdHocResult:
    """Rank outcomes for a need's text, or needs for an outcome's, in the same way as stored listings."""
    return await lists.match_text(request.app.state.resources, actor, body)


@router.get(
    "/recommendations/{recommendation_id}",
    summary="Read a recommended pair / 查看推荐",
    responses=made(ETAG_HEADER) | problems(404),
)
async def read_recommendation(tx: Tx, recommendation_id: UUID, response: Response) -> Recommendation:
    """A pair with both sides, its explanation and what was decided (brokers, operators, authorities)."""
    found = await lists.recommendation(tx.connection, tx.actor, recommendation_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.post(
    "/recommendations/{recommendation_id}/decisions",
    status_code=201,
    summary="Accept, decline or snooze / 采纳、否决或稍后再看",
    responses=problems(403, 404, 409, 412),
)
async def decide(tx: Tx, recommendation_id: UUID, body: DecisionRequest, if_match: IfMatch = None) -> Decision:
    """Decide on a pair (brokers). Kept with rank, features and model version."""
    return await decisions.decide(tx.connection, tx.actor, recommendation_id, body, if_match, tx.settings)


@router.post(
    "/recommendations/{recommendation_id}/decisions/undo",
    summary="Undo a decision / 撤销决定",
    responses=problems(403, 404, 409, 412),
)
async def undo_decision(tx: Tx, recommendation_id: UUID, request: Request, if_match: IfMatch = None) -> Decision:
    """Take back your own last decision on a pair, within DUIJIE_REVIEW_UNDO_MINUTES and while no side has consented.

    The pair goes back into the queue. The decision stays on record as undone, and teaches the ranking nothing.
    """
    within = timedelta(minutes=request.app.state.resources.settings.review_undo_minutes)
    return await undo.undo(tx.connection, tx.actor, recommendation_id, if_match, within)
