"""Of a case there is one draft of a contract at a time."""

from migrations.script import run_file

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Add the unique index."""
    run_file("0023_contract_drafts.sql")
