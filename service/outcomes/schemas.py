"""Outcomes as the API takes and shows them."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from service.hints.schemas import ListingHints
from service.kit.texts import clean_line
from service.listings.schemas import (
    DETAIL,
    INTERNAL,
    SHOWN,
    Amount,
    IpRight,
    Lines,
    Listing,
    ListingContent,
    LongText,
    ShortText,
    Standing,
    Trl,
    ordered,
)
from service.taxonomy.schemas import FundingSource, OutcomeType, Stage

EXAMPLE: dict[str, JsonValue] = {
    "title": "枸杞真空脉动干燥工艺与装备",
    "description": "采用真空脉动与分段控温，鲜果不用碱液促干，8至10小时完成干燥。",
    "innovations": "压力脉动打破蜡质层的传质阻力。",
    "indicators": ["单批干燥时间8~10 h", "含水率12%±0.5%", "吨干果电耗420 kWh"],
    "keywords": ["枸杞", "真空干燥"],
    "field": "goji",
    "region": "350200",
    "modes": ["transfer", "license"],
    "maturity": 8,
    "price_min": 300000,
    "price_max": 600000,
    "outcome_type": "applied",
    "stage": "mature",
    "ip_rights": [{"kind": "invention_patent", "number": "ZL202310000001.0", "status": "granted"}],
}


class OutcomeContent(ListingContent):
    """What a provider says of an outcome, with the fields of outcome registration (成果登记)."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    innovations: Annotated[LongText | None, DETAIL] = Field(default=None, description="创新点")
    applications: Annotated[LongText | None, DETAIL] = Field(
        default=None, description="Where it is used / 应用领域与场景"
    )
    prospects: Annotated[LongText | None, DETAIL] = Field(
        default=None, description="Market and benefit / 市场前景与效益"
    )
    maturity: Annotated[Trl | None, SHOWN] = Field(default=None, description="TRL reached (GB/T 22900) / 技术成熟度")
    outcome_type: Annotated[OutcomeType | None, SHOWN] = Field(default=None, description="成果类型")
    stage: Annotated[Stage | None, SHOWN] = Field(default=None, description="成果所处阶段")
    registration_number: Annotated[ShortText | None, DETAIL] = Field(default=None, description="成果登记号")
    funding_source: Annotated[FundingSource | None, SHOWN] = Field(default=None, description="课题来源")
    funding_project: Annotated[ShortText | None, DETAIL] = Field(
        default=None, description="Programme and number / 计划项目名称与编号"
    )
    publicly_funded: Annotated[bool | None, SHOWN] = Field(default=None, description="是否财政资金支持")
    ip_rights: Annotated[list[IpRight], Field(max_length=100), DETAIL] = Field(
        default_factory=list, description="知识产权"
    )
    awards: Annotated[Lines, DETAIL] = Field(default_factory=list, description="获奖情况")
    completed_on: Annotated[date | None, SHOWN] = Field(default=None, description="完成日期")
    price_min: Annotated[Amount | None, SHOWN] = Field(
        default=None, description="Lower end of the asking price / 报价下限"
    )
    price_max: Annotated[Amount | None, SHOWN] = Field(
        default=None, description="Upper end of the asking price / 报价上限"
    )
    price_negotiable: Annotated[bool, SHOWN] = Field(default=False, description="价格可面议")
    team: Annotated[LongText | None, DETAIL] = Field(default=None, description="完成人")

    @model_validator(mode="after")
    def _price_is_a_range(self) -> Self:
        ordered(self.price_min, self.price_max, "price_min", "price_max")
        return self


class Outcome(OutcomeContent, Standing):
    """A stored outcome, as far as the caller may see it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": []})


class OutcomeDraft(OutcomeContent):
    """An outcome being written: it may lack what storing asks for, and carry what only a stored one has."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"examples": [EXAMPLE]})

    title: Annotated[str, AfterValidator(clean_line), StringConstraints(max_length=200)] = Field(
        default="", description="标题"
    )


class OutcomeAfterStep(Outcome):
    """An outcome after a step of its workflow."""

    hints: Annotated[ListingHints | None, INTERNAL] = Field(
        default=None, description="After submitting: what would make it better / 提交后的完善建议"
    )


class OutcomeAction(StrEnum):
    """What can be done with an outcome."""

    SUBMIT = "submit"
    RETURN = "return"
    VERIFY = "verify"
    PUBLISH = "publish"
    TRANSFER = "transfer"
    WITHDRAW = "withdraw"
    REOPEN = "reopen"


class OutcomeState(StrEnum):
    """Where an outcome stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    VERIFIED = "verified"
    PUBLISHED = "published"
    TRANSFERRED = "transferred"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


def content_of(listing: Listing) -> OutcomeContent:
    """The content of a stored outcome."""
    values = {name: getattr(listing, name) for name in OutcomeContent.model_fields}
    return OutcomeContent.model_construct(**values | {"awards": listing.awards or []})
