"""Every setting, read once from `DUIJIE_*` environment variables."""

import base64
import re
from functools import lru_cache
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.kit.rates import parse_rate

PROJECT_ROOT = Path(__file__).resolve().parents[1]
SEEDS = PROJECT_ROOT / "seeds"
MIGRATIONS = PROJECT_ROOT / "migrations"
ADDRESS = re.compile(r"^[^@\s<>,;:\"]+@[^@\s<>,;:\"]+$")
ORIGIN = re.compile(r"^https?://[A-Za-z0-9.-]+(:\d{1,5})?$")


# Signatures by a private key alone: what verifies them signs nothing.
ASYMMETRIC_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def is_safe_address(address: str) -> bool:
    """Whether an address is one to fetch keys from: https, or http that does not leave the machine.

    >>> is_safe_address("https://login.example.com"), is_safe_address("http://127.0.0.1:8080/realm")
    (True, True)
    >>> is_safe_address("http://login.example.com"), is_safe_address("https://login.example.com/?a=1")
    (False, False)
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    if not parts.hostname or parts.query or parts.fragment or parts.username or any(c.isspace() for c in address):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


class Settings(BaseSettings):
    """Settings of one process. Names in the environment are the field names in capitals behind `DUIJIE_`."""

    model_config = SettingsConfigDict(env_prefix="DUIJIE_", env_ignore_empty=True, extra="ignore")

    home: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("duijie"),
        description="Folder of the embedded database, the rebuilt and fine-tuned models and the demo keys.",
    )
    database_url: str | None = Field(
        default=None,
        description="PostgreSQL with pgvector 0.8.4 or newer; unset: the embedded server. "
        "Requests take the role duijie_app on these connections.",
    )
    owner_database_url: str | None = Field(
        default=None,
        description="Connection of the owner that migrates, where it differs from DUIJIE_DATABASE_URL.",
    )
    model: str | None = Field(
        default=None,
        description="A sentence-transformers model id or folder, or tuned:NAME; unset: the encoder that was chosen "
        "(duijie encoders), at first multilingual-e5-small from the wheel.",
    )
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto", description="Number format of the encoder; auto measures which one is faster here."
    )
    encoder_threads: int = Field(default=0, ge=0, description="Threads of the encoder; 0: one per physical core.")
    language: Literal["zh", "en"] = Field(default="zh", description="Language where a caller names none.")
    oidc_issuer: str | None = Field(
        default=None,
        description="OpenID Connect issuer whose bearer tokens are taken: an https address (http on a loopback address).",
    )
    oidc_audience: str | None = Field(
        default=None, description="Audience that its tokens must name; needed with an issuer."
    )
    oidc_algorithms: str = Field(
        default="RS256,ES256",
        description="Signature algorithms that are taken, separated by commas; none and HS* never are.",
    )
    oidc_link_by_email: bool = Field(
        default=False,
        description="Whether a first login is linked to the person whose e-mail an operator wrote down, if the issuer "
        "has verified it; else administrators link logins.",
    )
    host: str = Field(default="127.0.0.1", description="Address that the API listens on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port that the API listens on.")
    pool_size: int = Field(default=10, ge=2, le=200, description="Database connections of one process.")
    max_body_bytes: int = Field(default=2 * 1024 * 1024, ge=1024, description="Largest JSON request body.")
    max_upload_bytes: int = Field(default=32 * 1024 * 1024, ge=1024, description="Largest uploaded import file.")
    max_import_rows: int = Field(default=50_000, ge=1, description="Most rows in one uploaded import file.")
    statement_timeout_ms: int = Field(default=15_000, ge=100, description="Longest database statement of a request.")
    worker: bool = Field(default=True, description="Whether `duijie serve` also runs the worker.")
    worker_concurrency: int = Field(default=16, ge=1, le=256, description="Jobs that one worker has in hand.")
    worker_heartbeat_seconds: int = Field(
        default=30, ge=1, le=3600, description="A job whose worker gives no sign for so long is taken up by another."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto", description="Lines as JSON or for reading; auto: for reading on a terminal."
    )
    audit_days: int = Field(
        default=365,
        ge=184,
        description="Days that events of the audit trail are kept at least; 184 is the longest that six months can be "
        "(Cybersecurity Law of China, article 23 (3); before 2026 article 21 (3)).",
    )
    rate_limit: str = Field(
        default="600/minute", description="Requests of one API key, as NUMBER/second, minute, hour or day; 0: no limit."
    )
    rate_limit_organization: str = Field(
        default="3000/minute", description="Requests of all keys of one organization together; 0: no limit."
    )
    rate_limit_address: str = Field(
        default="300/minute", description="Requests of one address without a key that is known to work; 0: no limit."
    )
    rate_limit_failures: str = Field(
        default="20/minute", description="Wrong keys from one address before it has to wait; 0: no limit."
    )
    cors_origins: str = Field(
        default="",
        description="Origins whose pages may call the API from a browser, with commas between, such as "
        "https://market.example; empty: none.",
    )
    review_lease_minutes: int = Field(
        default=30, ge=1, le=1440, description="Minutes that pairs of the review queue are a broker's who took them."
    )
    review_undo_minutes: int = Field(
        default=10, ge=0, le=1440, description="Minutes in which a broker may undo a decision; 0: never."
    )
    smtp_host: str | None = Field(
        default=None,
        description="Mail server that notifications go out by; unset: they are shown in the application only.",
    )
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Its port.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="STARTTLS, which is insisted on; TLS from the beginning; or neither."
    )
    smtp_user: str | None = Field(default=None, description="User name at the mail server; unset: no login.")
    smtp_password: SecretStr | None = Field(default=None, description="Password at the mail server.")
    smtp_sender: str | None = Field(
        default=None,
        description="Address that mail comes from and that who wants no more writes to; needed with a host.",
    )
    smtp_seconds: float = Field(default=20, gt=0, le=300, description="Longest wait for the mail server.")
    webhook_key: SecretStr | None = Field(
        default=None,
        description="Key that the secrets of webhooks are kept under: base64 of 32 random bytes; unset: a file of its "
        "own in DUIJIE_HOME. Processes that share a database need the same.",
    )
    webhook_private: bool = Field(
        default=False,
        description="Whether webhooks may go to http and to addresses within one's own network: for tests and closed networks.",
    )
    webhook_seconds: float = Field(default=15, gt=0, le=60, description="Longest wait for an endpoint's answer.")
    case_invitation_days: int = Field(
        default=5, ge=1, le=250, description="Business days in which a side answers its invitation to a case."
    )
    case_reply_days: int = Field(
        default=5, ge=1, le=250, description="Business days in which a side replies to the other in a consultation."
    )
    case_contract_days: int = Field(
        default=30, ge=1, le=250, description="Business days from the beginning of a negotiation to its contract."
    )
    case_broker_days: int = Field(
        default=3, ge=1, le=250, description="Business days in which a broker takes the step that a case waits for."
    )
    case_grace_days: int = Field(
        default=5,
        ge=1,
        le=250,
        description="Business days between telling the broker that a term has passed and the lapse of the case.",
    )
    case_reminder_days: str = Field(
        default="2,0",
        description="Business days before a term ends on which its party is reminded, with commas between.",
    )
    case_follow_up_months: str = Field(
        default="3,6,12", description="Months after a contract at which both sides are asked what became of it."
    )
    case_follow_up_days: int = Field(
        default=10, ge=1, le=250, description="Business days in which a side answers such a question."
    )
    case_attachment_bytes: int = Field(
        default=10 * 1024 * 1024, ge=1024, le=64 * 1024 * 1024, description="Largest file attached to a case's message."
    )
    case_attachments_bytes: int = Field(
        default=200 * 1024 * 1024,
        ge=1024,
        le=1024 * 1024 * 1024,
        description="All files of one case together, at most.",
    )
    response_least_answers: int = Field(
        default=5,
        ge=3,
        le=1000,
        description="Answered invitations from which on an organization's response time is published.",
    )
    stored_matches: int = Field(default=50, ge=1, le=500, description="Most matches stored per ranking run.")

    @field_validator("database_url", "owner_database_url")
    @classmethod
    def _is_postgres(cls, value: str | None) -> str | None:
        # Not pydantic's PostgresDsn: it wants a host, and servers reached over a unix socket have none.
        if value is not None and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://")
        return value

    @field_validator("rate_limit", "rate_limit_organization", "rate_limit_address", "rate_limit_failures")
    @classmethod
    def _is_rate(cls, value: str) -> str:
        parse_rate(value)
        return value

    @field_validator("case_reminder_days", "case_follow_up_months")
    @classmethod
    def _are_numbers(cls, value: str) -> str:
        parts = [part.strip() for part in value.split(",") if part.strip()]
        if not all(part.isdecimal() and int(part) <= 120 for part in parts):
            raise ValueError("must be whole numbers up to 120 with commas between, such as 3,6,12")
        return ",".join(parts)

    @property
    def reminders(self) -> tuple[int, ...]:
        """The days of `case_reminder_days`, the earliest reminder first."""
        return tuple(sorted({int(part) for part in self.case_reminder_days.split(",") if part}, reverse=True))

    @property
    def follow_up_months(self) -> tuple[int, ...]:
        """The months of `case_follow_up_months`, the earliest first; 0 is none."""
        return tuple(sorted({int(part) for part in self.case_follow_up_months.split(",") if part} - {0}))

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: str) -> str:
        # No wildcard: which pages may read a market's data with a user's key is for the operator to name.
        for origin in filter(None, map(str.strip, value.split(","))):
            if not ORIGIN.match(origin):
                raise ValueError(
                    f"{origin} is no origin: scheme and host without a path, such as https://market.example"
                )
        return value

    @property
    def allowed_origins(self) -> list[str]:
        """The origins of `cors_origins`, one by one."""
        return [origin for origin in map(str.strip, self.cors_origins.split(",")) if origin]

    @field_validator("oidc_issuer")
    @classmethod
    def _is_safe_issuer(cls, value: str | None) -> str | None:
        if value is not None and not is_safe_address(value):
            raise ValueError("must be an https address (http on a loopback address) without query and fragment")
        return value

    @field_validator("oidc_algorithms")
    @classmethod
    def _are_asymmetric(cls, value: str) -> str:
        names = [name.strip() for name in value.split(",")]
        if wrong := [name for name in names if name not in ASYMMETRIC_ALGORITHMS]:
            raise ValueError(f"{wrong[0] or 'an empty name'} is not one of {', '.join(ASYMMETRIC_ALGORITHMS)}")
        return ",".join(names)

    @model_validator(mode="after")
    def _issuer_has_audience(self) -> Self:
        if (self.oidc_issuer is None) != (self.oidc_audience is None):
            raise ValueError("DUIJIE_OIDC_ISSUER and DUIJIE_OIDC_AUDIENCE go together")
        return self

    @field_validator("smtp_sender")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None and not (value.isascii() and ADDRESS.match(value)):
            raise ValueError("must be an e-mail address without a name, such as market@example.com")
        return value

    @model_validator(mode="after")
    def _mail_has_sender(self) -> Self:
        if self.smtp_host is not None and self.smtp_sender is None:
            raise ValueError("DUIJIE_SMTP_HOST needs DUIJIE_SMTP_SENDER")
        return self

    @field_validator("webhook_key")
    @classmethod
    def _is_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                size = len(base64.b64decode(value.get_secret_value(), validate=True))
            except ValueError:
                size = 0
            if size != 32:
                raise ValueError("must be base64 of 32 bytes, such as `openssl rand -base64 32` prints")
        return value

    @property
    def cache(self) -> Path:
        """Where the rebuilt model lies."""
        return self.home / "models"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process; tests call `get_settings.cache_clear()`."""
    return Settings()
