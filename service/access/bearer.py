"""Who stands behind a request: an API key, or a login of the issuer acting as a member of an organization."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg
from fastapi import Request

from service.access import key_repository, people_repository
from service.access.errors import ChooseOrganization, NoPerson, Suspended
from service.access.issuer import Issuer
from service.access.keys import KEY_PREFIX, digest_of
from service.access.scopes import check_scope, pattern_of
from service.access.tokens import Login
from service.errors import FieldProblem, Unauthenticated
from service.events import log
from service.kit.actor import Actor, Role, Scope
from service.kit.db import Connection
from service.kit.language import Text

ORGANIZATION_HEADER = "X-Organization"
# One's own record is there for whoever logs in, member of something or not. Patterns of routes.
PERSONAL = frozenset({"/v1/me", "/v1/people/me", "/v1/people/me/export"})


@dataclass(frozen=True, slots=True)
class KeyProof:
    """A key that was sent, by its SHA-256."""

    digest: bytes


Proof = KeyProof | Login


async def proven(request: Request, token: str | None) -> Proof:
    """What a bearer credential proves, before any database connection is held: an issuer may be slow.

    Raises:
        Unauthenticated: nothing was sent, or the token is not good. Unavailable: the issuer does not answer.
    """
    if not token:
        raise Unauthenticated(
            Text("请在 Authorization 请求头中携带 Bearer 密钥", "Send the key as `Authorization: Bearer dj_…`")
        )
    issuer: Issuer | None = request.app.state.issuer
    if issuer is not None and not token.startswith(KEY_PREFIX):
        return await issuer.login(token)
    return KeyProof(digest_of(token))


async def identify(connection: Connection, request: Request, proof: Proof) -> Actor:
    """The actor of a request, if it has the scope that the route takes.

    Raises:
        Unauthenticated: the key is unknown, expired or revoked, or its membership has ended.
        Forbidden: the organization is suspended, the scope is missing, or the login stands for nobody.
    """
    request_id: str = request.state.request_id
    if isinstance(proof, KeyProof):
        actor = await _key_holder(connection, proof, request_id)
    else:
        actor = await _member(connection, request, proof, request_id)
    check_scope(request, actor)
    return actor


async def _key_holder(connection: Connection, proof: KeyProof, request_id: str) -> Actor:
    row = await key_repository.find_key(connection, proof.digest)
    if row is None or row["revoked"]:
        raise Unauthenticated(Text("密钥无效或已被吊销", "The key is unknown or revoked"))
    if row["expired"]:
        raise Unauthenticated(Text("密钥已过期，请申请新的密钥", "The key has expired: ask for a new one"))
    if row["ended"]:
        raise Unauthenticated(Text("密钥所属的成员关系已终止", "The membership that the key belongs to has ended"))
    if row["suspended"]:
        raise Suspended()
    if row["stale"]:
        await key_repository.touch_key(connection, row["id"])
    roles, scopes = set(row["roles"]), set(row["scopes"])
    if row["person_id"] is not None:
        # What was taken from the membership is taken from its keys.
        roles &= set(row["membership_roles"])
        scopes &= set(row["membership_scopes"])
    return Actor(
        row["id"],
        row["organization_id"],
        frozenset(map(Role, roles)),
        request_id,
        person_id=row["person_id"],
        scopes=frozenset(map(Scope, scopes)),
    )


async def _member(connection: Connection, request: Request, login: Login, request_id: str) -> Actor:
    person_id = await _person_of(connection, request, login)
    wanted = request.headers.get(ORGANIZATION_HEADER)
    memberships = await people_repository.present_memberships(connection, person_id)
    chosen = _chosen(memberships, wanted)
    if wanted is None and pattern_of(request) in PERSONAL and (chosen is None or chosen["suspended"]):
        own = frozenset({Scope.READ, Scope.WRITE})
        return Actor(None, None, frozenset(), request_id, person_id=person_id, scopes=own)
    if chosen is None:
        raise ChooseOrganization([_choice(membership) for membership in memberships])
    if chosen["suspended"]:
        raise Suspended()
    return Actor(
        None,
        chosen["organization_id"],
        frozenset(map(Role, chosen["roles"])),
        request_id,
        person_id=person_id,
        scopes=frozenset(map(Scope, chosen["scopes"])),
    )


def _chosen(memberships: list[asyncpg.Record], wanted: str | None) -> asyncpg.Record | None:
    if wanted is None:
        return memberships[0] if len(memberships) == 1 else None
    try:
        identifier = UUID(wanted)
    except ValueError:
        return None
    return next((each for each in memberships if each["organization_id"] == identifier), None)


def _choice(membership: asyncpg.Record) -> FieldProblem:
    label = f"{membership['organization_id']} {membership['name']}"
    return FieldProblem(ORGANIZATION_HEADER, "choice", Text(label, label))


async def _person_of(connection: Connection, request: Request, login: Login) -> UUID:
    row = await people_repository.find_identity(connection, login.issuer, login.subject)
    if row is not None:
        if row["stale"]:
            await people_repository.touch_identity(connection, row["id"])
        found: UUID = row["person_id"]
        return found
    linking = request.app.state.settings.oidc_link_by_email and login.email is not None
    person_id = await _linked(connection, login, request.state.request_id) if linking else None
    if person_id is None:
        raise NoPerson(login.subject)
    return person_id


async def _linked(connection: Connection, login: Login, request_id: str) -> UUID | None:
    """The person whose e-mail an operator wrote down and the issuer has verified, linked at this first login."""
    assert login.email is not None
    person_id = await people_repository.lock_vouched(connection, login.email)
    if person_id is None:
        return None
    row = await people_repository.find_identity(connection, login.issuer, login.subject)
    if row is not None:
        # Two first requests at once: the other one has linked it.
        other: UUID = row["person_id"]
        return other
    if await people_repository.has_identity(connection, person_id, login.issuer):
        # Whoever logs in already is not taken over by a second login with the same mailbox.
        return None
    linked = await people_repository.insert_identity(connection, person_id, login.issuer, login.subject)
    actor = Actor(None, None, frozenset(), request_id, person_id=person_id)
    await log.record(connection, actor, "person", person_id, "link", data={"identity": str(linked.id)})
    return person_id
