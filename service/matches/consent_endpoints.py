"""Consents and contact data over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from service.access.dependencies import Tx
from service.access.routes import Route
from service.kit.http import problems
from service.matches import consents
from service.matches.consent_schemas import ConsentRequest, Consents, Contacts, Side

router = APIRouter(prefix="/recommendations/{recommendation_id}", tags=["matches"], route_class=Route)


@router.post(
    "/consent",
    status_code=201,
    summary="Consent for your side / 本方同意互见联系方式",
    responses=problems(403, 404, 409),
)
async def give_consent(tx: Tx, recommendation_id: UUID, body: ConsentRequest) -> Consents:
    """Let the other side know you, for a stated purpose, once a broker accepted the pair."""
    return await consents.give(tx.connection, tx.actor, recommendation_id, body, tx.settings)


@router.delete("/consent", summary="Withdraw your side's consent / 撤回本方同意", responses=problems(403, 404, 409))
async def withdraw_consent(
    tx: Tx,
    recommendation_id: UUID,
    side: Annotated[
        Side | None, Query(description="Needed where both sides are your organization's / 双方均为本单位时必填")
    ] = None,
) -> Consents:
    """Closes the contact data of both sides at once; what was seen before is on record."""
    return await consents.withdraw(tx.connection, tx.actor, recommendation_id, side, tx.settings)


@router.get("/consent", summary="Who consented / 查看双方同意情况", responses=problems(404))
async def read_consent(tx: Tx, recommendation_id: UUID) -> Consents:
    """Who consented, when, for what, and what it opens: for both sides and for staff."""
    return await consents.read(tx.connection, tx.actor, recommendation_id)


@router.get("/contacts", summary="Contact data of both sides / 双方联系方式", responses=problems(403, 404, 409))
async def open_contacts(tx: Tx, recommendation_id: UUID) -> Contacts:
    """Answers only while both sides consent. Each opening leaves an event."""
    return await consents.open_contacts(tx.connection, tx.actor, recommendation_id)
