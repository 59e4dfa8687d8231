"""Rows of people, memberships and logins."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from service.access.people_schemas import Identity, Membership, OwnMembership, Person, PersonContent
from service.errors import Conflict
from service.kit.db import Connection
from service.kit.language import Text

INSERT_PERSON = """
insert into person (name, email, phone, email_vouched) values ($1, $2, $3, $4) returning *
"""


async def insert_person(connection: Connection, content: PersonContent, *, vouched: bool) -> Person:
    """Store a person; `vouched` says whether a login may be linked by the e-mail.

    Raises:
        Conflict: somebody has the e-mail.
    """
    try:
        row = await connection.fetchrow(INSERT_PERSON, content.name, content.email, content.phone, vouched)
    except asyncpg.UniqueViolationError as error:
        raise Conflict(EMAIL_TAKEN) from error
    return Person.model_validate(dict(row or {}))


EMAIL_TAKEN = Text(
    "该电子邮箱已有人使用；如为同一人，请运营方将其加入单位",
    "Somebody has this e-mail already; if it is the same person, an operator adds him to the organization",
)

# A changed e-mail is the person's own word, unless an administrator wrote it.
UPDATE_PERSON = """
update person
set name = $3, email = $4, phone = $5, email_vouched = $6 or (email_vouched and lower(email) = lower($4)),
    version = version + 1, updated_at = now()
where id = $1 and version = $2
returning *
"""


async def update_person(
    connection: Connection, person_id: UUID, version: int, content: PersonContent, *, vouched: bool
) -> Person | None:
    """Correct a person's data if the row still has `version`; None when it has not.

    Raises:
        Conflict: somebody else has the e-mail.
    """
    try:
        row = await connection.fetchrow(
            UPDATE_PERSON, person_id, version, content.name, content.email, content.phone, vouched
        )
    except asyncpg.UniqueViolationError as error:
        raise Conflict(EMAIL_TAKEN) from error
    return Person.model_validate(dict(row)) if row else None


GET_PERSON = "select * from person where id = $1 and state = 'active'"


async def get_person(connection: Connection, person_id: UUID) -> Person | None:
    """A person who is there."""
    row = await connection.fetchrow(GET_PERSON, person_id)
    return Person.model_validate(dict(row)) if row else None


# Whoever is erased has no e-mail.
FIND_PERSON = "select * from person where lower(email) = lower($1)"


async def find_person(connection: Connection, email: str) -> Person | None:
    """The person with an e-mail."""
    row = await connection.fetchrow(FIND_PERSON, email)
    return Person.model_validate(dict(row)) if row else None


LIST_PEOPLE = """
select * from person
where state = 'active'
  and ($1::text is null or position(lower($1) in lower(name)) > 0 or lower(email) = lower($1))
  and ($2::uuid is null or id < $2)
order by id desc
limit $3
"""


async def list_people(connection: Connection, text: str | None, before: UUID | None, limit: int) -> list[Person]:
    """People by part of the name or by the whole e-mail, newest first."""
    rows = await connection.fetch(LIST_PEOPLE, text, before, limit)
    return [Person.model_validate(dict(row)) for row in rows]


ERASE_PERSON = """
update person
set name = '', email = null, phone = null, email_vouched = false, state = 'erased', erased_at = now(),
    version = version + 1, updated_at = now()
where id = $1 and state = 'active'
returning id
"""
DELETE_IDENTITIES = "delete from person_identity where person_id = $1"
DELETE_HASH = "delete from person_password where person_id = $1"


async def erase_person(connection: Connection, person_id: UUID) -> bool:
    """Empty a person's row and delete logins and password; whether there was such a person."""
    if await connection.fetchval(ERASE_PERSON, person_id) is None:
        return False
    await connection.execute(DELETE_IDENTITIES, person_id)
    await connection.execute(DELETE_HASH, person_id)
    return True


BROKER_PROFILES = "select profile from own_broker_profiles() as profile"


