"""The arithmetic of a contract: turnover (成交额), technology value (技术交易额), and each step that leads to them.

Turnover is what all payments come to, a royalty by its estimate. Technology value is turnover less what is paid for
equipment, materials and the like (docs/contracts.md has the sources). Amounts are decimals of two places in the
contract's currency; where a product has more places it is rounded half up (四舍五入) to the second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from service.contracts.schemas import Instalments, LumpSum, Payment, Royalty, Terms
from service.kit.language import Text

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


def rounded(amount: Decimal) -> Decimal:
    """To two places, half up.

    >>> rounded(Decimal("0.005")), rounded(Decimal("2.344"))
    (Decimal('0.01'), Decimal('2.34'))
    """
    return amount.quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the calculation: what is added or taken off, and what there is afterwards."""

    label: Text
    amount: Decimal
    subtotal: Decimal


@dataclass(frozen=True, slots=True)
class Amounts:
    """Both sums and how they came about; `deducted` is the sum of all deductions."""

    turnover: Decimal
    deducted: Decimal
    technology_value: Decimal
    steps: tuple[Step, ...]


def estimate(royalty: Royalty) -> Decimal:
    """What a royalty is expected to come to: rate × estimated base, within minimum and cap.

    >>> estimate(Royalty(kind="royalty", base="净销售额", rate="0.03", estimated_base="1000000", estimate_basis="年产量", cap="20000"))
    Decimal('20000.00')
    """
    amount = rounded(royalty.rate * royalty.estimated_base)
    if royalty.minimum is not None:
        amount = max(amount, royalty.minimum)
    if royalty.cap is not None:
        amount = min(amount, royalty.cap)
    return rounded(amount)


def amount_of(payment: Payment) -> Decimal:
    """What one way of payment comes to."""
    if isinstance(payment, LumpSum):
        return rounded(payment.amount)
    return rounded(payment.total) if isinstance(payment, Instalments) else estimate(payment)


def _told(payment: Payment) -> Text:
    if isinstance(payment, LumpSum):
        return Text("一次支付", "lump sum")
    if isinstance(payment, Instalments):
        parts = " + ".join(f"{rounded(part.amount)}" for part in payment.parts)
        return Text(f"分期支付：{parts}", f"instalments: {parts}")
    product = f"{payment.rate} × {payment.estimated_base} = {rounded(payment.rate * payment.estimated_base)}"
    zh = "".join(
        [
            f"，保底 {payment.minimum}" * (payment.minimum is not None),
            f"，封顶 {payment.cap}" * (payment.cap is not None),
        ]
    )
    en = "".join(
        [
            f", at least {payment.minimum}" * (payment.minimum is not None),
            f", at most {payment.cap}" * (payment.cap is not None),
        ]
    )
    return Text(f"提成支付（预计）：{product}{zh}", f"royalty (estimated): {product}{en}")


DEDUCTIONS = {
    "equipment": Text("扣除设备", "less equipment"),
    "instruments": Text("扣除仪器", "less instruments"),
    "parts": Text("扣除零部件", "less parts"),
    "materials": Text("扣除原材料", "less materials"),
    "other": Text("扣除其他非技术性费用", "less other non-technical amounts"),
}


def amounts(terms: Terms) -> Amounts:
    """Turnover, deductions and technology value, payment by payment and deduction by deduction.

    The technology value is not below zero by itself: that deductions exceed the turnover is refused when terms are
    taken (`exceeds`).
    """
    steps: list[Step] = []
    running = ZERO
    for payment in terms.payments:
        running += amount_of(payment)
        steps.append(Step(_told(payment), amount_of(payment), running))
    turnover = running
    for deduction in terms.deductions:
        running -= rounded(deduction.amount)
        label = DEDUCTIONS[deduction.kind]
        told = Text(f"{label.zh}：{deduction.reason}", f"{label.en}: {deduction.reason}")
        steps.append(Step(told, -rounded(deduction.amount), running))
    return Amounts(turnover, turnover - running, running, tuple(steps))


def exceeds(terms: Terms) -> bool:
    """Whether more is deducted than the contract comes to."""
    return amounts(terms).technology_value < 0


@dataclass(frozen=True, slots=True)
class Due:
    """A payment that is owed: what of it has been received, and whether its day has passed."""

    label: Text
    amount: Decimal
    due_on: date | None
    received: Decimal
    estimated: bool
    overdue: bool

    @property
    def outstanding(self) -> Decimal:
        """What is still owed."""
        return self.amount - self.received


def schedule(terms: Terms, received: Decimal, day: date) -> tuple[Due, ...]:
    """What is owed when, and what of it has been received by `day`.

    Receipts count towards what is due first; what has no date comes last, and estimates after everything agreed.
    """
    owed: list[tuple[Text, Decimal, date | None, bool]] = []
    for payment in terms.payments:
        if isinstance(payment, Instalments):
            for number, part in enumerate(payment.parts, start=1):
                owed.append((Text(f"第 {number} 期", f"instalment {number}"), rounded(part.amount), part.due_on, False))
        else:
            estimated = isinstance(payment, Royalty)
            label = Text("提成（预计）", "royalty (estimated)") if estimated else Text("一次支付", "lump sum")
            owed.append((label, amount_of(payment), payment.due_on, estimated))
    owed.sort(key=lambda each: (each[3], each[2] is None, each[2] or date.max))
    left = max(received, ZERO)
    rows = []
    for label, amount, due_on, estimated in owed:
        paid = min(left, amount)
        left -= paid
        late = due_on is not None and due_on < day and paid < amount
        rows.append(Due(label, amount, due_on, paid, estimated, late))
    return tuple(rows)


def next_due(rows: Sequence[Due]) -> date | None:
    """The earliest day of something that is still owed."""
    return min((row.due_on for row in rows if row.due_on is not None and row.outstanding > 0), default=None)


def complete(rows: Sequence[Due]) -> bool:
    """Whether all that was agreed has been received; an estimate is not owed until it is counted."""
    return (
        bool(rows) and all(row.estimated or row.outstanding == 0 for row in rows) and any(row.received for row in rows)
    )
