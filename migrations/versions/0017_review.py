"""The review queue with its leases, decisions that can be undone, and brokers with their assignments."""

from migrations.script import run_file

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the queue of open pairs and what follows the recommendations, three columns of decisions, and brokers."""
    run_file("0017_review.sql")
