"""A role of its own for the matching index."""

from migrations.script import run_file

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Give the index to the role that ranks, and take it from the application's."""
    run_file("0016_ranking_role.sql")
