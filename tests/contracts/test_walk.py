"""A contract's life over HTTP, from a pair to settled, with who sees what on the way."""

from typing import Any

import httpx2
import pytest

from service.kit.db import Pool
from service.resources import Resources
from tests.access.helpers import events_of, make_key
from tests.access.test_confidential import made as made_pair
from tests.chain.walking import AGREED
from tests.conftest import Keys
from tests.contracts.helpers import (
    CHANGE,
    REASON,
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
from tests.http.test_consents import NEED, OUTCOME, PURPOSE


@pytest.fixture(autouse=True)
async def _codes(pool: Pool, keys: Keys) -> None:
    await with_codes(pool, keys)


async def consented(client: httpx2.AsyncClient, keys: Keys, resources: Resources, *roles: str) -> tuple[str, str]:
    """An accepted pair, with the consent of some sides, and its case."""
    rights = [{"kind": "invention_patent", "number": "ZL202010000001.X", "title": "真空脉动干燥方法"}]
    outcome = OUTCOME | {"field": "goji", "funding_source": "provincial", "ip_rights": rights}
    world = await made_pair(client, keys, resources, NEED | {"industry": "C"}, outcome)
    path = f"/v1/recommendations/{world.pair}"
    answer = await client.post(f"{path}/decisions", json={"action": "accept"}, headers=keys.headers("broker"))
    assert answer.status_code == 201, answer.text
    for role in roles:
        answer = await client.post(f"{path}/consent", json=PURPOSE, headers=keys.headers(role))
        assert answer.status_code == 201, answer.text
    (case,) = (await client.get("/v1/cases", headers=keys.headers("broker"))).json()["items"]
    return world.pair, case["id"]


async def test_a_pair_becomes_a_contract_and_is_settled(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool
) -> None:
    _, case = await consented(client, keys, resources, "enterprise", "provider")
    settled = await client.put(
        f"/v1/cases/{case}/terms", json=AGREED, headers=keys.headers("broker") | {"If-Match": "*"}
    )
    assert settled.status_code == 200, settled.text
    given = {name: value for name, value in TERMS.items() if name not in ("field", "industry", "ip")}
    body = given | {"case_id": case}
    answer = await client.post("/v1/contracts", json=body, headers=keys.headers("enterprise"))
    assert answer.status_code == 201, answer.text
    contract = answer.json()
    assert answer.headers["Location"] == f"/v1/contracts/{contract['id']}"
    assert answer.headers["ETag"] == '"1"'
    assert contract["state"] == "draft"
    # Parties are those of the pair; field, industry and rights come from its listings.
    assert [(party["role"], party["label"]) for party in contract["parties"]] == [
        ("buyer", "client"),
        ("seller", "developer"),
    ]
    assert contract["parties"][1]["organization_id"] == str(keys.provider.organization_id)
    assert contract["parties"][0]["region"] == "640100"
    assert (contract["terms"]["field"], contract["terms"]["industry"]) == ("goji", "C")
    assert contract["terms"]["ip"]["rights"][0]["number"] == "ZL202010000001.X"
    assert contract["actions"] == ["confirm", "sign", "cancel"]
    again = await client.post("/v1/contracts", json=body, headers=keys.headers("provider"))
    assert again.status_code == 409
    assert contract["id"] in again.json()["detail"]

    # 200000 + (250000 + 350000) − 120000 − 30000
    sums = contract["sums"]
    assert (sums["turnover"], sums["deducted"], sums["technology_value"]) == ("800000.00", "150000.00", "650000.00")
    assert [(line["amount"], line["subtotal"]) for line in sums["steps"]] == [
        ("200000.00", "200000.00"),
        ("600000.00", "800000.00"),
        ("-120000.00", "680000.00"),
        ("-30000.00", "650000.00"),
    ]
    # Nobody signs for the other side.
    refused = await step(client, keys, "enterprise", contract, "sign", signed_on="2026-01-15")
    assert refused.status_code == 409
    assert refused.json()["detail"].startswith("Not confirmed yet by the developer")
    confirmed = await step(client, keys, "provider", contract, "confirm")
    assert [party["confirmed"] for party in confirmed.json()["parties"]] == [False, True]
    # What is changed afterwards has to be confirmed anew.
    changed = await client.put(
        f"/v1/contracts/{contract['id']}",
        json=body | {"place": "银川", "field": "goji", "industry": "C", "ip": TERMS["ip"]},
        headers=keys.headers("enterprise") | {"If-Match": confirmed.headers["ETag"]},
    )
    assert changed.status_code == 200, changed.text
    assert (await step(client, keys, "enterprise", contract, "sign", signed_on="2026-01-15")).status_code == 409
    assert (await step(client, keys, "provider", contract, "confirm")).status_code == 200
    signed = await step(client, keys, "enterprise", contract, "sign", signed_on="2026-01-15")
    assert (signed.status_code, signed.json()["state"]) == (200, "signed")
    assert signed.json()["next_due_on"] == "2026-02-01"

    draft = await read(client, keys, "provider", contract, "/registration")
    assert draft["missing"] == []
    told = {line["field"]: line["value"] for line in draft["lines"]}
    assert told["parties.1.name"] == "测试演示单位 provider"
    assert told["funding"] == "Provincial programme"
    assert told["technology_value"] == "650,000.00 CNY"
    assert told["calculation"] == "+200,000.00 +600,000.00 -120,000.00 -30,000.00 = 650,000.00 CNY"
    assert "ZL202010000001.X" in told["ip.rights"]
    assert (await step(client, keys, "provider", contract, "file")).json()["state"] == "filed"
    rejected = await step(client, keys, "operator", contract, "reject", reason="缺少附件二")
    assert (rejected.json()["state"], rejected.json()["registration"]["reason"]) == ("rejected", "缺少附件二")
    assert (await step(client, keys, "broker", contract, "file")).json()["state"] == "filed"
    registered = await step(client, keys, "operator", contract, "register", **REGISTERED)
    assert registered.json()["state"] == "registered"
    assert registered.json()["registration"] | REGISTERED == registered.json()["registration"]
    filings = await read(client, keys, "enterprise", contract, "/filings")
    assert [each["decision"] for each in filings] == ["rejected", "registered"]

    # 650000 × 0.05 = 32500; 650000 × 0.02 = 13000; there is no intermediary.
    subsidies = await read(client, keys, "enterprise", contract, "/subsidies")
    given_by = {each["rule"]["code"]: (each["applies"], each["amount"], each["told"]) for each in subsidies["awards"]}
    assert given_by == {
        "example_buyer": (True, "32500.00", "technology value 650000.00 × 0.05 = 32500.00"),
        "example_seller": (True, "13000.00", "technology value 650000.00 × 0.02 = 13000.00"),
        "example_broker": (False, "0.00", "the contract has no intermediary"),
    }
    assert subsidies["total"] == "45500.00"
    assert all(each["rule"]["example"] for each in subsidies["awards"])

    owed = await read(client, keys, "provider", contract, "/settlement")
    assert [(row["amount"], row["overdue"]) for row in owed["schedule"]] == [
        ("200000.00", True),
        ("250000.00", True),
        ("350000.00", False),
    ]
    late = await client.get("/v1/contracts?overdue=true", headers=keys.headers("enterprise"))
    assert [each["overdue"] for each in late.json()["items"]] == [True]
    receipts = f"/v1/contracts/{contract['id']}/receipts"
    for amount in ("200000", "300000"):
        paid = {"received_on": "2026-03-02", "amount": amount}
        answer = await client.post(receipts, json=paid, headers=keys.headers("provider"))
        assert answer.status_code == 201, answer.text
    early = await step(client, keys, "provider", contract, "settle")
    assert (early.status_code, early.json()["errors"][0]["field"]) == (422, "reason")
    assert (await client.get("/v1/contracts?overdue=true", headers=keys.headers("broker"))).json()["items"] == []
    owed = await read(client, keys, "provider", contract, "/settlement")
    assert [row["received"] for row in owed["schedule"]] == ["200000.00", "250000.00", "50000.00"]
    wrong = {"received_on": "2026-03-03", "amount": "300000.01"}
    over = await client.post(receipts, json=wrong, headers=keys.headers("provider"))
    assert (over.status_code, over.json()["errors"][0]["rule"]) == (422, "within_turnover")
    last = await client.post(receipts, json=wrong | {"amount": "300000"}, headers=keys.headers("provider"))
    back = await client.post(receipts, json={"reverses": last.json()["id"]}, headers=keys.headers("broker"))
    assert (back.status_code, back.json()["amount"]) == (201, "-300000.00")
    twice = await client.post(receipts, json={"reverses": last.json()["id"]}, headers=keys.headers("broker"))
    assert twice.status_code == 409
    await client.post(receipts, json=wrong | {"amount": "300000"}, headers=keys.headers("provider"))
    settled = await step(client, keys, "provider", contract, "settle")
    assert (settled.json()["state"], settled.json()["received"], settled.json()["next_due_on"]) == (
        "settled", "800000.00", None,
    )  # fmt: skip
    assert settled.json()["actions"] == []
    assert await events_of(pool, contract["id"]) == [
        ("create", None, "draft"),
        ("confirm", "draft", "draft"),
        ("change_draft", None, None),
        ("confirm", "draft", "draft"),
        ("sign", "draft", "signed"),
        ("file", "signed", "filed"),
        ("reject", "filed", "rejected"),
        ("file", "rejected", "filed"),
        ("register", "filed", "registered"),
        *[("receive", None, None)] * 3,
        ("reverse_receipt", None, None),
        ("receive", None, None),
        ("settle", "registered", "settled"),
    ]
    # Events keep no text and no amount.
    kept = await pool.fetchval("select string_agg(data::text, ' ') from event where subject_kind = 'contract'")
    assert not any(word in kept for word in ("枸杞", "样机", "附件", "800000", "650000", "200000", "演示单位"))


async def test_a_pair_without_both_consents_gives_no_contract(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources
) -> None:
    pair, case = await consented(client, keys, resources, "enterprise")
    body = TERMS | {"recommendation_id": pair}
    for role, status in (
        ("enterprise", 409),
        ("provider", 409),
        ("broker", 409),
        ("stranger", 404),
        ("authority", 403),
    ):
        answer = await client.post("/v1/contracts", json=body, headers=keys.headers(role))
        assert answer.status_code == status, (role, answer.text)
    sides = {"parties": [{"role": "buyer", "name": "平台外演示单位"}]}
    await client.post(f"/v1/recommendations/{pair}/consent", json=PURPOSE, headers=keys.headers("provider"))
    body = TERMS | {"case_id": case}
    answer = await client.post("/v1/contracts", json=body | sides, headers=keys.headers("broker"))
    assert (answer.status_code, answer.json()["errors"][0]["rule"]) == (422, "sides_of_the_pair")


async def test_others_know_of_no_contract(client: httpx2.AsyncClient, keys: Keys) -> None:
    contract = await brought_to(client, keys, "registered")
    path = f"/v1/contracts/{contract['id']}"
    for what in (
        "",
        "/changes",
        "/filings",
        "/registration",
        "/registration.xlsx",
        "/registration.pdf",
        "/subsidies",
        "/settlement",
    ):
        for role in ("stranger", "other_provider"):
            assert (await client.get(f"{path}{what}", headers=keys.headers(role))).status_code == 404, what
        for role in ("enterprise", "provider", "broker", "operator", "authority", "administrator"):
            assert (await client.get(f"{path}{what}", headers=keys.headers(role))).status_code == 200, (what, role)
    for role in ("stranger", "other_provider"):
        assert (await client.get("/v1/contracts", headers=keys.headers(role))).json()["items"] == []
        assert (await step(client, keys, role, contract, "cancel", reason="无关")).status_code == 404
        change = {"terms": {"place": "x2"}, "reason": "无关", "effective_on": "2026-02-01", "signed_on": "2026-02-01"}
        assert (await client.post(f"{path}/changes", json=change, headers=keys.headers(role))).status_code == 404
    for role in ("enterprise", "provider", "broker", "authority"):
        items = (await client.get("/v1/contracts", headers=keys.headers(role))).json()["items"]
        assert [item["id"] for item in items] == [contract["id"]]


async def test_lists_are_narrowed_and_paged(client: httpx2.AsyncClient, keys: Keys) -> None:
    ids = [(await enter(client, keys, name=f"第 {n} 项合同"))["id"] for n in range(3)]
    license_terms = {"type": "license", "development_form": None, "field": "clean_energy"}
    ids.append((await enter(client, keys, **license_terms))["id"])
    first = (await client.get("/v1/contracts?limit=3", headers=keys.headers("broker"))).json()
    second = (await client.get(f"/v1/contracts?limit=3&cursor={first['next']}", headers=keys.headers("broker"))).json()
    assert [item["id"] for item in first["items"] + second["items"]] == ids[::-1]
    assert second["next"] is None
    for query, found in (
        ("type=license", ids[3:]), ("field=clean_energy", ids[3:]), ("field=goji", ids[:3][::-1]), ("state=signed", []),
        ("region=640000", ids[::-1]), ("region=640500", ids[::-1]), ("region=110000", []), ("mine=true", []),
        ("signed_from=2026-01-01", []), ("state=draft&state=signed", ids[::-1]),
    ):  # fmt: skip
        items = (await client.get(f"/v1/contracts?{query}", headers=keys.headers("broker"))).json()["items"]
        assert [item["id"] for item in items] == found, query
    mine = (await client.get("/v1/contracts?mine=true", headers=keys.headers("provider"))).json()["items"]
    assert len(mine) == 4


async def test_figures_count_registered_contracts(client: httpx2.AsyncClient, keys: Keys) -> None:
    await brought_to(client, keys, "signed")
    await brought_to(client, keys, "registered")
    other = await brought_to(client, keys, "filed", payments=[{"kind": "lump_sum", "amount": "100"}], deductions=[])
    body = REGISTERED | {"number": "2026640100000002", "registered_on": "2026-04-02"}
    assert (await step(client, keys, "operator", other, "register", **body)).status_code == 200

    async def figures(query: str) -> list[tuple[Any, ...]]:
        answer = await client.get(f"/v1/contracts/figures?{query}", headers=keys.headers("authority"))
        assert answer.status_code == 200, answer.text
        assert answer.json()["definition"]
        assert answer.json()["source"]
        return [
            (row["group"], row["contracts"], row["turnover"], row["technology_value"])
            for row in answer.json()["figures"]
        ]

    both = (2, "800100.00", "650100.00")
    assert await figures("by=type") == [("development", *both)]
    assert await figures("by=field") == [("goji", *both)]
    assert await figures("by=region") == [("640100", *both)]
    assert await figures("by=region&side=buyer") == [("640100", *both)]
    assert await figures("by=month") == [
        ("2026-03", 1, "800000.00", "650000.00"),
        ("2026-04", 1, "100.00", "100.00"),
    ]
    assert await figures("by=type&registered_from=2026-04-01") == [("development", 1, "100.00", "100.00")]
    await step(client, keys, "operator", other, "cancel", reason="双方协议解除", effective_on="2026-05-01")
    assert await figures("by=month") == [("2026-03", 1, "800000.00", "650000.00")]
    for role in ("enterprise", "provider", "broker"):
        assert (await client.get("/v1/contracts/figures", headers=keys.headers(role))).status_code == 403


async def test_a_side_enters_its_own_contracts_only(client: httpx2.AsyncClient, keys: Keys) -> None:
    outside = [
        {"role": "buyer", "name": "平台外演示单位", "foreign": True},
        {"role": "seller", "organization_id": str(keys.provider.organization_id)},
    ]
    body = content(keys, parties=outside)
    assert (await client.post("/v1/contracts", json=body, headers=keys.headers("other_provider"))).status_code in (
        403,
        422,
    )
    answer = await client.post("/v1/contracts", json=body, headers=keys.headers("provider"))
    assert answer.status_code == 201, answer.text
    assert answer.json()["origin_reason"] == REASON
    # Nobody else is here to confirm: the provider signs for what it has on paper.
    signed = await step(client, keys, "provider", answer.json(), "sign", signed_on="2026-01-15")
    assert signed.status_code == 200, signed.text


async def test_an_intermediary_looks_on(client: httpx2.AsyncClient, keys: Keys) -> None:
    parties = [
        *content(keys)["parties"][:2],
        {"role": "intermediary", "organization_id": str(keys.stranger.organization_id)},
    ]
    contract = await brought_to(client, keys, "signed", parties=parties)
    assert (await read(client, keys, "stranger", contract))["actions"] == []
    path = f"/v1/contracts/{contract['id']}"
    for answer in (
        await step(client, keys, "stranger", contract, "cancel", reason="双方协议解除", effective_on="2026-05-01"),
        await step(client, keys, "stranger", contract, "file"),
        await client.post(f"{path}/changes", json=CHANGE, headers=keys.headers("stranger")),
        await client.post(f"{path}/receipts", json=RECEIPT, headers=keys.headers("stranger")),
    ):
        assert answer.status_code == 403, answer.text
    registered = await step(client, keys, "broker", contract, "file")
    registered = await step(client, keys, "operator", contract, "register", **REGISTERED)
    assert registered.status_code == 200
    # 800000 × 0.01 = 8000, for the intermediary.
    awards = (await read(client, keys, "stranger", contract, "/subsidies"))["awards"]
    assert [each["amount"] for each in awards if each["rule"]["code"] == "example_broker"] == ["8000.00"]


async def test_staff_of_one_side_does_not_sign_for_both(client: httpx2.AsyncClient, keys: Keys) -> None:
    own = keys.provider.organization_id
    both = await make_key(client, keys.headers("administrator"), own, roles=["provider", "broker"])
    contract = await enter(client, keys)
    path = f"/v1/contracts/{contract['id']}"
    answer = await client.post(f"{path}/sign", json={"signed_on": "2026-01-15"}, headers=both["headers"])
    assert answer.status_code == 409, answer.text
    assert (await step(client, keys, "broker", contract, "sign", signed_on="2026-01-15")).status_code == 200
    change = await client.post(f"{path}/changes", json=CHANGE, headers=both["headers"])
    assert (change.status_code, change.json()["confirmed_at"]) == (201, None)
