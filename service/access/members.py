"""Rules of memberships: who acts for an organization, as what, until when."""

from uuid import UUID

from service.access import key_repository, people_repository
from service.access.grants import check_is_ahead, check_may_grant
from service.access.lookups import NO_ORGANIZATION, read_organization
from service.access.people import NO_PERSON, masked, vouches
from service.access.people_schemas import Member, MemberContent, MemberRequest, Membership, Person
from service.errors import FieldProblem, Forbidden, NotFound, OutOfTurn, PreconditionFailed, ValidationProblem
from service.events import log
from service.kit.actor import Actor, Role, Scope
from service.kit.db import Connection
from service.kit.etag import check_if_match, etag
from service.kit.language import Text

NO_MEMBERSHIP = Text("本单位没有这个成员关系", "The organization has no such membership")


def _check_manages(actor: Actor, organization_id: UUID) -> None:
    if not (actor.owns(organization_id) or actor.has(Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM)):
        raise NotFound(NO_ORGANIZATION)


async def add_member(connection: Connection, actor: Actor, organization_id: UUID, request: MemberRequest) -> Member:
    """Make a person a member: one who is there (operators and administrators), or a new one.

    An organization's own administrator names new people only: that somebody is known elsewhere is not the organization's
    to learn or to use.

    Raises:
        Forbidden: more than the actor may hand out. NotFound: no such organization or person.
        Conflict: the e-mail is somebody's, or the person is a member already.
    """
    _check_manages(actor, organization_id)
    await read_organization(connection, actor, organization_id)
    roles = frozenset(Role(role) for role in request.roles)
    scopes = frozenset(Scope(scope) for scope in request.scopes)
    check_may_grant(actor, organization_id, roles, scopes)
    check_is_ahead("valid_until", request.valid_until)
    person = await _person_of(connection, actor, request)
    stored = await people_repository.insert_membership(
        connection,
        person.id,
        organization_id,
        sorted(roles),
        sorted(scopes),
        request.valid_until,
        (actor.person_id, actor.key_id),
    )
    await log.record(connection, actor, "membership", stored.id, "create", data=_described(stored))
    return Member(**stored.model_dump(), person=masked(person))


def _described(membership: Membership) -> dict[str, object]:
    return {
        "person": str(membership.person_id),
        "organization": str(membership.organization_id),
        "roles": sorted(membership.roles),
        "scopes": sorted(membership.scopes),
    }


async def _person_of(connection: Connection, actor: Actor, request: MemberRequest) -> Person:
    if (request.person_id is None) == (request.person is None):
        text = Text("请给出 person_id 或 person 其中之一", "Give either person_id or person")
        raise ValidationProblem([FieldProblem("person", "person_or_id", text)])
    if request.person is not None:
        stored = await people_repository.insert_person(connection, request.person, vouched=vouches(actor))
        await log.record(connection, actor, "person", stored.id, "create")
        return stored
    if not actor.has(Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM):
        raise Forbidden(
            Text(
                "已有人员只能由运营方或管理员加入单位",
                "Somebody who is there already is added by an operator or administrator",
            )
        )
    assert request.person_id is not None
    found = await people_repository.get_person(connection, request.person_id)
    if found is None:
        raise NotFound(NO_PERSON)
    return found


async def list_members(connection: Connection, actor: Actor, organization_id: UUID, *, ended: bool) -> list[Member]:
    """The members of an organization with e-mail and phone masked, newest first."""
    _check_manages(actor, organization_id)
    rows = await people_repository.list_members(connection, organization_id, ended=ended)
    members = [Member.model_validate(row) for row in rows]
    return [member.model_copy(update={"person": masked(member.person)}) for member in members]


async def change_member(
    connection: Connection,
    actor: Actor,
    organization_id: UUID,
    membership_id: UUID,
    if_match: str | None,
    content: MemberContent,
) -> Membership:
    """Change what a member may do. The member's keys have no more than this from the next request on.

    Raises:
        Forbidden: more than the actor may hand out, before or after.
        OutOfTurn: the membership has ended. PreconditionRequired, PreconditionFailed: as with every change.
    """
    current = await _membership(connection, actor, organization_id, membership_id)
    roles = frozenset(Role(role) for role in content.roles)
    scopes = frozenset(Scope(scope) for scope in content.scopes)
    # Who may not hand a role out may not take it away either.
    check_may_grant(actor, organization_id, roles | set(current.roles), scopes | set(current.scopes))
    check_is_ahead("valid_until", content.valid_until)
    check_if_match(if_match, current.version)
    if current.ended_at is not None:
        raise OutOfTurn(Text("成员关系已终止，请重新添加", "The membership has ended: add the person again"))
    changed = await people_repository.update_membership(
        connection, membership_id, current.version, sorted(roles), sorted(scopes), content.valid_until
    )
    if changed is None:
        raise PreconditionFailed(etag(current.version))
    await log.record(connection, actor, "membership", membership_id, "change", data=_described(changed))
    return changed


async def end_member(connection: Connection, actor: Actor, organization_id: UUID, membership_id: UUID) -> Membership:
    """End a membership and its keys at once; ending twice changes nothing."""
    current = await _membership(connection, actor, organization_id, membership_id)
    check_may_grant(actor, organization_id, current.roles, current.scopes)
    ended = await people_repository.end_membership(connection, membership_id)
    if ended is None:
        return current
    keys = await key_repository.revoke_keys_of_membership(connection, membership_id)
    data = _described(ended) | {"keys": [str(key) for key in keys]}
    await log.record(connection, actor, "membership", membership_id, "end", data=data)
    return ended


async def _membership(connection: Connection, actor: Actor, organization_id: UUID, membership_id: UUID) -> Membership:
    _check_manages(actor, organization_id)
    found = await people_repository.get_membership(connection, organization_id, membership_id)
    if found is None:
        raise NotFound(NO_MEMBERSHIP)
    return found
