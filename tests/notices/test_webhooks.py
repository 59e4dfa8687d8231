"""Endpoints over HTTP: made, changed, removed, their secrets, tests, logs and replays."""

from typing import Any
from uuid import uuid4

import httpx2
import pytest

from service.kit.db import Pool
from service.notices.rules import WEBHOOK_TYPES
from service.webhooks import service
from tests.conftest import Keys

PATH = "/v1/webhooks"
HOOK = {"url": "https://erp.example.com/duijie", "description": "ERP", "types": ["recommendation.accept"]}


async def add(client: httpx2.AsyncClient, keys: Keys, role: str = "enterprise", **content: Any) -> dict[str, Any]:
    answer = await client.post(PATH, json=HOOK | content, headers=keys.headers(role))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_an_endpoint_is_made_with_a_secret_that_is_shown_once(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool
) -> None:
    answer = await client.post(PATH, json=HOOK, headers=keys.headers("enterprise"))
    made = answer.json()
    assert answer.headers["Location"] == f"{PATH}/{made['id']}"
    assert made["secret"].startswith("whsec_")
    read = await client.get(f"{PATH}/{made['id']}", headers=keys.headers("enterprise"))
    assert read.headers["ETag"] == '"1"'
    assert read.json() == {name: value for name, value in made.items() if name != "secret"}
    assert (read.json()["state"], read.json()["types"]) == ("enabled", HOOK["types"])
    assert (await client.get(PATH, headers=keys.headers("enterprise"))).json() == [read.json()]
    stored = await pool.fetchval("select secret from webhook")
    assert made["secret"].encode() not in stored
    events = await pool.fetch("select action, data from event where subject_kind = 'webhook'")
    assert [event["action"] for event in events] == ["create"]
    assert "erp.example.com" not in str(events[0]["data"])


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"url": "http://erp.example.com/"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "https://[::ffff:169.254.169.254]/"}, "url"),
        ({"url": "https://user:word@erp.example.com/"}, "url"),
        ({"types": ["need.publish", "need.snooze"]}, "types.1"),
        ({"types": "need.publish"}, "types"),
        ({"secret": "whsec_mine"}, "secret"),
    ],
)
async def test_what_may_not_be_called_is_refused_by_field(
    client: httpx2.AsyncClient, keys: Keys, content: dict[str, Any], field: str
) -> None:
    answer = await client.post(PATH, json=HOOK | content, headers=keys.headers("enterprise"))
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_an_organization_has_so_many_at_most(
    client: httpx2.AsyncClient, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST", 2)
    for _ in range(2):
        await add(client, keys)
    assert (await client.post(PATH, json=HOOK, headers=keys.headers("enterprise"))).status_code == 409
    await add(client, keys, "stranger")


async def test_nobody_reaches_anothers_endpoint(client: httpx2.AsyncClient, keys: Keys) -> None:
    made = await add(client, keys)
    own = f"{PATH}/{made['id']}"
    for role in ("stranger", "operator", "administrator", "broker", "authority"):
        headers = keys.headers(role) | {"If-Match": '"1"'}
        assert (await client.get(PATH, headers=headers)).json() == []
        for method, path, body in (
            ("GET", own, None), ("PUT", own, HOOK), ("DELETE", own, None), ("POST", f"{own}/rotate", {}), ("POST", f"{own}/test", None),
            ("POST", f"{own}/replay", {"delivery_id": str(uuid4())}), ("GET", f"{own}/deliveries", None),
            ("GET", f"{own}/deliveries/{uuid4()}", None),
        ):  # fmt: skip
            answer = await client.request(method, path, json=body, headers=headers)
            assert answer.status_code == 404, (role, method, path)


async def test_it_is_changed_disabled_and_removed(client: httpx2.AsyncClient, keys: Keys) -> None:
    headers = keys.headers("enterprise")
    own = f"{PATH}/{(await add(client, keys))['id']}"
    off = await client.put(own, json=HOOK | {"enabled": False}, headers=headers | {"If-Match": '"1"'})
    assert (off.json()["state"], off.json()["disabled_reason"], off.headers["ETag"]) == ("disabled", "asked", '"2"')
    for what, body in (("test", None), ("replay", {"since": "2026-01-01T00:00:00Z"})):
        assert (await client.post(f"{own}/{what}", json=body, headers=headers)).status_code == 409
    on = await client.put(own, json=HOOK | {"types": []}, headers=headers | {"If-Match": '"2"'})
    assert (on.json()["state"], on.json()["disabled_reason"], on.json()["types"]) == ("enabled", None, [])
    assert (await client.post(f"{own}/test", headers=headers)).status_code == 201
    assert (await client.delete(own, headers=headers)).status_code == 204
    assert (await client.get(own, headers=headers)).status_code == 404


async def test_a_secret_is_exchanged_with_an_overlap_or_at_once(client: httpx2.AsyncClient, keys: Keys) -> None:
    made = await add(client, keys)
    path, headers = f"{PATH}/{made['id']}/rotate", keys.headers("enterprise")
    first = (await client.post(path, headers=headers)).json()
    assert first["secret"] not in (None, made["secret"])
    assert first["old_secret_until"] is not None
    second = (await client.post(path, json={"overlap_hours": 0}, headers=headers)).json()
    assert second["old_secret_until"] is None
    assert second["version"] == 3
    assert (await client.post(path, json={"overlap_hours": 169}, headers=headers)).status_code == 422


async def test_a_test_waits_in_the_log(client: httpx2.AsyncClient, keys: Keys) -> None:
    made, headers = await add(client, keys), keys.headers("enterprise")
    own = f"{PATH}/{made['id']}"
    sent = [(await client.post(f"{own}/test", headers=headers)).json() for _ in range(3)]
    page = (await client.get(f"{own}/deliveries?limit=2&state=pending", headers=headers)).json()
    rest = (await client.get(f"{own}/deliveries?limit=2&cursor={page['next']}", headers=headers)).json()
    assert page["items"] + rest["items"] == sent[::-1]
    assert rest["next"] is None
    assert (await client.get(f"{own}/deliveries?state=dead", headers=headers)).json()["items"] == []
    report = (await client.get(f"{own}/deliveries/{sent[0]['id']}", headers=headers)).json()
    assert report["log"] == []
    assert f'"id":"{made["id"]}"' in report["body"]
    other = f"{PATH}/{(await add(client, keys))['id']}/deliveries/{sent[0]['id']}"
    assert (await client.get(other, headers=headers)).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "since"),
        ({"delivery_id": str(uuid4()), "since": "2026-01-01T00:00:00Z"}, "since"),
        ({"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "until"),
        ({"since": "2026-01-02T00:00:00"}, "since"),
        ({"since": "2026-01-02T00:00:00Z", "state": "pending"}, "state"),
    ],
)
async def test_a_replay_names_one_or_a_period(
    client: httpx2.AsyncClient, keys: Keys, body: dict[str, Any], field: str
) -> None:
    path = f"{PATH}/{(await add(client, keys))['id']}/replay"
    answer = await client.post(path, json=body, headers=keys.headers("enterprise"))
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_the_types_are_those_of_the_rules_and_need_no_key(client: httpx2.AsyncClient) -> None:
    answer = await client.get(f"{PATH}/types")
    assert [entry["type"] for entry in answer.json()] == sorted(WEBHOOK_TYPES)
