"""Meetings and milestones of a case, for the two sides and the broker once both consented; meetings as a calendar file."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from icalendar import Calendar, Event
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from service.cases import meeting_repository as repository
from service.cases import service as cases
from service.cases.messages import NOT_YET, party_of
from service.cases.records import TALKING, Case
from service.errors import NotFound, OutOfTurn, PreconditionFailed
from service.events import log
from service.kit import clock
from service.kit.actor import Actor
from service.kit.clock import MARKET_ZONE
from service.kit.db import Connection
from service.kit.etag import check_if_match, etag
from service.kit.instants import Instant
from service.kit.language import Text
from service.kit.texts import clean_line, clean_text

Title = Annotated[str, AfterValidator(clean_line), StringConstraints(min_length=1, max_length=200)]
# Meetings, and milestones, of one case: both lists are read whole.
MOST = 200
PRODUCT = "-//Duijie//Cases//ZH"
NO_MEETING = Text("没有这次会议", "No such meeting")
NO_MILESTONE = Text("没有这个里程碑", "No such milestone")


class MeetingContent(BaseModel):
    """When and where the two sides meet."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "title": "中试条件交流",
                    "place": "银川",
                    "starts_at": "2026-12-01T14:00:00+08:00",
                    "ends_at": "2026-12-01T16:00:00+08:00",
                }
            ]
        },
    )

    title: Title
    place: Annotated[str, AfterValidator(clean_line), StringConstraints(max_length=500)] = Field(
        default="", description="A place or the address of a call / 地点或会议链接"
    )
    agenda: Annotated[str, AfterValidator(clean_text), StringConstraints(max_length=5_000)] = ""
    starts_at: Instant
    ends_at: Instant
    cancelled: bool = False

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise PydanticCustomError("meeting_order", "a meeting ends after it begins")
        return self


class Meeting(MeetingContent):
    """A meeting as kept."""

    id: UUID
    starts_at: datetime
    ends_at: datetime
    version: int
    updated_at: datetime


