"""Every refusal of a contract's life, in both languages, with the field that it is about."""

import re
from typing import Any

import httpx2
import pytest

from service.kit.db import Pool
from tests.access.market import credit_code
from tests.conftest import Keys
from tests.contracts.helpers import (
    CHANGE,
    RECEIPT,
    REGISTERED,
    TERMS,
    brought_to,
    content,
    enter,
    read,
    step,
    with_codes,
)

CHINESE = re.compile(r"[\u4e00-\u9fff]")
OPEN_TERMS = ("subject", "field", "ip", "starts_on", "ends_on", "place", "plan", "acceptance", "confidentiality")


@pytest.fixture(autouse=True)
async def _codes(pool: Pool, keys: Keys) -> None:
    await with_codes(pool, keys)


async def refused(
    client: httpx2.AsyncClient, keys: Keys, role: str, method: str, path: str, body: Any, **headers: str
) -> dict[str, Any]:
    """A refusal in English, after the same in Chinese was seen to be a refusal of the same fields in Chinese."""
    answers = {}
    for language in ("zh", "en"):
        answer = await client.request(
            method, path, json=body, headers=keys.headers(role) | headers | {"Accept-Language": language}
        )
        assert answer.status_code >= 400, answer.text
        answers[language] = answer.json()
    zh, en = answers["zh"], answers["en"]
    assert (zh["status"], zh["code"]) == (en["status"], en["code"])
    assert [(e["field"], e["rule"]) for e in zh.get("errors", [])] == [
        (e["field"], e["rule"]) for e in en.get("errors", [])
    ]
    for told in (zh.get("detail"), *(error["message"] for error in zh.get("errors", []))):
        assert told is None or CHINESE.search(told), told
    # Names of parties are what they are; the service's own words are English.
    for told in (en.get("detail"), *(error["message"] for error in en.get("errors", []))):
        assert told is None or not CHINESE.search(re.sub(r"测试演示单位|平台外\w+", "", told)), told
    return dict(en)


def fields(problem: dict[str, Any]) -> list[str]:
    return [error["field"] for error in problem.get("errors", [])]


BROKEN: list[tuple[dict[str, Any], str, str]] = [
    ({"origin_reason": None}, "body", "contract_origin"),
    ({"recommendation_id": "01890a5d-ac96-774b-bcce-b302099a8057"}, "body", "contract_origin"),
    ({"parties": [{"role": "buyer", "name": "平台外单位"}]}, "body", "two_sides"),
    ({"parties": [{"role": "buyer"}]}, "parties.0", "party_named_once"),
    ({"parties": [{"role": "buyer", "name": "平台外", "credit_code": "91000000000000000L"}]}, "parties.0.credit_code", "credit_code_check"),
    ({"development_form": None}, "development_form", "development_form"),
    ({"type": "sale"}, "type", "enum"),
    ({"starts_on": "2028-01-01"}, "body", "range_order"),
    ({"payments": [{"kind": "barter"}]}, "payments.0", "union_tag_invalid"),
    ({"payments": [{"amount": "1"}]}, "payments.0", "union_tag_not_found"),
    ({"payments": [{"kind": "lump_sum", "amount": "0"}]}, "payments.0.lump_sum.amount", "greater_than"),
    ({"payments": [{"kind": "lump_sum", "amount": 0.001}]}, "payments.0.lump_sum.amount", "decimal_max_places"),
    ({"payments": [{"kind": "instalments", "total": "3", "parts": [{"amount": "1"}, {"amount": "1"}]}]},
     "payments.0.instalments", "instalments_add_up"),
    ({"payments": [{"kind": "royalty", "base": "净销售额", "rate": "1.5", "estimated_base": "1", "estimate_basis": "投产计划"}]},
     "payments.0.royalty.rate", "less_than_equal"),
    ({"deductions": [{"kind": "equipment", "amount": "1", "reason": ""}]}, "deductions.0.reason", "string_too_short"),
    ({"deductions": [{"kind": "equipment", "amount": "800000.01", "reason": "设备购置"}]}, "deductions", "deductions_within_turnover"),
    ({"field": "nothing"}, "field", "known_field"),
    ({"case_id": "01890a5d-ac96-774b-bcce-b302099a8057", "origin_reason": None, "parties": []}, "case_id", "known_case"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "field", "rule"), BROKEN, ids=[f"{rule} {field}" for _, field, rule in BROKEN])
async def test_what_is_entered_is_checked(
    client: httpx2.AsyncClient, keys: Keys, changes: dict[str, Any], field: str, rule: str
) -> None:
    problem = await refused(client, keys, "broker", "POST", "/v1/contracts", content(keys, **changes))
    assert problem["status"] == 422
    assert (field, rule) in [(error["field"], error["rule"]) for error in problem["errors"]]


