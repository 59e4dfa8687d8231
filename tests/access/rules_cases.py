"""Who may do what with cases: written from the design, as the other rules of the matrix."""

from collections.abc import Callable
from typing import Final

from tests.access.market import Caller, Canary
from tests.access.ruling import (
    ACTIONS,
    OPERATORS,
    PUBLIC,
    SIDES,
    Cell,
    Refusal,
    Rule,
    absent,
    only,
    precondition,
    stale_step,
)

TALKING: Final = ("consented", "consulting", "negotiating", "contracted", "following")
ENDED: Final = ("closed", "lapsed")
# Whose side a channel of a case is.
HOUSE_OF: Final = {"need": "A", "outcome": "P"}


def handles(caller: Caller) -> bool:
    """T's brokers handle every case of the market; administrators may all."""
    return caller.has("administrator") or (caller.has("broker") and caller.house == "T")


def steers(caller: Caller) -> bool:
    """The case's broker, and operators."""
    return handles(caller) or caller.has("operator")


def speaks(caller: Caller, channel: str) -> bool:
    """Whether a channel of a case is the caller's to read and to write in."""
    if channel == "broker":
        return handles(caller)
    own = caller.house in SIDES if channel == "shared" else caller.house == HOUSE_OF[channel]
    return own or steers(caller)


def unseen_case(cell: Cell) -> int | None:
    """404 for whoever is no side of it, no staff, and does not operate its partner pair."""
    partner = cell.caller.house == "X" and cell.subject.about.get("partner", False)
    seen = cell.caller.house in SIDES or cell.caller.staff or partner
    return 404 if cell.missing or not seen else None


def outside(cell: Cell) -> int | None:
    """403 for what is said in it, to staff who do not steer it and to operators of partner pairs."""
    return None if speaks(cell.caller, "shared") else 403


def not_steering(cell: Cell) -> int | None:
    """403 for what the broker and operators decide."""
    return None if steers(cell.caller) else 403


def no_side(cell: Cell) -> int | None:
    """403: each side answers for itself."""
    return None if cell.caller.house in SIDES else 403


def no_answer_now(cell: Cell) -> int | None:
    """409: a yes is taken while the case is open and both are on the market, a no and a question by who is invited."""
    about = cell.subject.about
    if cell.variant == "yes":
        on_market = about["A"] in PUBLIC["need"] and about["P"] in PUBLIC["outcome"]
        return None if cell.subject.state not in ENDED and on_market else 409
    return None if cell.subject.state == "invited" else 409


def not_to_leave(cell: Cell) -> int | None:
    """409 once the two have signed, and after the end."""
    return None if cell.subject.state in ("invited", "consented", "consulting", "negotiating") else 409


def case_step(cell: Cell) -> int | None:
    """403 for whose step it is not, 409 where it is out of turn."""
    return _step(cell, cell.action)


def closing(cell: Cell) -> int | None:
    """As a step: won after a contract, lost at any time before the end."""
    if not steers(cell.caller):
        return 403
    sources = ("contracted", "following") if cell.variant == "won" else ("invited", *TALKING)
    return None if cell.subject.state in sources else 409


def _step(cell: Cell, action: str) -> int | None:
    sources, parties = ACTIONS["case", action]
    may = steers(cell.caller) or ("owner" in parties.split() and cell.caller.house in SIDES)
    if not may:
        return 403
    return None if cell.subject.state in sources.split() else 409


def handed_over(cell: Cell) -> int | None:
    """409: what is closed is nobody's to go on with."""
    return 409 if cell.subject.state == "closed" else None


def not_awaited(cell: Cell) -> int | None:
    """409 where nobody is awaited."""
    return None if cell.subject.state == "invited" else 409


def not_talking(cell: Cell) -> int | None:
    """409 before both consented and after the end."""
    return None if cell.subject.state in TALKING else 409


def terms_closed(cell: Cell) -> int | None:
    """409 but between both consents and the contract."""
    return None if cell.subject.state in ("consented", "consulting", "negotiating") else 409


def channel_of(cell: Cell) -> str:
    """The channel that a variant writes in."""
    return cell.variant if cell.variant in ("need", "outcome", "broker") else "shared"


def not_to_write(cell: Cell) -> int | None:
    """403 for another's channel; 409 for what is for both while they do not talk."""
    channel = channel_of(cell)
    if not speaks(cell.caller, channel):
        return 403
    return not_talking(cell) if channel == "shared" else None


def unread_file(cell: Cell) -> int | None:
    """404 for a file in a channel that one does not read."""
    assert cell.part is not None
    return None if speaks(cell.caller, cell.part.state) else 404


def partner_only(cell: Cell) -> int | None:
    """403 for operators of partner pairs, who see that there is a case."""
    return None if cell.caller.staff or cell.caller.house in SIDES else 403


