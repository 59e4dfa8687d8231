"""Organizations over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from service.access import repository, service
from service.access.dependencies import Tx
from service.access.routes import Route
from service.access.schemas import (
    Organization,
    OrganizationAction,
    OrganizationContent,
    OrganizationKind,
    OrganizationState,
    StandingReason,
)
from service.errors import Forbidden
from service.kit.etag import etag
from service.kit.http import ETAG_HEADER, LIMIT, LOCATION_HEADER, Cursor, IfMatch, Limit, location, made, problems
from service.kit.language import Text
from service.kit.pages import Page, decode_id, encode_cursor
from service.kit.texts import RegionCode

router = APIRouter(tags=["organizations"], route_class=Route)


@router.post(
    "/organizations",
    status_code=201,
    summary="Register an organization / 登记单位",
    responses=made(ETAG_HEADER, LOCATION_HEADER, status=201) | problems(403, 409),
)
async def create_organization(tx: Tx, content: OrganizationContent, response: Response) -> Organization:
    """Register an organization (operators and administrators)."""
    stored = await service.create_organization(tx.connection, tx.actor, content)
    response.headers["ETag"] = etag(stored.version)
    response.headers["Location"] = location("organizations", stored.id)
    return stored


@router.get("/organizations", summary="List organizations / 单位列表", responses=problems(403))
async def list_organizations(
    tx: Tx,
    kind: OrganizationKind | None = None,
    region: RegionCode | None = None,
    state: Annotated[OrganizationState | None, Query(description="登记、核验或停用")] = None,
    text: Annotated[str | None, Query(max_length=100, description="Part of the name / 名称包含")] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Page[Organization]:
    """Organizations, newest first (brokers, operators, authorities, administrators)."""
    if not tx.actor.is_staff:
        raise Forbidden(
            Text("单位列表仅对技术经理人、运营方和主管部门开放", "The list is for brokers, operators and authorities")
        )
    before = decode_id(cursor)
    found = await repository.list_organizations(tx.connection, kind, region, state, text, before, limit + 1)
    more = encode_cursor(str(found[limit - 1].id)) if len(found) > limit else None
    return Page(items=found[:limit], next=more)


@router.get(
    "/organizations/{organization_id}",
    summary="Read an organization / 查看单位",
    responses=made(ETAG_HEADER) | problems(404),
)
async def read_organization(tx: Tx, organization_id: UUID, response: Response) -> Organization:
    """Your own organization, or any for brokers, operators, authorities and administrators."""
    found = await service.read_organization(tx.connection, tx.actor, organization_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.put(
    "/organizations/{organization_id}",
    summary="Change an organization / 修改单位资料",
    responses=made(ETAG_HEADER) | problems(403, 404, 409, 412, 428),
)
async def change_organization(
    tx: Tx, organization_id: UUID, content: OrganizationContent, response: Response, if_match: IfMatch = None
) -> Organization:
    """Replace an organization's data."""
    changed = await service.change_organization(tx.connection, tx.actor, organization_id, if_match, content)
    response.headers["ETag"] = etag(changed.version)
    return changed


@router.post(
    "/organizations/{organization_id}/{action}",
    summary="Take a step: verify, suspend, restore / 核验、停用、恢复单位",
    responses=made(ETAG_HEADER) | problems(403, 404, 409, 412),
)
async def act_on_organization(
    tx: Tx,
    organization_id: UUID,
    action: OrganizationAction,
    response: Response,
    body: StandingReason | None = None,
    if_match: IfMatch = None,
) -> Organization:
    """Verify, suspend or restore an organization (operators). A suspended one's keys and listings rest meanwhile."""
    changed = await service.act_on_organization(
        tx.connection, tx.actor, organization_id, action, if_match=if_match, reason=body.reason if body else None
    )
    response.headers["ETag"] = etag(changed.version)
    return changed
