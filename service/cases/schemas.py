"""Cases as the API takes and shows them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from service.cases.codes import LostCode, WonCode
from service.cases.modes import Kind
from service.cases.records import Party
from service.kit.pages import Page
from service.kit.texts import clean_text
from service.matches.consent_schemas import Side
from service.matches.schemas import Counterpart
from service.taxonomy.schemas import Mode

Words = Annotated[str, AfterValidator(clean_text), StringConstraints(min_length=1, max_length=10_000)]
OWN_SIDE = Field(default=None, description="Needed where both sides are your organization's / 双方均为本单位时必填")


class CaseState(StrEnum):
    """Where a case stands."""

    INVITED = "invited"
    CONSENTED = "consented"
    CONSULTING = "consulting"
    NEGOTIATING = "negotiating"
    CONTRACTED = "contracted"
    FOLLOWING = "following"
    CLOSED = "closed"
    LAPSED = "lapsed"


class CaseAction(StrEnum):
    """Steps of a case that need nothing said with them."""

    CONSULT = "consult"
    NEGOTIATE = "negotiate"
    FOLLOW = "follow"
    REOPEN = "reopen"


class CaseStep(StrEnum):
    """What can be done with a case, each by the address of its name."""

    ANSWER = "answer"
    CONSULT = "consult"
    NEGOTIATE = "negotiate"
    LEAVE = "leave"
    FOLLOW = "follow"
    CLOSE = "close"
    REOPEN = "reopen"


class Awaited(BaseModel):
    """Who is awaited, for what, and until when."""

    party: Party = Field(description="need, outcome or broker / 需求方、成果方、技术经理人")
    what: Literal["invitation", "question", "consult", "reply", "contract", "follow", "close", "follow_up"] = Field(
        description="答复邀请、回复提问、开始磋商、回复消息、签约、开始跟踪、办结、跟踪回访"
    )
    you: bool = Field(description="Whether it is you / 是否等待本单位")
    since: datetime
    until: datetime
    provisional: bool = Field(
        description="A day on the way lies in a year whose holidays are not published: Monday to Friday were counted "
        "/ 期限跨入尚未公布放假安排的年份，暂按周一至周五计算"
    )
    overdue: bool
    escalated: bool = Field(description="The broker (of a broker's step: the operators) was told / 已逾期上报")


class Missing(BaseModel):
    """What is to be settled before a contract."""

    name: str
    kind: Kind
    label: str


class Case(BaseModel):
    """A case with both sides as far as they are known to you."""

    id: UUID
    recommendation_id: UUID
    state: CaseState
    version: int
    need: Counterpart | None = Field(description="Null where it has left the market / 已下架时为空")
    outcome: Counterpart | None
    your_sides: list[Party] = Field(description="Which sides are your organization's / 本单位是哪一方")
    broker_organization_id: UUID | None
    need_region: str | None = Field(
        description="As at the opening; where the need names none, told to the other side once both consent "
        "/ 立案时需求方所在地；需求未注明地区的，双方同意后才告知对方"
    )
    outcome_region: str | None
    partner: bool = Field(description="Whether the regions are a partner pair / 是否结对地区")
    partner_pairs: list[str] = Field(description="from:to:program / 结对关系")
    mode: Mode | None
    terms: dict[str, str | int] = Field(description="For those who take part / 已商定事项，仅对参与方开放")
    missing: list[Missing] = Field(description="Before it may be contracted / 签约前尚缺事项")
    awaiting: list[Awaited] = Field(description="The soonest due first / 当前等待谁、做什么、到何时")
    unread: int = Field(description="Messages that you have not read / 未读消息数")
    actions: list[CaseStep] = Field(description="POST /v1/cases/{id}/… that you may take now / 当前可执行的操作")
    closed_as: Literal["won", "lost", "undone"] | None
    code: str | None = Field(description="Why it ended / 结束原因代码")
    opened_at: datetime
    state_since: datetime
    contracted_at: datetime | None
    closed_at: datetime | None


class CasePage(Page[Case]):
    """A page of cases, newest first."""


class AnswerRequest(BaseModel):
    """A side's answer to its invitation."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"answer": "yes", "purpose": "就中试与许可条件洽谈"}]}
    )

    answer: Literal["yes", "no", "question"] = Field(description="同意、谢绝、先提问")
    purpose: Annotated[str, AfterValidator(clean_text), StringConstraints(min_length=2, max_length=500)] | None = Field(
        default=None, description="Of a yes: for what the other side may use your contact data / 同意的目的"
    )
    code: LostCode | None = Field(default=None, description="Of a no / 谢绝的原因代码")
    text: Words | None = Field(
        default=None, description="A question to the broker, or a word to a no / 向技术经理人的提问，或谢绝的说明"
    )
    side: Side | None = OWN_SIDE

    @model_validator(mode="after")
    def _fits_the_answer(self) -> Self:
        if (self.answer == "yes") != (self.purpose is not None):
            raise PydanticCustomError("purpose_with_yes", "purpose goes with yes, and only with it")
        if (self.answer == "no") != (self.code is not None):
            raise PydanticCustomError("code_with_no", "code goes with no, and only with it")
        if self.answer == "question" and not self.text:
            raise PydanticCustomError("text_with_question", "a question needs its text")
        if self.code is LostCode.OTHER and not self.text:
            raise PydanticCustomError("text_with_other", "the code other needs a text")
        if self.answer == "yes" and self.text:
            raise PydanticCustomError("no_text_with_yes", "a yes takes a purpose and no text")
        return self