def not_to_follow_up(cell: Cell) -> int | None:
    """404 for the other side's question, 403 for staff's, 409 where nothing came of the case."""
    assert cell.part is not None
    own = cell.caller.house == cell.part.house
    if not (own or cell.caller.staff):
        return 404
    if not own:
        return 403
    return 409 if cell.subject.state == "closed" else None


def unknown_pair(cell: Cell) -> int | None:
    """409: the pair of the probe has an operator."""
    return 409


CASE: Final = "/v1/cases/{case_id}"
SEEN: Final[tuple[Refusal, ...]] = (unseen_case,)
INSIDE: Final[tuple[Refusal, ...]] = (unseen_case, outside)
CHANGE: Final = ("plain", "stale", "match", "broken")
PLAIN_OR_BROKEN: Final = ("plain", "broken")
CASE_RULES: Final[dict[str, Rule]] = {
    "GET /v1/cases": Rule("read", (), 200, ("plain", "broken")),
    "GET /v1/cooperation-modes": Rule(None),
    f"GET {CASE}": Rule("read", SEEN),
    f"POST {CASE}/answer": Rule("write", (*SEEN, no_side, no_answer_now), 200, ("yes", "no", "question", "broken")),
    f"POST {CASE}/leave": Rule("write", (*SEEN, no_side, stale_step, not_to_leave), 200, ("plain", "stale", "broken")),
    f"POST {CASE}/close": Rule("write", (*SEEN, stale_step, closing), 200, ("lost", "won", "stale", "broken")),
    f"POST {CASE}/extensions": Rule("write", (*SEEN, not_steering, not_awaited), 200, PLAIN_OR_BROKEN),
    f"POST {CASE}/broker": Rule(
        "write", (*SEEN, not_steering, stale_step, handed_over), 200, ("plain", "stale", "broken")
    ),
    f"PUT {CASE}/terms": Rule("write", (*INSIDE, precondition, terms_closed), 200, CHANGE),
    f"POST {CASE}/{{action}}": Rule("write", (*SEEN, stale_step, case_step), 200, ("plain", "stale")),
    f"GET {CASE}/messages": Rule("read", INSIDE),
    f"POST {CASE}/messages": Rule(
        "write", (*SEEN, not_to_write), 201, ("shared", "need", "outcome", "broker", "broken")
    ),
    f"POST {CASE}/attachments": Rule("write", (*SEEN, not_to_write), 201, PLAIN_OR_BROKEN),
    f"GET {CASE}/attachments/{{message_id}}": Rule("read", (*INSIDE, unread_file)),
    f"POST {CASE}/read": Rule("write", INSIDE, 200, PLAIN_OR_BROKEN),
    f"GET {CASE}/meetings": Rule("read", INSIDE),
    f"POST {CASE}/meetings": Rule("write", (*INSIDE, not_talking), 201, PLAIN_OR_BROKEN),
    f"GET {CASE}/meetings/{{meeting_id}}": Rule("read", INSIDE),
    f"PUT {CASE}/meetings/{{meeting_id}}": Rule("write", (*INSIDE, precondition, not_talking), 200, CHANGE),
    f"GET {CASE}/meetings/{{meeting_id}}/calendar.ics": Rule("read", INSIDE),
    f"GET {CASE}/milestones": Rule("read", INSIDE),
    f"POST {CASE}/milestones": Rule("write", (*INSIDE, not_talking), 201, PLAIN_OR_BROKEN),
    f"GET {CASE}/milestones/{{milestone_id}}": Rule("read", INSIDE),
    f"PUT {CASE}/milestones/{{milestone_id}}": Rule("write", (*INSIDE, precondition, not_talking), 200, CHANGE),
    f"GET {CASE}/follow-ups": Rule("read", (*SEEN, partner_only)),
    f"POST {CASE}/follow-ups/{{follow_up_id}}": Rule("write", (*SEEN, not_to_follow_up), 200, PLAIN_OR_BROKEN),
    "GET /v1/partner-operators": Rule("read"),
    "POST /v1/partner-operators": Rule("write", (only(*OPERATORS), unknown_pair), 201, PLAIN_OR_BROKEN),
    "DELETE /v1/partner-operators/{assignment_id}": Rule("write", (only(*OPERATORS), absent)),
    "GET /v1/organizations/{organization_id}/response": Rule("read"),
}  # fmt: skip

# The guards of what is said in a case, each with those who may see through it.
CASE_GUARDS: Final[dict[str, Callable[[Caller, Canary], bool]]] = {
    "case_terms": lambda caller, _: speaks(caller, "shared"),
    "case_shared": lambda caller, _: speaks(caller, "shared"),
    "case_need": lambda caller, _: speaks(caller, "need"),
    "case_outcome": lambda caller, _: speaks(caller, "outcome"),
    "case_broker": lambda caller, _: speaks(caller, "broker"),
    "case_follow_up": lambda caller, canary: caller.staff or caller.house == canary.house,
}
