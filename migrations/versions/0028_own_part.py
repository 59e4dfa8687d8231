"""Whose part one speaks in, who confirms a change, and whose endpoint is called, by policies too."""

from migrations.script import run_file

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Tighten four policies and a grant, and mend what a person leaves behind."""
    run_file("0028_own_part.sql")
