"""Of a case there is one draft of a contract at a time."""

from migrations.script import run_file

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Add the unique index."""
    run_file("0024_contract_drafts.sql")
