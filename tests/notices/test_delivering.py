"""Calls of an endpoint on this machine: signed, tried again for three days, given up, sent again, never doubled in the log."""

import asyncio
import json
import ssl
from collections import Counter
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from standardwebhooks.webhooks import Webhook

from service import telling
from service.kit.actor import SYSTEM
from service.kit.backoff import DELAYS
from service.kit.db import Pool, transaction
from service.resources import Resources
from service.settings import Settings
from service.webhooks import calling, delivering, delivering_repository
from service.webhooks import service as webhooks
from tests.conftest import Keys
from tests.http.test_needs import published, step
from tests.notices.conftest import Receiver, StandingClock

PATH = "/v1/webhooks"


@pytest.fixture
async def held(resources: Resources, private: Settings) -> Resources:
    """Resources that may call this machine."""
    return Resources(private, resources.urls, resources.pool, resources.encoders)


@pytest.fixture
async def hook(
    open_client: httpx2.AsyncClient, keys: Keys, receiver: Receiver, held: Resources, clock: StandingClock
) -> dict[str, Any]:
    """An endpoint of the enterprise for what becomes of needs; what made it is told already."""
    body = {
        "url": receiver.url,
        "types": ["need.publish", "need.withdraw", "need.submit", "need.return", "need.refine"],
    }
    answer = await open_client.post(PATH, json=body, headers=keys.headers("enterprise"))
    assert answer.status_code == 201, answer.text
    await telling.tell(held, clock)
    return dict(answer.json())


async def read(client: httpx2.AsyncClient, keys: Keys, hook: dict[str, Any], what: str = "") -> Any:
    answer = await client.get(f"{PATH}/{hook['id']}{what}", headers=keys.headers("enterprise"))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def post(
    client: httpx2.AsyncClient, keys: Keys, hook: dict[str, Any], what: str, body: Any = None
) -> dict[str, Any]:
    answer = await client.post(f"{PATH}/{hook['id']}/{what}", json=body, headers=keys.headers("enterprise"))
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


async def test_an_event_arrives_signed_and_thin(
    open_client: httpx2.AsyncClient, keys: Keys, hook: dict[str, Any], held: Resources, receiver: Receiver,
) -> None:  # fmt: skip
    """By the true clock, since the reference library looks at the age of a signature."""
    need = await published(open_client, keys)
    await telling.all_of_it(held)
    await telling.all_of_it(held)
    (call,) = receiver.calls
    body = Webhook(hook["secret"]).verify(call.body, call.headers)
    assert set(body) == {"type", "timestamp", "data"}
    assert body["type"] == "need.publish"
    assert body["data"] | {"event_id": None} == {
        "event_id": None, "subject": {"kind": "need", "id": need["id"]}, "action": "publish", "state": "published",
    }  # fmt: skip
    assert call.headers["content-type"] == "application/json"
    assert call.headers["host"] == receiver.url.split("/")[2]
    (delivery,) = (await read(open_client, keys, hook, "/deliveries"))["items"]
    assert (delivery["id"], delivery["event_id"]) == (call.id, body["data"]["event_id"])
    assert (delivery["state"], delivery["attempts"], delivery["last_status"]) == ("delivered", 1, 204)
    report = await read(open_client, keys, hook, f"/deliveries/{call.id}")
    assert report["body"].encode() == call.body
    assert [(entry["number"], entry["status"]) for entry in report["log"]] == [(1, 204)]


async def test_one_is_called_for_ones_own_and_what_one_asked_for(
    open_client: httpx2.AsyncClient,
    keys: Keys,
    hook: dict[str, Any],
    held: Resources,
    receiver: Receiver,
    clock: StandingClock,
) -> None:
    """Not for another's need, and not for a type that was not asked for."""
    other = await open_client.post("/v1/needs", json={"title": "别家的需求"}, headers=keys.headers("stranger"))
    assert (
        await open_client.post(f"/v1/needs/{other.json()['id']}/withdraw", headers=keys.headers("operator"))
    ).status_code == 200
    need = await published(open_client, keys)
    assert (await step(open_client, keys, "enterprise", need, "withdraw")).status_code == 200
    assert (await step(open_client, keys, "enterprise", need, "reopen")).status_code == 200
    await telling.all_of_it(held, clock)
    types = [json.loads(call.body)["type"] for call in receiver.calls]
    assert sorted(types) == ["need.publish", "need.withdraw"]


