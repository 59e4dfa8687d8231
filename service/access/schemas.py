"""Organizations and API keys as the API shows them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from service.access.credit_code import CreditCode
from service.kit.actor import KEY_ROLES, Role, Scope
from service.kit.instants import within_years
from service.kit.texts import ExternalId, OptionalUrl, RegionCode, clean_line, clean_text


class OrganizationKind(StrEnum):
    """单位类型."""

    ENTERPRISE = "enterprise"
    UNIVERSITY = "university"
    INSTITUTE = "institute"
    NEW_RD = "new_rd"
    HOSPITAL = "hospital"
    INTERMEDIARY = "intermediary"
    MARKET = "market"
    AUTHORITY = "authority"


class OrganizationContent(BaseModel):
    """What an organization says of itself."""

    model_config = ConfigDict(extra="forbid")

    external_id: ExternalId | None = Field(default=None, description="Number in the operator's own register / 外部编号")
    name: Annotated[str, AfterValidator(clean_line), StringConstraints(min_length=2, max_length=200)] = Field(
        description="单位名称", examples=["沙泉演示硅材料有限公司"]
    )
    name_en: Annotated[str, AfterValidator(clean_line), StringConstraints(max_length=200)] | None = Field(
        default=None, description="英文名称"
    )
    kind: OrganizationKind = Field(description="单位类型")
    credit_code: CreditCode | None = None
    region: RegionCode | None = Field(default=None, description="GB/T 2260 code / 行政区划代码", examples=["640100"])
    website: OptionalUrl | None = Field(default=None, description="网站")
    introduction: Annotated[str, AfterValidator(clean_text), StringConstraints(max_length=5_000)] = Field(
        default="", description="简介"
    )


class OrganizationState(StrEnum):
    """Where an organization stands."""

    REGISTERED = "registered"
    VERIFIED = "verified"
    SUSPENDED = "suspended"


class OrganizationAction(StrEnum):
    """What an operator can do with an organization."""

    VERIFY = "verify"
    SUSPEND = "suspend"
    RESTORE = "restore"


class StandingReason(BaseModel):
    """Why an organization is verified, suspended or restored; kept with the event."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, AfterValidator(clean_text), StringConstraints(min_length=1, max_length=2_000)] | None = (
        Field(default=None, description="Why, and what was checked / 原因或核验依据", examples=["营业执照已核对"])
    )


class Organization(OrganizationContent):
    """An organization as stored."""

    model_config = ConfigDict(extra="ignore")

    # As stored: what an earlier version let in is still to be read.
    credit_code: str | None = Field(default=None, description="Unified social credit code / 统一社会信用代码")
    id: UUID
    state: OrganizationState = Field(description="登记、核验或停用")
    verified_at: datetime | None
    suspended_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


KeyRole = Literal["enterprise", "provider", "broker", "operator", "authority", "administrator"]


KeyScope = Literal["read", "write", "admin"]
# What most machines need; whoever hands out keys and memberships asks for more.
USUAL_SCOPES: tuple[KeyScope, ...] = ("read", "write")
Scopes = Annotated[list[KeyScope], Field(min_length=1, max_length=len(Scope))]
Roles = Annotated[list[KeyRole], Field(min_length=1, max_length=len(KEY_ROLES))]


class KeyRequest(BaseModel):
    """An API key to be made."""

    model_config = ConfigDict(extra="forbid")

    label: Annotated[str, AfterValidator(clean_line), StringConstraints(min_length=1, max_length=100)] = Field(
        description="What the key is for / 用途", examples=["ERP 系统"]
    )
    roles: Roles = Field(description="Roles that the key carries / 角色", examples=[["enterprise"]])
    scopes: Scopes = Field(
        default_factory=lambda: list(USUAL_SCOPES),
        description="read: look; write: post, change, decide; admin: organizations, people, keys / 权限范围：读、写、管理",
    )
    membership_id: UUID | None = Field(
        default=None, description="Makes it a person's key, within what the membership has / 所属成员关系，空为机器密钥"
    )
    expires_at: Annotated[datetime, AfterValidator(within_years)] | None = Field(
        default=None, description="Valid until / 有效期至"
    )


class Key(BaseModel):
    """An API key as listed; the key itself is never shown again."""

    id: UUID
    organization_id: UUID
    label: str
    roles: list[Role]
    scopes: list[Scope]
    person_id: UUID | None = Field(description="Null: a machine client / 空表示机器客户端")
    membership_id: UUID | None
    replaced_by: UUID | None = Field(description="The key that took over at a rotation / 轮换后的新密钥")
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime


class NewKey(Key):
    """A key right after it was made: the only time that it is shown."""

    # A repeated answer carries null in its place: what is shown once is never stored, not even for a retry.
    key: str = Field(
        description="Shown this once, null in a repeated answer; only its SHA-256 is kept / 仅显示一次，重放的应答中为空",
        json_schema_extra={"x-shown-once": True, "type": ["string", "null"]},
    )


MAX_OVERLAP_HOURS = 168


class RotationRequest(BaseModel):
    """How long the old key stays valid beside its successor."""

    model_config = ConfigDict(extra="forbid")

    overlap_hours: Annotated[int, Field(ge=0, le=MAX_OVERLAP_HOURS)] = Field(
        default=24, description="Hours that both are valid; 0 ends the old one at once / 新旧密钥并存小时数"
    )


class Rotated(NewKey):
    """The successor of a key, and until when the old one is valid."""

    replaces: UUID
    old_valid_until: datetime


class Caller(BaseModel):
    """Who the service takes the caller for."""

    key_id: UUID | None
    person_id: UUID | None
    roles: list[Role]
    scopes: list[Scope]
    organization: Organization | None
