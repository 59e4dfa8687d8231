"""Recommendations, their explanation and decisions as the API shows them."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from service.kit.instants import within_years
from service.kit.texts import RegionCode, clean_text
from service.kit.tiers import Tiered
from service.listings.schemas import (
    POSTED_BY,
    SHOWN,
    Amount,
    Brief,
    FieldCode,
    Keywords,
    Lines,
    LongText,
    Modes,
    Regions,
    Section,
    Trl,
    ordered,
)
from service.taxonomy.schemas import DeclineCode, Mode


class MatchLevel(StrEnum):
    """The four levels that brokers use: 强相关, 较强相关, 弱相关, 无相关."""

    STRONG = "strong"
    FAIR = "fair"
    WEAK = "weak"
    NONE = "none"


class RecommendationState(StrEnum):
    """Where a recommended pair stands."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    SNOOZED = "snoozed"
    SUPERSEDED = "superseded"


class Counterpart(Tiered):
    """The other side of a pair, in few words."""

    id: Annotated[UUID, SHOWN]
    title: Annotated[str, SHOWN]
    excerpt: Annotated[str, SHOWN] = Field(description="Of a confidential one its abstract / 保密项目为公开摘要")
    confidential: Annotated[bool, SHOWN]
    field: Annotated[str | None, SHOWN]
    region: Annotated[str | None, SHOWN]
    modes: Annotated[list[Mode], SHOWN]
    maturity: Annotated[int | None, SHOWN]
    price_min: Annotated[Decimal | None, SHOWN]
    price_max: Annotated[Decimal | None, SHOWN]
    currency: Annotated[str, SHOWN]
    language: Annotated[str, SHOWN]
    organization: Annotated[Brief | None, POSTED_BY] = Field(
        description="Null while it stays anonymous to you / 未公开时为空"
    )


class IndicatorVerdict(BaseModel):
    """A figure that the need asks for, and whether the outcome meets it."""

    quantity: str = Field(description="As the need names it / 需求中的指标名称")
    asked: str = Field(description="The figure asked for / 需求的数值")
    answered: str = Field(description="The outcome's figure; empty where it states none / 成果的数值，未说明时为空")
    verdict: Literal["met", "close", "not_met", "not_stated"] = Field(
        description="close: misses by at most a tenth / 满足、接近（差距不超过 10%）、不满足、未说明"
    )
    need_sentence: str = Field(description="Quoted from the need / 需求原句")
    outcome_sentence: str = Field(description="Quoted from the outcome; may be empty / 成果原句，可为空")


class Scored(BaseModel):
    """How well a pair fits, and why."""

    probability: float = Field(description="That a broker would introduce the pair, 0 to 1 / 技术经理人推荐的概率")
    level: MatchLevel = Field(description="强相关、较强相关、弱相关、无相关")
    conflicts: list[str] = Field(description="Hard conflicts, such as a price above the budget / 硬性冲突")
    reason: str = Field(description="The explanation in one sentence, in your language / 一句话理由")
    indicators: list[IndicatorVerdict] = Field(
        description="The need's figures one by one, at most 12 / 逐项指标对照，至多 12 项"
    )
    explanation: dict[str, Any] = Field(
        description="Every signal with raw score, weight and evidence / 各信号得分、权重与证据"
    )


class StoredMatch(Scored):
    """One line of a stored ranked list."""

    id: UUID
    rank: int
    state: RecommendationState
    version: int
    counterpart: Counterpart
    model_version: str
    updated_at: datetime


class MatchPage(BaseModel):
    """A page of a stored ranked list."""

    status: Literal["ranked", "pending", "not_published"] = Field(
        description="pending: the worker has not ranked the present version yet / pending 表示尚在计算"
    )
    ranked_at: datetime | None
    items: list[StoredMatch]
    next: str | None


