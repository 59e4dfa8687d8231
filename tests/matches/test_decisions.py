"""What brokers decide, what is kept of it, and matching a text that is not stored."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx2
import pytest

from matching.embedding import Encoded, FakeEncoder, SilentTextError
from service import worker
from service.kit.clock import now
from service.resources import Resources
from tests.conftest import Keys
from tests.matches.test_worker import NEEDS, OUTCOMES, drain, matches, publish, publish_all


@pytest.fixture
async def pairs(client: httpx2.AsyncClient, keys: Keys, resources: Resources) -> list[dict[str, Any]]:
    needs, _ = await publish_all(client, keys)
    await drain(resources)
    return await matches(client, keys, needs[0])


async def decide(
    client: httpx2.AsyncClient, keys: Keys, pair: dict[str, Any], role: str = "broker", **body: Any
) -> httpx2.Response:
    return await client.post(f"/v1/recommendations/{pair['id']}/decisions", json=body, headers=keys.headers(role))


async def test_a_decision_keeps_rank_model_and_features(
    client: httpx2.AsyncClient, keys: Keys, pairs: list[dict[str, Any]]
) -> None:
    answer = await decide(client, keys, pairs[1], action="decline", code="too_early", note="仍在小试")
    assert answer.status_code == 201, answer.text
    decision = answer.json()
    assert decision["rank"] == pairs[1]["rank"] == 2
    assert decision["model_version"] == pairs[1]["model_version"]
    assert decision["features"] == pairs[1]["explanation"]
    read = (await client.get(f"/v1/recommendations/{pairs[1]['id']}", headers=keys.headers("broker"))).json()
    assert read["state"] == "declined"
    assert read["decisions"] == [decision]


async def test_a_pair_is_decided_once(client: httpx2.AsyncClient, keys: Keys, pairs: list[dict[str, Any]]) -> None:
    assert (await decide(client, keys, pairs[0], action="accept")).status_code == 201
    assert (await decide(client, keys, pairs[0], action="decline", code="vague")).status_code == 409


async def test_a_decision_on_what_has_changed_is_refused(
    client: httpx2.AsyncClient, keys: Keys, pairs: list[dict[str, Any]]
) -> None:
    path, headers = f"/v1/recommendations/{pairs[0]['id']}/decisions", keys.headers("broker") | {"If-Match": '"99"'}
    assert (await client.post(path, json={"action": "accept"}, headers=headers)).status_code == 412
    assert (await decide(client, keys, pairs[0], action="accept")).status_code == 201


@pytest.mark.parametrize(
    ("role", "status"),
    [("enterprise", 404), ("provider", 404), ("operator", 403), ("authority", 403), ("administrator", 201)],
)
async def test_brokers_decide_and_others_do_not(
    client: httpx2.AsyncClient, keys: Keys, pairs: list[dict[str, Any]], role: str, status: int
) -> None:
    assert (await decide(client, keys, pairs[0], role, action="accept")).status_code == status


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ({"action": "decline"}, "code_with_decline"),
        ({"action": "accept", "code": "vague"}, "code_with_decline"),
        ({"action": "decline", "code": "other"}, "note_with_other"),
        ({"action": "snooze"}, "until_with_snooze"),
        ({"action": "snooze", "snoozed_until": "2020-01-01T00:00:00+08:00"}, "future"),
        ({"action": "snooze", "snoozed_until": "2030-01-01T00:00:00"}, "timezone_aware"),
        ({"action": "buy"}, "literal_error"),
    ],
)
async def test_an_incomplete_decision_says_what_is_missing(
    client: httpx2.AsyncClient, keys: Keys, pairs: list[dict[str, Any]], body: dict[str, Any], rule: str
) -> None:
    answer = await decide(client, keys, pairs[0], **body)
    assert answer.status_code == 422
    assert [error["rule"] for error in answer.json()["errors"]] == [rule]


async def test_a_snoozed_pair_comes_back(
    client: httpx2.AsyncClient,
    keys: Keys,
    pairs: list[dict[str, Any]],
    resources: Resources,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    until = datetime.now(UTC) + timedelta(days=3)
    assert (await decide(client, keys, pairs[0], action="snooze", snoozed_until=until.isoformat())).status_code == 201
    address = f"/v1/recommendations/{pairs[0]['id']}"
    await worker.keep_house(resources)
    assert (await client.get(address, headers=keys.headers("broker"))).json()["state"] == "snoozed"
    monkeypatch.setattr(worker, "now", lambda: now() + timedelta(days=4))
    await worker.keep_house(resources)
    assert (await client.get(address, headers=keys.headers("broker"))).json()["state"] == "proposed"


async def test_two_brokers_at_once_decide_once(
    client: httpx2.AsyncClient, keys: Keys, pairs: list[dict[str, Any]], pool: Any
) -> None:
    import asyncio

    answers = await asyncio.gather(*(decide(client, keys, pairs[0], action="accept") for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert await pool.fetchval("select count(*) from decision") == 1


async def test_a_decision_survives_a_new_ranking(
    client: httpx2.AsyncClient, keys: Keys, pairs: list[dict[str, Any]], resources: Resources, pool: Any
) -> None:
    await decide(client, keys, pairs[0], action="accept")
    await pool.execute("update listing_matching set ranked_at = null")
    await drain(resources)
    address = f"/v1/recommendations/{pairs[0]['id']}"
    assert (await client.get(address, headers=keys.headers("broker"))).json()["state"] == "accepted"


async def test_a_text_is_matched_without_being_stored(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Any
) -> None:
    await publish_all(client, keys)
    await drain(resources)
    before = await pool.fetchval("select count(*) from match_profile")
    body = {"looking_for": "outcomes", "text": NEEDS[1], "limit": 2}
    first = await client.post("/v1/match", json=body, headers=keys.headers("enterprise"))
    again = await client.post("/v1/match", json=body, headers=keys.headers("enterprise"))
    assert first.status_code == 200, first.text
    assert first.json()["items"][0]["counterpart"]["title"] == OUTCOMES[1]
    assert first.json() == again.json()
    assert await pool.fetchval("select count(*) from match_profile") == before
    needs = await client.post(
        "/v1/match", json={"looking_for": "needs", "text": OUTCOMES[2]}, headers=keys.headers("provider")
    )
    assert needs.json()["items"][0]["counterpart"]["title"] == NEEDS[2]
    assert needs.json()["items"][0]["counterpart"]["organization"] is None


async def test_before_a_model_serves_a_text_is_to_be_sent_again(
    client: httpx2.AsyncClient, keys: Keys, owner_url: str
) -> None:
    owner = await asyncpg.connect(owner_url)
    await owner.execute("update matching.embedding_model set state = 'retired'")
    await owner.close()
    body = {"looking_for": "outcomes", "text": NEEDS[1]}
    answer = await client.post("/v1/match", json=body, headers=keys.headers("enterprise"))
    assert (answer.status_code, "No embedding model" in answer.json()["detail"]) == (503, True)


async def test_stored_and_ad_hoc_lists_agree(client: httpx2.AsyncClient, keys: Keys, resources: Resources) -> None:
    needs, _ = await publish_all(client, keys)
    await drain(resources)
    body = {"looking_for": "outcomes", "title": NEEDS[0], "text": NEEDS[0]}
    stored = {i["counterpart"]["id"]: i["level"] for i in await matches(client, keys, needs[0])}
    found = (await client.post("/v1/match", json=body, headers=keys.headers("enterprise"))).json()["items"]
    assert found[0]["counterpart"]["id"] == next(iter(stored))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"looking_for": "outcomes", "text": "x", "only_field": "astrology"}, "text"),
        ({"looking_for": "outcomes", "text": "干燥", "field": "astrology"}, "field"),
        ({"looking_for": "outcomes", "text": "干燥", "region": "999999"}, "region"),
        ({"looking_for": "money", "text": "干燥"}, "looking_for"),
        ({"looking_for": "outcomes", "text": "长" * 20_001}, "text"),
    ],
)
async def test_a_bad_ad_hoc_request_names_its_field(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, body: dict[str, Any], field: str
) -> None:
    await worker.keep_house(resources)
    answer = await client.post("/v1/match", json=body, headers=keys.headers("enterprise"))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_listings_expire_after_their_last_day(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    need = await publish(client, keys, "needs", NEEDS[0], expires_on="2027-01-31")
    monkeypatch.setattr(worker, "today", lambda: datetime(2027, 1, 31).date())
    await worker.keep_house(resources)
    assert (await client.get(f"/v1/needs/{need}", headers=keys.headers("enterprise"))).json()["state"] == "published"
    monkeypatch.setattr(worker, "today", lambda: datetime(2027, 2, 1).date())
    await worker.keep_house(resources)
    assert (await client.get(f"/v1/needs/{need}", headers=keys.headers("enterprise"))).json()["state"] == "expired"


async def test_a_new_model_is_filled_in_beside_the_old_one_and_then_serves(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matching.embedding.fake import FakeEncoder
    from service import encoders as encoders_module
    from service.encoders import Encoders
    from service.resources import Resources as Held

    needs, _ = await publish_all(client, keys)
    await drain(resources)
    sources = {"fake": 48, "newer": 64}
    monkeypatch.setattr(
        encoders_module, "load_configured_encoder", lambda _, source: FakeEncoder(sources[source], name=source)
    )
    fresh = Encoders(resources.settings.model_copy(update={"model": "newer"}))
    held = Held(resources.settings, resources.urls, resources.pool, fresh)
    try:
        await worker.keep_house(held)
        states = await pool.fetch("select name, state from embedding_model order by id")
        assert [tuple(state) for state in states] == [("fake", "active"), ("newer", "building")]
        assert await matches(client, keys, needs[0]) != []
        await worker.drain(held, concurrency=4)
        await worker.drain(held, concurrency=4)
        states = await pool.fetch("select name, state from embedding_model order by id")
        assert [tuple(state) for state in states] == [("fake", "retired"), ("newer", "active")]
        assert await pool.fetchval("select count(distinct model_id) from match_vector") == 1
        assert await pool.fetchval("select count(*) from match_vector") == len(NEEDS) + len(OUTCOMES)
    finally:
        await fresh.close()


async def test_a_text_that_says_nothing_to_the_model_is_refused(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    await worker.keep_house(resources)

    def knows_no_token(self: FakeEncoder, texts: object, role: str) -> list[Encoded]:
        raise SilentTextError("the text has no token that the model knows")

    monkeypatch.setattr(FakeEncoder, "encode", knows_no_token)
    body = {"looking_for": "outcomes", "text": "\u200b\u200b"}
    answer = await client.post("/v1/match", json=body, headers=keys.headers("enterprise"))
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == "text"
