"""Cases over HTTP."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from service.access.dependencies import Tx
from service.access.routes import Route
from service.cases import handing_over, leaving, modes, present, service
from service.cases.schemas import (
    AnswerRequest,
    Case,
    CaseAction,
    CasePage,
    CaseState,
    CloseRequest,
    ExtensionRequest,
    HandOverRequest,
    LeaveRequest,
    ModeNeeds,
    Terms,
)
from service.kit.etag import etag
from service.kit.http import ETAG_HEADER, LIMIT, Cursor, IfMatch, Limit, made, open_problems, problems
from service.kit.texts import RegionCode

router = APIRouter(tags=["cases"], route_class=Route)

States = Annotated[list[CaseState] | None, Query(alias="state", description="状态，可多选")]
Awaiting = Annotated[
    Literal["me", "need", "outcome", "broker"] | None,
    Query(description="Only where this party is awaited / 仅列出正在等待该方的对接"),
]


@router.get("/cases", summary="List cases / 对接列表", responses=problems())
async def list_cases(
    tx: Tx,
    state: States = None,
    awaiting: Awaiting = None,
    due: Annotated[date | None, Query(description="A term ends by this day / 期限不晚于该日")] = None,
    partner: Annotated[
        bool | None, Query(description="Only of partner regions, or none of them / 是否结对地区")
    ] = None,
    region: Annotated[RegionCode | None, Query(description="A side lies in it / 任一方所在地区")] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> CasePage:
    """Cases of your organization, of partner pairs that it operates, and for staff all; newest first.

    What you have to do this week is `awaiting=me` with `due`: whom a case awaits until the year's end is left out.
    """
    return await service.page(
        tx.connection,
        tx.actor,
        states=list(state) if state else None,
        awaiting=awaiting,
        due=due,
        partner=partner,
        region=region,
        limit=limit,
        cursor=cursor,
    )


@router.get(
    "/cooperation-modes", summary="What modes of cooperation need / 各合作方式的要素", responses=open_problems()
)
async def list_modes() -> list[ModeNeeds]:
    """What has to be settled in each mode before its contract."""
    return [
        ModeNeeds(mode=mode, needs=[present.as_missing(each) for each in needs]) for mode, needs in modes.MODES.items()
    ]


@router.get("/cases/{case_id}", summary="Read a case / 查看对接", responses=made(ETAG_HEADER) | problems(404))
async def read_case(tx: Tx, case_id: UUID, response: Response) -> Case:
    """Both sides as far as they are known to you, who is awaited until when, and what is missing for a contract."""
    return _tagged(response, await service.show(tx.connection, tx.actor, case_id))


@router.post("/cases/{case_id}/answer", summary="Answer an invitation / 答复邀请", responses=problems(403, 404, 409))
async def answer_invitation(tx: Tx, case_id: UUID, body: AnswerRequest, response: Response) -> Case:
    """Yes with a purpose, which is your consent; no with a code; or a question, which goes to the broker first."""
    return _tagged(response, await service.answer(tx.connection, tx.actor, case_id, body, tx.settings))


@router.post(
    "/cases/{case_id}/leave",
    summary="Leave a case / 退出对接",
    responses=made(ETAG_HEADER) | problems(403, 404, 409, 412),
)
async def leave_case(tx: Tx, case_id: UUID, body: LeaveRequest, response: Response, if_match: IfMatch = None) -> Case:
    """End your side's part before a contract, with a code: the case is over, and your consent with it (either side)."""
    return _tagged(response, await leaving.leave(tx.connection, tx.actor, case_id, body, if_match))


@router.post(
    "/cases/{case_id}/close",
    summary="Close a case / 办结对接",
    responses=made(ETAG_HEADER) | problems(403, 404, 409, 412),
)
async def close_case(tx: Tx, case_id: UUID, body: CloseRequest, response: Response, if_match: IfMatch = None) -> Case:
    """Won or lost, with a code (the case's broker, operators)."""
    return _tagged(response, await service.close(tx.connection, tx.actor, case_id, body, if_match))


@router.post("/cases/{case_id}/extensions", summary="Extend a term / 延长期限", responses=problems(403, 404, 409))
async def extend_term(tx: Tx, case_id: UUID, body: ExtensionRequest, response: Response) -> Case:
    """Another term for a party that is awaited, from today (the case's broker, operators)."""
    return _tagged(response, await service.extend(tx.connection, tx.actor, case_id, body, tx.settings))


@router.post(
    "/cases/{case_id}/broker",
    summary="Hand a case over / 移交对接",
    responses=made(ETAG_HEADER) | problems(403, 404, 409, 412),
)
async def hand_case_over(
    tx: Tx, case_id: UUID, body: HandOverRequest, response: Response, if_match: IfMatch = None
) -> Case:
    """Another broker goes on with it, and who awaits the broker awaits the new one (the case's broker, operators)."""
    return _tagged(
        response, await handing_over.hand_over(tx.connection, tx.actor, case_id, body, if_match, tx.settings)
    )


@router.put(
    "/cases/{case_id}/terms",
    summary="Settle the mode of cooperation / 商定合作方式",
    responses=made(ETAG_HEADER) | problems(403, 404, 409, 412, 428),
)
async def set_terms(tx: Tx, case_id: UUID, body: Terms, response: Response, if_match: IfMatch = None) -> Case:
    """The mode and what was agreed of it; the answer says what is still missing before a contract."""
    return _tagged(response, await service.set_terms(tx.connection, tx.actor, case_id, body, if_match))


# Behind the paths above: each of those is no step that it takes.
steps = APIRouter(tags=["cases"], route_class=Route)


@steps.post(
    "/cases/{case_id}/{action}",
    summary="Take a step / 推进对接",
    responses=made(ETAG_HEADER) | problems(403, 404, 409, 412),
)
async def advance_case(tx: Tx, case_id: UUID, action: CaseAction, response: Response, if_match: IfMatch = None) -> Case:
    """Consult and negotiate by either side or the broker; follow and reopen by the broker."""
    return _tagged(response, await service.advance(tx.connection, tx.actor, case_id, action, if_match, tx.settings))


def _tagged(response: Response, case: Case) -> Case:
    response.headers["ETag"] = etag(case.version)
    return case