class MilestoneContent(BaseModel):
    """What is to be reached by when."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"title": "提交样机", "due_on": "2027-03-31"}]}
    )

    title: Title
    due_on: date
    done_on: date | None = Field(default=None, description="When it was reached / 完成日期")


class Milestone(MilestoneContent):
    """A milestone as kept."""

    id: UUID
    version: int
    updated_at: datetime


async def meetings_of(connection: Connection, actor: Actor, case: Case) -> list[Meeting]:
    """The meetings of a case by their beginning."""
    party_of(actor, case)
    return [Meeting.model_validate(dict(row), extra="ignore") for row in await repository.meetings(connection, case.id)]


async def milestones_of(connection: Connection, actor: Actor, case: Case) -> list[Milestone]:
    """The milestones of a case by their day."""
    party_of(actor, case)
    return [
        Milestone.model_validate(dict(row), extra="ignore") for row in await repository.milestones(connection, case.id)
    ]


async def _check(connection: Connection, actor: Actor, case: Case) -> None:
    """That the actor takes part and the two sides may talk; the case is held, so that nobody ends that meanwhile."""
    party_of(actor, case)
    held = await cases.hold(connection, case.id)
    if held.state not in TALKING:
        raise OutOfTurn(NOT_YET)


def _check_room(count: int) -> None:
    if count >= MOST:
        raise OutOfTurn(
            Text(
                f"每项对接最多 {MOST} 条；请修改已有的",
                f"A case has at most {MOST}: change one that is there",
            )
        )


async def call(connection: Connection, actor: Actor, case: Case, content: MeetingContent) -> Meeting:
    """Call a meeting.

    Raises:
        Forbidden: not taking part. OutOfTurn: before both consented, after the case's end, or there are as many as there may be.
    """
    await _check(connection, actor, case)
    _check_room(await repository.count_meetings(connection, case.id))
    row = await repository.insert_meeting(connection, case.id, content.model_dump(), clock.now())
    await _record(connection, actor, case, "call_meeting", row["id"])
    return Meeting.model_validate(dict(row), extra="ignore")


async def move(
    connection: Connection, actor: Actor, case: Case, identifier: UUID, content: MeetingContent, if_match: str | None
) -> Meeting:
    """Change a meeting, or cancel it. Raises as `call`.

    Raises:
        NotFound. PreconditionRequired, PreconditionFailed: it has changed since it was seen.
    """
    found = await meeting(connection, actor, case, identifier)
    check_if_match(if_match, found.version)
    await _check(connection, actor, case)
    row = await repository.update_meeting(connection, identifier, found.version, content.model_dump(), clock.now())
    if row is None:
        raise PreconditionFailed(etag(found.version + 1))
    await _record(connection, actor, case, "cancel_meeting" if content.cancelled else "move_meeting", identifier)
    return Meeting.model_validate(dict(row), extra="ignore")


async def meeting(connection: Connection, actor: Actor, case: Case, identifier: UUID) -> Meeting:
    """One meeting of a case."""
    party_of(actor, case)
    row = await repository.meeting(connection, case.id, identifier)
    if row is None:
        raise NotFound(NO_MEETING)
    return Meeting.model_validate(dict(row), extra="ignore")


async def set_milestone(connection: Connection, actor: Actor, case: Case, content: MilestoneContent) -> Milestone:
    """Set a milestone. Raises as `call`."""
    await _check(connection, actor, case)
    _check_room(await repository.count_milestones(connection, case.id))
    row = await repository.insert_milestone(
        connection, case.id, content.title, content.due_on, content.done_on, clock.now()
    )
    await _record(connection, actor, case, "set_milestone", row["id"])
    return Milestone.model_validate(dict(row), extra="ignore")


async def milestone(connection: Connection, actor: Actor, case: Case, identifier: UUID) -> Milestone:
    """One milestone of a case."""
    party_of(actor, case)
    row = await repository.milestone(connection, case.id, identifier)
    if row is None:
        raise NotFound(NO_MILESTONE)
    return Milestone.model_validate(dict(row), extra="ignore")


async def change_milestone(
    connection: Connection, actor: Actor, case: Case, identifier: UUID, content: MilestoneContent, if_match: str | None
) -> Milestone:
    """Change a milestone, or say when it was reached. Raises as `move`."""
    found = await milestone(connection, actor, case, identifier)
    check_if_match(if_match, found.version)
    await _check(connection, actor, case)
    row = await repository.update_milestone(
        connection, identifier, found.version, content.title, content.due_on, content.done_on, clock.now()
    )
    if row is None:
        raise PreconditionFailed(etag(found.version + 1))
    reached = content.done_on is not None and found.done_on is None
    await _record(connection, actor, case, "reach_milestone" if reached else "change_milestone", identifier)
    return Milestone.model_validate(dict(row), extra="ignore")


def calendar_file(found: Meeting) -> bytes:
    """A meeting as an iCalendar object (RFC 5545), to be saved into a calendar: instants in the market's zone.

    It is published or cancelled and invites nobody (`METHOD`, RFC 5546): addresses are contact data, which leave elsewhere.
    Later versions carry a higher SEQUENCE under the same UID, so that a calendar replaces what it has.
    """
    entry = Event()
    entry.add("uid", f"{found.id}@duijie")
    entry.add("sequence", found.version - 1)
    entry.add("dtstamp", found.updated_at)
    entry.add("dtstart", found.starts_at.astimezone(MARKET_ZONE))
    entry.add("dtend", found.ends_at.astimezone(MARKET_ZONE))
    entry.add("summary", found.title)
    for name, value in (("location", found.place), ("description", found.agenda)):
        if value:
            entry.add(name, value)
    entry.add("status", "CANCELLED" if found.cancelled else "CONFIRMED")
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if found.cancelled else "PUBLISH")
    calendar.add_component(entry)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


async def _record(connection: Connection, actor: Actor, case: Case, action: str, subject: UUID) -> None:
    await log.record(
        connection,
        actor,
        "case",
        case.id,
        action,
        from_state=case.state,
        to_state=case.state,
        data={"of": str(subject)},
    )
