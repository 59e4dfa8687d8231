"""The trail over HTTP: who reads it, filters, pages, and bounds of a verification."""

from datetime import timedelta
from uuid import uuid4

import httpx2
import pytest

from service.kit.clock import now
from service.kit.db import Pool
from tests.conftest import Keys

ADDRESSES = ("/v1/audit/events", "/v1/audit/verification", "/v1/audit/head")


@pytest.mark.parametrize("address", ADDRESSES)
async def test_it_is_for_those_who_watch_over_the_market(client: httpx2.AsyncClient, keys: Keys, address: str) -> None:
    answers = {role: (await client.get(address, headers=keys.headers(role))).status_code for role in keys.members}
    readers = {"operator", "authority", "administrator"}
    assert answers == {role: 200 if role in readers else 403 for role in keys.members}
    assert (await client.get(address)).status_code == 401


async def test_an_event_tells_who_did_what_from_where(client: httpx2.AsyncClient, keys: Keys) -> None:
    headers = keys.headers("enterprise") | {"X-Request-Id": "check-1"}
    need = (await client.post("/v1/needs", json={"title": "枸杞烘干"}, headers=headers)).json()["id"]
    await client.post(f"/v1/needs/{need}/submit", headers=headers, json={"reason": "齐备"})
    params = {"subject_kind": "need", "subject_id": need}
    page = (await client.get("/v1/audit/events", params=params, headers=keys.headers("authority"))).json()
    last, first = page["items"]
    assert (first["action"], last["action"], last["from_state"], last["to_state"]) == (
        "create", "submit", "draft", "submitted",
    )  # fmt: skip
    assert last["organization_id"] == str(keys.enterprise.organization_id)
    assert (last["request_id"], last["address_class"], last["data"]) == ("check-1", "loopback", {"reason": "齐备"})
    assert last["position"] == first["position"] + 1


async def test_a_proxys_word_counts_only_if_the_server_believes_it(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool
) -> None:
    """The header alone changes nothing: uvicorn puts what a trusted proxy says in the connection's place."""
    headers = keys.headers("enterprise") | {"X-Forwarded-For": "8.8.8.8"}
    await client.post("/v1/needs", json={"title": "枸杞烘干"}, headers=headers)
    assert await pool.fetchval("select address_class from event where subject_kind = 'need'") == "loopback"


async def test_filters(client: httpx2.AsyncClient, keys: Keys) -> None:
    for title in ("一号需求", "二号需求"):
        await client.post("/v1/needs", json={"title": title}, headers=keys.headers("enterprise"))
    await client.post("/v1/needs", json={"title": "三号需求"}, headers=keys.headers("stranger"))

    async def count(**params: str) -> int:
        answer = await client.get("/v1/audit/events", params=params, headers=keys.headers("operator"))
        assert answer.status_code == 200
        return len(answer.json()["items"])

    tomorrow, yesterday = ((now() + timedelta(days=n)).isoformat() for n in (1, -1))
    assert await count(subject_kind="need") == 3
    assert await count(subject_kind="need", subject_id=str(uuid4())) == 0
    assert await count(organization_id=str(keys.enterprise.organization_id)) == 2
    assert await count(subject_kind="organization", action="create") == len(keys.members)
    assert await count(**{"from": tomorrow}) == await count(to=yesterday) == 0
    assert await count(subject_kind="need", **{"from": yesterday, "to": tomorrow}) == 3


async def test_pages_go_back_to_the_first_event_without_gap(client: httpx2.AsyncClient, keys: Keys) -> None:
    headers = keys.headers("administrator")
    positions: list[int] = []
    cursor = None
    while True:
        params = {"limit": "5"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/v1/audit/events", params=params, headers=headers)).json()
        positions += [item["position"] for item in page["items"]]
        cursor = page["next"]
        # What happens meanwhile shifts nothing.
        await client.post("/v1/needs", json={"title": "枸杞烘干"}, headers=keys.headers("enterprise"))
        if cursor is None:
            break
    assert positions == list(range(2 * len(keys.members), 0, -1))


@pytest.mark.parametrize(
    ("address", "params", "field"),
    [
        ("events", {"from": "2026-01-01T00:00:00"}, "from"),
        ("events", {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "to"),
        ("events", {"cursor": "nonsense"}, "cursor"),
        ("events", {"action": "Robert'); drop"}, "action"),
        ("verification", {"from": "0"}, "from"),
        ("verification", {"from": "5", "to": "4"}, "to"),
        ("verification", {"from": "1", "to": "10001"}, "to"),
        ("verification", {"anchor": "1:abc"}, "anchor"),
    ],
)
async def test_what_cannot_be_asked_is_named(
    client: httpx2.AsyncClient, keys: Keys, address: str, params: dict[str, str], field: str
) -> None:
    answer = await client.get(f"/v1/audit/{address}", params=params, headers=keys.headers("operator"))
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_part_and_a_part_beyond_the_end(client: httpx2.AsyncClient, keys: Keys) -> None:
    headers, end = keys.headers("operator"), 2 * len(keys.members)

    async def checked(**params: str) -> tuple[bool, int, int, int]:
        found = (await client.get("/v1/audit/verification", params=params, headers=headers)).json()
        return found["holds"], found["first"], found["last"], found["checked"]

    assert await checked(**{"from": "3", "to": "7"}) == (True, 3, 7, 5)
    assert await checked(to="4") == (True, 1, 4, 4)
    assert await checked(**{"from": "10"}) == (True, 10, end, end - 9)
    assert await checked(**{"from": "1000000", "to": "1000001"}) == (True, 1_000_000, end, 0)
