"""Meetings, milestones and follow-ups of a case over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Response

from service.access.dependencies import Tx
from service.access.routes import Route
from service.cases import attachments, follow_ups, meetings, service
from service.cases.follow_up_schemas import FollowUp, FollowUpRequest, FollowUps
from service.cases.meetings import Meeting, MeetingContent, Milestone, MilestoneContent
from service.kit.etag import etag
from service.kit.http import ETAG_HEADER, IfMatch, made, problems

router = APIRouter(prefix="/cases/{case_id}", tags=["cases"], route_class=Route)


@router.get("/meetings", summary="Meetings of a case / 对接会议", responses=problems(403, 404))
async def list_meetings(tx: Tx, case_id: UUID) -> list[Meeting]:
    """Meetings by their beginning, cancelled ones too."""
    case = await service.read(tx.connection, tx.actor, case_id)
    return await meetings.meetings_of(tx.connection, tx.actor, case)


@router.post(
    "/meetings",
    status_code=201,
    summary="Call a meeting / 安排会议",
    responses=made(ETAG_HEADER, status=201) | problems(403, 404, 409),
)
async def call_meeting(tx: Tx, case_id: UUID, body: MeetingContent, response: Response) -> Meeting:
    """By either side or the broker, once both consented."""
    case = await service.read(tx.connection, tx.actor, case_id)
    found = await meetings.call(tx.connection, tx.actor, case, body)
    response.headers["ETag"] = etag(found.version)
    return found


@router.get(
    "/meetings/{meeting_id}", summary="Read a meeting / 查看会议", responses=made(ETAG_HEADER) | problems(403, 404)
)
async def read_meeting(tx: Tx, case_id: UUID, meeting_id: UUID, response: Response) -> Meeting:
    """One meeting with its version."""
    case = await service.read(tx.connection, tx.actor, case_id)
    found = await meetings.meeting(tx.connection, tx.actor, case, meeting_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.put(
    "/meetings/{meeting_id}",
    summary="Move or cancel a meeting / 调整或取消会议",
    responses=made(ETAG_HEADER) | problems(403, 404, 409, 412, 428),
)
async def move_meeting(
    tx: Tx, case_id: UUID, meeting_id: UUID, body: MeetingContent, response: Response, if_match: IfMatch = None
) -> Meeting:
    """Another time, place or agenda, or `cancelled`."""
    case = await service.read(tx.connection, tx.actor, case_id)
    found = await meetings.move(tx.connection, tx.actor, case, meeting_id, body, if_match)
    response.headers["ETag"] = etag(found.version)
    return found


@router.get(
    "/meetings/{meeting_id}/calendar.ics",
    summary="A meeting as a calendar file / 会议日历文件",
    responses=problems(403, 404),
    response_class=Response,
)
async def save_meeting(tx: Tx, case_id: UUID, meeting_id: UUID) -> Response:
    """RFC 5545; a moved or cancelled meeting replaces the one that a calendar has."""
    case = await service.read(tx.connection, tx.actor, case_id)
    found = await meetings.meeting(tx.connection, tx.actor, case, meeting_id)
    headers = {"Content-Disposition": attachments.disposition("meeting.ics")}
    return Response(meetings.calendar_file(found), media_type="text/calendar", headers=headers)


@router.get("/milestones", summary="Milestones of a case / 对接里程碑", responses=problems(403, 404))
async def list_milestones(tx: Tx, case_id: UUID) -> list[Milestone]:
    """Milestones by their day."""
    case = await service.read(tx.connection, tx.actor, case_id)
    return await meetings.milestones_of(tx.connection, tx.actor, case)


@router.post(
    "/milestones",
    status_code=201,
    summary="Set a milestone / 设定里程碑",
    responses=made(ETAG_HEADER, status=201) | problems(403, 404, 409),
)
async def set_milestone(tx: Tx, case_id: UUID, body: MilestoneContent, response: Response) -> Milestone:
    """By either side or the broker, once both consented."""
    case = await service.read(tx.connection, tx.actor, case_id)
    found = await meetings.set_milestone(tx.connection, tx.actor, case, body)
    response.headers["ETag"] = etag(found.version)
    return found


@router.get(
    "/milestones/{milestone_id}",
    summary="Read a milestone / 查看里程碑",
    responses=made(ETAG_HEADER) | problems(403, 404),
)
async def read_milestone(tx: Tx, case_id: UUID, milestone_id: UUID, response: Response) -> Milestone:
    """One milestone with its version."""
    case = await service.read(tx.connection, tx.actor, case_id)
    found = await meetings.milestone(tx.connection, tx.actor, case, milestone_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.put(
    "/milestones/{milestone_id}",
    summary="Change or reach a milestone / 调整或完成里程碑",
    responses=made(ETAG_HEADER) | problems(403, 404, 409, 412, 428),
)
async def change_milestone(
    tx: Tx, case_id: UUID, milestone_id: UUID, body: MilestoneContent, response: Response, if_match: IfMatch = None
) -> Milestone:
    """Another day, or the day on which it was reached."""
    case = await service.read(tx.connection, tx.actor, case_id)
    found = await meetings.change_milestone(tx.connection, tx.actor, case, milestone_id, body, if_match)
    response.headers["ETag"] = etag(found.version)
    return found


@router.get("/follow-ups", summary="Follow-up of a case / 跟踪回访", responses=problems(403, 404))
async def list_follow_ups(tx: Tx, case_id: UUID) -> FollowUps:
    """What was asked after the contract, what was answered, and what it adds up to."""
    case = await service.read(tx.connection, tx.actor, case_id)
    return await follow_ups.of_case(tx.connection, tx.actor, case)


@router.post("/follow-ups/{follow_up_id}", summary="Answer a follow-up / 答复回访", responses=problems(403, 404, 409))
async def answer_follow_up(tx: Tx, case_id: UUID, follow_up_id: UUID, body: FollowUpRequest) -> FollowUp:
    """Whether the result is used and whether it paid, once and for your side."""
    case = await service.read(tx.connection, tx.actor, case_id)
    return await follow_ups.answer(tx.connection, tx.actor, case, follow_up_id, body)
