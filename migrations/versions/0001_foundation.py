"""Business tables."""

from migrations.script import run_file

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create what a technology market stores."""
    run_file("0001_foundation.sql")
