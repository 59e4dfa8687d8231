"""Notifications and preferences over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from service.access.dependencies import Tx
from service.access.routes import Route
from service.kit.etag import etag
from service.kit.http import ETAG_HEADER, LIMIT, Cursor, IfMatch, Limit, made, problems
from service.kit.pages import Page
from service.notices import service
from service.notices.model import Category
from service.notices.preferences import PreferenceContent
from service.notices.schemas import Marked, MarkRequest, Notification, Preferences, Unread, Whose

router = APIRouter(prefix="/notifications", tags=["notifications"], route_class=Route)

Of = Annotated[Whose, Query(alias="of", description="Whose / 单位或本人")]


@router.get("", summary="What you were told / 通知列表", responses=problems())
async def list_notifications(
    tx: Tx,
    unread: Annotated[bool, Query(description="Only what is unread / 仅未读")] = False,
    category: Annotated[Category | None, Query(description="Of one category / 类别")] = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT,
) -> Page[Notification]:
    """What your organization and you were told, newest first; of one subject in the order of its events."""
    return await service.list_notifications(
        tx.connection, tx.actor, unread=unread, category=category, cursor=cursor, limit=limit
    )


@router.get("/counts", summary="How much is unread / 未读数", responses=problems())
async def count_unread(tx: Tx) -> Unread:
    """How much is unread, by category."""
    return await service.count_unread(tx.connection, tx.actor)


@router.post("/read", summary="Mark all as read / 全部标为已读", responses=problems())
async def mark_all(tx: Tx, body: MarkRequest | None = None) -> Marked:
    """Mark all as read, or those of a category, or those up to one."""
    return await service.mark_all(tx.connection, tx.actor, body or MarkRequest())


@router.post("/{notification_id}/read", summary="Mark one as read / 标为已读", responses=problems(404))
async def mark(tx: Tx, notification_id: UUID) -> Notification:
    """Mark one as read; an organization reads as one."""
    return await service.mark(tx.connection, tx.actor, notification_id)


@router.get("/preferences", summary="How you are told / 通知设置", responses=problems(404) | made(ETAG_HEADER))
async def read_preferences(tx: Tx, request: Request, response: Response, of: Of = Whose.ORGANIZATION) -> Preferences:
    """By category: in the application, by mail at once, in a digest, or not."""
    found = await service.read_preferences(tx.connection, tx.actor, request.app.state.settings, of)
    response.headers["ETag"] = etag(found.version)
    return found


@router.put(
    "/preferences",
    summary="Choose how you are told / 修改通知设置",
    responses=problems(403, 404, 412, 428) | made(ETAG_HEADER),
)
async def change_preferences(
    tx: Tx,
    request: Request,
    response: Response,
    body: PreferenceContent,
    of: Of = Whose.ORGANIZATION,
    if_match: IfMatch = None,
) -> Preferences:
    """Choose anew; what concerns account and security cannot be turned off, nor sent elsewhere without the scope `admin`."""
    found = await service.change_preferences(tx.connection, tx.actor, request.app.state.settings, of, if_match, body)
    response.headers["ETag"] = etag(found.version)
    return found
