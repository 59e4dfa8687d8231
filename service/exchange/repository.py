"""Rows of import runs and their reports."""

from uuid import UUID

from service.exchange.rows import RowProblem
from service.kit.actor import Actor
from service.kit.db import Connection, Row

INSERT_RUN = """
insert into import_run (kind, organization_id, key_id, file_name, dry_run) values ($1, $2, $3, $4, $5) returning id
"""


async def insert_run(connection: Connection, actor: Actor, kind: str, file_name: str, dry_run: bool) -> UUID:
    """Begin a run."""
    identifier: UUID = await connection.fetchval(
        INSERT_RUN, kind, actor.organization_id, actor.key_id, file_name, dry_run
    )
    return identifier


INSERT_PROBLEMS = """
insert into import_row (run_id, line, position, external_id, field, rule, message_zh, message_en, value)
select $1, line, position, external_id, field, rule, message_zh, message_en, value
from jsonb_to_recordset($2) as problem (
    line integer, position integer, external_id text, field text, rule text, message_zh text, message_en text, value text
)
"""


async def insert_problems(connection: Connection, run_id: UUID, first: int, problems: list[RowProblem]) -> None:
    """Add to a run's report; `first` is the number of problems that it holds already."""
    rows = [
        {
            "line": problem.line,
            "position": first + number,
            "external_id": _storable(problem.external_id or "") or None,
            "field": problem.column,
            "rule": problem.rule,
            "message_zh": _storable(problem.message.zh),
            "message_en": _storable(problem.message.en),
            "value": _storable(problem.value),
        }
        for number, problem in enumerate(problems)
    ]
    await connection.execute(INSERT_PROBLEMS, run_id, rows)


def _storable(text: str) -> str:
    """A report quotes what was refused, which may hold what no text in the database can: NUL, halves of characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


UPDATE_RUN = """
update import_run
set state = $2, rows_total = $3, rows_created = $4, rows_changed = $5, rows_unchanged = $6, rows_refused = $7,
    finished_at = case when $2 = 'running' then null else now() end
where id = $1
"""


async def update_run(connection: Connection, run_id: UUID, state: str, *counts: int) -> None:
    """Note how far a run is: total, created, changed, unchanged, refused."""
    await connection.execute(UPDATE_RUN, run_id, state, *counts)


GET_RUN = "select * from import_run where id = $1"


async def get_run(connection: Connection, run_id: UUID) -> Row | None:
    """One run."""
    return await connection.fetchrow(GET_RUN, run_id)


LIST_PROBLEMS = "select * from import_row where run_id = $1 order by line, position limit $2"


async def list_problems(connection: Connection, run_id: UUID, limit: int) -> list[Row]:
    """A run's report in the order of the file."""
    return await connection.fetch(LIST_PROBLEMS, run_id, limit)


EXPORT_PAGE = """
select listing.*, region.class as region_class, organization.external_id as organization_external_id,
       organization.name as organization_name,
       (select coalesce(jsonb_agg(jsonb_build_object('kind', ip_right.kind, 'number', number, 'title', ip_right.title, 'status', status)
                                  order by position), '[]')
        from ip_right where listing_id = listing.id) as ip_rights
from listing
left join organization on organization.id = listing.organization_id
left join region on region.code = listing.region
where listing.kind = $1
  and ($2::uuid is null or listing.id > $2)
  and ($3 or organization_id = $4
       or listing.state in ('published', 'docking', 'fulfilled', 'transferred'))
  and ($5::text[] is null or listing.state = any ($5))
order by listing.id
limit $6
"""


async def export_page(
    connection: Connection,
    kind: str,
    after: UUID | None,
    everything: bool,
    own: UUID | None,
    states: list[str] | None,
    limit: int,
) -> list[Row]:
    """Listings that may be exported, oldest first, from behind `after`."""
    return await connection.fetch(EXPORT_PAGE, kind, after, everything, own, states, limit)


EXPORT_ORGANIZATIONS = """
select * from organization where $1::uuid is null or id > $1 order by id limit $2
"""


async def export_organizations(connection: Connection, after: UUID | None, limit: int) -> list[Row]:
    """Organizations, oldest first, from behind `after`."""
    return await connection.fetch(EXPORT_ORGANIZATIONS, after, limit)
