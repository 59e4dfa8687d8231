"""Who may do what, as a table of its own: written from the design and not from the code, so that each is checked by the other.

A rule is the scope that its endpoint takes, and the refusals in the order in which they are due: 401 and 403 at the door,
422 for what is not understood, 404 for what one may not know of, 403 for what one may not do, 428, 412, 409; then success.
"""

from typing import Final

from tests.access.market import Caller, Canary, Market
from tests.access.rules_cases import CASE_GUARDS, CASE_RULES
from tests.access.rules_contracts import CONTRACT_RULES, PARTIES
from tests.access.rules_notices import NOTICE_RULES
from tests.access.rules_refinement import REFINEMENT_RULES
from tests.access.rules_review import REVIEW_RULES
from tests.access.ruling import (
    OPERATORS,
    OVERSEERS,
    Cell,
    Rule,
    absent,
    key_not_to_rotate,
    login_elsewhere,
    membership_elsewhere,
    membership_ended,
    membership_not_to_change,
    no_consent,
    no_person,
    not_a_side,
    not_accepted,
    not_ones_import,
    not_ones_key,
    not_oneself,
    not_own_house,
    not_to_edit,
    not_to_grant,
    not_to_introduce,
    not_to_post,
    not_to_post_for,
    not_to_suspend,
    not_to_take,
    only,
    only_staff,
    precondition,
    sees_listing,
    stale_step,
    unknown_house,
    unless_both_seen,
    unless_own_or_staff,
    unless_side_or_staff,
    unless_staff,
    unmanaged,
    unseen,
)

CHANGE: Final = ("plain", "stale", "match", "broken")
STEP: Final = ("plain", "stale")
GRANT: Final = ("plain", "admin", "operator", "scoped", "broken")


def _listings(kind: str, path: str) -> dict[str, Rule]:
    address = f"{path}/{{{kind}_id}}"
    return {
        f"POST {path}": Rule("write", (not_to_post_for(kind),), 201, ("plain", "for V", "broken")),
        f"GET {path}": Rule("read", (), 200, ("plain", "mine", "of A", "broken")),
        f"GET {address}": Rule("read", (unseen,)),
        f"PUT {address}": Rule("write", (unseen, not_to_edit, precondition), 200, CHANGE),
        f"GET {address}/revisions": Rule("read", (unseen, unless_own_or_staff)),
        f"GET {address}/hints": Rule("read", (unseen, unless_own_or_staff)),
        f"GET {address}/matches": Rule("read", (unseen, unless_own_or_staff), 200, ("plain", "broken")),
        f"POST {address}/{{action}}": Rule("write", (unseen, stale_step, not_to_take), 200, STEP),
        f"POST {path}/hints": Rule("read", (), 200, ("plain", "broken")),
    }


