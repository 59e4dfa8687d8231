"""Rules of people: who may see and keep whose data, and the rights of whoever they are about."""

from uuid import UUID

from service.access import key_repository, people_repository
from service.access.passwords import password_changed_at
from service.access.people_schemas import (
    Identity,
    IdentityRequest,
    Myself,
    Person,
    PersonalExport,
    PersonContent,
)
from service.errors import Forbidden, NotFound, PreconditionFailed
from service.events import log
from service.kit.actor import Actor, Role
from service.kit.clock import now
from service.kit.db import Connection
from service.kit.etag import check_if_match, etag
from service.kit.language import Text
from service.kit.masking import mask_email, mask_phone

NO_PERSON = Text("没有这个人员，或无权查看", "No such person, or none that you may see")
# Ten thousand actions are years of one person's work; the export says when there are more.
MOST_EVENTS = 10_000


def masked(person: Person) -> Person:
    """A person as lists show one."""
    return person.model_copy(
        update={
            "email": mask_email(person.email) if person.email else None,
            "phone": mask_phone(person.phone) if person.phone else None,
        }
    )


def vouches(actor: Actor) -> bool:
    """Whether an e-mail that the actor writes down is one that a login may be linked by."""
    return actor.has(Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM)


def _check_operates(actor: Actor) -> None:
    if not actor.has(Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM):
        raise Forbidden(
            Text(
                "人员档案仅对运营方和管理员开放；本单位成员见 /v1/organizations/{id}/members",
                "People are for operators and administrators; see /v1/organizations/{id}/members for your own",
            )
        )


def _check_administrates(actor: Actor) -> None:
    if not actor.has(Role.ADMINISTRATOR, Role.SYSTEM):
        raise Forbidden(Text("此操作需要管理员", "This takes an administrator"))


def own_id(actor: Actor) -> UUID:
    """The person who acts.

    Raises:
        NotFound: a machine client acts, behind which nobody stands.
    """
    if actor.person_id is None:
        raise NotFound(
            Text("该密钥属于机器客户端，没有个人资料", "The key is a machine client's: there is no person behind it")
        )
    return actor.person_id


async def create_person(connection: Connection, actor: Actor, content: PersonContent) -> Person:
    """Note a person; the data stay out of the event."""
    _check_operates(actor)
    stored = await people_repository.insert_person(connection, content, vouched=True)
    await log.record(connection, actor, "person", stored.id, "create")
    return stored


async def list_people(
    connection: Connection, actor: Actor, text: str | None, before: UUID | None, limit: int
) -> list[Person]:
    """People with e-mail and phone masked, newest first."""
    _check_operates(actor)
    return [masked(person) for person in await people_repository.list_people(connection, text, before, limit)]


async def open_person(connection: Connection, actor: Actor, person_id: UUID) -> Person:
    """One person in full; that somebody else's contact data were opened leaves an event."""
    if actor.person_id != person_id:
        _check_operates(actor)
    found = await people_repository.get_person(connection, person_id)
    if found is None:
        raise NotFound(NO_PERSON)
    if actor.person_id != person_id:
        await log.record(connection, actor, "person", person_id, "open")
    return found


async def read_myself(connection: Connection, actor: Actor) -> Myself:
    """One's own record with one's memberships."""
    person = await open_person(connection, actor, own_id(actor))
    memberships = await people_repository.memberships_of(connection, person.id)
    return Myself(**person.model_dump(), memberships=memberships)


async def correct_person(
    connection: Connection, actor: Actor, person_id: UUID, if_match: str | None, content: PersonContent
) -> Person:
    """Correct a person's data: one's own, or as an administrator anybody's.

    An e-mail is what a login may be linked by, so operators do not change those of people who may be administrators.
    """
    if actor.person_id != person_id:
        _check_administrates(actor)
    current = await people_repository.get_person(connection, person_id)
    if current is None:
        raise NotFound(NO_PERSON)
    check_if_match(if_match, current.version)
    vouched = actor.has(Role.ADMINISTRATOR, Role.SYSTEM)
    changed = await people_repository.update_person(connection, person_id, current.version, content, vouched=vouched)
    if changed is None:
        raise PreconditionFailed(etag(current.version))
    await log.record(connection, actor, "person", person_id, "correct", data={"version": changed.version})
    return changed


async def erase_person(connection: Connection, actor: Actor, person_id: UUID) -> None:
    """Erase a person: the row is emptied, memberships and keys end, logins and password go.

    Events stay as they are and stay verifiable, since they hold ids alone.

    Raises:
        Forbidden: somebody else's, and the actor is no administrator. NotFound: no such person.
    """
    if actor.person_id != person_id:
        _check_administrates(actor)
    for membership in await people_repository.memberships_of(connection, person_id):
        if membership.ended_at is None:
            await people_repository.end_membership(connection, membership.id)
    await key_repository.erase_keys_of_person(connection, person_id)
    if not await people_repository.erase_person(connection, person_id):
        raise NotFound(NO_PERSON)
    await log.record(connection, actor, "person", person_id, "erase", from_state="active", to_state="erased")


async def export_myself(connection: Connection, actor: Actor) -> PersonalExport:
    """Everything that is kept of the person who acts."""
    person = await open_person(connection, actor, own_id(actor))
    events = await people_repository.events_of(connection, person.id, MOST_EVENTS + 1)
    await log.record(connection, actor, "person", person.id, "export")
    return PersonalExport(
        exported_at=now(),
        person=person,
        memberships=await people_repository.memberships_of(connection, person.id),
        identities=await people_repository.list_identities(connection, person.id),
        keys=await key_repository.keys_of_person(connection, person.id),
        password_changed_at=await password_changed_at(connection, person.id),
        broker_profiles=await people_repository.broker_profiles(connection),
        consents=await people_repository.consents(connection),
        notice_preferences=await people_repository.notice_preferences(connection),
        events=events[:MOST_EVENTS],
        events_complete=len(events) <= MOST_EVENTS,
    )


async def link_identity(connection: Connection, actor: Actor, person_id: UUID, request: IdentityRequest) -> Identity:
    """Let a login of an issuer stand for a person; an administrator does, since it opens all that the person may do."""
    _check_administrates(actor)
    if await people_repository.get_person(connection, person_id) is None:
        raise NotFound(NO_PERSON)
    linked = await people_repository.insert_identity(connection, person_id, request.issuer, request.subject)
    await log.record(connection, actor, "person", person_id, "link", data={"identity": str(linked.id)})
    return linked


async def list_identities(connection: Connection, actor: Actor, person_id: UUID) -> list[Identity]:
    """The logins of a person."""
    _check_administrates(actor)
    return await people_repository.list_identities(connection, person_id)


async def unlink_identity(connection: Connection, actor: Actor, person_id: UUID, identity_id: UUID) -> None:
    """Let a login stand for nobody any more."""
    _check_administrates(actor)
    if not await people_repository.delete_identity(connection, person_id, identity_id):
        raise NotFound(Text("该人员没有这个登录账号", "The person has no such login"))
    await log.record(connection, actor, "person", person_id, "unlink", data={"identity": str(identity_id)})
