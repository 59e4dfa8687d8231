"""Consents of the two sides of a pair, and what they open, as the API takes and shows them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from service.kit.texts import clean_text
from service.kit.tiers import Tier, Tiered, Visible
from service.listings.schemas import Brief

OPENED = Visible(Tier.CONSENTED)


class Side(StrEnum):
    """The two sides of a pair."""

    NEED = "need"
    OUTCOME = "outcome"


class ConsentRequest(BaseModel):
    """What one side consents to."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"purpose": "就中试与许可条件洽谈"}]})

    purpose: Annotated[str, AfterValidator(clean_text), StringConstraints(min_length=2, max_length=500)] = Field(
        description="For what the other side may use your contact data / 同意对方使用联系方式的目的"
    )
    side: Side | None = Field(
        default=None, description="Needed where both sides are your organization's / 双方均为本单位时必填"
    )


class Consent(BaseModel):
    """A consent as kept: a withdrawn one stays on record."""

    id: UUID
    side: Side
    purpose: str | None = Field(
        description="Of the other side null while not both consent, since a text may tell who wrote it "
        "/ 双方未均同意时，对方的目的为空"
    )
    given_at: datetime
    withdrawn_at: datetime | None


class Consents(BaseModel):
    """Who consented to what, and whether contact data is open."""

    recommendation_id: UUID
    need: bool = Field(description="The need's side consents now / 需求方当前已同意")
    outcome: bool = Field(description="The outcome's side consents now / 成果方当前已同意")
    opened: bool = Field(description="Both do, and GET …/contacts answers / 双方均同意，可查看联系方式")
    opens: list[str] = Field(description="Fields that consent of both sides opens / 双方同意后开放的字段")
    history: list[Consent] = Field(description="Every consent, oldest first / 全部同意记录")


class Contact(Tiered):
    """Whom to talk to on one side."""

    organization: Annotated[Brief | None, OPENED]
    contact_name: Annotated[str | None, OPENED] = Field(description="联系人")
    contact_phone: Annotated[str | None, OPENED] = Field(description="联系电话")
    contact_email: Annotated[str | None, OPENED] = Field(description="电子邮箱")


class Contacts(BaseModel):
    """Both sides' contact data, as their listings name it."""

    recommendation_id: UUID
    need: Contact
    outcome: Contact
