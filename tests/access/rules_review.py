"""Who may review, lease, undo, read why it was declined, and who gives out work among brokers."""

from typing import Final

from tests.access.ruling import (
    OPERATORS,
    REVIEWERS,
    Cell,
    Rule,
    not_to_take,
    only,
    precondition,
    stale_step,
    unless_staff,
)

DECIDERS: Final = ("broker", "administrator")


def not_made_by_oneself(cell: Cell) -> int | None:
    """403: the decisions of the market were made by none of the callers; administrators undo anybody's."""
    return None if cell.caller.has("administrator") else 403


def off_the_market(cell: Cell) -> int | None:
    """409: a pair whose listings are not both matched goes back into no queue."""
    about = cell.subject.about
    return None if about["A"] in ("published", "docking") and about["P"] == "published" else 409


def by_variant(**statuses: int) -> "object":
    """The status that a variant is refused with."""
    return lambda cell: statuses.get(cell.variant)


def not_assigned(cell: Cell) -> int | None:
    """404: one need of the market has a broker."""
    return None if cell.subject.about.get("assigned") else 404


UNDO: Final = "POST /v1/recommendations/{recommendation_id}/decisions/undo"
REVIEW_RULES: Final[dict[str, Rule]] = {
    "GET /v1/review": Rule("read", (only(*REVIEWERS),), 200, ("plain", "broken")),
    "POST /v1/review/leases": Rule("write", (only(*DECIDERS),), 201, ("plain", "broken")),
    "DELETE /v1/review/leases": Rule("write", (only(*DECIDERS),), 200),
    "POST /v1/review/decisions": Rule(
        "write", (only(*DECIDERS), by_variant(decided=409)), 200, ("plain", "decided", "broken")
    ),
    UNDO: Rule("write", (unless_staff, stale_step, not_to_take, not_made_by_oneself, off_the_market), 200, ("plain", "stale")),
    "GET /v1/declines": Rule("read", (), 200, ("plain", "broken")),
    "GET /v1/brokers": Rule("read", (), 200, ("plain", "broken")),
    "GET /v1/brokers/me": Rule("read", (only("broker"),)),
    "PUT /v1/brokers/me": Rule(
        "write", (only("broker"), precondition), 200, ("plain", "stale", "match", "broken")
    ),
    "GET /v1/brokers/suggestions": Rule(
        "read", (only(*OPERATORS), by_variant(missing=404, draft=409)), 200, ("plain", "missing", "draft", "broken")
    ),
    "POST /v1/brokers/assignments": Rule(
        "write", (only(*OPERATORS), by_variant(missing=404, draft=409)), 201, ("plain", "missing", "draft", "broken")
    ),
    "DELETE /v1/brokers/assignments/{need_id}": Rule("write", (only(*OPERATORS), not_assigned)),
}  # fmt: skip