async def test_a_rewritten_draft_is_checked_as_a_new_one(client: httpx2.AsyncClient, keys: Keys) -> None:
    path, whatever = f"/v1/contracts/{(await enter(client, keys))['id']}", {"If-Match": "*"}
    over = content(keys, deductions=[{"kind": "equipment", "amount": "800000.01", "reason": "设备购置"}])
    problem = await refused(client, keys, "broker", "PUT", path, over, **whatever)
    assert (problem["status"], fields(problem)) == (422, ["deductions"])
    # No side writes itself out and leaves the other one a contract with strangers.
    others = content(keys, parties=[{"role": role, "name": f"平台外演示{role}"} for role in ("buyer", "seller")])
    problem = await refused(client, keys, "enterprise", "PUT", path, others, **whatever)
    assert (problem["status"], "your own organization" in problem["detail"]) == (403, True)


async def test_parties_are_looked_up(client: httpx2.AsyncClient, keys: Keys) -> None:
    unknown = [
        {"role": "buyer", "organization_id": "01890a5d-ac96-774b-bcce-b302099a8057"},
        {"role": "seller", "name": "平台外演示单位", "region": "999999"},
    ]
    problem = await refused(client, keys, "broker", "POST", "/v1/contracts", content(keys, parties=unknown))
    assert fields(problem) == ["parties.0.organization_id", "parties.1.region"]
    # Whoever is not seen by a side cannot be named by it, so that nothing is learned of it.
    problem = await refused(client, keys, "provider", "POST", "/v1/contracts", content(keys))
    assert fields(problem) == ["parties.0.organization_id"]
    for role in ("authority", "stranger"):
        outside = [{"role": "buyer", "name": "平台外演示甲"}, {"role": "seller", "name": "平台外演示乙"}]
        problem = await refused(client, keys, role, "POST", "/v1/contracts", content(keys, parties=outside))
        assert problem["status"] == 403


async def test_a_filing_names_everything_that_is_missing(client: httpx2.AsyncClient, keys: Keys) -> None:
    contract = await enter(client, keys, **dict.fromkeys(OPEN_TERMS))
    assert (await step(client, keys, "broker", contract, "sign", signed_on="2026-01-15")).status_code == 200
    path = f"/v1/contracts/{contract['id']}"
    problem = await refused(client, keys, "provider", "POST", f"{path}/file", None)
    assert problem["status"] == 409
    assert sorted(fields(problem)) == sorted(OPEN_TERMS)
    gaps = (await read(client, keys, "provider", contract, "/registration"))["missing"]
    assert [gap["field"] for gap in gaps] == fields(problem)
    assert all(gap["rule"] and gap["way_out"] for gap in gaps)
    # What is missing comes by a change, and then it can be filed.
    change = CHANGE | {"terms": {name: TERMS[name] for name in OPEN_TERMS}}
    made = await client.post(f"{path}/changes", json=change, headers=keys.headers("broker"))
    assert made.status_code == 201, made.text
    assert (await step(client, keys, "provider", contract, "file")).status_code == 200


async def test_a_licence_is_filed_with_its_rights(client: httpx2.AsyncClient, keys: Keys) -> None:
    terms = {"type": "license", "development_form": None, "ip": TERMS["ip"] | {"rights": []}}
    contract = await brought_to(client, keys, "signed", **terms)
    problem = await refused(client, keys, "broker", "POST", f"/v1/contracts/{contract['id']}/file", None)
    assert fields(problem) == ["ip.rights"]


async def test_signing_needs_parties_and_payments(client: httpx2.AsyncClient, keys: Keys) -> None:
    parties = [
        {"role": "buyer", "name": "平台外演示甲", "region": "640100"},
        {"role": "seller", "name": "平台外演示乙", "credit_code": credit_code(77)},
    ]
    contract = await enter(client, keys, parties=parties, payments=[], deductions=[])
    path = f"/v1/contracts/{contract['id']}"
    problem = await refused(client, keys, "broker", "POST", f"{path}/sign", {"signed_on": "2026-01-15"})
    assert problem["status"] == 409
    assert fields(problem) == ["parties.0.credit_code", "parties.1.region", "payments", "technology_value"]
    problem = await refused(client, keys, "broker", "POST", f"{path}/sign", {"signed_on": "2999-01-15"})
    assert (problem["status"], fields(problem)) == (422, ["signed_on"])