async def broker_profiles(connection: Connection) -> list[dict[str, Any]]:
    """What the acting person said of itself as a broker, in each of its organizations."""
    return [row["profile"] for row in await connection.fetch(BROKER_PROFILES)]


CONSENTS = "select given from own_consents() as given"


async def consents(connection: Connection) -> list[dict[str, Any]]:
    """The consents that the acting person gave, for whichever organization, oldest first."""
    return [row["given"] for row in await connection.fetch(CONSENTS)]


NOTICE_PREFERENCES = "select chosen from own_notice_preferences() as chosen"


async def notice_preferences(connection: Connection) -> dict[str, Any] | None:
    """How the acting person chose to be told: language, categories, updated_at; None where it chose nothing."""
    found: dict[str, Any] | None = await connection.fetchval(NOTICE_PREFERENCES)
    return found


INSERT_MEMBERSHIP = """
insert into membership (person_id, organization_id, roles, scopes, valid_until, granted_by_person, granted_by_key)
values ($1, $2, $3, $4, $5, $6, $7)
returning *
"""


async def insert_membership(
    connection: Connection,
    person_id: UUID,
    organization_id: UUID,
    roles: list[str],
    scopes: list[str],
    valid_until: datetime | None,
    granted_by: tuple[UUID | None, UUID | None],
) -> Membership:
    """Store a membership; `granted_by` is the person and the key of who grants it.

    Raises:
        Conflict: the person is a member already.
    """
    try:
        row = await connection.fetchrow(
            INSERT_MEMBERSHIP, person_id, organization_id, roles, scopes, valid_until, *granted_by
        )
    except asyncpg.UniqueViolationError as error:
        raise Conflict(
            Text("该人员已是本单位成员，请修改其角色", "The person is a member already: change the roles")
        ) from error
    return Membership.model_validate(dict(row or {}))


GET_MEMBERSHIP = "select * from membership where id = $2 and organization_id = $1"


async def get_membership(connection: Connection, organization_id: UUID, membership_id: UUID) -> Membership | None:
    """A membership of an organization, ended or not."""
    row = await connection.fetchrow(GET_MEMBERSHIP, organization_id, membership_id)
    return Membership.model_validate(dict(row)) if row else None


MEMBERS = """
select membership.*, to_jsonb(person) - 'email_vouched' - 'erased_at' as person
from membership join person on person.id = membership.person_id
where membership.organization_id = $1 and ($2 or membership.ended_at is null)
order by membership.id desc
"""


async def list_members(connection: Connection, organization_id: UUID, *, ended: bool) -> list[dict[str, Any]]:
    """Memberships of an organization, each with its person; `ended` adds those of the past."""
    return [dict(row) for row in await connection.fetch(MEMBERS, organization_id, ended)]


UPDATE_MEMBERSHIP = """
update membership
set roles = $3, scopes = $4, valid_until = $5, version = version + 1, updated_at = now()
where id = $1 and version = $2
returning *
"""


async def update_membership(
    connection: Connection,
    membership_id: UUID,
    version: int,
    roles: list[str],
    scopes: list[str],
    valid_until: datetime | None,
) -> Membership | None:
    """Change a membership if it still has `version` and has not ended; None otherwise."""
    row = await connection.fetchrow(UPDATE_MEMBERSHIP, membership_id, version, roles, scopes, valid_until)
    return Membership.model_validate(dict(row)) if row else None


END_MEMBERSHIP = """
update membership set ended_at = now(), version = version + 1, updated_at = now()
where id = $1 and ended_at is null
returning *
"""


async def end_membership(connection: Connection, membership_id: UUID) -> Membership | None:
    """End a membership; None where it has ended before."""
    row = await connection.fetchrow(END_MEMBERSHIP, membership_id)
    return Membership.model_validate(dict(row)) if row else None


MEMBERSHIPS_OF = """
select membership.*, organization.name as organization_name
from membership join organization on organization.id = membership.organization_id
where person_id = $1
order by membership.id desc
"""