MEMBER: Final = "/v1/organizations/{organization_id}/members/{membership_id}"
RULES: Final[dict[str, Rule]] = {
    **_listings("need", "/v1/needs"),
    **_listings("outcome", "/v1/outcomes"),
    **REFINEMENT_RULES,
    **CASE_RULES,
    "GET /v1/me": Rule("read"),
    "GET /v1/people/me": Rule("read", (no_person,)),
    "PUT /v1/people/me": Rule("write", (no_person, precondition), 200, CHANGE),
    "DELETE /v1/people/me": Rule("write", (no_person,), 204),
    "GET /v1/people/me/export": Rule("read", (no_person,)),
    "POST /v1/people": Rule("admin", (only(*OPERATORS),), 201, ("plain", "broken")),
    "GET /v1/people": Rule("admin", (only(*OPERATORS),), 200, ("plain", "broken")),
    "GET /v1/people/{person_id}": Rule("admin", (not_oneself(*OPERATORS), absent)),
    "PUT /v1/people/{person_id}": Rule("admin", (not_oneself("administrator"), absent, precondition), 200, CHANGE),
    "DELETE /v1/people/{person_id}": Rule("admin", (not_oneself("administrator"), absent), 204),
    "GET /v1/people/{person_id}/identities": Rule("admin", (only("administrator"),)),
    "POST /v1/people/{person_id}/identities": Rule("admin", (only("administrator"), absent), 201, ("plain", "broken")),
    "DELETE /v1/people/{person_id}/identities/{identity_id}": Rule("admin", (only("administrator"), login_elsewhere), 204),
    "POST /v1/organizations": Rule("admin", (only(*OPERATORS),), 201, ("plain", "broken")),
    "GET /v1/organizations": Rule("read", (only_staff,), 200, ("plain", "broken")),
    "GET /v1/organizations/{organization_id}": Rule("read", (unknown_house,)),
    "PUT /v1/organizations/{organization_id}": Rule("admin", (unknown_house, not_own_house, precondition), 200, CHANGE),
    "POST /v1/organizations/{organization_id}/{action}": Rule(
        "admin", (unknown_house, stale_step, not_to_take, not_to_suspend), 200, ("plain", "stale", "reasoned")
    ),
    # Whoever may hand out nothing is told so whether the organization exists or not.
    "POST /v1/organizations/{organization_id}/keys": Rule("admin", (not_to_grant, unknown_house), 201, GRANT),
    "GET /v1/organizations/{organization_id}/keys": Rule("admin", (unmanaged,)),
    "POST /v1/keys/{key_id}/rotate": Rule("admin", (not_ones_key, key_not_to_rotate), 201, ("plain", "broken")),
    "DELETE /v1/keys/{key_id}": Rule("admin", (not_ones_key,)),
    "POST /v1/organizations/{organization_id}/members": Rule("admin", (unmanaged, absent, not_to_grant), 201, GRANT),
    "GET /v1/organizations/{organization_id}/members": Rule("admin", (unmanaged,)),
    f"PUT {MEMBER}": Rule(
        "admin", (unmanaged, membership_elsewhere, membership_not_to_change, precondition, membership_ended), 200, CHANGE
    ),
    f"DELETE {MEMBER}": Rule("admin", (unmanaged, membership_elsewhere, membership_not_to_change), 200, ("end",)),
    "GET /v1/recommendations/{recommendation_id}": Rule("read", (unless_side_or_staff, unless_both_seen)),
    "POST /v1/recommendations/{recommendation_id}/consent": Rule(
        "write", (unless_side_or_staff, not_a_side, not_accepted), 201, ("plain", "broken")
    ),
    "DELETE /v1/recommendations/{recommendation_id}/consent": Rule("write", (unless_side_or_staff, not_a_side, no_consent)),
    "GET /v1/recommendations/{recommendation_id}/consent": Rule("read", (unless_side_or_staff,)),
    "GET /v1/recommendations/{recommendation_id}/contacts": Rule(
        "read", (unless_side_or_staff, not_to_introduce, no_consent)
    ),
    "POST /v1/recommendations/{recommendation_id}/decisions": Rule(
        "write", (unless_staff, stale_step, not_to_take), 201, ("accept", "decline", "snooze", "stale", "broken")
    ),
    **REVIEW_RULES,
    "POST /v1/match": Rule("read", (), 200, ("plain", "broken")),
    "POST /v1/imports": Rule("write", (not_to_post("need"),), 200, ("plain", "broken")),
    "GET /v1/imports/{import_id}": Rule("read", (not_ones_import,)),
    "GET /v1/imports/{import_id}/report.xlsx": Rule("read", (not_ones_import,)),
    "GET /v1/exports": Rule("read", (lambda cell: only(*OPERATORS)(cell) if cell.variant == "organizations" else None,),
                            200, ("needs", "outcomes", "organizations", "broken")),
    "GET /v1/audit/events": Rule("read", (only(*OVERSEERS),), 200, ("plain", "broken")),
    "GET /v1/audit/verification": Rule("read", (only(*OVERSEERS),)),
    "GET /v1/audit/head": Rule("read", (only(*OVERSEERS),)),
    **CONTRACT_RULES,
    "GET /v1/taxonomy": Rule(None),
    "GET /v1/regions": Rule(None),
    "GET /v1/partner-pairs": Rule(None),
    "GET /v1/imports/template.xlsx": Rule(None),
    **NOTICE_RULES,
    "GET /healthz": Rule(None),
    "GET /readyz": Rule(None),
    "GET /metrics": Rule(None),
}  # fmt: skip


def may_know(market: Market, caller: Caller, canary: Canary) -> bool:
    """Whether the caller may find the value of a guarded field in any answer at all."""
    if caller.standing != "good" or canary.guard == "secret":
        return False
    own = caller.house == canary.house
    operates, oneself = caller.has(*OPERATORS), caller.person is not None and own
    if canary.guard == "text":
        assert canary.subject is not None
        return sees_listing(market, caller, canary.subject)
    if canary.guard in CASE_GUARDS:
        return CASE_GUARDS[canary.guard](caller, canary)
    # The guards of fields, each with those who may see through it.
    return {
        "contact": own,
        # Of contracts between A and P.
        "contract": caller.house in PARTIES or caller.staff,
        "house": own or caller.staff,
        "offerer": True,
        "number": own or caller.staff,
        "history": own or caller.staff,
        "event": caller.has(*OVERSEERS),
        "decision": caller.staff,
        "import": own or operates,
        # The trail says which key was made, by its label.
        "key": own or caller.has(*OVERSEERS),
        "person": own or operates,
        "contact_of_person": oneself or operates,
        "login": oneself or caller.has("administrator"),
        # What one was told and where one is called is one's own; what is for operators within their organization, theirs.
        "told": own,
        "told to operators": own and operates,
        "told to oneself": oneself,
    }[canary.guard]


def shown(cell: Cell) -> dict[str, bool]:
    """Fields of a listing, and whether they must hold a value for the caller (True) or must not (False)."""
    own = cell.owns
    contacts = dict.fromkeys(("contact_name", "contact_phone", "contact_email"), own)
    named = own or cell.caller.staff or cell.subject.kind == "outcome"
    return contacts | {"external_id": own or cell.caller.staff, "organization": named}