async def test_both_secrets_sign_until_the_overlap_ends(
    open_client: httpx2.AsyncClient, keys: Keys, hook: dict[str, Any], held: Resources, receiver: Receiver
) -> None:
    rotated = await post(open_client, keys, hook, "rotate", {"overlap_hours": 1})
    for later, both in ((timedelta(0), True), (timedelta(hours=2), False)):
        await post(open_client, keys, hook, "test")
        moment = datetime.now(UTC) + later
        await telling.call(held, lambda moment=moment: moment)
        call = receiver.calls[-1]
        assert len(call.headers["webhook-signature"].split(" ")) == (2 if both else 1)
        if both:
            Webhook(hook["secret"]).verify(call.body, call.headers)
            Webhook(rotated["secret"]).verify(call.body, call.headers)


async def test_it_is_tried_for_three_days_then_given_up_and_sent_again(
    open_client: httpx2.AsyncClient, keys: Keys, hook: dict[str, Any], held: Resources, receiver: Receiver, clock: StandingClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    receiver.answer = lambda _: (503, {})
    await published(open_client, keys)
    begun = clock.instant
    await telling.all_of_it(held, clock)
    for tries, delay in enumerate(DELAYS, 1):
        assert len(receiver.calls) == tries
        clock.move(seconds=delay.total_seconds() * 0.89)
        await telling.call(held, clock)
        assert len(receiver.calls) == tries, "sooner than is due"
        clock.move(seconds=delay.total_seconds() * 0.22)
        await telling.call(held, clock)
    assert len({call.id for call in receiver.calls}) == 1
    assert timedelta(days=3) < clock.instant - begun < timedelta(days=4)
    (dead,) = (await read(open_client, keys, hook, "/deliveries?state=dead"))["items"]
    assert (dead["attempts"], dead["last_status"], dead["last_error"], dead["next_at"]) == (11, 503, "status 503", None)
    clock.move(days=1)
    await telling.call(held, clock)
    assert len(receiver.calls) == 11
    receiver.answer = lambda _: (200, {})
    monkeypatch.setattr(webhooks, "now", clock)
    assert await post(open_client, keys, hook, "replay", {"delivery_id": dead["id"]}) == {"replayed": 1, "more": False}
    await telling.call(held, clock)
    assert receiver.calls[-1].id == dead["id"]
    report = await read(open_client, keys, hook, f"/deliveries/{dead['id']}")
    assert (report["state"], report["attempts"]) == ("delivered", 12)
    assert [entry["number"] for entry in report["log"]] == list(range(1, 13))
    assert (await read(open_client, keys, hook))["failing_since"] is None


async def test_a_period_is_sent_again(
    open_client: httpx2.AsyncClient, keys: Keys, hook: dict[str, Any], held: Resources, receiver: Receiver, clock: StandingClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(webhooks, "now", clock)
    for _ in range(3):
        await post(open_client, keys, hook, "test")
        await telling.call(held, clock)
        clock.move(hours=1)
    since = (clock.instant - timedelta(hours=2, minutes=30)).isoformat()
    until = (clock.instant - timedelta(hours=1, minutes=30)).isoformat()
    assert (await post(open_client, keys, hook, "replay", {"since": since, "until": until}))["replayed"] == 0
    again = {"since": since, "until": until, "state": "all"}
    assert (await post(open_client, keys, hook, "replay", again))["replayed"] == 1
    monkeypatch.setattr(webhooks, "MOST_REPLAYED", 1)
    assert await post(open_client, keys, hook, "replay", {"since": since, "state": "delivered"}) == {
        "replayed": 1,
        "more": True,
    }
    await telling.call(held, clock)
    ids = [call.id for call in receiver.calls]
    assert ids[:3] == sorted(ids[:3])
    assert sorted(ids[3:]) == ids[1:3]


async def test_an_endpoint_that_is_gone_is_called_no_more_and_its_organization_told(
    open_client: httpx2.AsyncClient,
    keys: Keys,
    hook: dict[str, Any],
    held: Resources,
    receiver: Receiver,
    clock: StandingClock,
) -> None:
    receiver.answer = lambda _: (410, {})
    await published(open_client, keys)
    await telling.all_of_it(held, clock)
    await published(open_client, keys)
    await telling.all_of_it(held, clock)
    assert len(receiver.calls) == 1
    found = await read(open_client, keys, hook)
    assert (found["state"], found["disabled_reason"]) == ("disabled", "gone")
    notices = await open_client.get("/v1/notifications?category=account", headers=keys.headers("enterprise"))
    assert next((item["subject_kind"], item["action"]) for item in notices.json()["items"]) == ("webhook", "disable")
    assert [item["state"] for item in (await read(open_client, keys, hook, "/deliveries"))["items"]] == ["dead"]


async def test_an_endpoint_that_fails_for_long_is_called_no_more(
    open_client: httpx2.AsyncClient, keys: Keys, hook: dict[str, Any], held: Resources, receiver: Receiver, clock: StandingClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    receiver.answer = lambda _: (500, {})
    monkeypatch.setattr(webhooks, "now", clock)
    for day in range(6):
        assert (await read(open_client, keys, hook))["state"] == "enabled", day
        await post(open_client, keys, hook, "test")
        await telling.call(held, clock)
        clock.move(days=1)
    found = await read(open_client, keys, hook)
    assert (found["state"], found["disabled_reason"]) == ("disabled", "failing")
    states = {item["state"] for item in (await read(open_client, keys, hook, "/deliveries"))["items"]}
    assert states == {"dead"}


async def test_one_success_forgives_what_failed(
    open_client: httpx2.AsyncClient,
    keys: Keys,
    hook: dict[str, Any],
    held: Resources,
    receiver: Receiver,
    clock: StandingClock,
) -> None:
    receiver.answer = lambda _: (500, {})
    await post(open_client, keys, hook, "test")
    clock.instant = datetime.now(UTC) + timedelta(seconds=1)
    await telling.call(held, clock)
    assert (await read(open_client, keys, hook))["failing_since"] is not None
    receiver.answer = lambda _: (200, {})
    clock.move(minutes=1)
    await telling.call(held, clock)
    assert (await read(open_client, keys, hook))["failing_since"] is None


async def test_retry_after_is_waited_for(
    open_client: httpx2.AsyncClient,
    keys: Keys,
    hook: dict[str, Any],
    held: Resources,
    receiver: Receiver,
    clock: StandingClock,
) -> None:
    receiver.answer = lambda _: (429, {"Retry-After": "3600"})
    await published(open_client, keys)
    await telling.all_of_it(held, clock)
    clock.move(minutes=59)
    await telling.call(held, clock)
    assert len(receiver.calls) == 1
    clock.move(minutes=2)
    await telling.call(held, clock)
    assert len(receiver.calls) == 2


async def test_a_redirect_is_a_failure_and_not_followed(
    open_client: httpx2.AsyncClient,
    keys: Keys,
    hook: dict[str, Any],
    held: Resources,
    receiver: Receiver,
    clock: StandingClock,
) -> None:
    receiver.answer = lambda _: (302, {"Location": receiver.url + "/elsewhere"})
    await published(open_client, keys)
    await telling.all_of_it(held, clock)
    assert [call.path for call in receiver.calls] == ["/hooks"]
    (delivery,) = (await read(open_client, keys, hook, "/deliveries"))["items"]
    assert (delivery["state"], delivery["last_status"]) == ("pending", 302)


async def test_in_a_market_open_to_all_this_machine_is_not_called(
    open_client: httpx2.AsyncClient,
    keys: Keys,
    hook: dict[str, Any],
    resources: Resources,
    receiver: Receiver,
    clock: StandingClock,
) -> None:
    """The address was taken when closed networks were, and is refused when it is called."""
    await published(open_client, keys)
    await telling.all_of_it(resources, clock)
    assert receiver.calls == []
    (delivery,) = (await read(open_client, keys, hook, "/deliveries"))["items"]
    assert (delivery["state"], delivery["last_status"]) == ("pending", None)
    assert delivery["last_error"].startswith("refused: ")


async def test_a_name_is_connected_to_by_the_address_that_was_checked(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second look at the name would find nothing: no resolver knows it."""

    async def checked(target: object, *, private: bool) -> object:
        return ip_address("127.0.0.1")

    monkeypatch.setattr(calling, "resolve", checked)
    port = receiver.server_address[1]
    found = await calling.call(f"http://erp.invalid:{port}/x", {}, b"{}", seconds=5, private=True)
    assert found.status == 204
    assert receiver.calls[0].headers["host"] == f"erp.invalid:{port}"


@pytest.mark.parametrize(
    ("name", "trusted", "status"),
    [("erp.invalid", True, 204), ("other.invalid", True, None), ("erp.invalid", False, None)],
)
async def test_the_certificate_must_be_of_the_name_though_the_address_is_called(
    receiver: Receiver, certificate: Path, monkeypatch: pytest.MonkeyPatch, name: str, trusted: bool, status: int | None
) -> None:
    async def checked(target: object, *, private: bool) -> object:
        return ip_address("127.0.0.1")

    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(certificate)
    receiver.socket = own.wrap_socket(receiver.socket, server_side=True)
    monkeypatch.setattr(calling, "resolve", checked)
    if trusted:
        monkeypatch.setattr(calling, "_trust", lambda: ssl.create_default_context(cafile=str(certificate)))
    url = f"https://{name}:{receiver.server_address[1]}/x"
    found = await calling.call(url, {}, b"{}", seconds=10, private=False)
    assert found.status == status, found
    assert found.error == (None if status else "ConnectError")


async def test_an_endpoint_that_does_not_answer_or_does_not_end_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"/endless" in head:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
            while not writer.is_closing():
                writer.write(b"x" * 65_536)
                try:
                    await writer.drain()
                except ConnectionError:
                    break
        writer.close()

    server = await asyncio.start_server(endless, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        found = await calling.call(f"http://127.0.0.1:{port}/endless", {}, b"{}", seconds=20, private=True)
        assert (found.status, found.delivered) == (200, True)
        cut = await calling.call(f"http://127.0.0.1:{port}/cut", {}, b"{}", seconds=20, private=True)
        assert (cut.status, cut.error) == (None, "RemoteProtocolError")
    closed = await calling.call(f"http://127.0.0.1:{port}/", {}, b"{}", seconds=5, private=True)
    assert (closed.status, closed.error) == (None, "ConnectError")

    async def never(*_: object, **__: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(calling, "_post", never)
    late = await calling.call(f"http://127.0.0.1:{port}/", {}, b"{}", seconds=5, private=True)
    assert late.error == "no answer in time"


async def test_an_endpoint_of_a_suspended_organization_is_not_called_meanwhile(
    open_client: httpx2.AsyncClient, keys: Keys, hook: dict[str, Any], held: Resources, receiver: Receiver
) -> None:
    await post(open_client, keys, hook, "test")
    address = f"/v1/organizations/{keys.enterprise.organization_id}"
    for action, calls in (("suspend", 0), ("restore", 1)):
        body = {"reason": "资料待核实"}
        answer = await open_client.post(f"{address}/{action}", json=body, headers=keys.headers("administrator"))
        assert answer.status_code == 200, answer.text
        await telling.call(held)
        assert len(receiver.calls) == calls


async def test_ordered_deliveries_wait_for_the_one_before(
    open_client: httpx2.AsyncClient,
    keys: Keys,
    hook: dict[str, Any],
    held: Resources,
    receiver: Receiver,
    clock: StandingClock,
) -> None:
    body = {"url": receiver.url, "types": ["need.publish", "need.withdraw"], "ordered": True}
    headers = keys.headers("enterprise") | {"If-Match": '"1"'}
    assert (await open_client.put(f"{PATH}/{hook['id']}", json=body, headers=headers)).status_code == 200
    first, second = await published(open_client, keys), await published(open_client, keys)
    for need in (first, second):
        assert (await step(open_client, keys, "enterprise", need, "withdraw")).status_code == 200
    held_up = first["id"]

    def of(call: Any) -> tuple[str, str]:
        data = json.loads(call.body)["data"]
        return data["subject"]["id"], data["action"]

    receiver.answer = lambda call: (500 if of(call) == (held_up, "publish") else 200, {})
    await telling.all_of_it(held, clock)
    assert [of(call) for call in receiver.calls if of(call)[0] == held_up] == [(held_up, "publish")]
    assert [of(call)[1] for call in receiver.calls if of(call)[0] == second["id"]] == ["publish", "withdraw"]
    receiver.answer = lambda _: (200, {})
    clock.move(minutes=1)
    await telling.call(held, clock)
    assert [of(call)[1] for call in receiver.calls if of(call)[0] == held_up] == ["publish", "publish", "withdraw"]


async def test_workers_side_by_side_deliver_each_once(
    open_client: httpx2.AsyncClient, keys: Keys, hook: dict[str, Any], held: Resources, receiver: Receiver, pool: Pool
) -> None:
    for _ in range(30):
        await post(open_client, keys, hook, "test")
    await asyncio.gather(*(telling.call(held) for _ in range(4)))
    ids = [call.id for call in receiver.calls]
    assert len(ids) == len(set(ids)) == 30
    assert await pool.fetchval("select count(*) from webhook_attempt") == 30


async def test_nobody_fills_a_round_with_endpoints_of_its_own(
    open_client: httpx2.AsyncClient, keys: Keys, held: Resources, receiver: Receiver, clock: StandingClock
) -> None:
    """Twelve endpoints that hang, with four deliveries due at each, and one delivery of another organization behind them."""
    for role, endpoints, tests in (("provider", 12, 4), ("enterprise", 1, 1)):
        for _ in range(endpoints):
            made = await open_client.post(PATH, json={"url": receiver.url}, headers=keys.headers(role))
            for _ in range(tests):
                answer = await open_client.post(f"{PATH}/{made.json()['id']}/test", headers=keys.headers(role))
                assert answer.status_code == 201, answer.text
    clock.instant = datetime.now(UTC) + timedelta(seconds=1)
    async with transaction(held.pool, SYSTEM) as connection:
        until = clock.instant + timedelta(minutes=2)
        leased = await delivering_repository.lease(connection, clock.instant, until, of_each=4, limit=32)
    of = Counter(each.organization_id for each in leased)
    assert of == {keys.provider.organization_id: 31, keys.enterprise.organization_id: 1}


async def test_a_worker_that_was_killed_is_followed_and_the_late_one_notes_nothing(
    open_client: httpx2.AsyncClient, keys: Keys, hook: dict[str, Any], held: Resources, receiver: Receiver, clock: StandingClock,
    pool: Pool, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    await published(open_client, keys)
    await telling.tell(held, clock)
    real = delivering._call

    async def slow(*parts: Any) -> Any:
        monkeypatch.setattr(delivering, "_call", real)
        await telling.call(held, clock)
        assert receiver.calls == [], "the lease holds"
        clock.move(minutes=3)
        await telling.call(held, clock)
        return await real(*parts)

    monkeypatch.setattr(delivering, "_call", slow)
    await telling.call(held, clock)
    assert len(receiver.calls) == 2
    assert len({call.id for call in receiver.calls}) == 1
    assert await pool.fetchval("select count(*) from webhook_attempt") == 1


async def test_a_secret_that_cannot_be_read_is_said_and_sends_nothing(
    open_client: httpx2.AsyncClient,
    keys: Keys,
    hook: dict[str, Any],
    held: Resources,
    receiver: Receiver,
    clock: StandingClock,
) -> None:
    (held.settings.home / "webhook.key").unlink()
    await published(open_client, keys)
    await telling.all_of_it(held, clock)
    assert receiver.calls == []
    (delivery,) = (await read(open_client, keys, hook, "/deliveries"))["items"]
    assert delivery["last_error"] == "the service cannot read the secret"


async def test_what_a_side_may_not_know_is_not_in_a_body(held: Resources, pool: Pool) -> None:
    from service.notices.model import Event
    from service.webhooks.payload import body_of

    event = Event(
        UUID(int=1), datetime(2026, 3, 4, tzinfo=UTC), "recommendation", UUID(int=2), "accept", "accepted", UUID(int=3), UUID(int=4),
        {"code": None, "rank": 7, "decision": "x"},
    )  # fmt: skip
    assert json.loads(body_of(event)) == {
        "type": "recommendation.accept",
        "timestamp": "2026-03-04T00:00:00+00:00",
        "data": {
            "event_id": str(UUID(int=1)),
            "subject": {"kind": "recommendation", "id": str(UUID(int=2))},
            "action": "accept",
            "state": "accepted",
        },
    }
