"""People and memberships as the API takes and shows them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from service.access.schemas import USUAL_SCOPES, Key, Roles, Scopes
from service.kit.actor import Role, Scope
from service.kit.instants import Instant
from service.kit.texts import clean_line

PersonName = Annotated[str, AfterValidator(clean_line), StringConstraints(min_length=1, max_length=100)]
EmailAddress = Annotated[
    str, AfterValidator(clean_line), StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)
]
PhoneNumber = Annotated[str, AfterValidator(clean_line), StringConstraints(pattern=r"^[0-9+()（）\-— .转ext]{5,40}$")]


class PersonContent(BaseModel):
    """What is kept of a person: no more than it takes to know and reach the one who acts."""

    model_config = ConfigDict(extra="forbid")

    name: PersonName = Field(description="姓名", examples=["演示人员"])
    email: EmailAddress = Field(description="电子邮箱", examples=["yanshi@example.com"])
    phone: PhoneNumber | None = Field(default=None, description="电话")


class PersonState(StrEnum):
    """Whether a person is there."""

    ACTIVE = "active"
    ERASED = "erased"


class Person(BaseModel):
    """A person as stored. Lists show e-mail and phone masked, one's own record shows them in full."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    name: str
    email: str | None
    phone: str | None
    state: PersonState
    version: int
    created_at: datetime
    updated_at: datetime


class MemberContent(BaseModel):
    """What a person may do for an organization."""

    model_config = ConfigDict(extra="forbid")

    roles: Roles = Field(description="Roles in this organization / 角色", examples=[["enterprise"]])
    scopes: Scopes = Field(
        default_factory=lambda: list(USUAL_SCOPES),
        description="admin makes an administrator of the organization: its people and keys / admin 表示本单位管理员",
    )
    valid_until: Instant | None = Field(default=None, description="Ends by itself then / 有效期至")


class MemberRequest(MemberContent):
    """A membership to be made: of a person that is there, or of a new one."""

    person_id: UUID | None = Field(
        default=None, description="A person that is there (operators, administrators) / 已有人员"
    )
    person: PersonContent | None = Field(default=None, description="A new person / 新人员")


class Membership(BaseModel):
    """A membership as stored."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    person_id: UUID
    organization_id: UUID
    roles: list[Role]
    scopes: list[Scope]
    valid_from: datetime
    valid_until: datetime | None
    ended_at: datetime | None
    version: int
    granted_by_person: UUID | None
    granted_by_key: UUID | None
    created_at: datetime
    updated_at: datetime


class Member(Membership):
    """A membership with the person that it is of, e-mail and phone masked."""

    person: Person


class IdentityRequest(BaseModel):
    """A login of the configured issuer to be linked to a person."""

    model_config = ConfigDict(extra="forbid")

    issuer: Annotated[str, AfterValidator(clean_line), StringConstraints(min_length=1, max_length=500)] = Field(
        description="`iss` of its tokens", examples=["https://login.example.com"]
    )
    subject: Annotated[str, StringConstraints(min_length=1, max_length=255)] = Field(description="`sub` of its tokens")


class Identity(BaseModel):
    """A login that stands for a person."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    person_id: UUID
    issuer: str
    subject: str
    created_at: datetime
    last_login_at: datetime | None


class OwnMembership(Membership):
    """One of one's own memberships, with the organization's name."""

    organization_name: str


class Myself(Person):
    """One's own record."""

    memberships: list[OwnMembership]


class PersonalExport(BaseModel):
    """Everything that is kept of a person (PIPL, article 45: access and copy)."""

    exported_at: datetime
    person: Person
    memberships: list[OwnMembership]
    identities: list[Identity]
    keys: list[Key]
    password_changed_at: datetime | None
    broker_profiles: list[dict[str, Any]] = Field(
        description="What the person said of itself as a broker / 技术经理人资料"
    )
    consents: list[dict[str, Any]] = Field(
        description="Consents that the person gave for its organizations, withdrawn ones too / 本人作出的同意"
    )
    notice_preferences: dict[str, Any] | None = Field(
        description="How the person chose to be told; null: nothing was chosen / 本人的通知设置"
    )
    events: list[dict[str, Any]] = Field(description="What the person did, oldest first / 操作记录")
    events_complete: bool = Field(description="False where there are more events than are listed / 是否完整")
