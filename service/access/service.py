"""Rules of organizations, and what other rooms may call."""

from uuid import UUID

from service.access import repository
from service.access.administrators import create_administrator
from service.access.key_repository import find_key
from service.access.keys import create_key, digest_of, list_keys, new_key, revoke_key, rotate_key
from service.access.lookups import NO_ORGANIZATION, read_organization
from service.access.passwords import check_password, set_password
from service.access.repository import find_organization, find_organization_by_name, get_organization, lock_state
from service.access.schemas import Organization, OrganizationContent, OrganizationState
from service.access.standing import act_on_organization
from service.errors import Forbidden, PreconditionFailed
from service.events import log
from service.events.changes import changes
from service.kit.actor import Actor, Role
from service.kit.db import Connection
from service.kit.etag import check_if_match, etag
from service.kit.language import Text

# What other rooms may call; look-ups among them need no rule of their own.
__all__ = [
    "NO_ORGANIZATION",
    "act_on_organization",
    "change_organization",
    "check_password",
    "create_administrator",
    "create_key",
    "create_organization",
    "digest_of",
    "find_key",
    "find_organization",
    "find_organization_by_name",
    "get_organization",
    "list_keys",
    "lock_state",
    "new_key",
    "read_organization",
    "revoke_key",
    "rotate_key",
    "set_password",
]

# What an operator checked when verifying; whoever changes it of its own accord is to be verified anew.
IDENTIFYING = ("name", "kind", "credit_code")


async def create_organization(connection: Connection, actor: Actor, content: OrganizationContent) -> Organization:
    """Register an organization; operators and administrators do.

    What whoever sits at the machine registers is verified with it; over HTTP verification is a step of its own.
    """
    if not actor.has(Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM):
        raise Forbidden(
            Text("登记单位需要运营方或管理员密钥", "Registering an organization takes an operator or administrator key")
        )
    stored = await repository.insert_organization(connection, content, verified=actor.has(Role.SYSTEM))
    await log.record(
        connection, actor, "organization", stored.id, "create", to_state=stored.state, data={"name": stored.name}
    )
    return stored


async def change_organization(
    connection: Connection, actor: Actor, organization_id: UUID, if_match: str | None, content: OrganizationContent
) -> Organization:
    """Change an organization's data; its own keys, operators and administrators may.

    A verified organization that changes its name, kind or credit code itself has to be verified anew.
    """
    current = await read_organization(connection, actor, organization_id)
    trusted = actor.has(Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM)
    if not (actor.owns(organization_id) or trusted):
        raise Forbidden(Text("只能修改本单位的资料", "You may change your own organization only"))
    check_if_match(if_match, current.version)
    doubtful = (
        not trusted
        and current.state is OrganizationState.VERIFIED
        and any(getattr(content, name) != getattr(current, name) for name in IDENTIFYING)
    )
    changed = await repository.update_organization(
        connection, organization_id, current.version, content, unverify=doubtful
    )
    if changed is None:
        raise PreconditionFailed(etag(current.version))
    content_fields = set(type(content).model_fields)
    difference = changes(
        current.model_dump(mode="json", include=content_fields), changed.model_dump(mode="json", include=content_fields)
    )
    await log.record(
        connection,
        actor,
        "organization",
        organization_id,
        "change",
        from_state=current.state if doubtful else None,
        to_state=changed.state if doubtful else None,
        data={"version": changed.version, "changes": difference},
    )
    return changed
