"""Write the event of a change, in the change's own transaction."""

from typing import Any
from uuid import UUID

from service.kit.actor import Actor
from service.kit.db import Connection

RECORD = """
insert into event (key_id, organization_id, request_id, subject_kind, subject_id, action, from_state, to_state, data)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


async def record(
    connection: Connection,
    actor: Actor,
    subject_kind: str,
    subject_id: UUID,
    action: str,
    *,
    from_state: str | None = None,
    to_state: str | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Append one event: who did what to which object, and the states before and after."""
    await connection.execute(
        RECORD,
        actor.key_id,
        actor.organization_id,
        actor.request_id,
        subject_kind,
        subject_id,
        action,
        from_state,
        to_state,
        (data or {}) | ({"by_person": str(actor.person_id)} if actor.person_id else {}),
    )
