"""Needs as the API takes and shows them."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from service.hints.schemas import ListingHints
from service.kit.texts import clean_line
from service.listings.schemas import (
    DETAIL,
    INTERNAL,
    SHOWN,
    Amount,
    Listing,
    ListingContent,
    LongText,
    Regions,
    Standing,
    Trl,
    ordered,
)

EXAMPLE: dict[str, JsonValue] = {
    "title": "枸杞鲜果低温快速脱水与色泽保持技术",
    "description": "现用热风烘房干燥一批需要三十多个小时，成品发暗、破损多。希望得到干燥时间短、能耗低的工艺与成套装备。",
    "goals": "单批干燥时间不超过12小时；干果含水率≤13%；百粒破损不多于3粒。",
    "indicators": ["单批干燥时间≤12 h", "含水率≤13%", "吨干果能耗降低30%以上"],
    "keywords": ["枸杞", "干燥", "节能"],
    "field": "goji",
    "region": "640500",
    "modes": ["joint_rd", "transfer"],
    "maturity_min": 6,
    "budget_max": 800000,
    "needed_by": "2027-07-31",
}
# A need's own names for columns that it shares with outcomes.
RENAMED = {
    "maturity_min": "maturity",
    "budget_min": "price_min",
    "budget_max": "price_max",
    "budget_negotiable": "price_negotiable",
}


class NeedContent(ListingContent):
    """What an enterprise says it needs."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    background: Annotated[LongText | None, DETAIL] = Field(default=None, description="Present state / 背景与现状")
    goals: Annotated[LongText | None, DETAIL] = Field(default=None, description="What must be reached / 预期目标")
    foundation: Annotated[LongText | None, DETAIL] = Field(default=None, description="Work done so far / 现有工作基础")
    partner_requirements: Annotated[LongText | None, DETAIL] = Field(
        default=None, description="What a partner must bring / 对合作方的要求"
    )
    partner_regions: Annotated[Regions, SHOWN] = Field(
        default_factory=list, description="Regions that it would like partners from / 意向合作地区"
    )
    maturity_min: Annotated[Trl | None, SHOWN] = Field(
        default=None, description="Least TRL that it can take up (GB/T 22900) / 最低技术成熟度"
    )
    budget_min: Annotated[Amount | None, SHOWN] = Field(default=None, description="Lower end of the budget / 预算下限")
    budget_max: Annotated[Amount | None, SHOWN] = Field(default=None, description="Upper end of the budget / 预算上限")
    budget_negotiable: Annotated[bool, SHOWN] = Field(default=False, description="预算可面议")
    needed_by: Annotated[date | None, SHOWN] = Field(default=None, description="When it must be solved / 期望解决时间")

    @model_validator(mode="after")
    def _budget_is_a_range(self) -> Self:
        ordered(self.budget_min, self.budget_max, "budget_min", "budget_max")
        return self

    def columns(self) -> dict[str, Any]:
        """The content under the column names of the table."""
        return {RENAMED.get(name, name): value for name, value in super().columns().items()}


class Need(NeedContent, Standing):
    """A stored need, as far as the caller may see it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": []})


class NeedDraft(NeedContent):
    """A need being written: it may lack what storing asks for, and carry what only a stored one has."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"examples": [EXAMPLE]})

    title: Annotated[str, AfterValidator(clean_line), StringConstraints(max_length=200)] = Field(
        default="", description="标题"
    )


class NeedAfterStep(Need):
    """A need after a step of its workflow."""

    hints: Annotated[ListingHints | None, INTERNAL] = Field(
        default=None, description="After submitting: what would make it better / 提交后的完善建议"
    )


class NeedAction(StrEnum):
    """What can be done with a need."""

    SUBMIT = "submit"
    RETURN = "return"
    REFINE = "refine"
    PUBLISH = "publish"
    FULFIL = "fulfil"
    WITHDRAW = "withdraw"
    REOPEN = "reopen"


class NeedState(StrEnum):
    """Where a need stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    REFINING = "refining"
    PUBLISHED = "published"
    DOCKING = "docking"
    FULFILLED = "fulfilled"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


def content_of(listing: Listing) -> NeedContent:
    """The content of a stored need."""
    values = listing.model_dump()
    renamed = {name: values[RENAMED.get(name, name)] for name in NeedContent.model_fields}
    return NeedContent.model_construct(**renamed | {"partner_regions": listing.partner_regions or []})
