"""What a rule of the access matrix is, and the refusals that rules are made of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.access.market import NOBODY, Caller, Market, Subject

PUBLIC: Final = {"need": {"published", "docking", "fulfilled"}, "outcome": {"published", "transferred"}}
OPERATORS: Final = ("operator", "administrator")
REVIEWERS: Final = ("broker", "operator", "administrator")
AUTHORS: Final = {"need": ("enterprise", *REVIEWERS), "outcome": ("provider", *REVIEWERS)}
OVERSEERS: Final = ("operator", "authority", "administrator")

# kind, action: from which states, by whom ("owner" is the listing's organization); administrators may always.
ACTIONS: Final = {
    ("need", "submit"): ("draft", "owner broker operator"),
    ("need", "return"): ("submitted refining", "broker operator"),
    ("need", "refine"): ("submitted", "broker operator"),
    ("need", "publish"): ("submitted refining", "broker operator"),
    ("need", "fulfil"): ("published docking", "owner broker operator"),
    ("need", "withdraw"): ("draft submitted refining published docking", "owner operator"),
    ("need", "reopen"): ("withdrawn expired", "owner operator"),
    ("outcome", "submit"): ("draft", "owner broker operator"),
    ("outcome", "return"): ("submitted verified", "operator"),
    ("outcome", "verify"): ("submitted", "operator"),
    ("outcome", "publish"): ("verified", "owner broker operator"),
    ("outcome", "transfer"): ("published", "owner operator"),
    ("outcome", "withdraw"): ("draft submitted verified published", "owner operator"),
    ("outcome", "reopen"): ("withdrawn expired", "owner operator"),
    ("organization", "verify"): ("registered", "operator"),
    ("organization", "suspend"): ("registered verified", "operator"),
    ("organization", "restore"): ("suspended", "operator"),
    # The owner of a case is either of its sides, and its broker the one who opened it.
    ("case", "consult"): ("consented", "owner broker operator"),
    ("case", "negotiate"): ("consulting", "owner broker operator"),
    ("case", "follow"): ("contracted", "broker operator"),
    ("case", "reopen"): ("lapsed", "broker operator"),
    ("recommendation", "accept"): ("proposed snoozed", "broker"),
    ("recommendation", "decline"): ("proposed snoozed", "broker"),
    ("recommendation", "snooze"): ("proposed snoozed", "broker"),
    ("recommendation", "undo"): ("accepted declined snoozed", "broker"),
    ("contract", "confirm"): ("draft signed rejected registered changed", "owner"),
    ("contract", "sign"): ("draft", "owner broker operator"),
    ("contract", "file"): ("signed rejected changed", "owner broker operator"),
    ("contract", "register"): ("filed", "operator"),
    ("contract", "reject"): ("filed", "operator"),
    ("contract", "change"): ("signed rejected registered changed", "owner broker operator"),
    ("contract", "settle"): ("signed rejected registered changed", "owner operator"),
    ("contract", "cancel"): ("draft signed filed rejected registered changed", "owner operator"),
}
# Steps that no request takes: the service itself does, or they are what an action of another name becomes.
INNER_ACTIONS: Final = {
    ("need", "expire"), ("need", "dock"), ("need", "undock"),
    ("outcome", "expire"), ("recommendation", "wake"), ("recommendation", "supersede"),
    ("recommendation", "propose"), ("organization", "restore_unverified"),
    # Answers, contracts and closings of a case have endpoints of their own.
    *(("case", action) for action in ("consent", "decline", "leave", "withdraw_consent", "contract", "close_won", "close_lost", "undo",
                                      "lapse", "resume")),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """One request as the rules see it: who, about what, and which of the endpoint's variants."""

    market: Market
    caller: Caller
    subject: Subject
    variant: str = "plain"
    action: str = ""
    part: Subject | None = None

    @property
    def owns(self) -> bool:
        """Whether the object is of the caller's organization."""
        return self.subject.house != "" and self.caller.house == self.subject.house

    @property
    def missing(self) -> bool:
        """Whether there is no such object."""
        return self.subject.id == NOBODY


Refusal = Callable[[Cell], int | None]


def sees_listing(market: Market, caller: Caller, subject: Subject) -> bool:
    """Published listings of organizations in good standing are everybody's; others are their own's and staff's."""
    public = subject.state in PUBLIC[subject.kind] and market.houses[subject.house].state != "suspended"
    return caller.staff or caller.house == subject.house or public


def unseen(cell: Cell) -> int | None:
    """404 for a listing that one may not know of."""
    return 404 if cell.missing or not sees_listing(cell.market, cell.caller, cell.subject) else None


