"""The job queue's tables, as PgQueuer declares them."""

from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment

from migrations.script import run

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Install PgQueuer's schema; the application role works the queue."""
    run(QueryBuilderEnvironment().build_install_query())
    run(
        "grant select, insert, update, delete on pgqueuer, pgqueuer_log, pgqueuer_statistics, pgqueuer_schedules to duijie_app;"
        "grant usage, select on all sequences in schema public to duijie_app;"
    )
