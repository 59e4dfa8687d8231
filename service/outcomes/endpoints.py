"""Outcomes over HTTP."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from service.access.dependencies import CurrentActor, LateTx, Tx
from service.access.routes import Route
from service.hints.service import before_step, valid_hints
from service.kit.etag import etag
from service.kit.http import ETAG_HEADER, LIMIT, LOCATION_HEADER, Cursor, IfMatch, Limit, location, made, problems
from service.kit.pages import Page
from service.kit.texts import RegionCode
from service.listings import service
from service.listings.pages import Before, search_page
from service.listings.schemas import ActionReason, Kind, Revision
from service.listings.search import Filters, Summary
from service.outcomes.schemas import Outcome, OutcomeAction, OutcomeAfterStep, OutcomeContent, OutcomeState
from service.outcomes.service import present
from service.regions.schemas import RegionClass
from service.taxonomy.schemas import Mode

router = APIRouter(prefix="/outcomes", tags=["outcomes"], route_class=Route)


@router.post(
    "",
    status_code=201,
    summary="Create a draft / 新建成果草稿",
    responses=made(ETAG_HEADER, LOCATION_HEADER, status=201) | problems(403, 409),
)
async def create_outcome(
    tx: Tx,
    content: OutcomeContent,
    response: Response,
    organization_id: Annotated[
        UUID | None, Query(description="Post for this organization (brokers, operators) / 代其他单位发布")
    ] = None,
) -> Outcome:
    """Store an outcome as a draft of your organization."""
    owner = service.organization_for(tx.actor, organization_id)
    stored = await service.create(tx.connection, tx.actor, Kind.OUTCOME, owner, content)
    response.headers["ETag"] = etag(stored.version)
    response.headers["Location"] = location("outcomes", stored.id)
    return await present(tx.connection, tx.actor, stored)


@router.get("", summary="List outcomes / 成果列表", responses=problems())
async def list_outcomes(
    tx: Tx,
    state: Annotated[list[OutcomeState] | None, Query(description="状态，可多选")] = None,
    field: Annotated[str | None, Query(max_length=64, description="重点方向")] = None,
    region: Annotated[RegionCode | None, Query(description="A region with all in it / 行政区划，含下级")] = None,
    region_class: Annotated[RegionClass | None, Query(description="东部、中部、西部、东北")] = None,
    mode: Annotated[Mode | None, Query(description="合作方式")] = None,
    maturity: Annotated[int | None, Query(ge=1, le=9, description="At least this TRL / 成熟度不低于")] = None,
    price_to: Annotated[Decimal | None, Query(ge=0, description="Asking price at most / 报价不高于")] = None,
    text: Annotated[str | None, Query(max_length=100, description="Any part of the text / 包含文字")] = None,
    language: Annotated[str | None, Query(pattern="^(zh|en|ar)$", description="语种")] = None,
    mine: Annotated[bool, Query(description="Only your organization's / 仅本单位")] = False,
    organization_id: Annotated[UUID | None, Query(description="Only this organization's / 指定单位")] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Page[Summary]:
    """Outcomes that you may see, newest first: your own, published ones, and for staff all."""
    filters = Filters(
        states=[str(name) for name in state] if state else None,
        field=field,
        region_class=region_class,
        mode=mode,
        maturity_from=maturity,
        price_to=price_to,
        text=text,
        organization_id=tx.actor.organization_id if mine else organization_id,
        language=language,
    )
    return await search_page(tx.connection, tx.actor, Kind.OUTCOME, filters, region, limit, cursor)


@router.get("/{outcome_id}", summary="Read an outcome / 查看成果", responses=made(ETAG_HEADER) | problems(404))
async def read_outcome(tx: Tx, outcome_id: UUID, response: Response) -> Outcome:
    """An outcome, as far as you may see it."""
    stored = await service.read(tx.connection, tx.actor, Kind.OUTCOME, outcome_id)
    response.headers["ETag"] = etag(stored.version)
    return await present(tx.connection, tx.actor, stored)


@router.put(
    "/{outcome_id}",
    summary="Change an outcome / 修改成果",
    responses=made(ETAG_HEADER) | problems(403, 404, 409, 412, 428),
)
async def change_outcome(
    tx: Tx,
    outcome_id: UUID,
    content: OutcomeContent,
    response: Response,
    if_match: IfMatch = None,
    reason: Annotated[str | None, Query(max_length=500, description="Why; kept in the history / 修改说明")] = None,
) -> Outcome:
    """Replace the content. A published outcome is matched anew."""
    stored = await service.change(tx.connection, tx.actor, Kind.OUTCOME, outcome_id, if_match, content, reason)
    response.headers["ETag"] = etag(stored.version)
    return await present(tx.connection, tx.actor, stored)


@router.get("/{outcome_id}/revisions", summary="History of an outcome / 成果修订记录", responses=problems(403, 404))
async def list_revisions(tx: Tx, outcome_id: UUID, before: Before = None) -> list[Revision]:
    """The contents that the outcome had, oldest first; the fifty latest, or the fifty before a revision."""
    return await service.revisions(tx.connection, tx.actor, Kind.OUTCOME, outcome_id, OutcomeContent, before)


@router.post(
    "/{outcome_id}/{action}",
    summary="Take a step: submit, return, verify, publish, transfer, withdraw, reopen / 提交、退回、核验、发布、转化、撤回、重开",
    responses=made(ETAG_HEADER) | problems(403, 404, 409, 412),
)
async def act_on_outcome(
    request: Request,
    actor: CurrentActor,
    begin: LateTx,
    outcome_id: UUID,
    action: OutcomeAction,
    response: Response,
    body: ActionReason | None = None,
    if_match: IfMatch = None,
) -> OutcomeAfterStep:
    """Take one step of the outcome's workflow; publishing sends it to matching, and submitting answers with hints."""
    reason = body.reason if body else None
    advice = await before_step(request.app.state.resources, actor, Kind.OUTCOME, outcome_id, action)
    tx = await begin()
    stored = await service.act(
        tx.connection, tx.actor, Kind.OUTCOME, outcome_id, action, if_match=if_match, reason=reason
    )
    response.headers["ETag"] = etag(stored.version)
    shown = await present(tx.connection, actor, stored)
    return OutcomeAfterStep(**dict(shown), hints=valid_hints(advice, stored))
