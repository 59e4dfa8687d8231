"""The group of a listing's field in the matching index."""

from migrations.script import run, run_file

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column, its SQL naming no schema, and fill it from the taxonomy: no text has to be encoded again."""
    run("set local search_path = matching, public;")
    run_file("0009_match_field_group.sql")
    run("update match_profile set field_group = field.field_group from field where field.code = match_profile.field;")
    run("set local search_path = public;")
