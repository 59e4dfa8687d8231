"""Payments received under a contract."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from service.contracts import repository
from service.contracts.checks import CHANGED_MEANWHILE, check_past
from service.contracts.kept import INTRODUCE, Kept, due_after
from service.contracts.schemas import Royalty
from service.contracts.service import read
from service.contracts.views import Receipt, ReceiptRequest
from service.errors import Conflict, FieldProblem, Forbidden, OutOfTurn, ValidationProblem
from service.events import log
from service.kit.actor import Actor
from service.kit.clock import now, today
from service.kit.db import Connection
from service.kit.language import Text

REVERSED = Text("该收款记录已冲销", "The receipt is reversed already")
# They are read whole.
MOST_RECEIPTS = 2_000
OPEN_STATES = frozenset({"signed", "filed", "registered", "rejected", "changed"})


async def receive(connection: Connection, actor: Actor, identifier: UUID, request: ReceiptRequest) -> Receipt:
    """Record a payment, or reverse one that was entered wrongly.

    Raises:
        NotFound, Forbidden, OutOfTurn: not this actor's, not while the contract is open, or there are as many as there may be.
        ValidationProblem: the fields are not those of a payment or of a reversal, or more comes in than is agreed.
        Conflict: the payment is reversed already, or somebody else changed the contract.
    """
    kept = await read(connection, actor, identifier)
    if not (actor.has(*INTRODUCE) or kept.is_side(actor)):
        raise Forbidden(
            Text("收款由当事人、技术经理人或运营方录入", "Payments are entered by a party, a broker or an operator")
        )
    if kept.state not in OPEN_STATES:
        raise OutOfTurn(
            Text("合同签订后、结清或解除前才能录入收款", "Payments are entered after signing and before it is closed")
        )
    if await repository.count_receipts(connection, identifier) >= MOST_RECEIPTS:
        raise OutOfTurn(
            Text(
                f"一份合同最多 {MOST_RECEIPTS} 笔收款记录，含冲销",
                f"A contract has {MOST_RECEIPTS} receipts at most, reversals among them",
            )
        )
    received_on, amount = await _payment(connection, kept, request)
    total = kept.received + amount
    open_ended = any(isinstance(payment, Royalty) for payment in kept.terms.payments)
    if amount > 0 and total > kept.sums.turnover and not open_ended:
        text = Text(
            f"收款合计 {total} 将超过成交额 {kept.sums.turnover}；金额有变更请先登记变更",
            f"This would make {total} of {kept.sums.turnover}: if more was agreed on, record the change first",
        )
        raise ValidationProblem([FieldProblem("amount", "within_turnover", text)])
    made = await repository.insert_receipt(
        connection, actor, identifier, kept.version, now(), received_on, amount, request.reverses, request.note,
        due_after(kept.terms, total, today()),
    )  # fmt: skip
    if made is None:
        raise Conflict(CHANGED_MEANWHILE)
    action = "receive" if request.reverses is None else "reverse_receipt"
    await log.record(connection, actor, "contract", identifier, action, data={"receipt": str(made.id)})
    return made


async def _payment(connection: Connection, kept: Kept, request: ReceiptRequest) -> tuple[date, Decimal]:
    if request.reverses is None:
        if request.amount is None or request.received_on is None:
            raise ValidationProblem(
                [
                    FieldProblem(name, "missing", Text("必填", "Required"))
                    for name in ("amount", "received_on")
                    if getattr(request, name) is None
                ]
            )
        check_past("received_on", request.received_on)
        return request.received_on, request.amount
    if request.amount is not None or request.received_on is not None:
        text = Text(
            "冲销只需 reverses 和备注，金额与原记录相反",
            "A reversal takes its amount from what it reverses: leave it out",
        )
        raise ValidationProblem([FieldProblem("reverses", "reversal_alone", text)])
    receipts = await repository.list_receipts(connection, kept.id)
    found = next((each for each in receipts if each.id == request.reverses and each.amount > 0), None)
    if found is None:
        text = Text("本合同没有这条可冲销的收款", "The contract has no such payment to reverse")
        raise ValidationProblem([FieldProblem("reverses", "known_receipt", text)])
    # Looked at before it is added up: what was received is never less than nothing.
    if any(each.reverses == found.id for each in receipts):
        raise Conflict(REVERSED)
    return found.received_on, -found.amount
