"""Ranking models remember where they come from, and which one was active before."""

from migrations.script import run_file

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add origin, labels and report to ranking models, and keep every activation."""
    run_file("0006_learning.sql")
