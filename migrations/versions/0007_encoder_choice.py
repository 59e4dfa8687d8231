"""The encoder that the service was told to use."""

from migrations.script import run_file

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the table of choices."""
    run_file("0007_encoder_choice.sql")
