"""Rules of API keys: made, shown once, rotated, ended."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from service.access import key_repository, people_repository
from service.access.grants import check_is_ahead, check_may_grant
from service.access.lookups import NO_ORGANIZATION, read_organization
from service.access.schemas import Key, KeyRequest, NewKey, Rotated, RotationRequest
from service.errors import FieldProblem, Forbidden, NotFound, OutOfTurn, ValidationProblem
from service.events import log
from service.kit.actor import Actor, Role, Scope
from service.kit.clock import now
from service.kit.db import Connection
from service.kit.language import Text

KEY_PREFIX = "dj_"
KEY_BYTES = 32
NO_KEY = Text("没有这个密钥", "No such key")


def digest_of(key: str) -> bytes:
    """SHA-256 of a key: 32 bytes."""
    return hashlib.sha256(key.encode()).digest()


def new_key() -> str:
    """A random key of 256 bits, recognizable by its prefix when it leaks."""
    return KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)


async def create_key(connection: Connection, actor: Actor, organization_id: UUID, request: KeyRequest) -> NewKey:
    """Make an API key for an organization, or for one of its members, and show it once.

    Raises:
        Forbidden: more than the actor may hand out. NotFound: no such organization.
        ValidationProblem: it would have ended already, or exceeds what the membership has.
    """
    roles = frozenset(Role(role) for role in request.roles)
    scopes = frozenset(Scope(scope) for scope in request.scopes)
    check_may_grant(actor, organization_id, roles, scopes)
    await read_organization(connection, actor, organization_id)
    check_is_ahead("expires_at", request.expires_at)
    person_id = None
    if request.membership_id is not None:
        person_id = await _person_of(connection, organization_id, request.membership_id, roles, scopes)
        _check_may_hold(actor, person_id)
    plain = new_key()
    stored = await key_repository.insert_key(
        connection,
        organization_id,
        request.label,
        digest_of(plain),
        sorted(roles),
        sorted(scopes),
        request.membership_id,
        person_id,
        request.expires_at,
    )
    await log.record(connection, actor, "api_key", stored.id, "create", data=_described(stored))
    return NewKey(**stored.model_dump(), key=plain)


def _check_may_hold(actor: Actor, person_id: UUID | None) -> None:
    """Who sees a person's key can act as that person, everywhere: the person, and administrators.

    Raises:
        Forbidden: somebody else.
    """
    if person_id is not None and actor.person_id != person_id and not actor.has(Role.ADMINISTRATOR, Role.SYSTEM):
        raise Forbidden(
            Text(
                "人员密钥只能由本人或管理员签发和轮换；机器客户端请不填 membership_id",
                "A person's key is made and rotated by the person or an administrator; for a machine leave membership_id out",
            )
        )


def _described(key: Key) -> dict[str, object]:
    described: dict[str, object] = {"roles": sorted(key.roles), "scopes": sorted(key.scopes)}
    # The label of a person's key may say whose it is, and an event stays when the person is erased.
    return described | ({"label": key.label} if key.person_id is None else {"membership": str(key.membership_id)})


async def _person_of(
    connection: Connection,
    organization_id: UUID,
    membership_id: UUID,
    roles: Collection[Role],
    scopes: Collection[Scope],
) -> UUID:
    """The person of a membership that has at least these roles and scopes."""
    membership = await people_repository.get_membership(connection, organization_id, membership_id)
    if membership is None or membership.ended_at is not None:
        text = Text("本单位没有这个有效的成员关系", "The organization has no such membership, or it has ended")
        raise ValidationProblem([FieldProblem("membership_id", "known_membership", text)])
    problems = [
        FieldProblem(
            field,
            "within_membership",
            Text(f"超出成员关系所有：{'、'.join(beyond)}", f"Beyond what the membership has: {', '.join(beyond)}"),
        )
        for field, beyond in (
            ("roles", sorted(set(roles) - set(membership.roles))),
            ("scopes", sorted(set(scopes) - set(membership.scopes))),
        )
        if beyond
    ]
    if problems:
        raise ValidationProblem(problems)
    return membership.person_id


async def list_keys(connection: Connection, actor: Actor, organization_id: UUID) -> list[Key]:
    """The keys of an organization, without the keys themselves."""
    if not (actor.owns(organization_id) or actor.has(Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM)):
        raise NotFound(NO_ORGANIZATION)
    return await key_repository.list_keys(connection, organization_id)


def _whose(actor: Actor) -> UUID | None:
    return None if actor.has(Role.ADMINISTRATOR, Role.SYSTEM) else actor.organization_id


async def revoke_key(connection: Connection, actor: Actor, key_id: UUID) -> Key:
    """End a key at once."""
    revoked = await key_repository.revoke_key(connection, key_id, _whose(actor))
    if revoked is None:
        raise NotFound(NO_KEY)
    await log.record(connection, actor, "api_key", key_id, "revoke")
    return revoked


async def rotate_key(connection: Connection, actor: Actor, key_id: UUID, request: RotationRequest) -> Rotated:
    """Make a key's successor with the same roles and scopes; the old one stays valid for the overlap, then ends.

    A key that expires has a successor that lives as long as it was to live itself.

    Raises:
        NotFound: no such key. Forbidden: it has more than the actor may hand out.
        OutOfTurn: the key has ended, or was rotated before.
    """
    row = await key_repository.lock_key(connection, key_id, _whose(actor))
    if row is None:
        raise NotFound(NO_KEY)
    old = Key.model_validate(dict(row))
    check_may_grant(actor, old.organization_id, old.roles, old.scopes)
    _check_may_hold(actor, old.person_id)
    if old.revoked_at is not None or row["expired"]:
        raise OutOfTurn(Text("密钥已失效，请签发新的密钥", "The key has ended: make a new one"))
    if old.replaced_by is not None:
        raise OutOfTurn(
            Text(f"密钥已轮换为 {old.replaced_by}", f"The key was rotated already: its successor is {old.replaced_by}")
        )
    moment = now()
    plain = new_key()
    successor = await key_repository.insert_key(
        connection,
        old.organization_id,
        old.label,
        digest_of(plain),
        sorted(old.roles),
        sorted(old.scopes),
        old.membership_id,
        old.person_id,
        moment + (old.expires_at - old.created_at) if old.expires_at else None,
    )
    until = await key_repository.replace_key(
        connection, old.id, successor.id, moment + timedelta(hours=request.overlap_hours)
    )
    data = _described(successor) | {"successor": str(successor.id), "old_valid_until": until.isoformat()}
    await log.record(connection, actor, "api_key", old.id, "rotate", data=data)
    return Rotated(**successor.model_dump(), key=plain, replaces=old.id, old_valid_until=until)
