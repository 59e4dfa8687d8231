"""Organizations and API keys as the API shows them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from service.kit.actor import KEY_ROLES, Role
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
    credit_code: Annotated[str, StringConstraints(pattern="^[0-9A-Z]{18}$")] | None = Field(
        default=None, description="Unified social credit code (GB 32100) / 统一社会信用代码"
    )
    region: RegionCode | None = Field(default=None, description="GB/T 2260 code / 行政区划代码", examples=["640100"])
    website: OptionalUrl | None = Field(default=None, description="网站")
    introduction: Annotated[str, AfterValidator(clean_text), StringConstraints(max_length=5_000)] = Field(
        default="", description="简介"
    )


class Organization(OrganizationContent):
    """An organization as stored."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    version: int
    created_at: datetime
    updated_at: datetime


KeyRole = Literal["enterprise", "provider", "broker", "operator", "authority", "administrator"]


class KeyRequest(BaseModel):
    """An API key to be made."""

    model_config = ConfigDict(extra="forbid")

    label: Annotated[str, AfterValidator(clean_line), StringConstraints(min_length=1, max_length=100)] = Field(
        description="What the key is for / 用途", examples=["ERP 系统"]
    )
    roles: Annotated[list[KeyRole], Field(min_length=1, max_length=len(KEY_ROLES))] = Field(
        description="Roles that the key carries / 角色", examples=[["enterprise"]]
    )
    expires_at: datetime | None = Field(default=None, description="Valid until / 有效期至")


class Key(BaseModel):
    """An API key as listed; the key itself is never shown again."""

    id: UUID
    organization_id: UUID
    label: str
    roles: list[Role]
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


class Caller(BaseModel):
    """Who the service takes the caller for."""

    key_id: UUID | None
    roles: list[Role]
    organization: Organization | None
