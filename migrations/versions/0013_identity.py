"""Identity: checked credit codes, standing of organizations, people, memberships, scopes, identities, passwords."""

from migrations.script import run_file

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the tables; what was registered before counts as verified, and every key keeps what it could do."""
    run_file("0013_identity.sql")
