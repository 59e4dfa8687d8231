"""Questions to organizations, and how these have answered."""

from migrations.script import run, run_file

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create and fill the table of questions, and the index's of what is counted from it, its SQL naming no schema.

    What is counted is left to the worker: it begins with what was counted longest ago.
    """
    run_file("0010_organization_response.sql")
    run("set local search_path = matching, public;")
    run_file("0010_match_organization.sql")
    run("set local search_path = public;")
    run("grant select, insert, update, delete on matching.match_organization to duijie_app;")
    run(
        "insert into matching.match_organization (organization, answered, overdue, counted_at) "
        "select distinct organization_id, 0, 0, timestamptz 'epoch' from organization_response;"
    )
