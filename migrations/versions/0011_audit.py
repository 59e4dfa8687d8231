"""The audit trail: append-only events in a hash chain."""

from migrations.script import run_file

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Seal the events that are there, in order, and every later one at its commit."""
    run_file("0011_audit.sql")
