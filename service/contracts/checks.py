"""What steps and changes of contracts check alike."""

from datetime import date
from typing import Final

from service.errors import FieldProblem, Forbidden, ServiceError, ValidationProblem
from service.kit.clock import today
from service.kit.language import Text
from service.workflows.engine import Refusal, RefusalKind, Relation
from service.workflows.refusals import PARTY_LABELS, as_error
from service.workflows.tables import CONTRACT

CHANGED_MEANWHILE: Final = Text(
    "合同刚被他人改变，请重新读取", "The contract was changed by somebody else just now: read again"
)


def refused(refusal: Refusal) -> ServiceError:
    """A refusal of the workflow, with the parties called what they are here."""
    if refusal.kind is not RefusalKind.WRONG_ACTOR:
        return as_error(CONTRACT, refusal)
    party = Text("合同当事人", "a party to the contract")
    labels = [party if each is Relation.OWNER else PARTY_LABELS[each] for each in refusal.parties]
    labels.sort(key=lambda label: label.en)
    return Forbidden(
        Text(
            f"此操作只能由以下角色执行：{'、'.join(label.zh for label in labels)}",
            f"Only {' or '.join(label.en for label in labels)} may do this",
        )
    )


def check_past(name: str, day: date | None, after: date | None = None) -> None:
    """Let no day pass that has not come, or that lies before another that must have come first.

    Raises:
        ValidationProblem: names the field.
    """
    if day is None:
        return
    if day > today():
        raise ValidationProblem([FieldProblem(name, "past", Text("不能晚于今天", "Must not lie in the future"))])
    if after is not None and day < after:
        text = Text(f"不能早于 {after}", f"Must not lie before {after}")
        raise ValidationProblem([FieldProblem(name, "after", text)])
