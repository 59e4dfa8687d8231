"""Confidential listings with a public abstract, and the consent of both sides of a pair."""

from migrations.script import run_file

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add two columns of listings, and the table of consents with its policies."""
    run_file("0015_tiers.sql")
