"""Every setting, read once from `DUIJIE_*` environment variables."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parents[1]
SEEDS = PROJECT_ROOT / "seeds"
MIGRATIONS = PROJECT_ROOT / "migrations"


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
    stored_matches: int = Field(default=50, ge=1, le=500, description="Most matches stored per ranking run.")

    @field_validator("database_url", "owner_database_url")
    @classmethod
    def _is_postgres(cls, value: str | None) -> str | None:
        # Not pydantic's PostgresDsn: it wants a host, and servers reached over a unix socket have none.
        if value is not None and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://")
        return value

    @property
    def cache(self) -> Path:
        """Where the rebuilt model lies."""
        return self.home / "models"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process; tests call `get_settings.cache_clear()`."""
    return Settings()
