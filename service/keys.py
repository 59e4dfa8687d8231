"""API keys from the command line, in the name of the service itself: how the first key comes about."""

from uuid import UUID

from pydantic import TypeAdapter
from rich.table import Table

from service.access import service
from service.access.schemas import (
    KeyRequest,
    KeyRole,
    KeyScope,
    Organization,
    OrganizationContent,
    OrganizationKind,
    RotationRequest,
)
from service.errors import FieldProblem, NotFound, ValidationProblem
from service.kit.actor import KEY_ROLES, SYSTEM, Scope
from service.kit.db import Connection, transaction
from service.kit.language import Text
from service.resources import open_database, open_pool
from service.settings import Settings


async def create(
    settings: Settings,
    external_id: str,
    roles: list[str],
    scopes: list[str],
    label: str,
    name: str | None,
    kind: str,
) -> str:
    """Make a key for an organization, registering it first where a name is given; returns the key."""
    if wrong := sorted(set(scopes) - set(Scope)):
        text = Text(f"未知权限范围 {wrong[0]}", f"Unknown scope {wrong[0]}: one of {', '.join(Scope)}")
        raise ValidationProblem([FieldProblem("scope", "known_scope", text)])
    known = {role.value for role in KEY_ROLES}
    if unknown := sorted(set(roles) - known):
        text = Text(
            f"未知角色 {unknown[0]}，应为 {'、'.join(sorted(known))}",
            f"Unknown role {unknown[0]}: one of {', '.join(sorted(known))}",
        )
        raise ValidationProblem([FieldProblem("role", "known_role", text)])
    if kind not in [member.value for member in OrganizationKind]:
        text = Text(f"未知单位类型 {kind}", f"Unknown kind {kind}: one of {', '.join(OrganizationKind)}")
        raise ValidationProblem([FieldProblem("kind", "known_kind", text)])
    urls = await open_database(settings, migrating=True)
    async with open_pool(settings, urls, "duijie keys") as pool, transaction(pool, SYSTEM) as connection:
        found = await service.find_organization(connection, external_id)
        if found is None and name is not None:
            content = OrganizationContent(external_id=external_id, name=name, kind=OrganizationKind(kind))
            found = await service.create_organization(connection, SYSTEM, content)
        owner = _must_exist(found, external_id)
        request = KeyRequest(
            label=label,
            roles=TypeAdapter(list[KeyRole]).validate_python(roles),
            scopes=TypeAdapter(list[KeyScope]).validate_python(scopes),
        )
        return (await service.create_key(connection, SYSTEM, owner.id, request)).key


async def listing(settings: Settings, external_id: str) -> Table:
    """The keys of an organization as a table."""
    urls = await open_database(settings, migrating=True)
    async with open_pool(settings, urls, "duijie keys") as pool, transaction(pool, SYSTEM) as connection:
        owner = await _organization(connection, external_id)
        keys = await service.list_keys(connection, SYSTEM, owner.id)
    table = Table("id", "label", "roles", "scopes", "last used", "expires", "revoked", title=owner.name)
    for key in keys:
        moments = (f"{at:%Y-%m-%d %H:%M}" if at else "" for at in (key.last_used_at, key.expires_at, key.revoked_at))
        table.add_row(str(key.id), key.label, ", ".join(key.roles), ", ".join(key.scopes), *moments)
    return table


async def rotate(settings: Settings, key_id: str, overlap_hours: int) -> str:
    """Make a key's successor; returns it."""
    urls = await open_database(settings, migrating=True)
    identifier = _identifier(key_id)
    async with open_pool(settings, urls, "duijie keys") as pool, transaction(pool, SYSTEM) as connection:
        request = RotationRequest(overlap_hours=overlap_hours)
        return (await service.rotate_key(connection, SYSTEM, identifier, request)).key


async def revoke(settings: Settings, key_id: str) -> None:
    """End a key."""
    urls = await open_database(settings, migrating=True)
    identifier = _identifier(key_id)
    async with open_pool(settings, urls, "duijie keys") as pool, transaction(pool, SYSTEM) as connection:
        await service.revoke_key(connection, SYSTEM, identifier)


def _identifier(key_id: str) -> UUID:
    try:
        return UUID(key_id)
    except ValueError as error:
        raise NotFound(Text("没有这个密钥", "No such key")) from error


async def _organization(connection: Connection, external_id: str) -> Organization:
    return _must_exist(await service.find_organization(connection, external_id), external_id)


def _must_exist(found: Organization | None, external_id: str) -> Organization:
    if found is None:
        raise NotFound(
            Text(
                f"没有外部编号为 {external_id} 的单位；加上 --name 可同时登记",
                f"No organization has the external id {external_id}; with --name it is registered at once",
            )
        )
    return found
