"""Subsidies: a pure calculation with its properties, and rules as versions that follow each other."""

from datetime import date
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.contracts.schemas import ContractType, PartyRole
from service.contracts.subsidies import Registered, Rule, award, awards, total
from service.kit.db import Pool
from service.kit.language import Text
from tests.conftest import Keys
from tests.contracts.helpers import RULE, brought_to, enter, read, with_codes

DAY = date(2026, 6, 1)
money = st.decimals("0", "99999999.99", places=2)
positive = st.decimals("0.01", "9999999.99", places=2)


def rule(**changes: Any) -> Rule:
    given_values: dict[str, Any] = {
        "code": "r", "recipient": PartyRole.BUYER, "basis": "technology_value", "rate": Decimal("0.05"),
        "threshold": Decimal(100), "cap": Decimal(500), "currency": "CNY", "region": "64", "types": frozenset(),
        "valid_from": date(2026, 1, 1), "valid_until": date(2026, 12, 31), "name": Text("规则", "rule"),
    }  # fmt: skip
    return Rule(**given_values | changes)


def contract(**changes: Any) -> Registered:
    given_values: dict[str, Any] = {
        "type": ContractType.SERVICE, "currency": "CNY", "turnover": Decimal(1500), "technology_value": Decimal(1000),
        "registered_on": DAY, "regions": [(PartyRole.BUYER, "640100"), (PartyRole.SELLER, "350100")],
    }  # fmt: skip
    return Registered(**given_values | changes)


rules = st.builds(
    rule, rate=st.decimals("0.000001", "1", places=6), threshold=money, cap=st.one_of(st.none(), positive),
    recipient=st.sampled_from(PartyRole), basis=st.sampled_from(["turnover", "technology_value"]),
    region=st.sampled_from(["", "64", "6401", "35"]), types=st.frozensets(st.sampled_from(ContractType), max_size=2),
)  # fmt: skip


@given(st.lists(rules, max_size=6), money, money)
def test_amounts_add_up_and_never_exceed_cap_or_basis(of: list[Rule], turnover: Decimal, value: Decimal) -> None:
    given_by = awards(of, contract(turnover=turnover, technology_value=value))
    assert total(given_by) == sum((each.amount for each in given_by), Decimal(0))
    for each in given_by:
        assert each.amount >= 0
        assert each.applies or each.amount == 0
        assert each.rule.cap is None or each.amount <= each.rule.cap
        assert each.amount <= (turnover if each.rule.basis == "turnover" else value)
        assert each.amount == each.amount.quantize(Decimal("0.01"))
        assert each.told.zh
        assert each.told.en


@given(rules, money, money)
def test_more_basis_never_gives_less(of: Rule, one: Decimal, other: Decimal) -> None:
    low, high = sorted((one, other))
    least = award(of, contract(turnover=low, technology_value=low))
    most = award(of, contract(turnover=high, technology_value=high))
    assert least.amount <= most.amount


@pytest.mark.parametrize(
    ("changes", "of_contract", "amount", "told"),
    [
        # 0.05 × 1000
        ({}, {}, "50.00", "technology value 1000 × 0.05 = 50.00"),
        ({"basis": "turnover"}, {}, "75.00", "turnover 1500 × 0.05 = 75.00"),
        ({"cap": Decimal(20)}, {}, "20", "technology value 1000 × 0.05 = 50.00, capped at 20"),
        # 0.05 × 1000.1 = 50.005, half up.
        ({}, {"technology_value": Decimal("1000.1")}, "50.01", "technology value 1000.1 × 0.05 = 50.01"),
        ({}, {"technology_value": Decimal("99.99")}, "0.00", "technology value 99.99 is below the threshold 100"),
        ({"region": "11"}, {}, "0.00", "the buyer is not in region 11"),
        ({"recipient": PartyRole.INTERMEDIARY}, {}, "0.00", "the contract has no intermediary"),
        ({"types": frozenset({ContractType.LICENSE})}, {}, "0.00", "not for the type service, only license"),
        ({"currency": "USD"}, {}, "0.00", "the contract is in CNY, the rule in USD"),
        ({"valid_from": date(2026, 6, 2)}, {}, "0.00",
         "registered on 2026-06-01, and the rule holds from 2026-06-02 to 2026-12-31"),
    ],
)  # fmt: skip
def test_each_rule_says_how_or_why_not(changes: Any, of_contract: Any, amount: str, told: str) -> None:
    found = award(rule(**changes), contract(**of_contract))
    assert (found.amount, found.told.en) == (Decimal(amount), told)
    assert found.applies == (found.amount > 0)


async def test_operators_set_rules_whose_versions_follow_each_other(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool
) -> None:
    await with_codes(pool, keys)
    for role in ("enterprise", "provider", "broker", "authority"):
        answer = await client.post("/v1/subsidy-rules", json=RULE, headers=keys.headers(role))
        assert answer.status_code == 403, role
    operator = keys.headers("operator")
    made = await client.post("/v1/subsidy-rules", json=RULE, headers=operator)
    assert made.status_code == 201, made.text
    assert made.json()["example"] is False
    later = await client.post(
        "/v1/subsidy-rules", json=RULE | {"valid_from": "2026-03-02", "rate": "0.2"}, headers=operator
    )
    assert later.status_code == 201, later.text
    same = await client.post("/v1/subsidy-rules", json=RULE | {"valid_from": "2026-03-02"}, headers=operator)
    assert same.status_code == 409
    assert "begins after it" in same.json()["detail"]

    async def versions(query: str = "") -> list[tuple[str, str | None]]:
        listed = await client.get(f"/v1/subsidy-rules{query}", headers=keys.headers("enterprise"))
        return [(e["valid_from"], e["valid_until"]) for e in listed.json() if e["code"] == "city_buyer"]

    assert await versions() == [("2026-02-01", "2026-03-01"), ("2026-03-02", None)]
    assert await versions("?on=2026-03-01") == [("2026-02-01", "2026-03-01")]
    # Registered on 2026-03-01, under the first version: 650000 × 0.1 = 65000, capped.
    registered = await brought_to(client, keys, "registered")
    found = await read(client, keys, "enterprise", registered, "/subsidies")
    told = [(e["applies"], e["amount"]) for e in found["awards"] if e["rule"]["code"] == "city_buyer"]
    assert told == [(True, "60000.00"), (False, "0.00")]
    ended = await client.delete(f"/v1/subsidy-rules/{later.json()['id']}", headers=operator)
    assert ended.status_code == 200
    assert ended.json()["valid_until"] is not None
    future = await client.post(
        "/v1/subsidy-rules", json=RULE | {"code": "future", "valid_from": "2099-01-01"}, headers=operator
    )
    never = await client.delete(f"/v1/subsidy-rules/{future.json()['id']}", headers=operator)
    assert never.json()["valid_until"] == "2098-12-31"
    assert (
        await client.delete(f"/v1/subsidy-rules/{later.json()['id']}", headers=keys.headers("broker"))
    ).status_code == 403


async def test_only_registered_contracts_get_subsidies(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    await with_codes(pool, keys)
    draft = await enter(client, keys)
    answer = await client.get(f"/v1/contracts/{draft['id']}/subsidies", headers=keys.headers("broker"))
    assert (answer.status_code, answer.json()["code"]) == (409, "out_of_turn")
