"""Rows of organizations and API keys."""

from datetime import datetime
from uuid import UUID

import asyncpg

from service.access.schemas import Key, Organization, OrganizationContent
from service.errors import Conflict, FieldProblem, ValidationProblem
from service.kit.db import Connection
from service.kit.language import Text

INSERT_ORGANIZATION = """
insert into organization (external_id, name, name_en, kind, credit_code, region, website, introduction)
values ($1, $2, $3, $4, $5, $6, $7, $8)
returning *
"""


async def insert_organization(connection: Connection, content: OrganizationContent) -> Organization:
    """Store a new organization.

    Raises:
        Conflict: the external id or the credit code is taken.
        ValidationProblem: the region is unknown.
    """
    try:
        row = await connection.fetchrow(INSERT_ORGANIZATION, *_values(content))
    except (asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError) as error:
        raise _named(error, content) from error
    return Organization.model_validate(dict(row or {}))


UPDATE_ORGANIZATION = """
update organization
set external_id = $2, name = $3, name_en = $4, kind = $5, credit_code = $6, region = $7, website = $8, introduction = $9,
    version = version + 1, updated_at = now()
where id = $1 and version = $10
returning *
"""


async def update_organization(
    connection: Connection, organization_id: UUID, version: int, content: OrganizationContent
) -> Organization | None:
    """Change an organization if it still has `version`; None when it has not."""
    try:
        row = await connection.fetchrow(UPDATE_ORGANIZATION, organization_id, *_values(content), version)
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
  and ($3::text is null or position(lower($3) in lower(name)) > 0)
  and ($4::uuid is null or id < $4)
order by id desc
limit $5
"""


async def list_organizations(
    connection: Connection, kind: str | None, region: str | None, text: str | None, before: UUID | None, limit: int
) -> list[Organization]:
    """Organizations, newest first."""
    rows = await connection.fetch(LIST_ORGANIZATIONS, kind, region, text, before, limit)
    return [Organization.model_validate(dict(row)) for row in rows]


INSERT_KEY = """
insert into api_key (organization_id, label, digest, roles, expires_at)
values ($1, $2, $3, $4, $5)
returning id, organization_id, label, roles, expires_at, revoked_at, last_used_at, created_at
"""


async def insert_key(
    connection: Connection,
    organization_id: UUID,
    label: str,
    digest: bytes,
    roles: list[str],
    expires_at: datetime | None,
) -> Key:
    """Store a key by its SHA-256."""
    row = await connection.fetchrow(INSERT_KEY, organization_id, label, digest, roles, expires_at)
    return Key.model_validate(dict(row or {}))


LIST_KEYS = """
select id, organization_id, label, roles, expires_at, revoked_at, last_used_at, created_at
from api_key
where organization_id = $1
order by id desc
"""


async def list_keys(connection: Connection, organization_id: UUID) -> list[Key]:
    """Every key of an organization, newest first."""
    return [Key.model_validate(dict(row)) for row in await connection.fetch(LIST_KEYS, organization_id)]


REVOKE_KEY = """
update api_key set revoked_at = coalesce(revoked_at, now())
where id = $1 and ($2::uuid is null or organization_id = $2)
returning id, organization_id, label, roles, expires_at, revoked_at, last_used_at, created_at
"""


async def revoke_key(connection: Connection, key_id: UUID, organization_id: UUID | None) -> Key | None:
    """End a key; `organization_id` limits whose keys are found."""
    row = await connection.fetchrow(REVOKE_KEY, key_id, organization_id)
    return Key.model_validate(dict(row)) if row else None


FIND_KEY = """
select id, organization_id, roles, expires_at <= now() as expired, revoked_at is not null as revoked,
       coalesce(last_used_at < now() - interval '1 minute', true) as stale
from api_key
where digest = $1
"""


async def find_key(connection: Connection, digest: bytes) -> asyncpg.Record | None:
    """The key of a digest, with what makes it invalid."""
    return await connection.fetchrow(FIND_KEY, digest)


# At most once a minute for a key, so that reading does not turn into writing.
TOUCH_KEY = "update api_key set last_used_at = now() where id = $1"


async def touch_key(connection: Connection, key_id: UUID) -> None:
    """Note that a key was used."""
    await connection.execute(TOUCH_KEY, key_id)
