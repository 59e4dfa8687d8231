"""Technology contracts with their changes, filings, receipts, and the market's subsidy rules."""

from migrations.script import run_file

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Add the tables with their policies, and an example of subsidy rules."""
    run_file("0019_contracts.sql")
