"""Stored answers of acting requests, and the buckets of rate limits."""

from migrations.script import run_file

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create both tables and say who sees a stored answer."""
    run_file("0012_manners.sql")
