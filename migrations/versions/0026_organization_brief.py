"""One view of an organization in few words."""

from migrations.script import run_file

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Add the view."""
    run_file("0026_organization_brief.sql")
