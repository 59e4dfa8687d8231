"""A person's consents and notification preferences: exported with the person's data, and erased with the person."""

from migrations.script import run_file

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Add two functions for the export, an index for one of them, and a trigger for erasure."""
    run_file("0022_own_data.sql")
