"""The matching index, in a schema of its own."""

from migrations.script import run, run_file

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the index tables; their SQL names no schema, so that a scratch schema can hold the same."""
    run("create schema matching; set local search_path = matching, public;")
    run_file("0002_matching_index.sql")
    run("set local search_path = public;")
    run(
        "grant usage on schema matching to duijie_app;"
        "grant select, insert, update, delete on all tables in schema matching to duijie_app;"
        "grant usage on all sequences in schema matching to duijie_app;"
    )
