"""A complete contract, and the requests that its life is made of."""

from typing import Any

import httpx2

from service.kit.actor import SYSTEM
from service.kit.db import Pool, transaction
from tests.access.market import credit_code
from tests.conftest import Keys

TERMS: dict[str, Any] = {
    "type": "development",
    "development_form": "commissioned",
    "name": "枸杞真空脉动干燥装备技术开发",
    "subject": "开发单批不超过十二小时的真空脉动干燥装备一套，含样机与工艺文件。",
    "field": "goji",
    "industry": "C",
    "ip": {
        "results": "shared",
        "results_note": "专利申请权共有",
        "improvements": "by_law",
        "rights": [{"kind": "invention_patent", "number": "ZL202010000001.X", "title": "真空脉动干燥方法"}],
    },
    "starts_on": "2026-01-01",
    "ends_on": "2027-12-31",
    "place": "宁夏中宁",
    "plan": "第一年完成样机，第二年完成中试。",
    "acceptance": "由双方按附件指标共同验收。",
    "confidentiality": {"clause": "双方对未公开的工艺参数保密。", "until": "2030-12-31"},
    "payments": [
        {"kind": "lump_sum", "amount": "200000", "due_on": "2026-02-01"},
        {
            "kind": "instalments",
            "total": "600000",
            "parts": [
                {"amount": "250000", "due_on": "2026-06-30", "condition": "样机验收"},
                {"amount": "350000.00", "due_on": "2099-06-30", "condition": "中试验收"},
            ],
        },
    ],
    "deductions": [
        {"kind": "equipment", "amount": "120000", "reason": "真空泵两台，合同第六条"},
        {"kind": "materials", "amount": "30000", "reason": "试验用鲜果，合同第六条"},
    ],
}
REASON = "双方在平台外洽谈并签订，补录登记。"
REGISTERED = {"number": "2026640100000001", "registered_on": "2026-03-01", "office": "宁夏演示技术合同登记处"}

CHANGE: dict[str, Any] = {
    "terms": {"ends_on": "2028-06-30"},
    "reason": "中试推迟半年",
    "effective_on": "2026-02-01",
    "signed_on": "2026-02-01",
}
RECEIPT = {"received_on": "2026-03-02", "amount": "100000.00"}
RULE: dict[str, Any] = {
    "code": "city_buyer",
    "name_zh": "演示市买方奖补",
    "name_en": "A city's award for buyers",
    "recipient": "buyer",
    "basis": "technology_value",
    "rate": "0.1",
    "threshold": "500000",
    "cap": "60000",
    "region": "6401",
    "types": ["development"],
    "valid_from": "2026-02-01",
    "source": "演示办法第三条",
}


async def with_codes(pool: Pool, keys: Keys) -> None:
    """Give every organization a credit code, as a register would."""
    async with transaction(pool, SYSTEM) as connection:
        for number, member in enumerate(keys.members.values()):
            await connection.execute(
                "update organization set credit_code = $2 where id = $1",
                member.organization_id,
                credit_code(500 + number),
            )


def content(keys: Keys, **changes: Any) -> dict[str, Any]:
    """A contract between the enterprise and the provider that did not start here."""
    parties = [
        {"role": "buyer", "organization_id": str(keys.enterprise.organization_id)},
        {"role": "seller", "organization_id": str(keys.provider.organization_id)},
        {"role": "intermediary", "name": "平台外演示中介", "credit_code": credit_code(990), "region": "640500"},
    ]
    return TERMS | {"parties": parties, "origin_reason": REASON} | changes


async def enter(client: httpx2.AsyncClient, keys: Keys, role: str = "broker", **changes: Any) -> dict[str, Any]:
    """A draft as answered."""
    answer = await client.post("/v1/contracts", json=content(keys, **changes), headers=keys.headers(role))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def step(
    client: httpx2.AsyncClient, keys: Keys, role: str, contract: dict[str, Any], action: str, **body: Any
) -> httpx2.Response:
    """The answer to a step. Who confirms has read what is there now."""
    path = f"/v1/contracts/{contract['id']}/{action}"
    read = {"If-Match": "*"} if action == "confirm" else {}
    return await client.post(path, headers=keys.headers(role) | read, json=body or None)


async def brought_to(client: httpx2.AsyncClient, keys: Keys, state: str, **changes: Any) -> dict[str, Any]:
    """A contract in a state on the usual way, each step by who usually takes it."""
    contract = await enter(client, keys, **changes)
    for reached, role, action, body in (
        ("signed", "broker", "sign", {"signed_on": "2026-01-15"}),
        ("filed", "provider", "file", {}),
        ("registered", "operator", "register", REGISTERED),
    ):
        if contract["state"] == state:
            break
        answer = await step(client, keys, role, contract, action, **body)
        assert answer.status_code == 200, answer.text
        contract = answer.json()
        assert contract["state"] == reached
    assert contract["state"] == state
    return contract


async def read(client: httpx2.AsyncClient, keys: Keys, role: str, contract: dict[str, Any], what: str = "") -> Any:
    """What a role is shown of a contract."""
    answer = await client.get(f"/v1/contracts/{contract['id']}{what}", headers=keys.headers(role))
    assert answer.status_code == 200, answer.text
    return answer.json()
