"""Brokers over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from service.access.dependencies import Tx
from service.access.routes import Route
from service.brokers import service
from service.brokers.schemas import (
    Assignment,
    AssignmentRequest,
    BrokerContent,
    BrokerPage,
    BrokerProfile,
    Suggestions,
)
from service.kit.etag import etag
from service.kit.http import ETAG_HEADER, LIMIT, Cursor, IfMatch, Limit, made, problems

router = APIRouter(prefix="/brokers", tags=["brokers"], route_class=Route)


@router.get("", summary="Brokers / 技术经理人名录", responses=problems())
async def list_brokers(
    tx: Tx,
    field: Annotated[str | None, Query(max_length=64, description="Who works in it / 重点方向")] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> BrokerPage:
    """Brokers with the figures of their work of the last year, newest first; workload and amounts are shown to staff."""
    return await service.list_brokers(tx.connection, tx.actor, work_field=field, limit=limit, cursor=cursor)


@router.get("/me", summary="My profile / 我的技术经理人资料", responses=made(ETAG_HEADER) | problems(403))
async def read_own(tx: Tx, response: Response) -> BrokerProfile:
    """Your profile: of the person behind the key or login, else of the organization. Version 0 before the first writing."""
    found = await service.read_own(tx.connection, tx.actor)
    response.headers["ETag"] = etag(found.version)
    return found


@router.put(
    "/me",
    summary="Write my profile / 填写我的技术经理人资料",
    responses=made(ETAG_HEADER) | problems(403, 409, 412, 428),
)
async def write_own(tx: Tx, content: BrokerContent, response: Response, if_match: IfMatch = None) -> BrokerProfile:
    """Replace your profile; what it is limited to limits your review queue."""
    written = await service.write_own(tx.connection, tx.actor, if_match, content)
    response.headers["ETag"] = etag(written.version)
    return written


@router.get("/suggestions", summary="Brokers for a need / 为需求推荐技术经理人", responses=problems(403, 404, 409))
async def suggestions(tx: Tx, need_id: UUID, limit: Limit = LIMIT) -> Suggestions:
    """Brokers by field, region, language and free capacity, with the reasons (operators)."""
    return await service.suggestions(tx.connection, tx.actor, need_id, limit=limit)


@router.post("/assignments", status_code=201, summary="Assign a need / 指派需求", responses=problems(403, 404, 409))
async def assign(tx: Tx, body: AssignmentRequest) -> Assignment:
    """Give a need to a broker (operators); whose it was loses it."""
    return await service.assign(tx.connection, tx.actor, body)


@router.delete("/assignments/{need_id}", summary="Take a need back / 撤回指派", responses=problems(403, 404))
async def take_back(tx: Tx, need_id: UUID) -> Assignment:
    """Take a need from the broker that has it (operators); what the broker began goes on."""
    return await service.take_back(tx.connection, tx.actor, need_id)