def unless_own_or_staff(cell: Cell) -> int | None:
    """403 for what is for the listing's organization and for staff."""
    return None if cell.owns or cell.caller.staff else 403


def not_to_edit(cell: Cell) -> int | None:
    """403 for another organization's listing, 409 for one that is not open to the caller any more."""
    reviews = cell.caller.has(*REVIEWERS)
    if not (reviews or cell.owns):
        return 403
    open_states = (
        {"draft", "submitted", "refining", "verified", "published", "docking"} if reviews else {"draft", "submitted"}
    )
    return None if cell.subject.state in open_states else 409


def precondition(cell: Cell) -> int | None:
    """428 without If-Match, 412 with another version's."""
    return {"plain": 428, "stale": 412}.get(cell.variant)


def stale_step(cell: Cell) -> int | None:
    """412 for a step that names another version."""
    return 412 if cell.variant == "stale" else None


def not_to_take(cell: Cell) -> int | None:
    """403 for whose step it is not, 409 where it is out of turn: never the other way round."""
    sources, parties = ACTIONS[cell.subject.kind, cell.action]
    named = parties.split()
    may = cell.caller.has("administrator", *(set(named) - {"owner"})) or ("owner" in named and cell.owns)
    if not may:
        return 403
    if cell.subject.state not in sources.split():
        return 409
    unverified = cell.action == "publish" and cell.market.houses[cell.subject.house].state != "verified"
    return 409 if unverified else None


def not_to_post(kind: str) -> Refusal:
    """403 for roles that do not post a kind; for others' organizations reviewers only."""
    return lambda cell: None if cell.caller.has(*AUTHORS[kind]) else 403


def not_to_post_for(kind: str) -> Refusal:
    """As `not_to_post`, on behalf of another organization where the variant says so."""

    def refuse(cell: Cell) -> int | None:
        if not cell.caller.has(*AUTHORS[kind]):
            return 403
        other = cell.variant == "for V" and cell.caller.house != "V"
        return 403 if other and not cell.caller.has(*REVIEWERS) else None

    return refuse


def only(*roles: str) -> Refusal:
    """403 for everybody else."""
    return lambda cell: None if cell.caller.has(*roles) else 403


def only_staff(cell: Cell) -> int | None:
    """403 for who is no staff."""
    return None if cell.caller.staff else 403


def unless_staff(cell: Cell) -> int | None:
    """404: that there are recommended pairs at all is staff's to know."""
    return 404 if cell.missing or not cell.caller.staff else None


# Whose need and whose outcome every pair of the market is of.
SIDES: Final = ("A", "P")


def unless_side_or_staff(cell: Cell) -> int | None:
    """404: once a broker accepted a pair its two sides know of it."""
    known = cell.caller.house in SIDES and cell.subject.state == "accepted"
    return None if not cell.missing and (cell.caller.staff or known) else 404


def unless_both_seen(cell: Cell) -> int | None:
    """404 for a pair whose other side has left the market, said to a side; staff see all."""
    shown = {"A": cell.subject.about["P"] in PUBLIC["outcome"], "P": cell.subject.about["A"] in PUBLIC["need"]}
    return None if cell.caller.staff or shown[cell.caller.house] else 404


def not_a_side(cell: Cell) -> int | None:
    """403: each side consents for itself."""
    return None if cell.caller.house in SIDES else 403


def not_to_introduce(cell: Cell) -> int | None:
    """403: an authority oversees the market, and has nobody to call."""
    return None if cell.caller.house in SIDES or cell.caller.has(*REVIEWERS) else 403


def not_accepted(cell: Cell) -> int | None:
    """409: consent is given once a broker accepted the pair, and while both listings are on the market."""
    about = cell.subject.about
    public = about["A"] in PUBLIC["need"] and about["P"] in PUBLIC["outcome"]
    return None if cell.subject.state == "accepted" and public else 409


def no_consent(cell: Cell) -> int | None:
    """409: nobody has consented yet."""
    return 409


def unknown_house(cell: Cell) -> int | None:
    """404 for another organization, as seen by market participants."""
    return 404 if cell.missing or not (cell.owns or cell.caller.staff) else None


def unmanaged(cell: Cell) -> int | None:
    """404 for whose keys and people one does not manage."""
    return None if cell.owns or cell.caller.has(*OPERATORS) else 404


def absent(cell: Cell) -> int | None:
    """404 for what is not there, said to those who may know it."""
    return 404 if cell.missing else None


def not_own_house(cell: Cell) -> int | None:
    """403: an organization's data are its own to change, and operators'."""
    return None if cell.owns or cell.caller.has(*OPERATORS) else 403


