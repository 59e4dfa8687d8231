"""Cases: from an accepted pair over consent, consultation and contract to the follow-up; operators of partner pairs."""

from migrations.script import run_file

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the tables of cases with their policies, and let invitations be questions to organizations."""
    run_file("0018_cases.sql")
