"""The demonstration's keys: one a role, the same ones at every run."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import orjson

from service.access import service as access
from service.access.schemas import KeyRequest
from service.kit.actor import KEY_ROLES, SYSTEM, Role
from service.kit.db import Pool, transaction
from service.settings import Settings

# Whose keys are printed: an organization of the demo data for each role.
KEY_HOLDERS: Final = {
    Role.ENTERPRISE: "org-a-01",
    Role.PROVIDER: "org-a-16",
    Role.BROKER: "org-broker",
    Role.OPERATOR: "org-market",
    Role.AUTHORITY: "org-authority",
    Role.ADMINISTRATOR: "org-market",
}
FILE: Final = "demo-keys.json"


async def make(pool: Pool, home: Path) -> dict[Role, str]:
    """One key a role. They are kept in a file that only this user reads, so that every run prints the same ones."""
    kept = _kept(home)
    keys: dict[Role, str] = {}
    async with transaction(pool, SYSTEM) as connection:
        for role in KEY_ROLES:
            known = kept.get(role)
            row = await access.find_key(connection, access.digest_of(known)) if known else None
            if known and row is not None and not row["revoked"]:
                keys[role] = known
                continue
            holder = await access.find_organization(connection, KEY_HOLDERS[role])
            assert holder is not None
            request = KeyRequest(label="demo", roles=[role.value], scopes=["read", "write", "admin"])
            made = await access.create_key(connection, SYSTEM, holder.id, request)
            keys[role] = made.key
    descriptor = os.open(home / FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(orjson.dumps({role.value: key for role, key in keys.items()}))
    return keys


def _kept(home: Path) -> dict[str, str]:
    kept: dict[str, str] = {}
    with suppress(OSError, ValueError):
        kept = orjson.loads((home / FILE).read_bytes())
    return kept


def as_variables(settings: Settings) -> str | None:
    """Assignments for a shell: API, then the key of each role by the role's name in capitals. None before the first run."""
    keys = _kept(settings.home)
    if not keys:
        return None
    lines = [f"API=http://{settings.host}:{settings.port}/v1"]
    return "\n".join([*lines, *(f"{role.upper()}={key}" for role, key in keys.items())])
