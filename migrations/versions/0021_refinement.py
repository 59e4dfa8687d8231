"""Rounds of refinement, questions to a listing's organization, and its agreement."""

from migrations.script import run_file

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Add three tables with their policies."""
    run_file("0021_refinement.sql")
