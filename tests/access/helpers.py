"""What tests of this folder ask for again and again."""

from typing import Any
from uuid import UUID

import httpx2

from service.kit.db import Pool


async def events_of(pool: Pool, subject_id: object) -> list[tuple[str, str | None, str | None]]:
    """Actions on an object with the states before and after, oldest first."""
    rows = await pool.fetch(
        "select action, from_state, to_state from event where subject_id = $1 order by id", UUID(str(subject_id))
    )
    return [tuple(row) for row in rows]


async def add_member(
    client: httpx2.AsyncClient, headers: dict[str, str], organization_id: object, email: str, **content: Any
) -> dict[str, Any]:
    """A new person as a member; the membership as answered."""
    body = {"person": {"name": "演示人员", "email": email, "phone": "138 0000 1234"}, "roles": ["enterprise"]} | content
    answer = await client.post(f"/v1/organizations/{organization_id}/members", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def make_key(
    client: httpx2.AsyncClient, headers: dict[str, str], organization_id: object, **content: Any
) -> dict[str, Any]:
    """A key as answered, with the header that it makes under `headers`."""
    body = {"label": "演示密钥", "roles": ["enterprise"]} | content
    answer = await client.post(f"/v1/organizations/{organization_id}/keys", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    made = dict(answer.json())
    return made | {"headers": {"Authorization": f"Bearer {made['key']}"}}
