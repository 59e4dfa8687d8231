"""The audit trail as the API shows it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from service.events.chain import Fault
from service.kit.addresses import AddressClass


class AuditEvent(BaseModel):
    """What happened, with its place in the chain. / 审计事件及其在链中的位置。"""

    position: int = Field(description="Place in the chain, without gaps / 链中位置，连续无间断")
    id: UUID
    at: datetime
    key_id: UUID | None = Field(description="Key of the actor; null: the service itself / 操作者密钥，空为系统")
    organization_id: UUID | None = Field(description="Organization of the actor / 操作者单位")
    request_id: str = Field(description="X-Request-Id of the request / 请求编号")
    address_class: AddressClass = Field(
        description="Class of the client's address; the address is not kept / 来源地址类别，不留存地址本身"
    )
    subject_kind: str = Field(description="What it happened to / 对象类型", examples=["need"])
    subject_id: UUID = Field(description="对象编号")
    action: str = Field(description="操作", examples=["publish"])
    from_state: str | None = Field(description="State before / 之前状态")
    to_state: str | None = Field(description="State after / 之后状态")
    data: dict[str, Any] = Field(
        description="More of it; `changes` holds each changed field before and after, contacts masked "
        "/ 详情，changes 为各字段修改前后的值，联系方式已脱敏"
    )
    digest: str = Field(description="SHA-256 of the event's canonical form, hexadecimal / 事件摘要")
    hash: str = Field(description="Hash of the chain up to here, hexadecimal / 至此处的链散列值")


class AuditHead(BaseModel):
    """The end of the chain: what to write down elsewhere. / 链条末端，可另行抄存。"""

    position: int = Field(description="Last place; 0: no event yet / 末位置，0 表示尚无事件")
    hash: str = Field(description="Hash there, hexadecimal / 末端散列值")
    anchor: str = Field(description="POSITION:HASH, for `anchor` of a later verification / 供日后核验的锚点")
    kept_from: int = Field(description="First place that is still kept / 仍留存的首位置")


class AuditBreak(BaseModel):
    """Where the chain breaks first, and how. / 链条首个断裂处。"""

    fault: Fault = Field(description="断裂类型")
    position: int | None = Field(description="Place; null: an event outside the chain / 位置，空表示链外事件")
    event_id: UUID | None = Field(description="Event concerned / 相关事件")
    message: str = Field(description="In the caller's language / 说明")


class AuditVerification(BaseModel):
    """Whether a stretch of the chain holds. / 链条核验结果。"""

    holds: bool = Field(description="Nothing is wrong / 是否完整")
    first: int = Field(description="First place checked / 核验起始位置")
    last: int = Field(description="Last place checked / 核验终止位置")
    checked: int = Field(description="Places that hold, up to the first break / 断裂前核验通过的数量")
    head: AuditHead
    broken: AuditBreak | None = Field(description="First break; null when it holds / 首个断裂处")