async def test_a_step_takes_its_own_fields_only(client: httpx2.AsyncClient, keys: Keys) -> None:
    contract = await brought_to(client, keys, "filed")
    path = f"/v1/contracts/{contract['id']}"
    cases: list[tuple[str, dict[str, Any] | None, list[str]]] = [
        ("register", None, ["number", "office", "registered_on"]),
        ("register", REGISTERED | {"number": "?"}, ["number"]),
        ("register", REGISTERED | {"registered_on": "2026-01-14"}, ["registered_on"]),
        ("register", REGISTERED | {"registered_on": "2999-01-01"}, ["registered_on"]),
        ("register", REGISTERED | {"reason": "无关"}, ["reason"]),
        ("reject", None, ["reason"]),
        ("cancel", {"effective_on": "2026-02-01"}, ["reason"]),
        ("cancel", {"reason": "双方协议解除"}, ["effective_on"]),
        ("cancel", {"reason": "双方协议解除", "effective_on": "2026-02-01", "signed_on": "2026-01-14"}, ["signed_on"]),
    ]
    for action, body, named in cases:
        problem = await refused(client, keys, "operator", "POST", f"{path}/{action}", body)
        assert (problem["status"], fields(problem)) == (422, named), (action, body)


async def test_who_may_not_and_when_not(client: httpx2.AsyncClient, keys: Keys) -> None:
    contract = await brought_to(client, keys, "filed")
    path = f"/v1/contracts/{contract['id']}"
    for role in ("enterprise", "provider", "broker", "authority"):
        problem = await refused(client, keys, role, "POST", f"{path}/register", REGISTERED)
        assert problem["detail"] == "Only an operator may do this"
    problem = await refused(client, keys, "authority", "POST", f"{path}/cancel", {"reason": "无关的原因"})
    assert problem["detail"] == "Only a party to the contract or an operator may do this"
    for action, body in (("sign", {"signed_on": "2026-01-15"}), ("file", None), ("settle", None), ("confirm", None)):
        assert (await refused(client, keys, "provider", "POST", f"{path}/{action}", body))["status"] == 409, action
    assert (await refused(client, keys, "provider", "POST", f"{path}/changes", CHANGE))["status"] == 409
    assert (await refused(client, keys, "authority", "POST", f"{path}/receipts", RECEIPT))["status"] == 403
    rewritten = await refused(client, keys, "provider", "PUT", path, content(keys), **{"If-Match": "*"})
    assert (rewritten["status"], "record a change" in rewritten["detail"]) == (409, True)
    stale = await client.post(
        f"{path}/cancel", json={"reason": "双方协议解除"}, headers=keys.headers("operator") | {"If-Match": '"1"'}
    )
    assert stale.status_code == 412


async def test_a_number_stands_for_one_contract(client: httpx2.AsyncClient, keys: Keys) -> None:
    await brought_to(client, keys, "registered")
    other = await brought_to(client, keys, "filed")
    problem = await refused(client, keys, "operator", "POST", f"/v1/contracts/{other['id']}/register", REGISTERED)
    assert (problem["status"], "Another contract" in problem["detail"]) == (409, True)


async def test_receipts_are_checked(client: httpx2.AsyncClient, keys: Keys) -> None:
    draft = await enter(client, keys)
    assert (await refused(client, keys, "broker", "POST", f"/v1/contracts/{draft['id']}/receipts", RECEIPT))[
        "status"
    ] == 409
    path = f"/v1/contracts/{(await brought_to(client, keys, 'signed'))['id']}/receipts"
    unknown = "01890a5d-ac96-774b-bcce-b302099a8057"
    for body, named in (
        ({}, ["amount", "received_on"]),
        (RECEIPT | {"received_on": "2999-01-01"}, ["received_on"]),
        (RECEIPT | {"amount": "800000.01"}, ["amount"]),
        (RECEIPT | {"amount": "-1"}, ["amount"]),
        (RECEIPT | {"reverses": unknown}, ["reverses"]),
        ({"reverses": unknown}, ["reverses"]),
    ):
        problem = await refused(client, keys, "provider", "POST", path, body)
        assert (problem["status"], fields(problem)) == (422, named), body


async def test_changes_are_checked(client: httpx2.AsyncClient, keys: Keys) -> None:
    path = f"/v1/contracts/{(await brought_to(client, keys, 'signed'))['id']}/changes"
    for changes, named in (
        ({"terms": {"type": "service", "nothing": 1}}, ["terms.type", "terms.nothing"]),
        ({"terms": {"ends_on": "2025-01-01"}}, ["terms.body"]),
        ({"terms": {"place": 5}}, ["terms.place"]),
        ({"terms": {"place": TERMS["place"]}}, ["terms"]),
        ({"terms": {"deductions": [{"kind": "other", "amount": "900000", "reason": "运费"}]}}, ["deductions"]),
        ({"signed_on": "2999-01-01"}, ["signed_on"]),
        ({"signed_on": "2026-01-14"}, ["signed_on"]),
        ({"reason": ""}, ["reason"]),
    ):
        problem = await refused(client, keys, "broker", "POST", path, CHANGE | changes)
        assert (problem["status"], fields(problem)) == (422, named), changes
