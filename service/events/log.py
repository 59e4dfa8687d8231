"""Write the event of a change, in the change's own transaction."""

from typing import Any
from uuid import UUID

from service.kit.actor import Actor
from service.kit.db import Connection

RECORD = """
insert into event (
    key_id, organization_id, request_id, subject_kind, subject_id, action, from_state, to_state, data, address_class
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
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
    """Append one event: who did what to which object, and the states before and after.

    The database seals it into the chain when the transaction commits. It is never erased: `data` holds no personal data
    (`service.events.changes` says what a change may leave).
    """
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
        data or {},
        actor.address_class,
    )
