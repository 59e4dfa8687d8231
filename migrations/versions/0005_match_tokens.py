"""Token vectors in the matching index."""

from migrations.script import run, run_file

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add columns and counters; the SQL names no schema, so that a scratch schema can hold the same."""
    run("set local search_path = matching, public;")
    run_file("0005_match_tokens.sql")
    run("grant select, insert, update, delete on match_token to duijie_app;")
    run("set local search_path = public;")
