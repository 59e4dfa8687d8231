"""The review queue over HTTP."""

from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from service.access.dependencies import Tx
from service.access.routes import Route
from service.kit.http import LIMIT, Cursor, Limit, problems
from service.review import batches, digest, service
from service.review.schemas import (
    BatchAnswer,
    BatchRequest,
    DeclineDigest,
    From,
    LeaseAnswer,
    LeaseRequest,
    Released,
    ReviewPage,
)

router = APIRouter(tags=["review"], route_class=Route)


@router.get("/review", summary="Pairs that wait for review / 待审推荐", responses=problems(403))
async def read_queue(
    tx: Tx,
    source: Annotated[
        From, Query(alias="from", description="Which come first / 结对地区优先：partner_regions")
    ] = "anywhere",
    leased: Annotated[bool, Query(description="Only what you have under lease / 仅本人占用中的")] = False,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> ReviewPage:
    """Proposed pairs of your fields, regions and organizations (brokers, operators), best expected gain first.

    The expected gain is the probability of the pair, halved for each step of better pairs of the same need, so that no need
    fills the queue. Needs that were assigned to you come first. What others have under lease is left out.
    """
    return await service.read_queue(tx.connection, tx.actor, source, leased=leased, limit=limit, cursor=cursor)


@router.post(
    "/review/leases", status_code=201, summary="Take pairs to review / 领取待审推荐", responses=problems(403, 409)
)
async def lease(tx: Tx, request: Request, body: LeaseRequest) -> LeaseAnswer:
    """Take the best free pairs of your queue for DUIJIE_REVIEW_LEASE_MINUTES (brokers): nobody else is shown them or decides on them."""
    minutes = request.app.state.resources.settings.review_lease_minutes
    return await service.lease(tx.connection, tx.actor, body, timedelta(minutes=minutes))


@router.delete("/review/leases", summary="Give pairs back / 释放占用", responses=problems(403))
async def release(
    tx: Tx,
    recommendation_id: Annotated[
        list[UUID] | None, Query(max_length=100, description="None: all of yours / 不填则全部释放")
    ] = None,
) -> Released:
    """End your leases before their time."""
    return await service.release(tx.connection, tx.actor, recommendation_id)


@router.post("/review/decisions", summary="Decide on many pairs / 批量审阅", responses=problems(403, 409))
async def decide(tx: Tx, body: BatchRequest) -> BatchAnswer:
    """Accept, decline or snooze up to 100 pairs in one transaction (brokers).

    All or nothing: where one cannot be decided none is, and each is named by its place (`decisions.3`). With `partial` what
    can be decided is.
    """
    return await batches.decide(tx.connection, tx.actor, body, tx.settings)


@router.get("/declines", summary="Why my outcomes were declined / 成果被否决的原因", responses=problems())
async def declines(
    tx: Tx,
    since: Annotated[
        date | None, Query(description="First day; 90 days before the last unless given / 起始日期")
    ] = None,
    until: Annotated[date | None, Query(description="Last day; today unless given / 截止日期")] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> DeclineDigest:
    """Of your organization's outcomes: how often each was declined for which reason, what brokers wrote for you, what would help."""
    return await digest.declines(tx.connection, since, until, limit=limit, cursor=cursor)
