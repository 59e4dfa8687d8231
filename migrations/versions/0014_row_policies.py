"""Row-level security on the business tables."""

from migrations.script import run_file

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Enable it, with every policy."""
    run_file("0014_row_policies.sql")
