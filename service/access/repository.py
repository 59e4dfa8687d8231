"""Rows of organizations."""

from datetime import datetime
from uuid import UUID

import asyncpg

from service.access.schemas import Organization, OrganizationContent
from service.errors import Conflict, FieldProblem, ValidationProblem
from service.kit.db import Connection
from service.kit.language import Text

INSERT_ORGANIZATION = """
insert into organization (external_id, name, name_en, kind, credit_code, region, website, introduction, state, verified_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, case when $9 then 'verified' else 'registered' end, case when $9 then now() end)
returning *
"""


async def insert_organization(connection: Connection, content: OrganizationContent, *, verified: bool) -> Organization:
    """Store a new organization, registered or verified.

    Raises:
        Conflict: the external id or the credit code is taken.
        ValidationProblem: the region is unknown.
    """
    try:
        row = await connection.fetchrow(INSERT_ORGANIZATION, *_values(content), verified)
    except (asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError) as error:
        raise _named(error, content) from error
    return Organization.model_validate(dict(row or {}))


UPDATE_ORGANIZATION = """
update organization
set external_id = $2, name = $3, name_en = $4, kind = $5, credit_code = $6, region = $7, website = $8, introduction = $9,
    state = case when $11 then 'registered' else state end, verified_at = case when $11 then null else verified_at end,
    version = version + 1, updated_at = now()
where id = $1 and version = $10
returning *
"""


async def update_organization(
    connection: Connection, organization_id: UUID, version: int, content: OrganizationContent, *, unverify: bool
) -> Organization | None:
    """Change an organization if it still has `version`, and take its verification back if asked to.

    None when it has another version.
    """
    try:
        row = await connection.fetchrow(UPDATE_ORGANIZATION, organization_id, *_values(content), version, unverify)
    except (asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError) as error:
        raise _named(error, content) from error
    return Organization.model_validate(dict(row)) if row else None


def _values(content: OrganizationContent) -> tuple[object, ...]:
    return (
        content.external_id,
        content.name,
        content.name_en,
        content.kind.value,
        content.credit_code,
        content.region,
        content.website,
        content.introduction,
    )


def _named(error: asyncpg.PostgresError, content: OrganizationContent) -> Conflict | ValidationProblem:
    constraint = getattr(error, "constraint_name", "") or ""
    if "region" in constraint:
        text = Text(
            f"没有代码为 {content.region} 的行政区划，可查 GET /v1/regions",
            f"No region {content.region}; see GET /v1/regions",
        )
        return ValidationProblem([FieldProblem("region", "known_region", text)])
    if "credit_code" in constraint:
        return Conflict(Text("该统一社会信用代码已被登记", "This credit code is registered already"))
    return Conflict(Text(f"外部编号 {content.external_id} 已存在", f"External id {content.external_id} exists already"))


GET_ORGANIZATION = "select * from organization where id = $1"


async def get_organization(connection: Connection, organization_id: UUID) -> Organization | None:
    """One organization."""
    row = await connection.fetchrow(GET_ORGANIZATION, organization_id)
    return Organization.model_validate(dict(row)) if row else None


FIND_ORGANIZATION = "select * from organization where external_id = $1"


async def find_organization(connection: Connection, external_id: str) -> Organization | None:
    """The organization with an external id."""
    row = await connection.fetchrow(FIND_ORGANIZATION, external_id)
    return Organization.model_validate(dict(row)) if row else None


FIND_ORGANIZATIONS_BY_NAME = "select * from organization where lower(name) = lower($1) limit 2"


async def find_organization_by_name(connection: Connection, name: str) -> Organization | None:
    """The one organization of a name; None where none or several have it."""
    rows = await connection.fetch(FIND_ORGANIZATIONS_BY_NAME, name)
    return Organization.model_validate(dict(rows[0])) if len(rows) == 1 else None


LIST_ORGANIZATIONS = """
select * from organization
where ($1::text is null or kind = $1)
  and ($2::text is null or region = $2)
  and ($3::text is null or state = $3)
  and ($4::text is null or position(lower($4) in lower(name)) > 0)
  and ($5::uuid is null or id < $5)
order by id desc
limit $6
"""


async def list_organizations(
    connection: Connection,
    kind: str | None,
    region: str | None,
    state: str | None,
    text: str | None,
    before: UUID | None,
    limit: int,
) -> list[Organization]:
    """Organizations, newest first."""
    rows = await connection.fetch(LIST_ORGANIZATIONS, kind, region, state, text, before, limit)
    return [Organization.model_validate(dict(row)) for row in rows]


GET_STATE = "select state from organization where id = $1 for share"


async def lock_state(connection: Connection, organization_id: UUID) -> str | None:
    """Where an organization stands, held until the transaction ends: nobody suspends it meanwhile."""
    state: str | None = await connection.fetchval(GET_STATE, organization_id)
    return state


# Compare-and-set: of two operators who saw the same state, one gets here first.
TRANSITION_ORGANIZATION = """
update organization
set state = $3, version = version + 1, updated_at = $4,
    verified_at = case when $3 = 'verified' then coalesce(verified_at, $4) else verified_at end,
    suspended_at = case when $3 = 'suspended' then $4::timestamptz end
where id = $1 and state = $2
returning *
"""


async def transition(
    connection: Connection, organization_id: UUID, source: str, target: str, at: datetime
) -> Organization | None:
    """Save a new state if the organization still has the old one; None when it has not."""
    row = await connection.fetchrow(TRANSITION_ORGANIZATION, organization_id, source, target, at)
    return Organization.model_validate(dict(row)) if row else None


HAS_ADMINISTRATOR = """
select exists (
    select from api_key
    where organization_id = $1 and 'administrator' = any (roles) and revoked_at is null
      and (expires_at is null or expires_at > now())
) or exists (
    select from membership
    where organization_id = $1 and 'administrator' = any (roles) and ended_at is null
      and (valid_until is null or valid_until > now())
)
"""


async def has_administrator(connection: Connection, organization_id: UUID) -> bool:
    """Whether a valid key or membership of the organization carries the administrator's role."""
    found: bool = await connection.fetchval(HAS_ADMINISTRATOR, organization_id)
    return found


ANY_ADMINISTRATOR = """
select exists (
    select from api_key join organization on organization.id = organization_id
    where 'administrator' = any (roles) and revoked_at is null and (expires_at is null or expires_at > now())
      and organization.state <> 'suspended'
) or exists (
    select from membership join organization on organization.id = organization_id
    where 'administrator' = any (roles) and ended_at is null and (valid_until is null or valid_until > now())
      and organization.state <> 'suspended'
)
"""


async def any_administrator(connection: Connection) -> bool:
    """Whether a valid key or membership anywhere carries the administrator's role."""
    found: bool = await connection.fetchval(ANY_ADMINISTRATOR)
    return found
