"""Who may do what while a listing is refined."""

from typing import Final

from tests.access.ruling import REVIEWERS, Cell, Rule, only, unless_own_or_staff, unseen

AT: Final = "/v1/refinements/{listing_id}"


def not_owner(cell: Cell) -> int | None:
    """403: an organization answers and agrees for itself."""
    return None if cell.owns else 403


def not_in_hand(cell: Cell) -> int | None:
    """409 before submission and after publication."""
    return None if cell.subject.state in ("submitted", "refining", "verified") else 409


def question_elsewhere(cell: Cell) -> int | None:
    """404 for a question about another listing."""
    assert cell.part is not None
    return 404 if cell.part.of != cell.subject.id else None


def question_answered(cell: Cell) -> int | None:
    """409 for one that has its answer."""
    assert cell.part is not None
    return 409 if cell.part.state == "answered" else None


REFINEMENT_RULES: Final[dict[str, Rule]] = {
    f"GET {AT}": Rule("read", (unseen, unless_own_or_staff)),
    f"POST {AT}/questions": Rule("write", (unseen, only(*REVIEWERS), not_in_hand), 201, ("plain", "broken")),
    f"POST {AT}/questions/{{question_id}}/answer": Rule(
        "write", (unseen, not_owner, question_elsewhere, not_in_hand, question_answered), 200, ("plain", "broken")
    ),
    f"POST {AT}/agreement": Rule("write", (unseen, not_owner, not_in_hand), 201, ("plain", "broken")),
}