async def memberships_of(connection: Connection, person_id: UUID) -> list[OwnMembership]:
    """Every membership that a person has or had, newest first."""
    return [OwnMembership.model_validate(dict(row)) for row in await connection.fetch(MEMBERSHIPS_OF, person_id)]


PRESENT_MEMBERSHIPS = """
select membership.id, organization_id, roles, scopes, organization.name, organization.state = 'suspended' as suspended
from membership join organization on organization.id = membership.organization_id
where person_id = $1 and ended_at is null and valid_from <= now() and (valid_until is null or valid_until > now())
order by membership.id
"""


async def present_memberships(connection: Connection, person_id: UUID) -> list[asyncpg.Record]:
    """What a person may act as now: membership, organization, roles, scopes."""
    return await connection.fetch(PRESENT_MEMBERSHIPS, person_id)


INSERT_IDENTITY = """
insert into person_identity (person_id, issuer, subject) values ($1, $2, $3) returning *
"""


async def insert_identity(connection: Connection, person_id: UUID, issuer: str, subject: str) -> Identity:
    """Link a login to a person.

    Raises:
        Conflict: the login stands for somebody already.
    """
    try:
        row = await connection.fetchrow(INSERT_IDENTITY, person_id, issuer, subject)
    except asyncpg.UniqueViolationError as error:
        raise Conflict(
            Text("该登录账号已关联到人员，请先解除", "The login is linked already: unlink it first")
        ) from error
    return Identity.model_validate(dict(row or {}))


DELETE_IDENTITY = "delete from person_identity where id = $1 and person_id = $2 returning id"


async def delete_identity(connection: Connection, person_id: UUID, identity_id: UUID) -> bool:
    """Unlink a login; whether the person had it."""
    return await connection.fetchval(DELETE_IDENTITY, identity_id, person_id) is not None


LIST_IDENTITIES = "select * from person_identity where person_id = $1 order by id"


async def list_identities(connection: Connection, person_id: UUID) -> list[Identity]:
    """The logins of a person."""
    return [Identity.model_validate(dict(row)) for row in await connection.fetch(LIST_IDENTITIES, person_id)]


FIND_IDENTITY = """
select person_identity.id, person_id, coalesce(last_login_at < now() - interval '1 minute', true) as stale
from person_identity join person on person.id = person_id and person.state = 'active'
where issuer = $1 and subject = $2
"""


async def find_identity(connection: Connection, issuer: str, subject: str) -> asyncpg.Record | None:
    """The person of a login."""
    return await connection.fetchrow(FIND_IDENTITY, issuer, subject)


TOUCH_IDENTITY = """
update person_identity set last_login_at = now()
where id = (select id from person_identity where id = $1 for no key update skip locked)
"""


async def touch_identity(connection: Connection, identity_id: UUID) -> None:
    """Note that a login was used; at most once a minute, so that reading does not turn into writing."""
    await connection.execute(TOUCH_IDENTITY, identity_id)


LOCK_VOUCHED = """
select id from person where lower(email) = lower($1) and email_vouched for update
"""


async def lock_vouched(connection: Connection, email: str) -> UUID | None:
    """The person whose e-mail an operator wrote down, held until the transaction ends: one login is linked at a time."""
    found: UUID | None = await connection.fetchval(LOCK_VOUCHED, email)
    return found


HAS_IDENTITY = "select exists (select from person_identity where person_id = $1 and issuer = $2)"


async def has_identity(connection: Connection, person_id: UUID, issuer: str) -> bool:
    """Whether a person logs in by an issuer already."""
    found: bool = await connection.fetchval(HAS_IDENTITY, person_id, issuer)
    return found


EVENTS_OF = """
select id, at, subject_kind, subject_id, action, from_state, to_state from event
where person_id = $1
order by id
limit $2
"""


async def events_of(connection: Connection, person_id: UUID, limit: int) -> list[dict[str, Any]]:
    """What a person did, oldest first."""
    return [dict(row) for row in await connection.fetch(EVENTS_OF, person_id, limit)]
