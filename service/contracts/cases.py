"""The one place where contracts meet cases (对接): what a contract takes from a case, and that the case learns of it."""

from dataclasses import dataclass
from uuid import UUID

from service.errors import FieldProblem, ValidationProblem
from service.kit.actor import Actor
from service.kit.db import Connection
from service.kit.language import Text


@dataclass(frozen=True, slots=True)
class CaseSides:
    """The two sides of a case and the pair that it was opened for."""

    recommendation_id: UUID
    need_organization: UUID
    outcome_organization: UUID


async def read_case(connection: Connection, actor: Actor, case_id: UUID) -> CaseSides:  # noqa: ARG001
    """The sides of a case that the actor takes part in and that is far enough for a contract.

    Raises:
        ValidationProblem: there is no such case; until cases are kept, there is none at all.
    """
    text = Text(
        "没有这项对接，或无权查看；可用 recommendation_id，或在 origin_reason 中说明来源",
        "No such case, or none that you may see: give recommendation_id, or say in origin_reason where it comes from",
    )
    raise ValidationProblem([FieldProblem("case_id", "known_case", text)])


async def mark_contracted(connection: Connection, actor: Actor, case_id: UUID, contract_id: UUID) -> None:
    """Tell a case that its contract is signed. Where no case is kept there is nothing to tell."""
