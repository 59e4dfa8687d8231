"""Whose cases are, what rounds of refinement came to, and what of a broker's work is counted from them."""

from migrations.script import run_file

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Add three columns, and replace the figures of brokers."""
    run_file("0023_broker_work.sql")
