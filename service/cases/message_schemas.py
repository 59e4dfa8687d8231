"""Messages of a case as the API takes and shows them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from service.cases.records import Party
from service.cases.schemas import Words
from service.kit.pages import Page


class Channel(StrEnum):
    """Who reads a message: both sides and the broker, one side and the broker, or the broker alone."""

    SHARED = "shared"
    NEED = "need"
    OUTCOME = "outcome"
    BROKER = "broker"


class MessageRequest(BaseModel):
    """Something to say."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"channel": "shared", "body": "请提供中试批次的含水率记录。"}]}
    )

    channel: Channel = Field(description="双方可见、本方与技术经理人、技术经理人备注")
    body: Words


class Attachment(BaseModel):
    """A file of a message."""

    name: str
    media_type: str = Field(description="By its content / 按文件内容判定")
    size: int
    sha256: str


class Message(BaseModel):
    """A message; who sent it is told as a party of the case."""

    id: UUID
    number: int = Field(description="Counts the messages of the case, those of other channels too / 对接内序号")
    channel: Channel
    party: Party
    body: str
    sent_at: datetime
    attachment: Attachment | None
    read_by: list[Party] = Field(description="Parties of whom somebody has read it / 已读的参与方")


class MessagePage(Page[Message]):
    """A page of messages, oldest first."""


class ReadRequest(BaseModel):
    """Up to which message one has read."""

    model_config = ConfigDict(extra="forbid")

    number: Annotated[int, Field(ge=0, le=2**31 - 1)]


class ReadMark(BaseModel):
    """Up to which message one has read, and how many are left."""

    number: int
    unread: int
