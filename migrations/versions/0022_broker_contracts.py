"""A broker's figures count the contracts of the pairs that it introduced."""

from migrations.script import run_file

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Replace the function of the figures, and add the indexes that it needs."""
    run_file("0022_broker_contracts.sql")
