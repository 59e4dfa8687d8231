"""Rows of API keys."""

from datetime import datetime
from uuid import UUID

import asyncpg

from service.access.schemas import Key
from service.kit.db import Connection

INSERT_KEY = """
insert into api_key (organization_id, label, digest, roles, scopes, membership_id, person_id, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
returning *
"""


async def insert_key(
    connection: Connection,
    organization_id: UUID,
    label: str,
    digest: bytes,
    roles: list[str],
    scopes: list[str],
    membership_id: UUID | None,
    person_id: UUID | None,
    expires_at: datetime | None,
) -> Key:
    """Store a key by its SHA-256."""
    row = await connection.fetchrow(
        INSERT_KEY, organization_id, label, digest, roles, scopes, membership_id, person_id, expires_at
    )
    return Key.model_validate(dict(row or {}))


LIST_KEYS = "select * from api_key where organization_id = $1 order by id desc"


async def list_keys(connection: Connection, organization_id: UUID) -> list[Key]:
    """Every key of an organization, newest first."""
    return [Key.model_validate(dict(row)) for row in await connection.fetch(LIST_KEYS, organization_id)]


KEYS_OF_PERSON = "select * from api_key where person_id = $1 order by id desc"


async def keys_of_person(connection: Connection, person_id: UUID) -> list[Key]:
    """Every key of a person, newest first."""
    return [Key.model_validate(dict(row)) for row in await connection.fetch(KEYS_OF_PERSON, person_id)]


REVOKE_KEY = """
update api_key set revoked_at = coalesce(revoked_at, now())
where id = $1 and ($2::uuid is null or organization_id = $2)
returning *
"""


async def revoke_key(connection: Connection, key_id: UUID, organization_id: UUID | None) -> Key | None:
    """End a key; `organization_id` limits whose keys are found."""
    row = await connection.fetchrow(REVOKE_KEY, key_id, organization_id)
    return Key.model_validate(dict(row)) if row else None


REVOKE_KEYS_OF_MEMBERSHIP = """
update api_key set revoked_at = now() where membership_id = $1 and revoked_at is null returning id
"""


async def revoke_keys_of_membership(connection: Connection, membership_id: UUID) -> list[UUID]:
    """End the keys of a membership; which ones were valid until now."""
    return [row["id"] for row in await connection.fetch(REVOKE_KEYS_OF_MEMBERSHIP, membership_id)]


# A label is free text, and of a person's key it may say whose it is.
ERASE_KEYS_OF_PERSON = """
update api_key set revoked_at = coalesce(revoked_at, now()), label = '' where person_id = $1
"""


async def erase_keys_of_person(connection: Connection, person_id: UUID) -> None:
    """End a person's keys and empty their labels."""
    await connection.execute(ERASE_KEYS_OF_PERSON, person_id)


# Locked until the transaction ends: of two rotations at once, the second one sees the first one's successor.
LOCK_KEY = """
select *, coalesce(expires_at <= now(), false) as expired
from api_key
where id = $1 and ($2::uuid is null or organization_id = $2)
for update
"""


async def lock_key(connection: Connection, key_id: UUID, organization_id: UUID | None) -> asyncpg.Record | None:
    """A key to be rotated; `organization_id` limits whose keys are found."""
    return await connection.fetchrow(LOCK_KEY, key_id, organization_id)


REPLACE_KEY = """
update api_key set replaced_by = $2, expires_at = least(expires_at, $3) where id = $1 returning expires_at
"""


async def replace_key(connection: Connection, key_id: UUID, successor: UUID, until: datetime) -> datetime:
    """Note a key's successor and let it end at `until`, or earlier where it would have; when it ends."""
    ends: datetime = await connection.fetchval(REPLACE_KEY, key_id, successor, until)
    return ends


FIND_KEY = """
select api_key.id, api_key.organization_id, api_key.roles, api_key.scopes, api_key.person_id,
       membership.roles as membership_roles, membership.scopes as membership_scopes,
       coalesce(api_key.expires_at <= now(), false) as expired, revoked_at is not null as revoked,
       coalesce(membership.ended_at is not null or membership.valid_until <= now() or membership.valid_from > now(), false)
           as ended,
       organization.state = 'suspended' as suspended,
       coalesce(last_used_at < now() - interval '1 minute', true) as stale
from api_key
join organization on organization.id = api_key.organization_id
left join membership on membership.id = api_key.membership_id
where digest = $1
"""


async def find_key(connection: Connection, digest: bytes) -> asyncpg.Record | None:
    """The key of a digest, with what makes it invalid and what its membership leaves of it."""
    return await connection.fetchrow(FIND_KEY, digest)


# At most once a minute for a key, so that reading does not turn into writing; and whoever finds that another request of the
# key notes its use does not wait for the end of that.
TOUCH_KEY = """
update api_key set last_used_at = now()
where id = (select id from api_key where id = $1 for no key update skip locked)
"""


async def touch_key(connection: Connection, key_id: UUID) -> None:
    """Note that a key was used."""
    await connection.execute(TOUCH_KEY, key_id)
