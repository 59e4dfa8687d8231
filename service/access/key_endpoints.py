"""API keys over HTTP."""

from uuid import UUID

from fastapi import APIRouter

from service.access import service
from service.access.dependencies import Tx
from service.access.routes import Route
from service.access.schemas import Key, KeyRequest, NewKey, Rotated, RotationRequest
from service.kit.http import problems

router = APIRouter(tags=["keys"], route_class=Route)


@router.post(
    "/organizations/{organization_id}/keys",
    status_code=201,
    summary="Make an API key / 签发密钥",
    responses=problems(403, 404),
)
async def create_key(tx: Tx, organization_id: UUID, request: KeyRequest) -> NewKey:
    """Make a key. It is shown in this answer and never again."""
    return await service.create_key(tx.connection, tx.actor, organization_id, request)


@router.get("/organizations/{organization_id}/keys", summary="List API keys / 密钥列表", responses=problems(404))
async def list_keys(tx: Tx, organization_id: UUID) -> list[Key]:
    """The keys of an organization, without the keys themselves."""
    return await service.list_keys(tx.connection, tx.actor, organization_id)


@router.post(
    "/keys/{key_id}/rotate",
    status_code=201,
    summary="Rotate an API key / 轮换密钥",
    responses=problems(403, 404, 409),
)
async def rotate_key(tx: Tx, key_id: UUID, request: RotationRequest | None = None) -> Rotated:
    """Make a successor, shown once. The old key stays valid for the overlap (24 hours unless asked otherwise)."""
    return await service.rotate_key(tx.connection, tx.actor, key_id, request or RotationRequest())


@router.delete("/keys/{key_id}", summary="Revoke an API key / 吊销密钥", responses=problems(404))
async def revoke_key(tx: Tx, key_id: UUID) -> Key:
    """End a key at once; revoking twice changes nothing."""
    return await service.revoke_key(tx.connection, tx.actor, key_id)
