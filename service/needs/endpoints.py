"""Needs over HTTP."""

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
from service.needs.schemas import Need, NeedAction, NeedAfterStep, NeedContent, NeedState
from service.needs.service import present
from service.regions.schemas import RegionClass
from service.taxonomy.schemas import Mode

router = APIRouter(prefix="/needs", tags=["needs"], route_class=Route)


@router.post(
    "",
    status_code=201,
    summary="Create a draft / 新建需求草稿",
    responses=made(ETAG_HEADER, LOCATION_HEADER, status=201) | problems(403, 409),
)
async def create_need(
    tx: Tx,
    content: NeedContent,
    response: Response,
    organization_id: Annotated[
        UUID | None, Query(description="Post for this organization (brokers, operators) / 代其他单位发布")
    ] = None,
) -> Need:
    """Store a need as a draft of your organization."""
    owner = service.organization_for(tx.actor, organization_id)
    stored = await service.create(tx.connection, tx.actor, Kind.NEED, owner, content)
    response.headers["ETag"] = etag(stored.version)
    response.headers["Location"] = location("needs", stored.id)
    return await present(tx.connection, tx.actor, stored)


@router.get("", summary="List needs / 需求列表", responses=problems())
async def list_needs(
    tx: Tx,
    state: Annotated[list[NeedState] | None, Query(description="状态，可多选")] = None,
    field: Annotated[str | None, Query(max_length=64, description="重点方向")] = None,
    region: Annotated[RegionCode | None, Query(description="A region with all in it / 行政区划，含下级")] = None,
    region_class: Annotated[RegionClass | None, Query(description="东部、中部、西部、东北")] = None,
    mode: Annotated[Mode | None, Query(description="合作方式")] = None,
    maturity: Annotated[
        int | None, Query(ge=1, le=9, description="Needs that can take up this TRL / 能承接该成熟度的需求")
    ] = None,
    budget_from: Annotated[Decimal | None, Query(ge=0, description="Budget reaches at least / 预算不低于")] = None,
    text: Annotated[str | None, Query(max_length=100, description="Any part of the text / 包含文字")] = None,
    language: Annotated[str | None, Query(pattern="^(zh|en|ar)$", description="语种")] = None,
    mine: Annotated[bool, Query(description="Only your organization's / 仅本单位")] = False,
    organization_id: Annotated[UUID | None, Query(description="Only this organization's / 指定单位")] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Page[Summary]:
    """Needs that you may see, newest first: your own, published ones, and for staff all."""
    filters = Filters(
        states=[str(name) for name in state] if state else None,
        field=field,
        region_class=region_class,
        mode=mode,
        maturity_to=maturity,
        price_from=budget_from,
        text=text,
        organization_id=tx.actor.organization_id if mine else organization_id,
        language=language,
    )
    return await search_page(tx.connection, tx.actor, Kind.NEED, filters, region, limit, cursor)


@router.get("/{need_id}", summary="Read a need / 查看需求", responses=made(ETAG_HEADER) | problems(404))
async def read_need(tx: Tx, need_id: UUID, response: Response) -> Need:
    """A need, as far as you may see it."""
    stored = await service.read(tx.connection, tx.actor, Kind.NEED, need_id)
    response.headers["ETag"] = etag(stored.version)
    return await present(tx.connection, tx.actor, stored)


@router.put(
    "/{need_id}",
    summary="Change a need / 修改需求",
    responses=made(ETAG_HEADER) | problems(403, 404, 409, 412, 428),
)
async def change_need(
    tx: Tx,
    need_id: UUID,
    content: NeedContent,
    response: Response,
    if_match: IfMatch = None,
    reason: Annotated[str | None, Query(max_length=500, description="Why; kept in the history / 修改说明")] = None,
) -> Need:
    """Replace the content. A published need is matched anew."""
    stored = await service.change(tx.connection, tx.actor, Kind.NEED, need_id, if_match, content, reason)
    response.headers["ETag"] = etag(stored.version)
    return await present(tx.connection, tx.actor, stored)


@router.get("/{need_id}/revisions", summary="History of a need / 需求修订记录", responses=problems(403, 404))
async def list_revisions(tx: Tx, need_id: UUID, before: Before = None) -> list[Revision]:
    """The contents that the need had, oldest first; the fifty latest, or the fifty before a revision."""
    return await service.revisions(tx.connection, tx.actor, Kind.NEED, need_id, NeedContent, before)


@router.post(
    "/{need_id}/{action}",
    summary="Take a step: submit, return, refine, publish, fulfil, withdraw, reopen / 提交、退回、凝练、发布、解决、撤回、重开",
    responses=made(ETAG_HEADER) | problems(403, 404, 409, 412),
)
async def act_on_need(
    request: Request,
    actor: CurrentActor,
    begin: LateTx,
    need_id: UUID,
    action: NeedAction,
    response: Response,
    body: ActionReason | None = None,
    if_match: IfMatch = None,
) -> NeedAfterStep:
    """Take one step of the need's workflow; publishing sends it to matching, and submitting answers with hints."""
    reason = body.reason if body else None
    advice = await before_step(request.app.state.resources, actor, Kind.NEED, need_id, action)
    tx = await begin()
    stored = await service.act(tx.connection, tx.actor, Kind.NEED, need_id, action, if_match=if_match, reason=reason)
    response.headers["ETag"] = etag(stored.version)
    shown = await present(tx.connection, actor, stored)
    return NeedAfterStep(**dict(shown), hints=valid_hints(advice, stored))
