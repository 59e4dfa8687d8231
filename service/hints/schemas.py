"""Hints as the API shows them."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from matching.listing_hints import HintCode, Severity

Part = Literal["duplicates", "fields", "keywords"]


class Hint(BaseModel):
    """Something that is missing or vague, and what to do about it."""

    code: HintCode = Field(description="Stable name of the finding / 建议代码")
    severity: Severity = Field(description="high: keeps it from being answered / 影响程度，high 表示会妨碍应答")
    field: str = Field(description="The field that it is about / 涉及的字段", examples=["indicators"])
    message: str = Field(description="What was found, in your language / 发现的问题")
    advice: str = Field(description="What to do, in your language / 修改建议")
    excerpt: str | None = Field(description="The words that it is about / 涉及的原文")


class DifferingFigure(BaseModel):
    """A quantity that both listings give, with other figures."""

    quantity: str = Field(description="指标名称", examples=["含水率"])
    here: str = Field(description="The words of this listing / 本条原文")
    there: str = Field(description="The words of the other one / 对方原文")


class Duplicate(BaseModel):
    """A listing that says nearly the same."""

    id: UUID
    title: str
    state: str
    same_organization: bool = Field(description="Whether it is the same organization's / 是否为同一单位")
    similarity: float = Field(description="The greater of the two below, 0 to 1 / 相似度")
    resemblance: float = Field(description="Shared phrases of all phrases of both / 两文共有片段占全部片段之比")
    containment: float = Field(description="Shared phrases of those of the shorter one / 共有片段占较短一文之比")
    differing_figures: list[DifferingFigure] = Field(description="数值不同的指标")


class SuggestedField(BaseModel):
    """A focus field that the text may belong to."""

    code: str
    label: str
    confidence: float = Field(description="0 to 1 / 把握程度")


class ListingHints(BaseModel):
    """What would make a listing better; all of it is advice, and nothing is refused for it."""

    hints: list[Hint] = Field(description="What matters most first / 按影响程度排列")
    duplicates: list[Duplicate] = Field(description="Near-duplicates, most similar first / 疑似重复")
    fields: list[SuggestedField] = Field(
        description="Fields to choose from, best first; empty where the text does not tell / 建议的重点方向，无把握时为空"
    )
    keywords: list[str] = Field(description="Keywords to confirm / 建议的关键词")
    indicators: list[str] = Field(description="Figures of the text to list as indicators / 正文中可列为指标的数值")
    complete: bool = Field(description="False while the encoder loads or is busy; ask again / 为否时可稍后重新获取")
    missing: list[Part] = Field(description="What is therefore missing or less sure / 因此缺少或把握较低的部分")
