"""What being told is made of: categories, ways, audiences, and the parties that a subject has."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NewType
from uuid import UUID

from service.kit.actor import Role
from service.kit.language import Text

EventType = NewType("EventType", str)


class Category(StrEnum):
    """What a recipient chooses by."""

    LISTING = "listing"
    MATCH = "match"
    CASE = "case"
    CONTRACT = "contract"
    REVIEW = "review"
    ACCOUNT = "account"


class Mailing(StrEnum):
    """How a category goes out by mail."""

    AT_ONCE = "at_once"
    DAILY = "daily"
    WEEKLY = "weekly"
    OFF = "off"


DIGESTS: Final = (Mailing.DAILY, Mailing.WEEKLY)
CATEGORY_LABELS: Final = {
    Category.LISTING: Text("本单位的需求与成果", "Your needs and outcomes"),
    Category.MATCH: Text("推荐与互见同意", "Matches and consents"),
    Category.CASE: Text("对接", "Cases"),
    Category.CONTRACT: Text("技术合同", "Contracts"),
    Category.REVIEW: Text("待办审核", "Work to review"),
    Category.ACCOUNT: Text("账号与安全", "Account and security"),
}


class Audience(StrEnum):
    """Who is told, by its part in the subject."""

    OWNER = "owner"
    NEED_SIDE = "need_side"
    OUTCOME_SIDE = "outcome_side"
    # Of a step that one side took (`side` in the event's data): the side across.
    OTHER_SIDE = "other_side"
    BROKER = "broker"
    # Whose turn it is: the party, or the side, that the event's data name.
    AWAITED = "awaited"
    # To whom goes what a party left undone: the broker, or operators where it was the broker, or there is none.
    ESCALATED = "escalated"
    # Whoever reads the channel in which something was said (`channel` in the event's data).
    CHANNEL = "channel"
    # The organizations that are parties to a contract.
    PARTIES = "parties"
    # Who refines a listing, or asked its organization; of a case that changed hands, who had it before.
    REVIEWER = "reviewer"
    OPERATORS = "operators"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Event:
    """An event as the rules read it; `organization_id` and `person_id` are those of who acted."""

    id: UUID
    at: datetime
    subject_kind: str
    subject_id: UUID
    action: str
    to_state: str | None
    organization_id: UUID | None
    person_id: UUID | None
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def type(self) -> EventType:
        """As webhooks name it."""
        return type_of(self.subject_kind, self.action)


def type_of(subject_kind: str, action: str) -> EventType:
    """The name of a kind of event.

    >>> type_of("need", "publish")
    'need.publish'
    """
    return EventType(f"{subject_kind}.{action}")


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a pair: whose it is, its listing's title, and whether the other side may be told that title."""

    organization_id: UUID
    title: str
    public: bool = True


@dataclass(frozen=True, slots=True)
class Parties:
    """Whom a subject concerns. What a kind of subject has none of is left out.

    `title` is what its owner, or its parties, call it; `members` are the organizations that are parties to a contract.
    Where the same step leaves an event of another subject that is told, this one is `told_elsewhere`: endpoints are
    called for both, and nobody is told twice.
    """

    owner: UUID | None = None
    title: str | None = None
    need: Party | None = None
    outcome: Party | None = None
    broker: UUID | None = None
    reviewer: UUID | None = None
    members: tuple[UUID, ...] = ()
    person: UUID | None = None
    told_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Recipient:
    """An organization, those of it who carry a role, or a person."""

    organization_id: UUID | None = None
    person_id: UUID | None = None
    role: Role | None = None

    @property
    def id(self) -> UUID:
        """The organization's or the person's id."""
        found = self.organization_id or self.person_id
        assert found is not None
        return found


@dataclass(frozen=True, slots=True)
class Notice:
    """What one recipient is told of one event."""

    recipient: Recipient
    category: Category
    text: Text
