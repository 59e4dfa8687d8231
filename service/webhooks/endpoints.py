"""Endpoints of organizations over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from service.access.dependencies import Tx
from service.access.routes import Route
from service.kit.etag import etag
from service.kit.http import (
    ETAG_HEADER,
    LIMIT,
    LOCATION_HEADER,
    Cursor,
    IfMatch,
    Limit,
    location,
    made,
    open_problems,
    problems,
)
from service.kit.pages import Page
from service.webhooks import service
from service.webhooks.schemas import (
    DeliveryReport,
    DeliveryState,
    EventTypeInfo,
    NewWebhook,
    Replayed,
    ReplayRequest,
    RotateRequest,
    Webhook,
    WebhookContent,
    WebhookDelivery,
)

router = APIRouter(prefix="/webhooks", tags=["webhooks"], route_class=Route)


@router.post(
    "",
    status_code=201,
    summary="Add an endpoint / 新增回调地址",
    responses=made(ETAG_HEADER, LOCATION_HEADER, status=201) | problems(404, 409),
)
async def create_webhook(tx: Tx, request: Request, response: Response, body: WebhookContent) -> NewWebhook:
    """Have your organization called when something happens to what is its own. The secret is shown this once."""
    stored = await service.create(tx.connection, tx.actor, request.app.state.settings, body)
    response.headers["ETag"] = etag(stored.version)
    response.headers["Location"] = location("webhooks", stored.id)
    return stored


@router.get("", summary="List endpoints / 回调地址列表", responses=problems())
async def list_webhooks(tx: Tx) -> list[Webhook]:
    """Your organization's endpoints, newest first."""
    return await service.list_webhooks(tx.connection, tx.actor)


@router.get("/types", summary="Event types / 事件类型", responses=open_problems())
async def list_types() -> list[EventTypeInfo]:
    """What an endpoint may ask for."""
    return service.types()


@router.get("/{webhook_id}", summary="Read an endpoint / 查看回调地址", responses=made(ETAG_HEADER) | problems(404))
async def read_webhook(tx: Tx, webhook_id: UUID, response: Response) -> Webhook:
    """An endpoint, whether it is called, and since when it fails."""
    found = await service.read(tx.connection, tx.actor, webhook_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.put(
    "/{webhook_id}", summary="Change an endpoint / 修改回调地址", responses=made(ETAG_HEADER) | problems(404, 412, 428)
)
async def change_webhook(
    tx: Tx, request: Request, response: Response, webhook_id: UUID, body: WebhookContent, if_match: IfMatch = None
) -> Webhook:
    """Change, disable or enable it. Disabling gives up what waits; replay sends it later."""
    found = await service.change(tx.connection, tx.actor, request.app.state.settings, webhook_id, if_match, body)
    response.headers["ETag"] = etag(found.version)
    return found


@router.delete("/{webhook_id}", status_code=204, summary="Remove an endpoint / 删除回调地址", responses=problems(404))
async def delete_webhook(tx: Tx, webhook_id: UUID) -> None:
    """Remove it with its deliveries."""
    await service.delete(tx.connection, tx.actor, webhook_id)


@router.post(
    "/{webhook_id}/rotate", status_code=201, summary="Rotate the secret / 轮换签名密钥", responses=problems(404)
)
async def rotate_webhook(tx: Tx, request: Request, webhook_id: UUID, body: RotateRequest | None = None) -> NewWebhook:
    """Make a new secret, shown this once. The old one signs beside it for the overlap (24 hours unless asked otherwise)."""
    return await service.rotate(
        tx.connection, tx.actor, request.app.state.settings, webhook_id, body or RotateRequest()
    )


@router.post("/{webhook_id}/test", status_code=201, summary="Send a test / 发送测试", responses=problems(404, 409))
async def test_webhook(tx: Tx, webhook_id: UUID) -> WebhookDelivery:
    """Have a `webhook.test` sent; its delivery tells what came of it."""
    return await service.test(tx.connection, tx.actor, webhook_id)


@router.post("/{webhook_id}/replay", summary="Send deliveries again / 重新投递", responses=problems(404, 409))
async def replay_webhook(tx: Tx, webhook_id: UUID, body: ReplayRequest) -> Replayed:
    """Send one again, or those of a period that were given up (or all), under their old webhook-id."""
    return await service.replay(tx.connection, tx.actor, webhook_id, body)


@router.get("/{webhook_id}/deliveries", summary="Deliveries / 投递记录", responses=problems(404))
async def list_deliveries(
    tx: Tx,
    webhook_id: UUID,
    state: Annotated[DeliveryState | None, Query(description="dead: those given up / dead 为已放弃")] = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT,
) -> Page[WebhookDelivery]:
    """Deliveries of the last 30 days, newest first; `state=dead` lists those that were given up."""
    return await service.list_deliveries(tx.connection, tx.actor, webhook_id, state, cursor, limit)


@router.get("/{webhook_id}/deliveries/{delivery_id}", summary="One delivery / 单条投递", responses=problems(404))
async def read_delivery(tx: Tx, webhook_id: UUID, delivery_id: UUID) -> DeliveryReport:
    """What was sent, and each attempt with its status and time."""
    return await service.read_delivery(tx.connection, tx.actor, webhook_id, delivery_id)
