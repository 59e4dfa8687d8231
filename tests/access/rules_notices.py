"""Who may do what with notifications and with endpoints of organizations."""

from typing import Final

from tests.access.ruling import Cell, Rule, precondition


def not_told(cell: Cell) -> int | None:
    """404 for what another was told, also within one's organization, where it is for a role or a person."""
    if cell.missing or not cell.owns:
        return 404
    told = {
        "organization": True,
        "operators": cell.caller.has("operator", "administrator"),
        "person": cell.caller.person == cell.subject.house,
    }
    return None if told[cell.subject.state] else 404


def not_own_endpoint(cell: Cell) -> int | None:
    """404: an endpoint is its organization's alone, and staff's no more than others'."""
    return None if not cell.missing and cell.owns else 404


def not_its_delivery(cell: Cell) -> int | None:
    """404 for a delivery that is not the endpoint's."""
    assert cell.part is not None
    return 404 if cell.part.of != cell.subject.id else None


def endpoint_disabled(cell: Cell) -> int | None:
    """409: an endpoint that is disabled is not called."""
    return 409 if cell.subject.state == "disabled" else None


HOOK: Final = "/v1/webhooks/{webhook_id}"
NOTICE_RULES: Final = {
    "GET /v1/notifications": Rule("read", (), 200, ("plain", "broken")),
    "GET /v1/notifications/counts": Rule("read"),
    "POST /v1/notifications/read": Rule("write", (), 200, ("plain", "broken")),
    "POST /v1/notifications/{notification_id}/read": Rule("write", (not_told,)),
    "GET /v1/notifications/preferences": Rule("read"),
    "PUT /v1/notifications/preferences": Rule("write", (precondition,), 200, ("plain", "stale", "match", "broken")),
    "POST /v1/webhooks": Rule("write", (), 201, ("plain", "broken")),
    "GET /v1/webhooks": Rule("read"),
    "GET /v1/webhooks/types": Rule(None),
    f"GET {HOOK}": Rule("read", (not_own_endpoint,)),
    f"PUT {HOOK}": Rule("write", (not_own_endpoint, precondition), 200, ("plain", "stale", "match", "broken")),
    f"DELETE {HOOK}": Rule("write", (not_own_endpoint,), 204),
    f"POST {HOOK}/rotate": Rule("write", (not_own_endpoint,), 201, ("plain", "broken")),
    f"POST {HOOK}/test": Rule("write", (not_own_endpoint, endpoint_disabled), 201),
    f"POST {HOOK}/replay": Rule("write", (not_own_endpoint, endpoint_disabled), 200, ("plain", "broken")),
    f"GET {HOOK}/deliveries": Rule("read", (not_own_endpoint,)),
    f"GET {HOOK}/deliveries/{{delivery_id}}": Rule("read", (not_own_endpoint, not_its_delivery)),
}
