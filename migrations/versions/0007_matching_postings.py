"""Packed postings, versions of the tokenizer, and graphs that are built anew with other parameters."""

from migrations.script import run, run_file

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the tables, and drop the graphs that lost too much; the worker builds them again."""
    run("set local search_path = matching, public;")
    run_file("0007_matching_postings.sql")
    run(
        "do $$ declare graph text; begin "
        "for graph in select indexname from pg_indexes where schemaname = 'matching' and indexname like 'match\\_vector\\_graph\\_%' "
        "loop execute format('drop index matching.%I', graph); end loop; end $$;"
    )
    run("set local search_path = public;")
    run("grant select, insert, update, delete on matching.match_segment, matching.match_posting to duijie_app;")
