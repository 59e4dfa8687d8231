"""Notifications and preferences as the API takes and shows them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from service.notices.model import Category
from service.notices.preferences import PreferenceContent


class Whose(StrEnum):
    """Whose preferences: the organization's, or the person's who acts for it."""

    ORGANIZATION = "organization"
    PERSON = "person"


class Notification(BaseModel):
    """What an organization or a person was told of one event."""

    id: UUID
    event_id: UUID = Field(description="The event; each is told to a recipient once / 对应事件，每个接收方仅一次")
    at: datetime = Field(description="When it happened / 发生时间")
    category: Category
    subject_kind: str = Field(examples=["need"])
    subject_id: UUID
    action: str = Field(examples=["publish"])
    message: str = Field(description="In the language of Accept-Language / 语言随 Accept-Language")
    personal: bool = Field(description="To the person, not to the organization / 发给本人而非单位")
    read_at: datetime | None = Field(description="Null: unread; an organization reads as one / 空为未读，单位共用")


class Unread(BaseModel):
    """How much is unread."""

    total: int
    by_category: dict[Category, int]


class MarkRequest(BaseModel):
    """What to mark as read; without a field everything."""

    model_config = ConfigDict(extra="forbid")

    category: Category | None = Field(default=None, description="Of one category / 仅某一类别")
    up_to: UUID | None = Field(default=None, description="Up to this one, as listed last / 截至该条")


class Marked(BaseModel):
    """How many were unread."""

    marked: int


class Preferences(PreferenceContent):
    """What a recipient chose, with every category, and whether mail got through."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"examples": []})

    whose: Whose
    version: int
    mail_configured: bool = Field(description="Whether the market sends mail at all / 平台是否已配置邮件")
    bounced_at: datetime | None = Field(description="When mail was last refused for good / 最近一次退信时间")
