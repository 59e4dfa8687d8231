"""What the market's own rules give for a registered contract (奖补), each rule with its arithmetic or the reason why not.

An amount is rate × basis, rounded half up to two places and then capped, so that it never exceeds the cap and never falls
when the basis grows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from service.contracts.amounts import ZERO, rounded
from service.contracts.schemas import ROLE_LABELS, ContractType, PartyRole
from service.kit.language import Text

Basis = Literal["turnover", "technology_value"]
BASES: dict[Basis, Text] = {
    "turnover": Text("成交额", "turnover"),
    "technology_value": Text("技术交易额", "technology value"),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a market as it is in force for a time.

    `region` is a prefix of GB/T 2260 codes ("64", "6401", "640104"; empty: everywhere) that the recipient must be in;
    `types` are the types that it is for (empty: all); amounts are in `currency`.
    """

    code: str
    recipient: PartyRole
    basis: Basis
    rate: Decimal
    threshold: Decimal
    cap: Decimal | None
    currency: str
    region: str
    types: frozenset[ContractType]
    valid_from: date
    valid_until: date | None
    name: Text


@dataclass(frozen=True, slots=True)
class Registered:
    """What rules ask of a contract; regions are those of its parties, by role, None where one is not stated."""

    type: ContractType
    currency: str
    turnover: Decimal
    technology_value: Decimal
    registered_on: date
    regions: Sequence[tuple[PartyRole, str | None]]


@dataclass(frozen=True, slots=True)
class Award:
    """What one rule gives: zero where it does not apply."""

    rule: Rule
    applies: bool
    amount: Decimal
    told: Text


def award(rule: Rule, contract: Registered) -> Award:
    """Apply one rule to one contract. Pure."""
    reason = _why_not(rule, contract)
    if reason is not None:
        return Award(rule, False, ZERO, reason)
    basis = _basis(rule, contract)
    product = rounded(rule.rate * basis)
    amount = product if rule.cap is None else min(product, rule.cap)
    capped = rule.cap is not None and product > rule.cap
    label = BASES[rule.basis]
    zh = f"{label.zh} {basis} × {rule.rate.normalize():f} = {product}" + (f"，封顶 {rule.cap}" if capped else "")
    en = f"{label.en} {basis} × {rule.rate.normalize():f} = {product}" + (f", capped at {rule.cap}" if capped else "")
    return Award(rule, True, amount, Text(zh, en))


def awards(rules: Sequence[Rule], contract: Registered) -> tuple[Award, ...]:
    """Every rule applied or not, in the order given."""
    return tuple(award(rule, contract) for rule in rules)


def total(given: Sequence[Award]) -> Decimal:
    """What all of them add up to."""
    return sum((each.amount for each in given), ZERO)


def _basis(rule: Rule, contract: Registered) -> Decimal:
    return contract.turnover if rule.basis == "turnover" else contract.technology_value


def _why_not(rule: Rule, contract: Registered) -> Text | None:
    day = contract.registered_on
    if day < rule.valid_from or (rule.valid_until is not None and day > rule.valid_until):
        until = rule.valid_until
        return Text(
            f"登记日 {day} 不在规则有效期内（{rule.valid_from} 至 {until or '长期'}）",
            f"registered on {day}, and the rule holds from {rule.valid_from} to {until or 'no end'}",
        )
    if rule.types and contract.type not in rule.types:
        named = "、".join(sorted(rule.types))
        return Text(
            f"合同类型 {contract.type.value} 不适用（仅 {named}）",
            f"not for the type {contract.type.value}, only {named}",
        )
    if rule.currency != contract.currency:
        return Text(
            f"合同币种为 {contract.currency}，规则币种为 {rule.currency}",
            f"the contract is in {contract.currency}, the rule in {rule.currency}",
        )
    of_role = [region for role, region in contract.regions if role is rule.recipient]
    label = ROLE_LABELS[rule.recipient]
    if not of_role:
        return Text(f"合同没有{label.zh}", f"the contract has no {label.en}")
    if rule.region and not any(region is not None and region.startswith(rule.region) for region in of_role):
        return Text(f"{label.zh}不在适用地区 {rule.region}", f"the {label.en} is not in region {rule.region}")
    basis = _basis(rule, contract)
    if basis < rule.threshold:
        told = BASES[rule.basis]
        return Text(
            f"{told.zh} {basis} 低于起点 {rule.threshold}", f"{told.en} {basis} is below the threshold {rule.threshold}"
        )
    return None
