"""The review queue, leases, batches of decisions and the digest of declines, as the API takes and shows them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from service.kit.http import ProblemField
from service.kit.pages import Page
from service.matches.schemas import Decision, DecisionRequest, History, Recommendation
from service.taxonomy.schemas import DeclineCode

MOST_AT_ONCE = 100
From = Literal["anywhere", "partner_regions"]


class ReviewItem(BaseModel):
    """A pair that waits for a decision; of its own earlier decisions (a snooze, one undone) `decisions` tells."""

    recommendation: Recommendation
    gain: float = Field(
        description="Expected gain: the probability, halved for each step of better pairs of the same need "
        "(1st whole; 2nd and 3rd half; 4th to 7th a quarter; …) / 预期收益"
    )
    partnership: Literal[0, 1, 2] = Field(
        description="2: partner regions; 1: east and west; 0: neither / 结对地区、东西部、其他"
    )
    assigned: bool = Field(description="Whether the need was assigned to you / 需求是否已指派给你")
    leased_until: datetime | None = Field(description="Your lease, if it is yours now / 你的占用截止时间")
    history: History


class ReviewPage(Page[ReviewItem]):
    """A page of the queue."""


class LeaseRequest(BaseModel):
    """How many pairs to take from the queue, and from where first."""

    model_config = ConfigDict(
        extra="forbid",
        populate_by_name=True,
        json_schema_extra={"examples": [{"limit": 20, "from": "partner_regions"}]},
    )

    limit: Annotated[int, Field(ge=1, le=MOST_AT_ONCE, description="Most pairs to take / 领取数量")] = 20
    source: From = Field(default="anywhere", alias="from", description="结对地区优先：partner_regions")


class LeaseAnswer(BaseModel):
    """The pairs that are yours until then."""

    leased_until: datetime
    items: list[ReviewItem]


class Released(BaseModel):
    """Pairs that are free again."""

    released: list[UUID]


class BatchDecision(DecisionRequest):
    """One decision of a batch."""

    recommendation_id: UUID
    version: int | None = Field(
        default=None, ge=1, description="The version that you saw, checked where given / 所见版本"
    )


class BatchRequest(BaseModel):
    """Decisions in one transaction."""

    model_config = ConfigDict(extra="forbid")

    decisions: Annotated[list[BatchDecision], Field(min_length=1, max_length=MOST_AT_ONCE)]
    partial: bool = Field(
        default=False,
        description="False: all or nothing. True: what can be decided is, the others say why not / 是否允许部分成功",
    )


class BatchItem(BaseModel):
    """What became of one decision."""

    recommendation_id: UUID
    decision: Decision | None
    problem: ProblemField | None = Field(description="Why it was not made / 未执行的原因")


class BatchAnswer(BaseModel):
    """What became of each, in the order in which they were sent."""

    decided: int
    items: list[BatchItem]


class DeclinedFor(BaseModel):
    """How often an outcome was declined for one reason."""

    code: DeclineCode
    label: str
    times: int
    last_at: datetime
    told: list[str] = Field(description="What brokers wrote for you, newest first / 技术经理人给你的话")
    helps: str = Field(description="What would help / 改进建议")


class DeclinesOfOutcome(BaseModel):
    """Why an outcome of yours was declined."""

    outcome_id: UUID
    title: str
    times: int
    reasons: list[DeclinedFor]


class DeclineDigest(BaseModel):
    """Declines of your organization's outcomes in a period. The needs, and whose they are, are not part of it."""

    since: datetime
    until: datetime
    items: list[DeclinesOfOutcome]
    next: str | None
