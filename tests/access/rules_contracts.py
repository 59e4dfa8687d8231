"""Who may do what with contracts: for their two parties and staff there are some, for others none."""

from typing import Final

from tests.access.ruling import (
    ACTIONS,
    OPERATORS,
    OVERSEERS,
    REVIEWERS,
    Cell,
    Rule,
    absent,
    only,
    precondition,
    stale_step,
)

# Whose every contract of the market is.
PARTIES: Final = ("A", "P")


def _party(cell: Cell) -> bool:
    return cell.caller.house in PARTIES


def no_contract(cell: Cell) -> int | None:
    """404 for a contract that one is no party to."""
    return None if not cell.missing and (_party(cell) or cell.caller.staff) else 404


def not_to_enter(cell: Cell) -> int | None:
    """403: an authority looks on, and a side enters contracts of its own only; the probe's seller is P."""
    if cell.caller.has(*REVIEWERS):
        return None
    return None if cell.caller.has("enterprise", "provider") and cell.caller.house == "P" else 403


def not_to_write(cell: Cell) -> int | None:
    """403: a contract is written by its parties and by those who introduce, and not by an authority of elsewhere."""
    return None if _party(cell) or cell.caller.has(*REVIEWERS) else 403


def not_a_draft(cell: Cell) -> int | None:
    """409: what is signed is not rewritten."""
    return None if cell.subject.state == "draft" else 409


def _refused(cell: Cell, action: str) -> int | None:
    sources, parties = ACTIONS["contract", action]
    named = parties.split()
    may = cell.caller.has("administrator", *(set(named) - {"owner"})) or ("owner" in named and _party(cell))
    if not may:
        return 403
    return None if cell.subject.state in sources.split() else 409


def no_step(cell: Cell) -> int | None:
    """403 for whose step it is not, 409 out of turn; a side signs what the other confirmed, and confirms what it read."""
    refused = _refused(cell, cell.action)
    if refused is not None:
        return refused
    if cell.action == "confirm" and cell.variant == "plain":
        return 428
    if cell.action == "confirm":
        return 409 if cell.subject.state != "draft" else None if _party(cell) else 403
    # Nobody has confirmed a draft of the market: staff with the paper sign it, and staff of one side speak for that side.
    return 409 if cell.action == "sign" and (_party(cell) or not cell.caller.has(*REVIEWERS)) else None


def no_change(cell: Cell) -> int | None:
    """As the workflow says of a change."""
    return _refused(cell, "change")


def no_receipt(cell: Cell) -> int | None:
    """409 before signing and after the end."""
    return None if cell.subject.state in ("signed", "filed", "registered", "rejected", "changed") else 409


def not_registered(cell: Cell) -> int | None:
    """409: what was not registered gets nothing."""
    return None if cell.subject.state in ("registered", "changed", "settled") else 409


CONTRACT: Final = "/v1/contracts/{contract_id}"
CONTRACT_RULES: Final[dict[str, Rule]] = {
    "POST /v1/contracts": Rule("write", (not_to_enter,), 201, ("plain", "broken")),
    "GET /v1/contracts": Rule("read", (), 200, ("plain", "mine", "broken")),
    "GET /v1/contracts/figures": Rule("read", (only(*OVERSEERS),)),
    f"GET {CONTRACT}": Rule("read", (no_contract,)),
    f"PUT {CONTRACT}": Rule(
        "write", (no_contract, not_to_write, precondition, not_a_draft), 200, ("plain", "stale", "match", "broken")
    ),
    f"POST {CONTRACT}/changes": Rule("write", (no_contract, no_change), 201, ("plain", "broken")),
    f"GET {CONTRACT}/changes": Rule("read", (no_contract,)),
    f"GET {CONTRACT}/filings": Rule("read", (no_contract,)),
    f"GET {CONTRACT}/registration": Rule("read", (no_contract,)),
    f"GET {CONTRACT}/registration.xlsx": Rule("read", (no_contract,)),
    f"GET {CONTRACT}/registration.pdf": Rule("read", (no_contract,)),
    f"GET {CONTRACT}/subsidies": Rule("read", (no_contract, not_registered)),
    f"GET {CONTRACT}/settlement": Rule("read", (no_contract,)),
    f"POST {CONTRACT}/receipts": Rule("write", (no_contract, not_to_write, no_receipt), 201, ("plain", "broken")),
    f"POST {CONTRACT}/{{action}}": Rule("write", (no_contract, stale_step, no_step), 200, ("plain", "stale", "match")),
    "GET /v1/subsidy-rules": Rule("read", (), 200),
    "POST /v1/subsidy-rules": Rule("write", (only(*OPERATORS),), 201, ("plain", "broken")),
    "DELETE /v1/subsidy-rules/{rule_id}": Rule("write", (only(*OPERATORS), absent)),
}
