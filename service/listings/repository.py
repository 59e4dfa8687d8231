"""Rows of listings. Content goes in as one JSON object whose keys are column names."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from service.errors import Conflict, FieldProblem, ValidationProblem
from service.kit.db import Connection, Row, affected
from service.kit.language import Text
from service.listings.schemas import IpRight, Kind, Listing, Revision

INSERT = """
insert into listing (
    kind, organization_id, external_id, state, language, grams, title, description, indicators, keywords, field, industry,
    region, modes, maturity, price_min, price_max, currency, price_negotiable, expires_on, contact_name, contact_phone,
    contact_email, background, goals, foundation, partner_requirements, partner_regions, needed_by, innovations,
    applications, prospects, outcome_type, stage, registration_number, funding_source, funding_project, publicly_funded,
    awards, completed_on, team, confidential, abstract
)
select
    $2, $3, external_id, $4, $5, $6::text[], title, description, indicators, keywords, field, industry,
    region, modes, maturity, price_min, price_max, currency, price_negotiable, expires_on, contact_name, contact_phone,
    contact_email, background, goals, foundation, partner_requirements, partner_regions, needed_by, innovations,
    applications, prospects, outcome_type, stage, registration_number, funding_source, funding_project, publicly_funded,
    awards, completed_on, team, confidential, abstract
from jsonb_populate_record(null::listing, $1)
returning id
"""


async def insert(
    connection: Connection,
    kind: Kind,
    organization_id: UUID,
    state: str,
    language: str,
    grams: list[str],
    columns: dict[str, Any],
    ip_rights: list[IpRight],
) -> UUID:
    """Store a new listing.

    Raises:
        Conflict: the organization has a listing of this kind with the same external id.
        ValidationProblem: the organization, the field or the region is unknown.
    """
    try:
        identifier: UUID = await connection.fetchval(INSERT, columns, kind, organization_id, state, language, grams)
    except (asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError) as error:
        raise _named(error, columns) from error
    await _write_ip_rights(connection, identifier, ip_rights)
    return identifier


UPDATE = """
update listing set (
    external_id, language, grams, title, description, indicators, keywords, field, industry,
    region, modes, maturity, price_min, price_max, currency, price_negotiable, expires_on, contact_name, contact_phone,
    contact_email, background, goals, foundation, partner_requirements, partner_regions, needed_by, innovations,
    applications, prospects, outcome_type, stage, registration_number, funding_source, funding_project, publicly_funded,
    awards, completed_on, team, confidential, abstract
) = (
    select
        external_id, $4, $5::text[], title, description, indicators, keywords, field, industry,
        region, modes, maturity, price_min, price_max, currency, price_negotiable, expires_on, contact_name, contact_phone,
        contact_email, background, goals, foundation, partner_requirements, partner_regions, needed_by, innovations,
        applications, prospects, outcome_type, stage, registration_number, funding_source, funding_project, publicly_funded,
        awards, completed_on, team, confidential, abstract
    from jsonb_populate_record(null::listing, $1)
), version = version + 1, updated_at = now()
where id = $2 and version = $3
"""


async def update(
    connection: Connection,
    identifier: UUID,
    version: int,
    language: str,
    grams: list[str],
    columns: dict[str, Any],
    ip_rights: list[IpRight],
) -> bool:
    """Replace the content if the listing still has `version`; whether it had.

    Raises:
        Conflict, ValidationProblem: as `insert`.
    """
    try:
        status = await connection.execute(UPDATE, columns, identifier, version, language, grams)
    except (asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError) as error:
        raise _named(error, columns) from error
    if not affected(status):
        return False
    await connection.execute(DELETE_IP_RIGHTS, identifier)
    await _write_ip_rights(connection, identifier, ip_rights)
    return True


DELETE_IP_RIGHTS = "delete from ip_right where listing_id = $1"
INSERT_IP_RIGHTS = """
insert into ip_right (listing_id, position, kind, number, title, status)
select $1, position, kind, number, title, status
from unnest($2::text[], $3::text[], $4::text[], $5::text[]) with ordinality as given (kind, number, title, status, position)
"""


async def _write_ip_rights(connection: Connection, identifier: UUID, ip_rights: list[IpRight]) -> None:
    if ip_rights:
        columns = zip(*((right.kind, right.number, right.title, right.status) for right in ip_rights), strict=True)
        await connection.execute(INSERT_IP_RIGHTS, identifier, *(list(column) for column in columns))


def _named(error: asyncpg.PostgresError, columns: dict[str, Any]) -> Conflict | ValidationProblem:
    constraint = getattr(error, "constraint_name", "") or ""
    if constraint == "listing_external_id":
        code = columns["external_id"]
        return Conflict(
            Text(
                f"本单位已有编号为 {code} 的记录，请修改原记录",
                f"Your organization has a listing {code} already: change that one",
            )
        )
    for name in ("field", "region", "industry"):
        if constraint == f"listing_{name}_fkey":
            return ValidationProblem([unknown_code(name, str(columns[name]))])
    if constraint == "listing_organization_id_fkey":
        text = Text("没有这个单位，可查 GET /v1/organizations", "No such organization; see GET /v1/organizations")
        return ValidationProblem([FieldProblem("organization_id", "known_organization", text)])
    raise error


def unknown_code(name: str, value: str) -> FieldProblem:
    """The problem of a code that is in no list."""
    if name == "region":
        text = Text(
            f"没有代码为 {value} 的行政区划；县区可改用所在地级市代码（前四位加 00），可查 GET /v1/regions",
            f"No region {value}; for a county try its prefecture (first four digits and 00), see GET /v1/regions",
        )
    else:
        text = Text(f"没有代码 {value}，可查 GET /v1/taxonomy", f"No such code: {value}; see GET /v1/taxonomy")
    return FieldProblem(name, f"known_{name}", text)


GET = """
select listing.*, region.class as region_class, field.field_group,
       organization.brief as organization,
       -- Where the caller does not see the organization, it is not suspended: else the listing would not be seen either.
       coalesce(organization.state, 'verified') as organization_state,
       (select coalesce(jsonb_agg(jsonb_build_object('kind', ip_right.kind, 'number', number, 'title', ip_right.title, 'status', status)
                                  order by position), '[]')
        from ip_right where listing_id = listing.id) as ip_rights
