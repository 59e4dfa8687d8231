"""What an endpoint is sent: type, instant, and ids and states; nothing that some tier would hide."""

from datetime import datetime
from uuid import UUID

import orjson

from service.notices.model import Event, EventType

TEST: EventType = EventType("webhook.test")


def body_of(event: Event) -> str:
    """The body for an event, as JSON. Whoever wants more asks for the subject, under its own rights.

    Neither who acted nor the state before is in it: a side of a pair may know neither.
    """
    return _body(event.type, event.at, event.id, event.subject_kind, event.subject_id, event.action, event.to_state)


def body_of_test(webhook_id: UUID, moment: datetime) -> str:
    """The body of a test."""
    return _body(TEST, moment, None, "webhook", webhook_id, "test", None)


def _body(
    name: EventType, at: datetime, event_id: UUID | None, kind: str, subject_id: UUID, action: str, state: str | None
) -> str:
    data = {
        "event_id": str(event_id) if event_id else None,
        "subject": {"kind": kind, "id": str(subject_id)},
        "action": action,
        "state": state,
    }
    return orjson.dumps({"type": name, "timestamp": at.isoformat(), "data": data}).decode()
