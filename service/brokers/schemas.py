"""Brokers' profiles, figures of their work and suggestions, as the API takes and shows them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from service.kit.pages import Page
from service.kit.texts import clean_line, clean_text
from service.listings.schemas import Brief, FieldCode, Regions

Language = Literal["zh", "en", "ar"]
Short = Annotated[str, AfterValidator(clean_line), StringConstraints(min_length=1, max_length=200)]
Hours = Annotated[float, AfterValidator(lambda hours: round(hours, 1))]


class Qualification(BaseModel):
    """A certificate or title that a broker holds."""

    model_config = ConfigDict(extra="forbid")

    title: Short = Field(description="名称", examples=["技术经理人（中级）"])
    issuer: Short = Field(description="Issuing body / 发证机构")
    number: Annotated[str, AfterValidator(clean_line), StringConstraints(min_length=1, max_length=100)] | None = Field(
        default=None, description="Shown to yourself and to staff / 证书编号"
    )
    issued_on: date | None = Field(default=None, description="发证日期")
    valid_until: date | None = Field(default=None, description="有效期至")

    @model_validator(mode="after")
    def _ends_after_it_began(self) -> Self:
        if self.issued_on is not None and self.valid_until is not None and self.valid_until < self.issued_on:
            raise PydanticCustomError(
                "range_order", "{low} must not exceed {high}", {"low": "issued_on", "high": "valid_until"}
            )
        return self


class BrokerContent(BaseModel):
    """What a broker says of itself. An empty list of fields, regions or organizations limits nothing."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "演示技术经理人",
                    "fields": ["goji", "wine"],
                    "regions": ["640000"],
                    "languages": ["zh", "en"],
                    "capacity": 8,
                    "qualifications": [
                        {"title": "技术经理人（中级）", "issuer": "演示发证机构", "valid_until": "2028-12-31"}
                    ],
                }
            ]
        },
    )

    name: Annotated[str, AfterValidator(clean_line), StringConstraints(min_length=1, max_length=100)] = Field(
        description="By which members know you / 对外显示的名称"
    )
    introduction: Annotated[str, AfterValidator(clean_text), StringConstraints(max_length=2_000)] = Field(
        default="", description="简介"
    )
    fields: Annotated[list[FieldCode], Field(max_length=50)] = Field(
        default_factory=list, description="Your queue holds needs of these and those without a field / 重点方向"
    )
    regions: Regions = Field(
        default_factory=list, description="With all in them; one side of a pair lies there / 服务地区，含下级"
    )
    organizations: Annotated[list[UUID], Field(max_length=200)] = Field(
        default_factory=list, description="One side of a pair is theirs / 服务单位"
    )
    languages: Annotated[list[Language], Field(min_length=1, max_length=3)] = Field(
        default=["zh"], description="工作语言"
    )
    capacity: Annotated[int, Field(ge=0, le=1_000)] = Field(
        default=10, description="Needs and cases at a time / 同时承接的需求与对接数"
    )
    available: bool = Field(default=True, description="Whether new work may be assigned / 是否接受新任务")
    qualifications: Annotated[list[Qualification], Field(max_length=30)] = Field(
        default_factory=list, description="资质"
    )


class BrokerProfile(BrokerContent):
    """A broker's profile as itself reads it; version 0 before anything was written."""

    model_config = ConfigDict(extra="ignore")

    name: str
    id: UUID | None
    organization_id: UUID
    person_id: UUID | None
    version: int
    updated_at: datetime | None


class Workload(BaseModel):
    """What a broker has in hand, by kind."""

    open: dict[str, int] = Field(
        description="leases: pairs under lease; assigned: needs given by an operator; refining: needs being refined; "
        "cases: from the invitation to the contract; followed: cases being followed up "
        "/ 在手：占用推荐、指派需求、凝练中需求、对接、跟踪中对接"
    )
    taken: int = Field(
        description="What counts against the capacity: each need that is assigned or being refined once, and instead of a "
        "need its cases where there are any; neither leases nor cases being followed up / 计入承接能力的数量"
    )
    capacity: int
    free: int


class Amount(BaseModel):
    """What contracts in one currency come to."""

    currency: str
    contracts: int
    turnover: Decimal = Field(description="成交额")
    technology_value: Decimal = Field(description="Turnover less deductions / 技术交易额")


class Figures(BaseModel):
    """A broker's work of the last year. Decisions that were undone do not count."""

    since: datetime
    until: datetime
    refined: int = Field(
        description="Rounds of refinement that it began and that ended with the need's publication / 凝练并发布的轮次"
    )
    reviewed: int = Field(description="Pairs that it accepted or declined / 审阅的推荐")
    introduced: int = Field(description="Pairs that it accepted / 采纳推荐")
    consented: int = Field(
        description="Its cases in which both sides consented, withdrawn since or not; a case handed over is the new "
        "broker's / 双方同意的对接"
    )
    contracted: int = Field(
        description="Registered contracts from its cases or from pairs that it accepted; cancelled ones do not count "
        "/ 由其对接或采纳的推荐而来的已登记合同"
    )
    amounts: list[Amount] | None = Field(
        description="Of these contracts, by currency, as they stand today; null for others than staff where there are any "
        "/ 上述合同金额，按币种，仅工作人员可见"
    )
    response_hours: Hours | None = Field(
        description="Median from the assignment of a need to its first step on the need or decision on one of its pairs, "
        "to a tenth; null without any / 从指派到首次处理的中位小时数，保留一位小数"
    )


class BrokerCard(BaseModel):
    """A broker as the market knows it; what is for staff is null for others."""

    id: UUID
    name: str
    introduction: str
    organization: Brief | None = Field(description="Null where you may not know it / 无权查看时为空")
    fields: list[str]
    regions: list[str]
    languages: list[Language]
    available: bool
    qualifications: list[Qualification]
    figures: Figures
    workload: Workload | None = Field(description="For staff / 仅工作人员可见")


class BrokerPage(Page[BrokerCard]):
    """A page of brokers, newest first."""


class Part(BaseModel):
    """One reason for or against a broker, 0 to 1, with its weight."""

    name: Literal["field", "region", "language", "capacity"]
    value: float
    weight: float
    reason: str


class Suggestion(BaseModel):
    """A broker for a need, with what speaks for it."""

    broker_id: UUID
    name: str
    score: float = Field(
        description="0 to 1, the weighted sum of the parts; 0 where nothing more can be taken on / 综合得分"
    )
    can_take: bool = Field(description="Whether it is available and has free capacity / 是否可承接")
    parts: list[Part]
    workload: Workload


class Suggestions(BaseModel):
    """Brokers for a need, best first."""

    need_id: UUID
    items: list[Suggestion]


class AssignmentRequest(BaseModel):
    """Which broker is to work on which need."""

    model_config = ConfigDict(extra="forbid")

    need_id: UUID
    broker_id: UUID


class Assignment(BaseModel):
    """A need in a broker's hands."""

    id: UUID
    need_id: UUID
    broker_id: UUID
    assigned_at: datetime
    ended_at: datetime | None = Field(default=None, description="When it was taken back / 撤回时间")
    before: UUID | None = Field(default=None, description="The broker whose it was / 原承接人")