def not_to_suspend(cell: Cell) -> int | None:
    """403: nobody suspends the own organization, and only administrators one with administrators. 422 without grounds."""
    house = cell.market.houses[cell.subject.house]
    if cell.action == "suspend" and cell.owns:
        return 403
    if cell.action == "suspend" and house.administrators and not cell.caller.has("administrator"):
        return 403
    if cell.action == "verify" and not house.has_credit_code and cell.variant == "plain":
        return 422
    return None


def grants(roles: frozenset[str], scopes: frozenset[str], caller: Caller, *, owns: bool) -> bool:
    """Whether roles and scopes are the caller's to hand out: never a scope of which it has none itself."""
    if not scopes <= caller.scopes:
        return False
    small = roles <= {"enterprise", "provider", "broker"}
    return caller.has("administrator") or (caller.has("operator") and small) or (owns and roles <= caller.roles)


USUAL: Final = frozenset({"read", "write"})
# What each variant of a key or membership asks for.
GRANTED: Final = {
    "plain": (frozenset({"enterprise"}), USUAL),
    "admin": (frozenset({"administrator"}), USUAL),
    "operator": (frozenset({"operator"}), USUAL),
    "scoped": (frozenset({"enterprise"}), frozenset({"admin"})),
    "stale": (frozenset({"enterprise"}), USUAL),
    "match": (frozenset({"enterprise"}), USUAL),
}


def not_to_grant(cell: Cell) -> int | None:
    """403 for more than the caller has itself."""
    roles, scopes = GRANTED[cell.variant]
    return None if grants(roles, scopes, cell.caller, owns=cell.owns) else 403


def membership_not_to_change(cell: Cell) -> int | None:
    """403 for a membership that holds, or would hold, more than the caller may hand out."""
    assert cell.part is not None
    roles, scopes = cell.part.about["roles"], frozenset({"read", "write", "admin"})
    if cell.variant != "end":
        roles |= GRANTED[cell.variant][0]
    return None if grants(roles, scopes, cell.caller, owns=cell.owns) else 403


def membership_elsewhere(cell: Cell) -> int | None:
    """404 for a membership that is not of the organization."""
    assert cell.part is not None
    return 404 if cell.part.of != cell.subject.id else None


def membership_ended(cell: Cell) -> int | None:
    """409 for one that has ended."""
    assert cell.part is not None
    return 409 if cell.part.state == "ended" else None


def not_ones_key(cell: Cell) -> int | None:
    """404 for keys of other organizations; administrators reach all."""
    return None if not cell.missing and (cell.owns or cell.caller.has("administrator")) else 404


def key_not_to_rotate(cell: Cell) -> int | None:
    """403 for more than one has oneself or for another person's, 409 for a key that has ended or was rotated."""
    if not grants(frozenset({"enterprise"}), USUAL, cell.caller, owns=cell.owns):
        return 403
    if (
        cell.subject.state == "personal"
        and cell.caller.person != cell.subject.house
        and not cell.caller.has("administrator")
    ):
        return 403
    return 409 if cell.subject.state in ("revoked", "expired", "rotated") else None


def not_oneself(*roles: str) -> Refusal:
    """403 for another person's data."""
    return lambda cell: None if is_self(cell.caller, cell.subject) or cell.caller.has(*roles) else 403


def is_self(caller: Caller, subject: Subject) -> bool:
    """Whether the caller is the person that the object is about."""
    return caller.person is not None and subject.kind == "person" and caller.person == subject.house


def no_person(cell: Cell) -> int | None:
    """404: there is nobody behind a machine's key."""
    return None if cell.caller.person else 404


def login_elsewhere(cell: Cell) -> int | None:
    """404 for a login that is not the person's."""
    assert cell.part is not None
    return 404 if cell.part.of != cell.subject.id else None


def not_ones_import(cell: Cell) -> int | None:
    """404 for imports of other organizations; operators see all."""
    return None if not cell.missing and (cell.owns or cell.caller.has(*OPERATORS)) else 404


@dataclass(frozen=True, slots=True)
class Rule:
    """A scope, refusals in order, the status of success, the variants of the request; no scope: open to anybody."""

    scope: str | None
    refusals: tuple[Refusal, ...] = ()
    success: int = 200
    variants: tuple[str, ...] = ("plain",)

    def status(self, cell: Cell) -> int:
        """The status that the answer must have."""
        if self.scope is None:
            return self.success
        caller = cell.caller
        if caller.standing in ("none", "unknown", "expired", "revoked", "ended"):
            return 401
        if caller.standing == "suspended" or self.scope not in caller.scopes:
            return 403
        if cell.variant == "broken":
            return 422
        return next((found for each in self.refusals if (found := each(cell)) is not None), self.success)
