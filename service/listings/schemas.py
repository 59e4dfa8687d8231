"""What needs and outcomes have in common, as types."""

from collections.abc import Hashable
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from service.kit.texts import ExternalId, RegionCode, clean_line, clean_text
from service.taxonomy.schemas import FundingSource, IpKind, IpStatus, Mode, OutcomeType, Stage


class Kind(StrEnum):
    """The two kinds of listing."""

    NEED = "need"
    OUTCOME = "outcome"


# States in which everybody with a key may read a listing.
PUBLIC_STATES = frozenset({"published", "docking", "fulfilled", "transferred"})

MAX_TEXT = 20_000


def _without_blanks(value: Any) -> Any:
    """Empty entries of a list are what spreadsheets leave behind, not content."""
    if isinstance(value, list):
        return [entry for entry in value if not (isinstance(entry, str) and not entry.strip())]
    return value


def _unique(values: list[Hashable]) -> list[Hashable]:
    return list(dict.fromkeys(values))


Title = Annotated[str, AfterValidator(clean_line), StringConstraints(min_length=2, max_length=200)]
LongText = Annotated[str, AfterValidator(clean_text), StringConstraints(max_length=MAX_TEXT)]
ShortText = Annotated[str, AfterValidator(clean_line), StringConstraints(max_length=500)]
Keyword = Annotated[str, AfterValidator(clean_line), StringConstraints(min_length=1, max_length=100)]
Line = Annotated[str, AfterValidator(clean_line), StringConstraints(min_length=1, max_length=1_000)]
Keywords = Annotated[list[Keyword], BeforeValidator(_without_blanks), AfterValidator(_unique), Field(max_length=50)]
Lines = Annotated[list[Line], BeforeValidator(_without_blanks), AfterValidator(_unique), Field(max_length=100)]
Modes = Annotated[list[Mode], BeforeValidator(_without_blanks), AfterValidator(_unique), Field(max_length=len(Mode))]
Regions = Annotated[list[RegionCode], BeforeValidator(_without_blanks), AfterValidator(_unique), Field(max_length=50)]
Amount = Annotated[Decimal, Field(ge=0, max_digits=16, decimal_places=2)]
Trl = Annotated[int, Field(ge=1, le=9)]
FieldCode = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{1,63}$")]
Section = Annotated[str, StringConstraints(pattern="^[A-T]$")]
Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]
Email = Annotated[
    str, AfterValidator(clean_line), StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=200)
]
Phone = Annotated[str, AfterValidator(clean_line), StringConstraints(pattern=r"^[0-9+()（）\-— .转ext]{5,40}$")]


class IpRight(BaseModel):
    """知识产权: a right that comes with an outcome."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: IpKind
    number: ShortText | None = None
    title: ShortText | None = None
    status: IpStatus | None = None


class ListingContent(BaseModel):
    """Fields that needs and outcomes share."""

    model_config = ConfigDict(extra="forbid")

    external_id: ExternalId | None = Field(
        default=None,
        description="Your own number for it; an import finds its rows by it / 本单位编号，用于重复导入时识别",
    )
    title: Title = Field(description="标题")
    description: LongText = Field(default="", description="The text that matching reads / 详细说明")
    indicators: Lines = Field(default_factory=list, description="One technical figure a line / 技术指标，每条一项")
    keywords: Keywords = Field(default_factory=list, description="关键词")
    field: FieldCode | None = Field(default=None, description="Focus field, see GET /v1/taxonomy / 重点方向")
    industry: Section | None = Field(default=None, description="Section of GB/T 4754 / 行业门类")
    region: RegionCode | None = Field(default=None, description="GB/T 2260 code / 所在地行政区划代码")
    modes: Modes = Field(default_factory=list, description="合作方式")
    currency: Currency = Field(default="CNY", description="ISO 4217 / 币种")
    expires_on: date | None = Field(default=None, description="Last day that it is listed / 发布截止日期")
    contact_name: ShortText | None = Field(default=None, description="Seen by your own organization only / 联系人")
    contact_phone: Phone | None = Field(default=None, description="Seen by your own organization only / 联系电话")
    contact_email: Email | None = Field(default=None, description="Seen by your own organization only / 电子邮箱")

    def columns(self) -> dict[str, Any]:
        """The content under the column names of the table, as JSON values."""
        return self.model_dump(mode="json")


def ordered(low: Decimal | None, high: Decimal | None, low_name: str, high_name: str) -> None:
    """Check that a range is one.

    Raises:
        PydanticCustomError: the lower end lies above the upper.
    """
    if low is not None and high is not None and low > high:
        raise PydanticCustomError("range_order", "{low} must not exceed {high}", {"low": low_name, "high": high_name})


class Brief(BaseModel):
    """An organization in few words."""

    id: UUID
    name: str
    kind: str
    region: str | None


class Listing(BaseModel):
    """A stored need or outcome, with every column. Internal: what a caller sees is made from it."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    kind: Kind
    organization_id: UUID
    external_id: str | None
    state: str
    version: int
    title: str
    description: str
    indicators: list[str]
    keywords: list[str]
    field: str | None
    # Of the field in the taxonomy; only where one listing is read.
    field_group: str | None = None
    industry: str | None
    region: str | None
    region_class: str | None = None
    modes: list[Mode]
    maturity: int | None
    price_min: Decimal | None
    price_max: Decimal | None
    currency: str
    price_negotiable: bool
    expires_on: date | None
    contact_name: str | None
    contact_phone: str | None
    contact_email: str | None
    language: str
    background: str | None
    goals: str | None
    foundation: str | None
    partner_requirements: str | None
    partner_regions: list[str] | None
    needed_by: date | None
    innovations: str | None
    applications: str | None
    prospects: str | None
    outcome_type: OutcomeType | None
    stage: Stage | None
    registration_number: str | None
    funding_source: FundingSource | None
    funding_project: str | None
    publicly_funded: bool | None
    awards: list[str] | None
    completed_on: date | None
    team: str | None
    ip_rights: list[IpRight] = Field(default_factory=list)
    organization: Brief | None = None
    # Only where one listing is read.
    organization_state: str = "verified"
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    published_at: datetime | None
    closed_at: datetime | None


class Standing(BaseModel):
    """What a stored listing has besides its content."""

    id: UUID
    organization: Brief | None = Field(description="Null while the organization stays anonymous to you / 未公开时为空")
    state: str
    version: int
    language: str
    actions: list[str] = Field(description="What you may do now / 当前可执行的操作")
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    published_at: datetime | None
    closed_at: datetime | None


class ActionReason(BaseModel):
    """Why an action is taken; kept with the event."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, AfterValidator(clean_text), StringConstraints(max_length=2_000)] | None = Field(
        default=None, description="原因或说明"
    )


class Revision(BaseModel):
    """A content that a listing had."""

    version: int
    at: datetime
    reason: str | None
    content: dict[str, Any]
