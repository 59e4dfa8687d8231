"""Hints over HTTP: on request, at submission, for whom, and without an encoder."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from matching.embedding.fake import FakeEncoder
from matching.listing_hints import HintCode
from service import worker
from service.encoders import Encoders
from service.hints import service as hints
from service.hints.messages import CONDITIONS, WORDINGS
from service.resources import Resources
from service.settings import Settings
from tests.conftest import Keys
from tests.http.test_needs import NEED, post, published, step

TWIN = {
    "title": "枸杞鲜果的快速干燥",
    "description": "现用热风烘房干燥一批需要三十多个小时，成品发暗。求干燥时间短、能耗低的成套装备。",
    "indicators": ["单批干燥时间≤12 h", "含水率≤10%"],
}


async def asked(
    client: httpx2.AsyncClient, keys: Keys, content: dict[str, Any], *, role: str = "enterprise", path: str = "needs"
) -> dict[str, Any]:
    answer = await client.post(f"/v1/{path}/hints", json=content, headers=keys.headers(role))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def ready(resources: Resources) -> None:
    """Register the encoder's model and index what was published."""
    await worker.drain(resources, concurrency=2)


def codes(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(hint["code"], hint["field"]) for hint in answer["hints"]]


async def test_a_text_is_looked_at_and_not_stored(client: httpx2.AsyncClient, keys: Keys, pool: Any) -> None:
    answer = await asked(client, keys, {"title": "", "description": "大幅降低能耗，电话0951-0000001"})
    assert codes(answer) == [
        ("contact_in_text", "description"),
        ("no_indicator", "indicators"),
        ("title_short", "title"),
        ("description_short", "description"),
        ("vague_word", "description"),
        ("no_field", "field"),
        ("no_maturity", "maturity_min"),
        ("no_price", "budget_max"),
        ("no_deadline", "needed_by"),
        ("no_modes", "modes"),
        ("no_keywords", "keywords"),
    ]
    assert answer["hints"][0]["excerpt"] == "0951-0000001"
    async with pool.acquire() as connection:
        assert await connection.fetchval("select count(*) from listing") == 0
        assert await connection.fetchval("select count(*) from event where subject_kind = 'need'") == 0


async def test_the_words_are_in_the_callers_language(client: httpx2.AsyncClient, keys: Keys) -> None:
    for language, message in {"zh": "没有关键词", "en": "There are no keywords"}.items():
        answer = await client.post(
            "/v1/outcomes/hints", json={}, headers=keys.headers("provider") | {"Accept-Language": language}
        )
        (hint,) = [hint for hint in answer.json()["hints"] if hint["code"] == "no_keywords"]
        assert hint["message"] == message
        assert hint["advice"]
        assert ("maturity", "no_maturity") in [(each["field"], each["code"]) for each in answer.json()["hints"]]


def test_every_hint_has_words_in_both_languages() -> None:
    assert set(WORDINGS) == set(HintCode.__args__)  # type: ignore[attr-defined]
    texts = [text for each in WORDINGS.values() for text in (each.message, each.advice)] + list(CONDITIONS.values())
    assert all(text.zh and text.en and text.zh != text.en for text in texts)


async def test_a_stored_need_read_back_can_be_asked_about(client: httpx2.AsyncClient, keys: Keys) -> None:
    need = await post(client, keys)
    answer = await client.post(f"/v1/needs/hints?replaces={need['id']}", json=need, headers=keys.headers("enterprise"))
    assert answer.status_code == 200
    assert answer.json()["duplicates"] == []
    without = (await asked(client, keys, need))["duplicates"]
    assert [(twin["id"], twin["similarity"], twin["same_organization"]) for twin in without] == [
        (need["id"], 1.0, True)
    ]


async def test_submitting_answers_with_hints_and_refuses_nothing(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources
) -> None:
    await ready(resources)
    need = await post(client, keys, title="降耗", description="大幅降低能耗", indicators=[], field=None)
    assert "hints" not in need
    answer = await step(client, keys, "enterprise", need, "submit")
    assert answer.status_code == 200
    body = answer.json()
    assert body["state"] == "submitted"
    assert answer.headers["ETag"] == '"2"'
    assert ("no_indicator", "indicators") in codes(body["hints"])
    assert (body["hints"]["complete"], body["hints"]["missing"]) == (True, [])
    stored = await client.get(f"/v1/needs/{need['id']}/hints", headers=keys.headers("enterprise"))
    assert stored.json() == body["hints"]
    by_broker = await step(client, keys, "broker", need, "publish")
    assert (by_broker.json()["state"], by_broker.json()["hints"]) == ("published", None)


