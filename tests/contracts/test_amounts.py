"""The arithmetic of contracts, by expectations that a reader can recompute and by properties."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from service.contracts.amounts import Due, amount_of, amounts, complete, estimate, exceeds, next_due, schedule
from service.contracts.changes import CHANGEABLE, Change, OutOfStepError, difference, replay
from service.contracts.schemas import Deduction, Instalments, LumpSum, Part, Payment, Royalty, Terms
from tests.contracts.helpers import TERMS

DAY = date(2026, 6, 1)
money = st.decimals("0.01", "9999999.99", places=2)
days = st.one_of(st.none(), st.integers(0, 900).map(lambda n: date(2026, 1, 1) + timedelta(days=n)))
lump_sums = st.builds(LumpSum, kind=st.just("lump_sum"), amount=money, due_on=days)
parts = st.lists(st.builds(Part, amount=money, due_on=days), min_size=2, max_size=5)
instalments = parts.map(
    lambda of: Instalments(kind="instalments", total=sum((part.amount for part in of), Decimal(0)), parts=of)
)


@st.composite
def royalties(draw: st.DrawFn) -> Royalty:
    low, high = sorted((draw(money), draw(money)))
    return Royalty(
        kind="royalty",
        base="净销售额",
        rate=draw(st.decimals("0.000001", "1", places=6)),
        minimum=draw(st.sampled_from([None, low])),
        cap=draw(st.sampled_from([None, high])),
        estimated_base=draw(money),
        estimate_basis="按投产计划",
        due_on=draw(days),
    )


payments = st.one_of(lump_sums, instalments, royalties())
deductions = st.builds(
    Deduction, kind=st.sampled_from(["equipment", "parts", "materials"]), amount=money, reason=st.just("设备购置")
)
terms_of = st.builds(
    lambda paid, taken: Terms(type="service", name="演示服务", payments=paid, deductions=taken),
    st.lists(payments, max_size=4),
    st.lists(deductions, max_size=4),
)


@given(terms_of)
def test_amounts_add_up_step_by_step(terms: Terms) -> None:
    found = amounts(terms)
    assert found.turnover == sum((amount_of(each) for each in terms.payments), Decimal(0))
    assert found.deducted == sum((each.amount for each in terms.deductions), Decimal(0))
    assert found.turnover - found.deducted == found.technology_value
    assert exceeds(terms) == (found.deducted > found.turnover)
    running = Decimal(0)
    for step in found.steps:
        running += step.amount
        assert step.subtotal == running
    assert running == found.technology_value
    # No part of a cent appears or gets lost.
    for value in (found.turnover, found.deducted, found.technology_value):
        assert value == value.quantize(Decimal("0.01"))


@given(parts, money)
def test_instalments_add_up_to_their_total_or_are_refused(of: list[Part], off: Decimal) -> None:
    total = sum((part.amount for part in of), Decimal(0))
    assert amount_of(Instalments(kind="instalments", total=total, parts=of)) == total
    with pytest.raises(ValidationError, match="add up"):
        Instalments(kind="instalments", total=total + off, parts=of)


@given(royalties())
def test_a_royalty_stays_within_its_bounds_and_close_to_its_product(royalty: Royalty) -> None:
    found = estimate(royalty)
    if royalty.minimum is not None:
        assert found >= royalty.minimum
    if royalty.cap is not None:
        assert found <= royalty.cap
    if royalty.minimum is None and royalty.cap is None:
        assert abs(found - royalty.rate * royalty.estimated_base) <= Decimal("0.005")


@pytest.mark.parametrize(
    ("bounds", "expected"),
    # 0.03 × 1234567.85 = 37037.0355, rounded half up.
    [({}, "37037.04"), ({"minimum": "50000"}, "50000.00"), ({"cap": "20000"}, "20000.00")],
)
def test_a_royalty_is_rate_times_base(bounds: dict[str, str], expected: str) -> None:
    given_terms: dict[str, Any] = {
        "kind": "royalty", "base": "净销售额", "rate": "0.03", "estimated_base": "1234567.85", "estimate_basis": "投产计划",
    }  # fmt: skip
    assert estimate(Royalty.model_validate(given_terms | bounds)) == Decimal(expected)


@given(terms_of, st.decimals("0", "99999999.99", places=2), days)
def test_receipts_count_once_and_towards_what_is_due_first(terms: Terms, received: Decimal, day: date | None) -> None:
    rows = schedule(terms, received, day or DAY)
    owed = sum((row.amount for row in rows), Decimal(0))
    assert owed == amounts(terms).turnover
    assert sum((row.received for row in rows), Decimal(0)) == min(received, owed)
    # Once one is not paid in full, none behind it is paid at all.
    short = next((place for place, row in enumerate(rows) if row.outstanding > 0), len(rows))
    assert all(row.received == 0 for row in rows[short + 1 :])
    agreed = [row for row in rows if not row.estimated]
    assert [row.due_on for row in agreed if row.due_on] == sorted(row.due_on for row in agreed if row.due_on)
    for row in rows:
        assert row.overdue == (row.due_on is not None and row.due_on < (day or DAY) and row.outstanding > 0)
    waiting = [row.due_on for row in rows if row.due_on is not None and row.outstanding > 0]
    assert next_due(rows) == min(waiting, default=None)


def test_complete_means_that_all_that_was_agreed_is_there() -> None:
    terms = Terms.model_validate(TERMS)

    def of(received: str, of_terms: Terms = terms) -> tuple[Due, ...]:
        return schedule(of_terms, Decimal(received), DAY)

    # 200000 + 250000 + 350000
    assert not complete(of("799999.99"))
    assert complete(of("800000"))
    assert not complete(schedule(Terms(type="service", name="演示"), Decimal(0), DAY))


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "place": st.sampled_from([None, "银川", "中宁", "福州"]),
    "ends_on": st.sampled_from(["2027-12-31", "2028-06-30", "2029-01-01"]),
    "plan": st.sampled_from(["分两年完成。", "分三年完成。"]),
    "payments": st.lists(payments, max_size=3).map(lambda of: [each.model_dump(mode="json") for each in of]),
    "name": st.sampled_from(["演示合同甲", "演示合同乙"]),
}
changes_given = st.lists(
    st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=3, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: VALUES[name] for name in names})
    ),
    max_size=6,
)


@given(changes_given)
def test_changes_replay_to_the_terms_that_hold(given_changes: list[dict[str, Any]]) -> None:
    signed = Terms.model_validate(TERMS)
    now, records = signed, []
    for given_values in given_changes:
        after = Terms.model_validate(now.stored() | given_values)
        change = difference(now, after)
        assert set(change.new) <= set(given_values)
        records.append(Change(dict(change.old), dict(change.new)))
        now = after
    assert replay(signed, records) == now
    assert signed == Terms.model_validate(TERMS)
    # Backwards: each record also says what was before.
    undone = [Change(record.new, record.old) for record in reversed(records)]
    assert replay(now, undone) == signed


def test_a_change_that_begins_elsewhere_is_noticed() -> None:
    signed = Terms.model_validate(TERMS)
    for change in (Change({"place": "别处"}, {"place": "中宁"}), Change({"place": signed.place}, {"plan": "别的"})):
        with pytest.raises(OutOfStepError):
            replay(signed, [change])


def test_the_same_amount_written_otherwise_is_no_change() -> None:
    signed = Terms.model_validate(TERMS)
    other = Terms.model_validate(
        TERMS | {"payments": [{**TERMS["payments"][0], "amount": "2e5"}, TERMS["payments"][1]]}
    )
    assert difference(signed, other) == Change({}, {})
    assert {"type", "currency", "development_form"}.isdisjoint(CHANGEABLE)


def test_a_payment_is_told_by_its_kind() -> None:
    kinds = [type(each) for each in Terms.model_validate(TERMS).payments]
    assert kinds == [LumpSum, Instalments]
    assert Payment is not None
