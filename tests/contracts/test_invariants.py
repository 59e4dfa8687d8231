"""What holds whatever is asked in whatever order, and when all of it comes at once."""

import asyncio
import random
from collections import Counter
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from service.contracts.amounts import amounts
from service.contracts.changes import Change, replay
from service.contracts.schemas import Terms
from service.kit.db import Pool
from service.workflows.tables import CONTRACT
from tests.conftest import Keys
from tests.contracts.helpers import CHANGE, REGISTERED, brought_to, content, enter, read, step, with_codes

ROLES = ("enterprise", "provider", "broker", "operator", "administrator", "authority", "stranger")
STEPS = 120


@pytest.fixture(autouse=True)
async def _codes(pool: Pool, keys: Keys) -> None:
    await with_codes(pool, keys)


async def any_request(
    client: httpx2.AsyncClient, keys: Keys, contract: dict[str, Any], chance: random.Random, number: int
) -> httpx2.Response:
    """Some request on a contract by somebody, often out of turn."""
    path, headers = f"/v1/contracts/{contract['id']}", keys.headers(chance.choice(ROLES))
    action = chance.choice(
        (
            "confirm",
            "sign",
            "file",
            "register",
            "reject",
            "settle",
            "cancel",
            "changes",
            "changes",
            "receipts",
            "receipts",
            "put",
        )
    )
    if action == "changes":
        terms = chance.choice(
            ({"place": f"中宁 {number}"}, {"deductions": []}, {"payments": [{"kind": "lump_sum", "amount": "500000"}]})
        )
        return await client.post(f"{path}/changes", json=CHANGE | {"terms": terms}, headers=headers)
    if action == "receipts":
        receipts = (await read(client, keys, "broker", contract, "/settlement"))["receipts"]
        back = {"reverses": chance.choice(receipts)["id"]} if receipts and chance.random() < 0.3 else None
        body = back or {"received_on": "2026-03-02", "amount": str(chance.randrange(1, 300_000))}
        return await client.post(f"{path}/receipts", json=body, headers=headers)
    if action == "put":
        return await client.put(path, json=content(keys, place=f"银川 {number}"), headers=headers | {"If-Match": "*"})
    body = {
        "sign": {"signed_on": "2026-01-15"},
        "register": REGISTERED | {"number": f"R-{number:04}"},
        "reject": {"reason": "缺少附件"},
        "settle": {"reason": "双方商定结清"} if number > STEPS - 20 else None,
        "cancel": {"reason": "双方协议解除", "effective_on": "2026-05-01"} if number > STEPS - 20 else None,
    }.get(action)
    seen = {"If-Match": "*"} if action == "confirm" else {}
    return await client.post(f"{path}/{action}", json=body, headers=headers | seen)


@pytest.mark.parametrize("seed", range(3))
async def test_random_requests_keep_every_invariant(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool, seed: int
) -> None:
    chance = random.Random(seed)
    contract = await enter(client, keys)
    allowed = {(s, row.action, row.target) for row in CONTRACT.transitions for s in row.sources}
    signed, taken = None, Counter[int]()
    for number in range(STEPS):
        before = await read(client, keys, "broker", contract)
        answer = await any_request(client, keys, contract, chance, number)
        taken[answer.status_code] += 1
        assert answer.status_code < 500, answer.text
        after = await read(client, keys, "broker", contract)
        if answer.status_code >= 400:
            assert after == before
            continue
        assert after["version"] == before["version"] + 1
        if before["state"] == "draft" and after["state"] == "signed":
            signed = Terms.model_validate(after["terms"])
        terms = Terms.model_validate(after["terms"])
        sums = amounts(terms)
        assert (Decimal(after["sums"]["turnover"]), Decimal(after["sums"]["technology_value"])) == (
            sums.turnover, sums.technology_value,
        )  # fmt: skip
        owed = await read(client, keys, "broker", contract, "/settlement")
        assert sum((Decimal(each["amount"]) for each in owed["receipts"]), Decimal(0)) == Decimal(after["received"])
        assert Decimal(after["received"]) >= 0
        if signed is not None:
            records = await read(client, keys, "broker", contract, "/changes")
            held = [e for e in records if e["kind"] == "change" and e["confirmed_at"] is not None]
            held.sort(key=lambda e: (e["confirmed_at"], e["id"]))
            assert replay(signed, [Change(e["old"], e["new"]) for e in held]) == terms
            assert Terms.model_validate(await pool.fetchval("select terms from contract")) == signed
        filings = await read(client, keys, "broker", contract, "/filings")
        assert sum(each["decision"] is None for each in filings) == (after["state"] == "filed")
    rows = await pool.fetch(
        "select action, from_state, to_state from event where subject_kind = 'contract' and from_state is not null"
    )
    assert {tuple(row)[1:] for row in rows} <= {(s, t) for s, _, t in allowed}
    assert {(row["from_state"], row["action"], row["to_state"]) for row in rows} <= allowed
    events = await pool.fetchval("select count(*) from event where subject_kind = 'contract'")
    # Entering it, and one for each request that was taken.
    assert events == 1 + taken[200] + taken[201]
    assert taken[200] + taken[201] >= 5


async def test_of_equal_steps_at_once_one_is_taken(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    contract = await brought_to(client, keys, "filed")
    answers = await asyncio.gather(
        *(step(client, keys, "operator", contract, "register", **REGISTERED) for _ in range(10)),
        *(step(client, keys, "operator", contract, "reject", reason="缺少附件") for _ in range(10)),
    )
    assert sorted({answer.status_code for answer in answers}) == [200, 409]
    assert sum(answer.status_code == 200 for answer in answers) == 1
    assert await pool.fetchval("select count(*) from event where action in ('register', 'reject')") == 1


async def test_receipts_at_once_add_up(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    contract = await brought_to(client, keys, "signed")
    path = f"/v1/contracts/{contract['id']}/receipts"
    body = {"received_on": "2026-03-02", "amount": "90000"}
    answers = await asyncio.gather(*(client.post(path, json=body, headers=keys.headers("provider")) for _ in range(20)))
    kept = sum(answer.status_code == 201 for answer in answers)
    assert {answer.status_code for answer in answers} <= {201, 409, 422}
    # 8 × 90000 = 720000 are within 800000, 9 × 90000 are not.
    assert 1 <= kept <= 8
    assert await pool.fetchval("select received from contract") == 90_000 * kept
