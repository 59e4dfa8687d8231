"""Plans of the functions that policies ask, and an index for the slowest of them."""

from migrations.script import run_file

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Set how they are planned, and add the index."""
    run_file("0025_policy_plans.sql")
