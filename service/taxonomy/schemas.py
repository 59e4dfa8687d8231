"""Code lists as types, and their entries as the API shows them."""

from enum import StrEnum

from pydantic import BaseModel


class Mode(StrEnum):
    """合作方式: how the two sides can work together."""

    COMMISSIONED_RD = "commissioned_rd"
    JOINT_RD = "joint_rd"
    TRANSFER = "transfer"
    LICENSE = "license"
    EQUITY = "equity"
    JOINT_PLATFORM = "joint_platform"
    ENCLAVE = "enclave"
    OFFSHORE_INCUBATION = "offshore_incubation"
    FLEXIBLE_TALENT = "flexible_talent"
    CONSULTING = "consulting"
    SERVICE = "service"


class OutcomeType(StrEnum):
    """成果类型."""

    BASIC = "basic"
    APPLIED = "applied"
    SOFT = "soft"


class Stage(StrEnum):
    """应用技术成果所处阶段, as registered."""

    INITIAL = "initial"
    MIDDLE = "middle"
    MATURE = "mature"


class FundingSource(StrEnum):
    """课题来源."""

    NATIONAL = "national"
    MINISTRY = "ministry"
    PROVINCIAL = "provincial"
    MUNICIPAL = "municipal"
    ENTERPRISE = "enterprise"
    SELF = "self"
    INTERNATIONAL = "international"
    OTHER = "other"


class IpKind(StrEnum):
    """知识产权类型."""

    INVENTION_PATENT = "invention_patent"
    UTILITY_MODEL = "utility_model"
    DESIGN_PATENT = "design_patent"
    SOFTWARE_COPYRIGHT = "software_copyright"
    PLANT_VARIETY = "plant_variety"
    STANDARD = "standard"
    TRADE_SECRET = "trade_secret"  # noqa: S105
    OTHER = "other"


class IpStatus(StrEnum):
    """知识产权状态."""

    GRANTED = "granted"
    PENDING = "pending"
    EXPIRED = "expired"


class DeclineCode(StrEnum):
    """Why a broker declines a pair."""

    TOO_EARLY = "too_early"
    UNCLEAR_ADVANTAGE = "unclear_advantage"
    UNCLEAR_PATH = "unclear_path"
    VAGUE = "vague"
    INDICATORS_UNMET = "indicators_unmet"
    PRICE_MISMATCH = "price_mismatch"
    MODE_MISMATCH = "mode_mismatch"
    REGION_OR_QUALIFICATION = "region_or_qualification"
    ALREADY_SOLVED = "already_solved"
    DUPLICATE = "duplicate"
    OTHER = "other"


class Field(BaseModel):
    """重点方向: a focus field."""

    code: str
    label_zh: str
    label_en: str
    label_ar: str | None
    field_group: str
    sections: list[str]
    keywords: dict[str, list[str]]


class Industry(BaseModel):
    """A section of GB/T 4754-2017."""

    code: str
    label_zh: str
    label_en: str


class Entry(BaseModel):
    """One code of a small list."""

    code: str
    label_zh: str
    label_en: str
    label_ar: str | None = None
    description_zh: str | None = None
    description_en: str | None = None


class Taxonomy(BaseModel):
    """Every code that listings, decisions and contracts use."""

    fields: list[Field]
    industries: list[Industry]
    codes: dict[str, list[Entry]]
