"""The first administrator: organization, person, membership and key in one step, from the machine itself."""

from dataclasses import dataclass
from uuid import UUID

from service.access import repository
from service.access.keys import create_key
from service.access.members import add_member
from service.access.people_repository import find_person
from service.access.people_schemas import MemberRequest, PersonContent
from service.access.schemas import KeyRequest
from service.errors import Conflict
from service.kit.actor import Actor
from service.kit.db import Connection
from service.kit.language import Text


@dataclass(frozen=True, slots=True)
class NewAdministrator:
    """Who was made, and the key that is shown this once."""

    person_id: UUID
    membership_id: UUID
    key: str


async def create_administrator(
    connection: Connection, actor: Actor, organization_id: UUID, content: PersonContent, *, another: bool
) -> NewAdministrator:
    """Make a person an administrator in an organization, with a key of every scope.

    Raises:
        Conflict: there is an administrator already and `another` was not asked for, or the person is a member.
    """
    if not another and await repository.any_administrator(connection):
        raise Conflict(
            Text(
                "已有管理员；如确需增加，请加上 --another",
                "There is an administrator already; if you want another one, add --another",
            )
        )
    known = await find_person(connection, content.email)
    request = MemberRequest(
        roles=["administrator"],
        scopes=["read", "write", "admin"],
        person_id=known.id if known else None,
        person=None if known else content,
    )
    member = await add_member(connection, actor, organization_id, request)
    key = await create_key(
        connection,
        actor,
        organization_id,
        KeyRequest(
            label="administrator",
            roles=["administrator"],
            scopes=["read", "write", "admin"],
            membership_id=member.id,
        ),
    )
    return NewAdministrator(member.person_id, member.id, key.key)
