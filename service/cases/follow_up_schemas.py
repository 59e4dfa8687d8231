"""Follow-up questions, response times and partner operators as the API takes and shows them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from service.cases.records import Party
from service.kit.texts import RegionCode, clean_text
from service.listings.schemas import Amount, Currency


class FollowUpRequest(BaseModel):
    """What became of the result, as one side tells it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"used": True, "paid": True, "amount": "120000.00", "currency": "CNY"}]},
    )

    used: bool = Field(description="Whether the result is used / 成果是否已应用")
    paid: bool = Field(description="Whether it paid / 是否产生收益")
    amount: Amount | None = Field(default=None, description="How much, where it paid / 收益金额")
    currency: Currency = Field(default="CNY", description="ISO 4217")
    note: Annotated[str, AfterValidator(clean_text), StringConstraints(max_length=2_000)] = ""

    @model_validator(mode="after")
    def _amount_where_it_paid(self) -> Self:
        if self.amount is not None and not self.paid:
            raise PydanticCustomError("amount_with_paid", "an amount goes with paid")
        return self


class FollowUp(BaseModel):
    """A question to one side, so many months after the contract, with its answer."""

    id: UUID
    side: Party
    months: int
    asked_at: datetime
    due_at: datetime
    provisional: bool
    answered_at: datetime | None
    used: bool | None
    paid: bool | None
    amount: Decimal | None
    currency: str
    note: str


class Figures(BaseModel):
    """What the answers that you see add up to."""

    asked: int = Field(description="Questions put so far / 已发出的回访")
    answered: int
    used: int = Field(description="Answers that say it is used / 称已应用的答复")
    paid: dict[str, Decimal] = Field(description="Amounts by currency / 各币种收益合计")


class FollowUps(BaseModel):
    """The follow-up of a case: each side sees its own questions, staff both sides'."""

    items: list[FollowUp]
    figures: Figures


class ResponseTime(BaseModel):
    """How soon an organization answers invitations, over two years."""

    organization_id: UUID
    enough: bool = Field(description="Whether there are answers enough to tell / 样本是否足够")
    least: int = Field(description="Answers from which on it is told / 公布所需的最少答复数")
    answered: int | None = Field(description="Null where there are too few / 不足时为空")
    median_hours: float | None


class PartnerOperatorRequest(BaseModel):
    """Which organization is to see the cases of which partner pair."""

    model_config = ConfigDict(extra="forbid")

    from_region: RegionCode
    to_region: RegionCode
    program: Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{1,63}$")]
    organization_id: UUID


class PartnerOperator(BaseModel):
    """An organization that sees the cases of a partner pair."""

    id: UUID
    from_region: str
    to_region: str
    program: str
    organization_id: UUID
    assigned_at: datetime
    ended_at: datetime | None