async def test_a_submission_stands_where_hints_fail(
    client: httpx2.AsyncClient, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(hints, "find", broken)
    need = await post(client, keys)
    answer = await step(client, keys, "enterprise", need, "submit")
    assert (answer.status_code, answer.json()["state"], answer.json()["hints"]) == (200, "submitted", None)


async def test_hints_of_a_stored_listing_are_for_its_owner_and_staff(client: httpx2.AsyncClient, keys: Keys) -> None:
    draft = await post(client, keys)
    need = await published(client, keys)
    expected = {"enterprise": (200, 200), "broker": (200, 200), "stranger": (404, 403), "provider": (404, 403)}
    for role, statuses in expected.items():
        answers = [
            await client.get(f"/v1/needs/{each['id']}/hints", headers=keys.headers(role)) for each in (draft, need)
        ]
        assert tuple(answer.status_code for answer in answers) == statuses, role
    assert (await client.get(f"/v1/outcomes/{need['id']}/hints", headers=keys.headers("broker"))).status_code == 404
    assert (await client.post("/v1/needs/hints", json=NEED)).status_code == 401


async def test_what_has_no_meaning_is_refused_and_what_is_unknown_ignored(
    client: httpx2.AsyncClient, keys: Keys
) -> None:
    for content, field in (({"maturity_min": 12}, "maturity_min"), ({"title": "长" * 300}, "title")):
        answer = await client.post("/v1/needs/hints", json=content, headers=keys.headers("enterprise"))
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    answer = await asked(client, keys, {"state": "draft", "field": "no_such_field"})
    assert ("no_field", "field") in codes(answer)


async def test_near_duplicates_of_both_houses_are_found_with_their_figures(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources
) -> None:
    other = await published(client, keys)
    await published(
        client, keys, title="锂电池隔膜", description="陶瓷涂层的耐热与附着力不足，求配方与工艺。", indicators=[]
    )
    await ready(resources)
    own_draft = await post(client, keys, role="enterprise", **TWIN)
    for role, same in (("stranger", False), ("enterprise", True)):
        found = (await asked(client, keys, NEED | TWIN, role=role))["duplicates"]
        (twin,) = [each for each in found if each["id"] == other["id"]]
        assert (twin["same_organization"], twin["title"], twin["state"]) == (same, NEED["title"], "published")
        assert 0.6 < twin["similarity"] <= 1
        assert twin["differing_figures"] == [{"quantity": "含水率", "here": "含水率≤10%", "there": "含水率≤13%"}]
        # A draft is its owner's alone.
        assert (own_draft["id"] in [each["id"] for each in found]) is same


async def test_a_listing_is_no_duplicate_of_itself(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources
) -> None:
    need = await published(client, keys)
    await ready(resources)
    answer = await client.get(f"/v1/needs/{need['id']}/hints", headers=keys.headers("broker"))
    assert (answer.json()["duplicates"], answer.json()["complete"]) == ([], True)


async def test_field_keywords_and_indicators_are_offered(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources
) -> None:
    await published(client, keys, keywords=["枸杞", "热风烘房"])
    await ready(resources)
    text = "枸杞鲜果用热风烘房烘干太慢，枸杞干果发暗。要求干燥时间不超过12小时。"
    answer = await asked(client, keys, {"title": "枸杞烘干", "description": text, "keywords": ["枸杞"]})
    assert (answer["fields"][0]["code"], answer["fields"][0]["label"]) == ("goji", "Goji (wolfberry)")
    assert "热风烘房" in answer["keywords"]
    assert not any("枸杞" in word for word in answer["keywords"])
    assert answer["indicators"] == ["要求干燥时间不超过12小时"]


@pytest.mark.parametrize("state", ["loading", "busy", "failed"])
async def test_without_an_encoder_hints_come_without_what_needs_it(
    client: httpx2.AsyncClient,
    keys: Keys,
    resources: Resources,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    state: str,
) -> None:
    other = await published(client, keys)
    await ready(resources)
    own = await post(client, keys, **TWIN)
    release = asyncio.Event()
    if state == "busy":
        monkeypatch.setattr(hints, "PATIENCE_SECONDS", 0.05)

        async def never(*_: object, **__: object) -> None:
            await release.wait()

        monkeypatch.setattr(Encoders, "encode", never)
    else:
        lame = Encoders(settings, lambda _: FakeEncoder() if state == "loading" else _fail())
        if state == "failed":
            with pytest.raises(RuntimeError):
                await lame.primary.encoder()
        app: Any = client._transport.app  # type: ignore[attr-defined]
        monkeypatch.setattr(app.state, "resources", replace(resources, encoders=lame))
    answer = await asked(client, keys, NEED | TWIN)
    assert answer["complete"] is False
    assert answer["missing"] == ["duplicates", "fields", "keywords"]
    # Its own drafts are compared by their words alone.
    assert [twin["id"] for twin in answer["duplicates"]] == [own["id"]]
    assert other["id"] != own["id"]
    release.set()


def _fail() -> FakeEncoder:
    raise RuntimeError("no model")


async def test_a_long_text_of_anything_gets_hints(client: httpx2.AsyncClient, keys: Keys, resources: Resources) -> None:
    await ready(resources)
    for text in ("求" * 20_000, "1．" * 10_000, "（" * 20_000, "a.b@" * 5_000, "有限公司" * 5_000, "\u0000\ud7ff"):
        answer = await asked(client, keys, {"title": text[:200], "description": text, "goals": text}, path="needs")
        assert answer["complete"] is True
