"""Being told: the outbox of events, notifications, preferences, mail, and webhooks with their deliveries."""

from migrations.script import run_file

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add the tables and their policies, and the trigger that leaves each event in the outbox."""
    run_file("0020_notices.sql")
