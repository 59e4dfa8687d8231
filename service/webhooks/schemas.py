"""Endpoints of organizations and their deliveries as the API takes and shows them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from service.kit.instants import Instant
from service.kit.texts import clean_line


class WebhookState(StrEnum):
    """Whether an endpoint is called."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class DisabledReason(StrEnum):
    """Why an endpoint is not called: asked for, answered 410, or out of reach for five days."""

    ASKED = "asked"
    GONE = "gone"
    FAILING = "failing"


class WebhookContent(BaseModel):
    """Where an organization wants to be called, and for what."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"url": "https://erp.example.com/duijie", "types": ["recommendation.accept"]}]},
    )

    url: Annotated[str, StringConstraints(min_length=8, max_length=2_000)] = Field(
        description="https, and a public address / 须为 https 公网地址"
    )
    description: Annotated[str, AfterValidator(clean_line), StringConstraints(max_length=200)] = Field(
        default="", description="What it is for / 用途"
    )
    types: list[Annotated[str, StringConstraints(max_length=100)]] = Field(
        default_factory=list,
        max_length=100,
        description="Event types, see GET /v1/webhooks/types; empty: all / 事件类型，空为全部",
    )
    ordered: bool = Field(
        default=False,
        description="Events of one subject strictly one after the other: a failing one holds up those behind it "
        "/ 同一对象的事件严格按序，失败的事件会阻塞其后的事件",
    )
    enabled: bool = Field(default=True, description="Whether it is called / 是否启用")


class Webhook(BaseModel):
    """An endpoint as stored; its secret is never shown again."""

    id: UUID
    url: str
    description: str
    types: list[str]
    ordered: bool
    state: WebhookState
    disabled_reason: DisabledReason | None
    old_secret_until: datetime | None = Field(description="Until when the secret before signs too / 旧密钥有效期至")
    failing_since: datetime | None = Field(description="Since when nothing got through / 持续失败起始时间")
    version: int
    created_at: datetime
    updated_at: datetime


class NewWebhook(Webhook):
    """An endpoint with its secret, right after one of them was made."""

    # A repeated answer carries null in its place: what is shown once is never stored, not even for a retry.
    secret: str = Field(
        description="Signs each call (Standard Webhooks 1.0.0); shown this once, null in a repeated answer "
        "/ 签名密钥，仅显示一次，重放的应答中为空",
        json_schema_extra={"x-shown-once": True, "type": ["string", "null"]},
    )


class RotateRequest(BaseModel):
    """How long the old secret goes on signing beside the new one."""

    model_config = ConfigDict(extra="forbid")

    overlap_hours: Annotated[int, Field(ge=0, le=168)] = Field(
        default=24, description="Hours that both sign; 0 ends the old one at once / 新旧密钥并存小时数"
    )


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


class WebhookDelivery(BaseModel):
    """One event on its way to one endpoint; its id is the webhook-id that the endpoint sees."""

    id: UUID
    webhook_id: UUID
    event_id: UUID | None = Field(description="Null for a test / 测试为空")
    type: str
    subject_id: UUID
    state: DeliveryState
    attempts: int
    next_at: datetime | None = Field(description="When it is tried next; null: no more / 下次尝试时间")
    last_status: int | None
    last_error: str | None
    created_at: datetime
    delivered_at: datetime | None


class WebhookAttempt(BaseModel):
    """One call of an endpoint."""

    number: int
    at: datetime
    milliseconds: int
    status: int | None = Field(description="Null: no answer came / 空为无应答")
    error: str | None


class DeliveryReport(WebhookDelivery):
    """A delivery with what was sent and every attempt."""

    body: str = Field(description="As signed and sent / 发送原文")
    log: list[WebhookAttempt]


class ReplayRequest(BaseModel):
    """What to send again: one delivery, or those made in a period."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"since": "2027-03-01T00:00:00+08:00"}]})

    delivery_id: UUID | None = Field(default=None, description="This one / 指定一条")
    since: Instant | None = Field(default=None, description="Made from then on / 起始时间")
    until: Instant | None = Field(default=None, description="Made before then; now unless said / 截止时间")
    state: Literal["dead", "delivered", "all"] = Field(
        default="dead", description="Of a period only those given up, those delivered, or both / 仅失败、仅成功或全部"
    )


class Replayed(BaseModel):
    """How many are sent again."""

    replayed: int
    more: bool = Field(description="There are more in the period: ask again / 时段内仍有，请再次调用")


class EventTypeInfo(BaseModel):
    """A kind of event that an endpoint may ask for."""

    type: str = Field(examples=["recommendation.accept"])
    category: str
