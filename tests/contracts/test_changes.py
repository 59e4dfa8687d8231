"""Changes and cancellation as records of their own, over HTTP."""

from typing import Any

import asyncpg
import httpx2
import pytest

from service.contracts import receipts, repository
from service.contracts.changes import Change, replay
from service.contracts.schemas import Terms
from service.kit.db import Pool
from tests.access.helpers import events_of
from tests.conftest import Keys
from tests.contracts.helpers import CHANGE, RECEIPT, REGISTERED, brought_to, enter, read, step, with_codes
from tests.http.test_preconditions import statuses


@pytest.fixture(autouse=True)
async def _codes(pool: Pool, keys: Keys) -> None:
    await with_codes(pool, keys)


async def change(
    client: httpx2.AsyncClient, keys: Keys, role: str, contract: dict[str, Any], **terms: Any
) -> httpx2.Response:
    body = CHANGE | {"terms": terms} if terms else CHANGE
    return await client.post(f"/v1/contracts/{contract['id']}/changes", json=body, headers=keys.headers(role))


async def test_a_change_holds_when_the_other_side_confirms(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    contract = await brought_to(client, keys, "registered")
    seen = contract["version"]
    proposed = await change(client, keys, "provider", contract)
    assert (proposed.status_code, proposed.json()["confirmed_at"]) == (201, None)
    assert (proposed.json()["old"], proposed.json()["new"]) == ({"ends_on": "2027-12-31"}, {"ends_on": "2028-06-30"})
    waiting = await read(client, keys, "enterprise", contract)
    assert (waiting["waiting"], waiting["state"], waiting["terms"]["ends_on"]) == (
        proposed.json()["id"], "registered", "2027-12-31",
    )  # fmt: skip
    own = await step(client, keys, "provider", contract, "confirm")
    assert (own.status_code, own.json()["detail"]) == (403, "A change is confirmed by the other side")
    # Whoever saw the contract before has not seen what waits.
    headers = keys.headers("enterprise")
    path = f"/v1/contracts/{contract['id']}/confirm"
    assert (await client.post(path, headers=headers | {"If-Match": f'"{seen}"'})).status_code == 412
    unread = await client.post(path, headers=headers)
    assert (unread.status_code, unread.json()["code"]) == (428, "if_match_required")
    assert (await step(client, keys, "provider", contract, "settle", reason="双方商定结清")).status_code == 409
    # Another proposal takes the place of the one that waits, and both stay on record.
    again = await change(client, keys, "provider", contract, ends_on="2029-01-01")
    confirmed = await step(client, keys, "enterprise", contract, "confirm")
    assert (confirmed.status_code, confirmed.json()["state"]) == (200, "changed"), confirmed.text
    assert (confirmed.json()["waiting"], confirmed.json()["terms"]["ends_on"]) == (None, "2029-01-01")
    kept = await read(client, keys, "provider", contract, "/changes")
    assert [(e["id"], e["confirmed_at"] is None, e["superseded_at"] is None) for e in kept] == [
        (proposed.json()["id"], True, False),
        (again.json()["id"], False, True),
    ]
    assert (await step(client, keys, "enterprise", contract, "confirm")).status_code == 409
    # What was registered is filed again, and keeps its number.
    assert (await step(client, keys, "provider", contract, "file")).status_code == 200
    registered = await step(client, keys, "operator", contract, "register", **REGISTERED)
    assert registered.json()["state"] == "registered"
    assert [each[0] for each in await events_of(pool, contract["id"])][4:] == [
        "propose_change", "propose_change", "change", "file", "register",
    ]  # fmt: skip


async def test_what_waits_for_the_other_side_is_not_passed_by(client: httpx2.AsyncClient, keys: Keys) -> None:
    contract = await brought_to(client, keys, "signed")
    assert (await change(client, keys, "provider", contract)).status_code == 201
    for role in ("provider", "broker"):
        filed = await step(client, keys, role, contract, "file")
        assert (filed.status_code, "change waits" in filed.json()["detail"]) == (409, True)
    # Nor does an administrator, who takes any step, say yes in the other side's place.
    confirmed = await step(client, keys, "administrator", contract, "confirm")
    assert (confirmed.status_code, confirmed.json()["detail"]) == (403, "A change is confirmed by the other side")


async def test_of_two_changes_at_once_one_is_kept(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool, owner_url: str
) -> None:
    contract = await brought_to(client, keys, "signed")

    async def both(role: str, *places: str) -> list[int]:
        return await statuses(owner_url, *(change(client, keys, role, contract, place=place) for place in places))

    assert await both("provider", "银川", "中卫") == [201, 409]
    confirming = [step(client, keys, "enterprise", contract, "confirm") for _ in range(2)]
    assert await statuses(owner_url, *confirming) == [200, 409]
    assert await both("broker", "福州", "厦门") == [201, 409]
    assert [each[0] for each in await events_of(pool, contract["id"])][2:] == ["propose_change", "change", "change"]
    kept = await read(client, keys, "enterprise", contract, "/changes")
    assert [each["confirmed_at"] is None for each in kept] == [False, False]


async def test_records_replay_to_what_is_shown_and_what_was_signed_stays(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool
) -> None:
    contract = await brought_to(client, keys, "signed")
    signed = Terms.model_validate(contract["terms"])
    for terms in (
        {"place": "福州"},
        {"payments": [{"kind": "lump_sum", "amount": "900000"}], "ends_on": "2028-01-01"},
        {"deductions": []},
        {"place": None},
    ):
        made = await change(client, keys, "broker", contract, **terms)
        assert made.status_code == 201, made.text
        assert made.json()["confirmed_at"] is not None
    shown = await read(client, keys, "enterprise", contract)
    records = await read(client, keys, "enterprise", contract, "/changes")
    assert replay(signed, [Change(e["old"], e["new"]) for e in records]) == Terms.model_validate(shown["terms"])
    # 900000 − 0
    assert (shown["sums"]["turnover"], shown["sums"]["technology_value"]) == ("900000.00", "900000.00")
    listed = (await client.get("/v1/contracts", headers=keys.headers("enterprise"))).json()["items"][0]
    assert (listed["turnover"], listed["ends_on"]) == ("900000.00", "2028-01-01")
    assert Terms.model_validate(await pool.fetchval("select terms from contract")) == signed
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await pool.execute("update contract set terms = '{}'")


@pytest.mark.parametrize("state", ["signed", "filed", "registered"])
async def test_a_cancellation_is_a_record(client: httpx2.AsyncClient, keys: Keys, state: str) -> None:
    contract = await brought_to(client, keys, state)
    body = {"reason": "双方协议解除", "effective_on": "2026-05-01", "signed_on": "2026-04-30"}
    cancelled = await step(client, keys, "enterprise", contract, "cancel", **body)
    assert cancelled.json()["state"] == "cancelled", cancelled.text
    (record,) = await read(client, keys, "provider", contract, "/changes")
    assert record | body | {"kind": "cancellation"} == record
    assert (record["old"], record["new"]) == ({"state": state}, {"state": "cancelled"})
    filings = await read(client, keys, "provider", contract, "/filings")
    assert [each["decision"] for each in filings] == {
        "signed": [],
        "filed": ["withdrawn"],
        "registered": ["registered"],
    }[state]
    subsidies = await client.get(f"/v1/contracts/{contract['id']}/subsidies", headers=keys.headers("broker"))
    assert subsidies.status_code == 409


async def test_a_draft_is_dropped_with_a_reason(client: httpx2.AsyncClient, keys: Keys) -> None:
    draft = await enter(client, keys)
    dropped = await step(client, keys, "provider", draft, "cancel", reason="双方不再签订")
    assert (dropped.json()["state"], dropped.json()["close_reason"]) == ("cancelled", "双方不再签订")
    assert await read(client, keys, "provider", draft, "/changes") == []


async def test_records_are_read_in_pieces_and_do_not_pile_up(
    client: httpx2.AsyncClient, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "MOST_CHANGES", 2)
    monkeypatch.setattr(receipts, "MOST_RECEIPTS", 2)
    contract = await brought_to(client, keys, "signed")
    made = [
        (await change(client, keys, "provider", contract, ends_on=f"20{year}-01-01")).json()["id"]
        for year in range(30, 33)
    ]
    for query, found in (("", made[1:]), (f"?before={made[1]}", made[:1]), (f"?before={made[0]}", [])):
        kept = await read(client, keys, "enterprise", contract, f"/changes{query}")
        assert [each["id"] for each in kept] == found
    # The one that waits is found, whatever was recorded after it.
    confirmed = await step(client, keys, "enterprise", contract, "confirm")
    assert confirmed.json()["terms"]["ends_on"] == "2032-01-01"
    path = f"/v1/contracts/{contract['id']}/receipts"
    for status in (201, 201, 409):
        answer = await client.post(path, json=RECEIPT, headers=keys.headers("provider"))
        assert answer.status_code == status, answer.text
