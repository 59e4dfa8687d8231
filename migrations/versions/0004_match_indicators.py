"""Figures of listings in the matching index."""

from migrations.script import run, run_file

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns; the SQL names no schema, so that a scratch schema can hold the same."""
    run("set local search_path = matching, public;")
    run_file("0004_match_indicators.sql")
    run("set local search_path = public;")