class AdHocRequest(BaseModel):
    """A text to be matched without being stored."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "looking_for": "outcomes",
                    "text": "枸杞鲜果热风干燥耗时长，求低能耗快速干燥装备，含水率≤13%",
                    "limit": 5,
                }
            ]
        },
    )

    looking_for: Literal["outcomes", "needs"] = Field(description="What to find / 查找成果还是需求")
    title: Annotated[str, AfterValidator(clean_text), StringConstraints(max_length=200)] = ""
    text: Annotated[LongText, StringConstraints(min_length=2)] = Field(
        description="What you need or offer / 需求或成果描述"
    )
    indicators: Lines = Field(default_factory=list)
    keywords: Keywords = Field(default_factory=list)
    field: FieldCode | None = None
    industry: Section | None = None
    region: RegionCode | None = None
    partner_regions: Regions = Field(default_factory=list)
    modes: Modes = Field(default_factory=list)
    maturity: Trl | None = Field(default=None, description="A need's least, an outcome's reached TRL / 技术成熟度")
    price_min: Amount | None = None
    price_max: Amount | None = None
    needed_by: date | None = Field(default=None, description="When a need must be solved / 需求的期望解决时间")
    only_field: FieldCode | None = Field(default=None, description="Find in this field only / 仅限该重点方向")
    only_region_class: Literal["east", "central", "west", "northeast"] | None = Field(
        default=None, description="仅限该区域"
    )
    only_mode: Mode | None = Field(default=None, description="仅限该合作方式")
    exclude_own: bool = Field(default=False, description="Leave out your own organization's / 排除本单位")
    limit: Annotated[int, Field(ge=1, le=50)] = 10

    @model_validator(mode="after")
    def _price_is_a_range(self) -> Self:
        ordered(self.price_min, self.price_max, "price_min", "price_max")
        return self

    @model_validator(mode="after")
    def _a_need_has_a_deadline(self) -> Self:
        if self.needed_by is not None and self.looking_for == "needs":
            raise PydanticCustomError(
                "deadline_of_need", "needed_by goes with a need, that is with looking_for outcomes"
            )
        return self


class AdHocMatch(Scored):
    """One line of an ad-hoc ranked list."""

    rank: int
    counterpart: Counterpart


class AdHocResult(BaseModel):
    """What was found for a text."""

    items: list[AdHocMatch]
    model_version: str


class DecisionRequest(BaseModel):
    """What a broker decides on a pair."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "action": "decline",
                    "code": "too_early",
                    "note": "仍在小试阶段",
                    "to_provider": "补充中试数据后欢迎再次推荐",
                }
            ]
        },
    )

    action: Literal["accept", "decline", "snooze"] = Field(description="采纳、否决、稍后再看")
    code: DeclineCode | None = Field(default=None, description="Why; needed for decline / 否决原因代码")
    note: Annotated[str, AfterValidator(clean_text), StringConstraints(max_length=2_000)] | None = Field(
        default=None, description="Needed where the code is other / 说明，原因为“其他”时必填"
    )
    to_provider: (
        Annotated[str, AfterValidator(clean_text), StringConstraints(min_length=1, max_length=1_000)] | None
    ) = Field(
        default=None,
        description="Shown to the provider with a decline, without the need; the note is not / 随否决告知成果方的话",
    )
    snoozed_until: Annotated[datetime, AfterValidator(within_years)] | None = Field(
        default=None, description="Needed for snooze / 稍后再看的时间"
    )

    @model_validator(mode="after")
    def _fits_the_action(self) -> Self:
        if (self.action == "decline") != (self.code is not None):
            raise PydanticCustomError("code_with_decline", "code goes with decline, and only with it")
        if (self.action == "snooze") != (self.snoozed_until is not None):
            raise PydanticCustomError("until_with_snooze", "snoozed_until goes with snooze, and only with it")
        if self.to_provider is not None and self.action != "decline":
            raise PydanticCustomError("told_when_declined", "to_provider goes with decline, and only with it")
        if self.code is DeclineCode.OTHER and not self.note:
            raise PydanticCustomError("note_with_other", "the code other needs a note")
        if self.snoozed_until is not None and self.snoozed_until.tzinfo is None:
            raise PydanticCustomError("timezone_aware", "the time must carry a zone")
        return self


class Decision(BaseModel):
    """A decision as kept: with the rank, features and model version that the broker had before the eyes."""

    id: UUID
    recommendation_id: UUID
    action: Literal["accept", "decline", "snooze"]
    code: DeclineCode | None
    note: str | None
    to_provider: str | None
    snoozed_until: datetime | None
    rank: int
    model_version: str
    features: dict[str, Any]
    decided_at: datetime
    undone_at: datetime | None = Field(description="When it was taken back; it teaches nothing then / 撤销时间")
    case_id: UUID | None = Field(
        default=None, description="In the answer to an acceptance: the case that it opened / 采纳后开启的对接"
    )


class Recommendation(Scored):
    """A recommended pair with both sides and what was decided."""

    id: UUID
    need: Counterpart
    outcome: Counterpart
    state: RecommendationState
    version: int
    snoozed_until: datetime | None
    model_version: str
    updated_at: datetime
    case_id: UUID | None = Field(description="Its newest case, once it was accepted / 最近的对接")
    decisions: list[Decision]


class EarlierDecision(BaseModel):
    """The last decision on another pair of the same need or outcome."""

    recommendation_id: UUID
    counterpart_id: UUID = Field(description="The other side of that pair / 该推荐的另一方")
    action: Literal["accept", "decline", "snooze"]
    code: DeclineCode | None
    note: str | None
    decided_at: datetime


class History(BaseModel):
    """What was decided before on both sides, newest first, at most five each."""

    need: list[EarlierDecision]
    outcome: list[EarlierDecision]