from listing
left join organization_brief as organization on organization.id = listing.organization_id
left join region on region.code = listing.region
left join field on field.code = listing.field
where listing.id = $1 and listing.kind = $2
"""


async def get(connection: Connection, kind: Kind, identifier: UUID) -> Listing | None:
    """One listing with its organization and rights."""
    row = await connection.fetchrow(GET, identifier, kind)
    return Listing.model_validate(dict(row)) if row else None


UNPUBLISHED = """
select * from listing
where organization_id = $1 and kind = $2 and state in ('draft', 'submitted', 'refining', 'verified')
order by id desc
limit $3
"""


async def unpublished_of(connection: Connection, kind: Kind, organization_id: UUID, *, limit: int) -> list[Listing]:
    """An organization's listings on their way to publication, newest first, without its name and their rights."""
    rows = await connection.fetch(UNPUBLISHED, organization_id, kind, limit)
    return [Listing.model_validate(dict(row)) for row in rows]


LOCK = "select state, version from listing where id = $1 for share"


async def lock_state(connection: Connection, identifier: UUID) -> tuple[str, int] | None:
    """The listing's state and version, held until the transaction ends: nobody changes it meanwhile."""
    row = await connection.fetchrow(LOCK, identifier)
    return (row["state"], row["version"]) if row else None


# Nobody else changes its state meanwhile; rows that refer to it may come.
HOLD = "select state, published_at from listing where id = $1 for no key update"


async def hold(connection: Connection, identifier: UUID) -> Row | None:
    """State and time of publication of a listing, held until the transaction ends."""
    return await connection.fetchrow(HOLD, identifier)


FIND_EXTERNAL = """
select id from listing where organization_id = $1 and kind = $2 and external_id = $3
"""


async def find_external(connection: Connection, kind: Kind, organization_id: UUID, external_id: str) -> UUID | None:
    """The listing that an organization calls `external_id`."""
    identifier: UUID | None = await connection.fetchval(FIND_EXTERNAL, organization_id, kind, external_id)
    return identifier


FIND_ANYWHERE = "select id from listing where kind = $1 and external_id = $2 order by id limit 1"


async def find_anywhere(connection: Connection, kind: Kind, external_id: str) -> UUID | None:
    """The oldest listing that some organization calls `external_id`."""
    identifier: UUID | None = await connection.fetchval(FIND_ANYWHERE, kind, external_id)
    return identifier


# Compare-and-set: of two actors who saw the same state, one gets here first.
TRANSITION = """
update listing
set state = $3, version = version + 1, updated_at = $4,
    submitted_at = case when $3 = 'submitted' then $4 else submitted_at end,
    published_at = case when $3 = 'published' and $2 <> 'docking' then $4 else published_at end,
    closed_at = case when $3 in ('fulfilled', 'transferred', 'withdrawn', 'expired') then $4
                     when $3 = 'draft' then null else closed_at end
where id = $1 and state = $2
"""


async def transition(connection: Connection, identifier: UUID, source: str, target: str, at: datetime) -> bool:
    """Save a new state if the listing still has the old one; whether it had."""
    return affected(await connection.execute(TRANSITION, identifier, source, target, at)) == 1


INSERT_REVISION = """
insert into listing_revision (listing_id, version, content, reason, key_id, organization_id)
values ($1, $2, $3, $4, $5, $6)
"""


async def insert_revision(
    connection: Connection,
    identifier: UUID,
    version: int,
    content: dict[str, Any],
    reason: str | None,
    key_id: UUID | None,
    organization_id: UUID | None,
) -> None:
    """Keep a content that the listing has from now on."""
    await connection.execute(INSERT_REVISION, identifier, version, content, reason, key_id, organization_id)


# A content can be hundreds of kilobytes, and nothing bounds how often a listing is changed.
MOST_REVISIONS = 50
LIST_REVISIONS = """
select version, at, reason, content from listing_revision
where listing_id = $1 and ($2::integer is null or version < $2)
order by version desc
limit $3
"""


async def list_revisions(connection: Connection, identifier: UUID, before: int | None) -> list[Revision]:
    """The latest contents that the listing had, before a revision if one is named, oldest first."""
    rows = await connection.fetch(LIST_REVISIONS, identifier, before, MOST_REVISIONS)
    return [Revision.model_validate(dict(row)) for row in reversed(rows)]


DUE = """
select id, kind from listing
where expires_on < $1 and state in ('submitted', 'refining', 'verified', 'published')
order by expires_on
limit $2
for update skip locked
"""


async def due(connection: Connection, day: date, limit: int) -> list[tuple[UUID, Kind]]:
    """Listings whose last day was before `day`, locked for the transaction."""
    return [(row["id"], Kind(row["kind"])) for row in await connection.fetch(DUE, day, limit)]
