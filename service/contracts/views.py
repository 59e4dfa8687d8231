"""Contracts as the API takes steps on them and shows them."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from service.contracts.amounts import Amounts, Due
from service.contracts.schemas import Clause, ContractType, Money, Party, PartyRole, Strict, Terms
from service.listings.schemas import ShortText


class ContractState(StrEnum):
    """How far a contract has come."""

    DRAFT = "draft"
    SIGNED = "signed"
    FILED = "filed"
    REGISTERED = "registered"
    REJECTED = "rejected"
    SETTLED = "settled"
    CHANGED = "changed"
    CANCELLED = "cancelled"


class ContractAction(StrEnum):
    """Steps of a contract."""

    CONFIRM = "confirm"
    SIGN = "sign"
    FILE = "file"
    REGISTER = "register"
    REJECT = "reject"
    SETTLE = "settle"
    CANCEL = "cancel"


class StepRequest(Strict):
    """What a step needs: sign and cancel a day, register number, day and office, reject and cancel a reason."""

    signed_on: date | None = Field(
        default=None, description="sign, cancel: day of signature / 签订日期、解除协议签订日期"
    )
    number: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z\-]{4,40}$")] | None = Field(
        default=None, description="register: registration number / 认定登记编号"
    )
    registered_on: date | None = Field(default=None, description="register: day of registration / 登记日期")
    office: ShortText | None = Field(default=None, description="register: registering office / 登记机构")
    reason: Clause | None = Field(default=None, description="reject, cancel, settle before all is paid: why / 原因")
    effective_on: date | None = Field(default=None, description="cancel: from when on / 解除生效日期")


class ChangeRequest(Strict):
    """A change of what was signed."""

    terms: dict[str, Any] = Field(
        description="New values by field of the terms; only what changes / 变更后的条款，仅列变更的字段",
        examples=[{"ends_on": "2028-06-30"}],
    )
    reason: Clause = Field(description="变更原因")
    effective_on: date = Field(description="From when on / 生效日期")
    signed_on: date = Field(description="Day on which the supplement was signed / 补充协议签订日期")


class ContractChange(BaseModel):
    """A change or cancellation as kept."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    kind: str = Field(description="change or cancellation / 变更或解除")
    old: dict[str, Any]
    new: dict[str, Any]
    reason: str
    effective_on: date
    signed_on: date | None
    organization_id: UUID
    at: datetime
    confirmed_at: datetime | None = Field(description="Null: it does not hold yet / 空表示尚未生效")
    superseded_at: datetime | None


class Filing(BaseModel):
    """One filing for registration and what became of it."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    filed_at: datetime
    decided_at: datetime | None
    decision: str | None
    number: str | None
    registered_on: date | None
    office: str | None
    reason: str | None


class SumStep(BaseModel):
    """One line of the calculation."""

    label: str
    amount: Decimal
    subtotal: Decimal


class Sums(BaseModel):
    """成交额 and 技术交易额, with the calculation."""

    currency: str
    turnover: Decimal = Field(description="成交额")
    deducted: Decimal = Field(description="非技术性费用合计")
    technology_value: Decimal = Field(description="Turnover less deductions / 技术交易额")
    steps: list[SumStep]

    @classmethod
    def of(cls, found: Amounts, currency: str) -> "Sums":
        """As shown, in the language of the request."""
        steps = [SumStep(label=str(step.label), amount=step.amount, subtotal=step.subtotal) for step in found.steps]
        return cls(
            currency=currency,
            turnover=found.turnover,
            deducted=found.deducted,
            technology_value=found.technology_value,
            steps=steps,
        )


class Contract(BaseModel):
    """A contract as its parties and staff see it."""

    id: UUID
    state: ContractState
    version: int
    actions: list[str] = Field(description="What you may do now / 当前可执行的操作")
    recommendation_id: UUID | None
    case_id: UUID | None
    origin_reason: str | None
    further: bool = Field(
        description="Another contract of the same pair was under way / 录入时同一对接已有办理中的合同"
    )
    parties: list[Party]
    terms: Terms = Field(description="As they are now, changes laid over / 现行条款")
    sums: Sums
    waiting: UUID | None = Field(description="Change that waits to be confirmed / 待对方确认的变更")
    received: Decimal = Field(description="已收款合计")
    next_due_on: date | None = Field(description="Earliest day of what is still owed / 最近应付日")
    signed_on: date | None
    filed_at: datetime | None
    registration: Filing | None = Field(description="The latest filing / 最近一次认定登记")
    registered_on: date | None
    closed_at: datetime | None
    close_reason: str | None
    created_at: datetime
    updated_at: datetime


class ContractSummary(BaseModel):
    """A contract in a list."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    state: ContractState
    version: int
    type: ContractType
    name: str
    field: str | None
    currency: str
    turnover: Decimal
    technology_value: Decimal
    received: Decimal
    signed_on: date | None
    registered_on: date | None
    ends_on: date | None
    next_due_on: date | None
    overdue: bool = Field(description="Something is owed whose day has passed / 有逾期应付款")
    parties: list["PartyBrief"]


class PartyBrief(BaseModel):
    """A party in a list."""

    role: PartyRole
    name: str
    region: str | None


class ReceiptRequest(Strict):
    """A payment that was received, or the reversal of one that was entered wrongly."""

    received_on: date | None = Field(default=None, description="收款日期")
    amount: Money | None = Field(default=None, description="收款金额")
    reverses: UUID | None = Field(default=None, description="Receipt to reverse, alone with a note / 冲销的收款记录")
    note: ShortText | None = Field(default=None, description="备注")


class Receipt(BaseModel):
    """A payment as kept."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    received_on: date
    amount: Decimal
    reverses: UUID | None
    note: str | None
    at: datetime


class DueRow(BaseModel):
    """A payment of the schedule."""

    label: str
    amount: Decimal
    due_on: date | None
    received: Decimal
    outstanding: Decimal
    estimated: bool
    overdue: bool

    @classmethod
    def of(cls, row: Due) -> "DueRow":
        """As shown."""
        return cls(
            label=str(row.label),
            amount=row.amount,
            due_on=row.due_on,
            received=row.received,
            outstanding=row.outstanding,
            estimated=row.estimated,
            overdue=row.overdue,
        )


class Settlement(BaseModel):
    """What is owed, what was received, what is late."""

    currency: str
    turnover: Decimal
    received: Decimal
    complete: bool = Field(description="All that was agreed has been received / 约定款项已全部收到")
    schedule: list[DueRow]
    receipts: list[Receipt]
