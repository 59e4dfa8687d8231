"""The encoder that the service was told to use."""

from migrations.script import run_file

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the table of choices."""
    run_file("0008_encoder_choice.sql")
