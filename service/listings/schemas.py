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
from service.kit.tiers import Tier, Tiered, Visible
from service.taxonomy.schemas import FundingSource, IpKind, IpStatus, Mode, OutcomeType, Stage


class Kind(StrEnum):
    """The two kinds of listing."""

    NEED = "need"
    OUTCOME = "outcome"


# States in which everybody with a key may read a listing.
PUBLIC_STATES = frozenset({"published", "docking", "fulfilled", "transferred"})
# Indexed and ranked: a need that is talked about is open to others as before.
MATCHED_STATES = frozenset({"published", "docking"})

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


# Shown to every key of the market; what the index and the lists choose by is among it.
SHOWN = Visible(Tier.MEMBER)
# Shown to every key too, but of a confidential listing to the counterpart of an accepted pair only.
DETAIL = Visible(Tier.MEMBER, confidential=Tier.COUNTERPART)
# Consent opens contact data by /contacts, where each opening leaves an event; with the listing it never leaves.
CONTACT = Visible(Tier.OWNER)
# Who offers outcomes does so under its name; who posts needs stays unknown until both sides consented.
POSTED_BY = Visible(Tier.CONSENTED, outcome=Tier.MEMBER, to_staff=True)

# For whoever writes the listing, and for those who review it.
INTERNAL = Visible(Tier.OWNER, to_staff=True)


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

    external_id: Annotated[ExternalId | None, INTERNAL] = Field(
        default=None,
        description="Your own number for it; an import finds its rows by it / 本单位编号，用于重复导入时识别",
    )
    title: Annotated[Title, SHOWN] = Field(description="标题")
    description: Annotated[LongText, DETAIL] = Field(default="", description="The text that matching reads / 详细说明")
    indicators: Annotated[Lines, DETAIL] = Field(
        default_factory=list, description="One technical figure a line / 技术指标，每条一项"
    )
    confidential: Annotated[bool, SHOWN] = Field(
        default=False,
        description="Others than an accepted counterpart see and are matched on the abstract only / 保密：他人仅见公开摘要",
    )
    abstract: Annotated[LongText | None, SHOWN] = Field(
        default=None,
        description="Written for everybody; needed to submit what is confidential / 公开摘要，保密项目提交时必填",
    )
    keywords: Annotated[Keywords, SHOWN] = Field(default_factory=list, description="关键词")
    field: Annotated[FieldCode | None, SHOWN] = Field(
        default=None, description="Focus field, see GET /v1/taxonomy / 重点方向"
    )
    industry: Annotated[Section | None, SHOWN] = Field(default=None, description="Section of GB/T 4754 / 行业门类")
    region: Annotated[RegionCode | None, SHOWN] = Field(default=None, description="GB/T 2260 code / 所在地行政区划代码")
    modes: Annotated[Modes, SHOWN] = Field(default_factory=list, description="合作方式")
    currency: Annotated[Currency, SHOWN] = Field(default="CNY", description="ISO 4217 / 币种")
    expires_on: Annotated[date | None, SHOWN] = Field(
        default=None, description="Last day that it is listed / 发布截止日期"
    )
    contact_name: Annotated[ShortText | None, CONTACT] = Field(
        default=None, description="Your organization's; opened by consent of both sides / 联系人"
    )
    contact_phone: Annotated[Phone | None, CONTACT] = Field(default=None, description="As contact_name / 联系电话")
    contact_email: Annotated[Email | None, CONTACT] = Field(default=None, description="As contact_name / 电子邮箱")

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
    confidential: bool = False
    abstract: str | None = None
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


class Standing(Tiered):
    """What a stored listing has besides its content."""

    id: Annotated[UUID, SHOWN]
    organization: Annotated[Brief | None, POSTED_BY] = Field(
        description="Null while the organization stays anonymous to you / 未公开时为空"
    )
    state: Annotated[str, SHOWN]
    version: Annotated[int, SHOWN]
    language: Annotated[str, SHOWN]
    actions: Annotated[list[str], SHOWN] = Field(description="What you may do now / 当前可执行的操作")
    created_at: Annotated[datetime, SHOWN]
    updated_at: Annotated[datetime, SHOWN]
    submitted_at: Annotated[datetime | None, SHOWN]
    published_at: Annotated[datetime | None, SHOWN]
    closed_at: Annotated[datetime | None, SHOWN]


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