class LeaveRequest(BaseModel):
    """Why a side ends its part."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"code": "no_agreement"}]})

    code: LostCode = Field(description="退出的原因代码")
    text: Words | None = Field(default=None, description="A word to the broker / 给技术经理人的说明")
    side: Side | None = OWN_SIDE

    @model_validator(mode="after")
    def _has_a_text_of_its_own(self) -> Self:
        if self.code is LostCode.OTHER and not self.text:
            raise PydanticCustomError("text_with_other", "the code other needs a text")
        return self


class CloseRequest(BaseModel):
    """How a case ended."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"closed_as": "lost", "code": "no_agreement"}]}
    )

    closed_as: Literal["won", "lost"] = Field(description="成功或终止")
    code: str = Field(
        description=f"won: {', '.join(WonCode)}; lost: {', '.join(LostCode)} / 原因代码",
        json_schema_extra={"enum": [*(code.value for code in WonCode), *(code.value for code in LostCode)]},
    )
    note: Words | None = Field(
        default=None,
        description="Kept among the broker's notes, which the broker alone writes / 存入技术经理人备注，仅承办人可写",
    )

    @model_validator(mode="after")
    def _has_a_code_of_its_kind(self) -> Self:
        codes = set(WonCode) if self.closed_as == "won" else set(LostCode)
        if self.code not in {code.value for code in codes}:
            raise PydanticCustomError(
                "code_of_closing", "code is one of: {codes}", {"codes": ", ".join(sorted(code.value for code in codes))}
            )
        if self.code == LostCode.OTHER and not self.note:
            raise PydanticCustomError("note_with_other", "the code other needs a note")
        return self


class ExtensionRequest(BaseModel):
    """Another term for a party that is awaited."""

    model_config = ConfigDict(extra="forbid")

    party: Party
    days: Annotated[int, Field(ge=1, le=250)] = Field(description="Business days from today / 自今日起的工作日数")


class HandOverReason(StrEnum):
    """Why a case goes to another broker; a code, for events keep no words of people."""

    LEAVES = "leaves"
    OVERLOADED = "overloaded"
    OTHER_FIELD = "other_field"
    CONFLICT = "conflict"
    ASKED = "asked"
    OTHER = "other"


class HandOverRequest(BaseModel):
    """Which broker is to go on with a case."""

    model_config = ConfigDict(extra="forbid")

    broker_id: UUID = Field(description="As in GET /v1/brokers / 接手的技术经理人")
    reason: HandOverReason | None = Field(
        default=None,
        description="leaves, overloaded, other_field, conflict (of interest), asked (by a side), other "
        "/ 离任、承接已满、领域不符、利益回避、应一方要求、其他",
    )


class Terms(BaseModel):
    """The mode of cooperation and what was agreed of it, in place of what was there."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"mode": "enclave", "terms": {"place": "350100", "operator": "演示运营公司"}}]},
    )

    mode: Mode
    terms: dict[Annotated[str, StringConstraints(max_length=40)], str | int | None] = Field(
        default_factory=dict, max_length=40, description="By name, see GET /v1/cooperation-modes / 各项内容"
    )


class ModeNeeds(BaseModel):
    """What a mode needs."""

    mode: Mode
    needs: list[Missing]
