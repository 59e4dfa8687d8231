"""Rules of organizations and keys."""

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

from service.access import repository
from service.access.repository import find_key, find_organization, find_organization_by_name, get_organization
from service.access.schemas import Key, KeyRequest, NewKey, Organization, OrganizationContent
from service.errors import FieldProblem, Forbidden, NotFound, PreconditionFailed, Unauthenticated, ValidationProblem
from service.events import log
from service.events.changes import changes
from service.kit.actor import Actor, Role
from service.kit.clock import now
from service.kit.db import Connection
from service.kit.etag import check_if_match, etag
from service.kit.language import Text

# What other rooms may call; the first four are plain look-ups, which need no rule of their own.
__all__ = [
    "authenticate",
    "change_organization",
    "create_key",
    "create_organization",
    "digest_of",
    "find_key",
    "find_organization",
    "find_organization_by_name",
    "get_organization",
    "list_keys",
    "new_key",
    "read_organization",
    "revoke_key",
]

KEY_PREFIX = "dj_"
KEY_BYTES = 32

# Roles that an operator may hand out; the others change who watches whom, and stay with the administrator.
OPERATOR_GRANTS = frozenset({Role.ENTERPRISE, Role.PROVIDER, Role.BROKER})
NO_ORGANIZATION = Text("没有这个单位，或无权查看", "No such organization, or none that you may see")


def digest_of(key: str) -> bytes:
    """SHA-256 of a key: 32 bytes."""
    return hashlib.sha256(key.encode()).digest()


def new_key() -> str:
    """A random key of 256 bits, recognizable by its prefix when it leaks."""
    return KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)


async def authenticate(connection: Connection, key: str | None, request_id: str) -> Actor:
    """The actor behind an API key.

    Raises:
        Unauthenticated: there is no key, or it is unknown, expired or revoked.
    """
    if not key:
        raise Unauthenticated(
            Text("请在 Authorization 请求头中携带 Bearer 密钥", "Send the key as `Authorization: Bearer dj_…`")
        )
    row = await repository.find_key(connection, digest_of(key))
    if row is None or row["revoked"]:
        raise Unauthenticated(Text("密钥无效或已被吊销", "The key is unknown or revoked"))
    if row["expired"]:
        raise Unauthenticated(Text("密钥已过期，请申请新的密钥", "The key has expired: ask for a new one"))
    if row["stale"]:
        await repository.touch_key(connection, row["id"])
    roles = frozenset(Role(role) for role in row["roles"])
    return Actor(row["id"], row["organization_id"], roles, request_id)


async def create_organization(connection: Connection, actor: Actor, content: OrganizationContent) -> Organization:
    """Register an organization; operators and administrators do."""
    if not actor.has(Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM):
        raise Forbidden(
            Text("登记单位需要运营方或管理员密钥", "Registering an organization takes an operator or administrator key")
        )
    stored = await repository.insert_organization(connection, content)
    await log.record(connection, actor, "organization", stored.id, "create", data={"name": stored.name})
    return stored


async def read_organization(connection: Connection, actor: Actor, organization_id: UUID) -> Organization:
    """One organization: your own, or any for those whose work it is."""
    if not (actor.is_staff or actor.owns(organization_id)):
        raise NotFound(NO_ORGANIZATION)
    found = await repository.get_organization(connection, organization_id)
    if found is None:
        raise NotFound(NO_ORGANIZATION)
    return found


async def change_organization(
    connection: Connection, actor: Actor, organization_id: UUID, if_match: str | None, content: OrganizationContent
) -> Organization:
    """Change an organization's data; its own keys, operators and administrators may."""
    current = await read_organization(connection, actor, organization_id)
    if not (actor.owns(organization_id) or actor.has(Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM)):
        raise Forbidden(Text("只能修改本单位的资料", "You may change your own organization only"))
    check_if_match(if_match, current.version)
    changed = await repository.update_organization(connection, organization_id, current.version, content)
    if changed is None:
        raise PreconditionFailed(etag(current.version))
    content_fields = set(type(content).model_fields)
    difference = changes(
        current.model_dump(mode="json", include=content_fields), changed.model_dump(mode="json", include=content_fields)
    )
    data = {"version": changed.version, "changes": difference}
    await log.record(connection, actor, "organization", organization_id, "change", data=data)
    return changed


async def create_key(connection: Connection, actor: Actor, organization_id: UUID, request: KeyRequest) -> NewKey:
    """Make an API key for an organization and show it once."""
    wanted = {Role(role) for role in request.roles}
    if not _may_grant(actor, organization_id, wanted):
        raise Forbidden(
            Text(
                "只能为本单位签发与自己角色相同的密钥；其他角色由管理员签发",
                "You may make keys of your own roles for your own organization; others are made by an administrator",
            )
        )
    await read_organization(connection, actor, organization_id)
    if request.expires_at is not None and _is_past(request.expires_at):
        text = Text("有效期必须晚于当前时间，并带时区", "Must lie in the future, and carry a time zone")
        raise ValidationProblem([FieldProblem("expires_at", "future", text)])
    plain = new_key()
    stored = await repository.insert_key(
        connection, organization_id, request.label, digest_of(plain), sorted(wanted), request.expires_at
    )
    await log.record(
        connection, actor, "api_key", stored.id, "create", data={"label": stored.label, "roles": sorted(wanted)}
    )
    return NewKey(**stored.model_dump(), key=plain)


def _is_past(moment: datetime) -> bool:
    return moment.tzinfo is None or moment <= now()


def _may_grant(actor: Actor, organization_id: UUID, wanted: set[Role]) -> bool:
    if actor.has(Role.ADMINISTRATOR, Role.SYSTEM):
        return True
    if actor.has(Role.OPERATOR) and wanted <= OPERATOR_GRANTS:
        return True
    return actor.owns(organization_id) and wanted <= actor.roles


async def list_keys(connection: Connection, actor: Actor, organization_id: UUID) -> list[Key]:
    """The keys of an organization, without the keys themselves."""
    if not (actor.owns(organization_id) or actor.has(Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM)):
        raise NotFound(NO_ORGANIZATION)
    return await repository.list_keys(connection, organization_id)


async def revoke_key(connection: Connection, actor: Actor, key_id: UUID) -> Key:
    """End a key at once."""
    limit = None if actor.has(Role.ADMINISTRATOR, Role.SYSTEM) else actor.organization_id
    revoked = await repository.revoke_key(connection, key_id, limit)
    if revoked is None:
        raise NotFound(Text("没有这个密钥", "No such key"))
    await log.record(connection, actor, "api_key", key_id, "revoke")
    return revoked
