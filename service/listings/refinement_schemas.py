"""Refinement as the API takes and shows it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from service.kit.texts import clean_line, clean_text
from service.listings.schemas import Brief, Kind

LongAnswer = Annotated[str, AfterValidator(clean_text), StringConstraints(min_length=2, max_length=2_000)]


class Author(StrEnum):
    """Who wrote a revision, as seen from the listing."""

    OWNER = "owner"
    REVIEWER = "reviewer"


class Stage(StrEnum):
    """What a revision was: the organization's own first text, a text on the way, or what went to the market."""

    ORIGINAL = "original"
    REFINED = "refined"
    PUBLISHED = "published"


class FieldChange(BaseModel):
    """One field that differs from the revision before."""

    field: str
    before: Any
    after: Any


class Step(BaseModel):
    """A revision, by what it changed."""

    revision: int
    at: datetime
    by: Author
    organization: Brief | None = Field(description="Whose key or person wrote it / 修订单位")
    stage: Stage
    agreed_at: datetime | None = Field(description="When the listing's organization agreed to it / 发布单位确认时间")
    reason: str | None = Field(description="修改说明")
    changes: list[FieldChange] = Field(
        description="Against the revision before; the first has none / 与上一版的逐项差异"
    )


class Question(BaseModel):
    """What a reviewer asked the listing's organization, and its answer."""

    id: UUID
    field: str | None
    question: str
    organization: Brief | None = Field(description="Who asks / 提问单位")
    asked_at: datetime
    answer: str | None
    answered_at: datetime | None


class Round(BaseModel):
    """A time in which a reviewer had the listing in hand."""

    organization: Brief | None
    begun_at: datetime
    ended_at: datetime | None


class Refinement(BaseModel):
    """Where the refinement of a listing stands, and how it came there."""

    listing_id: UUID
    kind: Kind
    state: str
    revision: int = Field(description="The present text / 当前版本")
    agreed: bool = Field(
        description="The organization wrote the present text or agreed to it: it may be published / 发布单位已认可当前版本"
    )
    open_questions: int = Field(description="待发布单位回答的问题数")
    rounds: list[Round] = Field(description="Who took it in hand, oldest first / 历次凝练")
    questions: list[Question] = Field(description="Oldest first / 问答")
    history: list[Step] = Field(
        description="The texts it had, oldest first, with what changed: the fifty latest, or the fifty before a revision "
        "/ 逐版差异，至多 50 版"
    )


class QuestionRequest(BaseModel):
    """A question to the listing's organization."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"field": "indicators", "question": "单批处理量是多少？含水率按干基还是湿基计？"}]
        },
    )

    field: Annotated[str, AfterValidator(clean_line), StringConstraints(max_length=100)] | None = Field(
        default=None, description="The field of the listing that it is about, if one / 涉及的字段"
    )
    question: LongAnswer = Field(description="问题")


class AnswerRequest(BaseModel):
    """The organization's answer."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"answer": "单批2吨，湿基。"}]})

    answer: LongAnswer = Field(description="回答")


class AgreementRequest(BaseModel):
    """Which text the organization agrees to."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"revision": 3}]})

    revision: Annotated[int, Field(ge=1, le=2**31 - 1)] = Field(
        description="The revision that was read; another than the present one is refused / 已阅读的版本号"
    )
