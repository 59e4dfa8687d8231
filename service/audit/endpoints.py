"""The audit trail over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime

from service.access.dependencies import CurrentActor, Tx, pool_of
from service.audit import service
from service.audit.repository import Filters
from service.audit.schemas import AuditEvent, AuditHead, AuditVerification
from service.kit.http import LIMIT, Cursor, Limit, problems
from service.kit.pages import Page

router = APIRouter(prefix="/audit", tags=["audit"])
Word = Annotated[str | None, Query(pattern="^[a-z_]{1,64}$")]
# Beyond any chain, and within what the database counts.
Position = Annotated[int | None, Query(ge=1, le=10**15)]


@router.get("/events", summary="List events / 审计事件列表", responses=problems(403))
async def list_events(
    tx: Tx,
    subject_kind: Annotated[Word, Query(description="What it happened to, e.g. need / 对象类型")] = None,
    subject_id: Annotated[UUID | None, Query(description="对象编号")] = None,
    organization_id: Annotated[UUID | None, Query(description="Organization of the actor / 操作者单位")] = None,
    action: Annotated[Word, Query(description="操作")] = None,
    since: Annotated[
        AwareDatetime | None, Query(alias="from", description="From this instant on, with zone / 起始时刻，须带时区")
    ] = None,
    until: Annotated[
        AwareDatetime | None, Query(alias="to", description="Before this instant, with zone / 截止时刻（不含）")
    ] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Page[AuditEvent]:
    """Events, the latest first (operators, authorities, administrators)."""
    filters = Filters(subject_kind, subject_id, organization_id, action, since, until)
    return await service.events_page(tx.connection, tx.actor, filters, limit, cursor)


@router.get("/verification", summary="Check the chain / 核验审计链", responses=problems(403))
async def verify_events(
    request: Request,
    actor: CurrentActor,
    first: Annotated[Position, Query(alias="from", description="First place / 起始位置")] = None,
    last: Annotated[Position, Query(alias="to", description="Last place / 终止位置")] = None,
    anchor: Annotated[
        str | None, Query(max_length=100, description="POSITION:HASH that was written down before / 此前抄存的锚点")
    ] = None,
) -> AuditVerification:
    """Whether a stretch of at most 10,000 places holds, and where it breaks first; without bounds the latest."""
    return await service.verify_range(pool_of(request), actor, first, last, anchor)


@router.get("/head", summary="End of the chain / 审计链末端", responses=problems(403))
async def read_head(tx: Tx) -> AuditHead:
    """The last place and its hash: kept elsewhere, it shows later that nothing before it was changed or cut off."""
    return await service.read_head(tx.connection, tx.actor)
