"""From publication to stored matches: jobs, both directions, withdrawal, and what a crash leaves."""

import asyncio
from typing import Any

import httpx2
import pytest

from matching.index import postings
from matching.indicators.stored import PARSER
from matching.profiling import TOKENIZER
from service import worker
from service.kit import queue
from service.kit.actor import SYSTEM
from service.kit.db import transaction
from service.matches import indexing
from service.matches.models import rank_everything
from service.resources import Resources
from tests.conftest import Keys
from tests.http.test_needs import published

NEEDS = ["枸杞鲜果快速干燥装备", "锂电池隔膜耐热涂层", "奶牛乳房炎早期监测"]
OUTCOMES = ["枸杞真空脉动干燥装备", "陶瓷涂层锂电池隔膜", "奶牛乳房炎快速检测试纸", "葡萄酒低温发酵菌株"]


async def publish(client: httpx2.AsyncClient, keys: Keys, kind: str, title: str, **content: Any) -> str:
    author, steps = (
        ("enterprise", ("submit", "publish")) if kind == "needs" else ("provider", ("submit", "verify", "publish"))
    )
    made = await client.post(f"/v1/{kind}", json={"title": title, **content}, headers=keys.headers(author))
    assert made.status_code == 201, made.text
    for step in steps:
        role = {"submit": author, "verify": "operator", "publish": "broker"}[step]
        done = await client.post(f"/v1/{kind}/{made.json()['id']}/{step}", headers=keys.headers(role))
        assert done.status_code == 200, done.text
    identifier: str = made.json()["id"]
    return identifier


async def publish_all(client: httpx2.AsyncClient, keys: Keys) -> tuple[list[str], list[str]]:
    needs = [await publish(client, keys, "needs", title) for title in NEEDS]
    return needs, [await publish(client, keys, "outcomes", title) for title in OUTCOMES]


async def drain(resources: Resources) -> None:
    await worker.drain(resources, concurrency=4)


async def titles(client: httpx2.AsyncClient, keys: Keys, path: str, role: str = "broker") -> list[str]:
    answer = await client.get(path, headers=keys.headers(role))
    assert answer.status_code == 200, answer.text
    return [item["counterpart"]["title"] for item in answer.json()["items"]]


async def test_published_listings_are_ranked_both_ways(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources
) -> None:
    needs, outcomes = await publish_all(client, keys)
    pending = (await client.get(f"/v1/needs/{needs[0]}/matches", headers=keys.headers("enterprise"))).json()
    assert (pending["status"], pending["items"]) == ("pending", [])
    await drain(resources)
    page = (await client.get(f"/v1/needs/{needs[0]}/matches", headers=keys.headers("enterprise"))).json()
    assert page["status"] == "ranked"
    assert page["items"][0]["counterpart"]["title"] == OUTCOMES[0]
    assert [item["rank"] for item in page["items"]] == list(range(1, len(page["items"]) + 1))
    of_outcome = (await client.get(f"/v1/outcomes/{outcomes[1]}/matches", headers=keys.headers("provider"))).json()
    best = of_outcome["items"][0]
    assert best["counterpart"]["title"] == NEEDS[1]
    assert best["counterpart"]["organization"] is None
    same = [i for i in (await matches(client, keys, needs[1])) if i["counterpart"]["id"] == outcomes[1]]
    assert same[0]["probability"] == best["probability"]


async def matches(client: httpx2.AsyncClient, keys: Keys, need: str, query: str = "") -> list[dict[str, Any]]:
    answer = await client.get(f"/v1/needs/{need}/matches{query}", headers=keys.headers("broker"))
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_matches_are_for_the_owner_and_staff(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources
) -> None:
    need = await publish(client, keys, "needs", NEEDS[0])
    for role, status in {"enterprise": 200, "broker": 200, "stranger": 403, "provider": 403}.items():
        assert (await client.get(f"/v1/needs/{need}/matches", headers=keys.headers(role))).status_code == status
    assert (await client.get(f"/v1/outcomes/{need}/matches", headers=keys.headers("broker"))).status_code == 404


async def test_pages_of_matches_follow_each_other(client: httpx2.AsyncClient, keys: Keys, resources: Resources) -> None:
    needs, _ = await publish_all(client, keys)
    await drain(resources)
    whole = await matches(client, keys, needs[0])
    assert len(whole) == len(OUTCOMES)
    paged, query = [], "?limit=3"
    while True:
        answer = await client.get(f"/v1/needs/{needs[0]}/matches{query}", headers=keys.headers("broker"))
        paged += answer.json()["items"]
        if answer.json()["next"] is None:
            break
        query = f"?limit=3&cursor={answer.json()['next']}"
    assert paged == whole
    levels = {item["level"] for item in whole}
    for level in levels:
        assert {item["level"] for item in await matches(client, keys, needs[0], f"?level={level}")} == {level}


async def test_a_withdrawn_listing_leaves_index_and_lists(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Any
) -> None:
    needs, outcomes = await publish_all(client, keys)
    await drain(resources)
    assert OUTCOMES[0] in await titles(client, keys, f"/v1/needs/{needs[0]}/matches")
    done = await client.post(f"/v1/outcomes/{outcomes[0]}/withdraw", headers=keys.headers("provider"))
    assert done.status_code == 200
    assert OUTCOMES[0] not in await titles(client, keys, f"/v1/needs/{needs[0]}/matches")
    found = await client.post(
        "/v1/match", json={"looking_for": "outcomes", "text": NEEDS[0]}, headers=keys.headers("broker")
    )
    assert OUTCOMES[0] not in [item["counterpart"]["title"] for item in found.json()["items"]]
    async with pool.acquire() as connection:
        gone = await connection.fetchval("select count(*) from recommendation where state = 'superseded'")
        events = await connection.fetchval("select count(*) from event where action = 'supersede'")
        terms = await connection.fetchval("select count(*) from match_vocabulary where outcomes < 0 or needs < 0")
    assert gone == events > 0
    assert terms == 0


async def test_a_published_correction_is_ranked_anew(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources
) -> None:
    needs, _ = await publish_all(client, keys)
    await drain(resources)
    tag = (await client.get(f"/v1/needs/{needs[0]}", headers=keys.headers("broker"))).headers["ETag"]
    changed = await client.put(
        f"/v1/needs/{needs[0]}",
        json={"title": "葡萄酒低温发酵菌株选育"},
        headers=keys.headers("broker") | {"If-Match": tag},
    )
    assert changed.status_code == 200
    await drain(resources)
    assert (await titles(client, keys, f"/v1/needs/{needs[0]}/matches"))[0] == OUTCOMES[3]


async def test_a_job_that_runs_twice_changes_nothing(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Any
) -> None:
    await publish_all(client, keys)
    await drain(resources)

    async def state() -> list[Any]:
        async with pool.acquire() as connection:
            return [
                await connection.fetch(
                    "select need_id, outcome_id, state, score, explanation from recommendation order by 1, 2"
                ),
                await connection.fetch("select term, needs, outcomes from match_vocabulary order by 1"),
                await connection.fetch("select profile_id, embedding::text from match_vector order by 1"),
            ]

    before = await state()
    async with transaction(pool, SYSTEM) as connection:
        for row in await connection.fetch("select id, version from listing"):
            await queue.enqueue_index(connection, row["id"], row["version"])
    await drain(resources)
    assert await state() == before


async def test_what_no_job_stands_for_is_picked_up(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Any
) -> None:
    needs, _ = await publish_all(client, keys)
    await pool.execute("delete from pgqueuer")
    await drain(resources)
    assert (await titles(client, keys, f"/v1/needs/{needs[0]}/matches"))[0] == OUTCOMES[0]


async def test_what_is_indexed_waits_for_its_ranking_and_is_not_indexed_again(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Any
) -> None:
    await publish_all(client, keys)
    await worker.keep_house(resources)
    for row in await pool.fetch("select id from listing"):
        await indexing.index_listing(resources, row["id"], bulk=True)
    await pool.execute("delete from pgqueuer where entrypoint = 'index'")
    waiting = await pool.fetch("select entrypoint, dedupe_key from pgqueuer order by dedupe_key")
    assert {row["entrypoint"] for row in waiting} == {"rank"}
    await worker.keep_house(resources)
    assert await pool.fetch("select entrypoint, dedupe_key from pgqueuer order by dedupe_key") == waiting
    await pool.execute("delete from pgqueuer")
    await worker.keep_house(resources)
    assert await pool.fetch("select entrypoint, dedupe_key from pgqueuer order by dedupe_key") == waiting


async def test_what_an_older_parser_read_is_indexed_anew(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Any
) -> None:
    need = await publish(client, keys, "needs", NEEDS[0], indicators=["干燥时间≤12 h"])
    await drain(resources)
    await pool.execute("update matching.match_profile set indicator_parser = 0, indicators = '[]'")
    await drain(resources)
    row = await pool.fetchrow(
        "select indicator_parser, indicators::text from matching.match_profile where id = $1", need
    )
    assert row["indicator_parser"] == PARSER
    assert "干燥时间" in row["indicators"]


async def test_figures_asked_for_are_answered_with_both_sentences(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources
) -> None:
    need = await publish(client, keys, "needs", NEEDS[0], indicators=["干燥时间≤12 h", "含水率≤13%"])
    await publish(client, keys, "outcomes", OUTCOMES[0], indicators=["干燥时间8~10 h"])
    await drain(resources)
    (match,) = (await client.get(f"/v1/needs/{need}/matches", headers=keys.headers("broker"))).json()["items"]
    assert [(row["quantity"], row["verdict"]) for row in match["indicators"]] == [
        ("干燥时间", "met"),
        ("含水率", "not_stated"),
    ]
    first, second = match["indicators"]
    assert (first["need_sentence"], first["outcome_sentence"]) == ("干燥时间≤12 h", "干燥时间8~10 h")
    assert (first["asked"], first["answered"]) == ("≤12 h", "8–10 h")
    assert (second["outcome_sentence"], second["answered"]) == ("", "")
    assert "figures: 1 of 2 met, 1 not stated" in match["reason"]
    whole = await client.get(f"/v1/recommendations/{match['id']}", headers=keys.headers("broker"))
    assert whole.json()["indicators"] == match["indicators"]
    asked = {"looking_for": "outcomes", "text": "枸杞鲜果快速干燥装备", "indicators": ["干燥时间≤6 h"]}
    found = await client.post("/v1/match", json=asked, headers=keys.headers("enterprise"))
    assert [row["verdict"] for row in found.json()["items"][0]["indicators"]] == ["not_met"]


async def test_a_failing_job_is_tried_again(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    need = await publish(client, keys, "needs", NEEDS[0])
    await publish(client, keys, "outcomes", OUTCOMES[0])
    real, failures = indexing.rank_listing, [0]

    async def flaky(*args: Any) -> None:
        failures[0] += 1
        if failures[0] == 1:
            raise RuntimeError("once")
        await real(*args)

    monkeypatch.setattr(indexing, "rank_listing", flaky)
    await asyncio.wait_for(drain(resources), 30)
    assert failures[0] >= 2
    assert await titles(client, keys, f"/v1/needs/{need}/matches") == [OUTCOMES[0]]


async def test_a_pair_within_one_organization_is_marked_and_not_hidden(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Any
) -> None:
    need = await publish(client, keys, "needs", NEEDS[0])
    outcome = await publish(client, keys, "outcomes", OUTCOMES[0])
    await pool.execute(
        "update listing set organization_id = $1 where id = $2::text::uuid", keys.enterprise.organization_id, outcome
    )
    await drain(resources)
    (pair,) = await matches(client, keys, need)
    assert pair["conflicts"] == ["own_organization"]


async def test_terms_of_an_older_tokenizer_are_rewritten_and_everything_is_ranked_anew(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Any
) -> None:
    needs, _ = await publish_all(client, keys)
    await drain(resources)
    path = f"/v1/needs/{needs[0]}/matches"
    terms = "select term, needs, outcomes from match_vocabulary order by 1"
    before, lists = await pool.fetch(terms), await titles(client, keys, path)
    await pool.execute("update match_lexeme set tokenizer = $1", TOKENIZER - 1)
    await pool.execute("update match_lexicon set tokenizer = $1", TOKENIZER - 1)
    # What the older code cut and this one does not: a term that no text gives any more.
    await pool.execute("insert into match_vocabulary (term) values ('older')")
    await worker.keep_house(resources)
    stamps = "select distinct tokenizer from match_lexeme union select tokenizer from match_lexicon"
    assert [row[0] for row in await pool.fetch(stamps)] == [TOKENIZER]
    assert await pool.fetch(terms) == before
    waiting = await pool.fetchval("select count(*) from pgqueuer where entrypoint = 'rank'")
    assert waiting == len(NEEDS) + len(OUTCOMES)
    await drain(resources)
    assert await titles(client, keys, path) == lists
    await worker.keep_house(resources)
    assert await pool.fetchval("select count(*) from pgqueuer") == 0


async def test_only_what_is_indexed_is_asked_to_be_ranked_anew(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Any
) -> None:
    """A ranking of what is not indexed yet finds nothing and, while it runs, keeps out the one that indexing asks for."""
    asked = "select count(*) from pgqueuer where entrypoint = 'rank'"
    await publish_all(client, keys)
    async with transaction(pool, SYSTEM) as connection:
        await rank_everything(connection)
        assert await connection.fetchval(asked) == 0
    await drain(resources)
    async with transaction(pool, SYSTEM) as connection:
        await rank_everything(connection)
        assert await connection.fetchval(asked) == len(NEEDS) + len(OUTCOMES)


async def test_terms_are_packed_when_many_lie_unpacked(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish_all(client, keys)
    await drain(resources)
    assert await pool.fetchval("select count(*) from match_segment") == 0
    monkeypatch.setattr(postings, "LEAST_PACKED", len(NEEDS))
    await worker.keep_house(resources)
    packed = await pool.fetch("select kind, octet_length(numbers) / 4 as rows from match_segment order by kind")
    assert [tuple(row) for row in packed] == [("need", len(NEEDS)), ("outcome", len(OUTCOMES))]
    need = await publish(client, keys, "needs", "葡萄酒低温发酵")
    await drain(resources)
    assert (await titles(client, keys, f"/v1/needs/{need}/matches"))[0] == OUTCOMES[3]


async def test_fields_of_one_group_and_the_deadline_have_their_reasons(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources
) -> None:
    need = await publish(client, keys, "needs", NEEDS[0], field="goji", needed_by="2020-01-31")
    await publish(client, keys, "outcomes", OUTCOMES[0], field="wine", maturity=6)
    await drain(resources)
    (match,) = await matches(client, keys, need)
    assert match["conflicts"] == ["deadline_passed"]
    assert "neighbouring fields, both of Agriculture" in match["reason"]
    assert "the need's deadline 2020-01-31 has passed" in match["reason"]
    asked = {"looking_for": "outcomes", "text": NEEDS[0], "field": "goji"}
    found = await client.post(
        "/v1/match", json=asked, headers=keys.headers("enterprise") | {"Accept-Language": "zh-CN"}
    )
    assert "领域相近，同属现代农业" in found.json()["items"][0]["reason"]
    late = await client.post("/v1/match", json=asked | {"needed_by": "2020-01-31"}, headers=keys.headers("enterprise"))
    assert late.json()["items"][0]["conflicts"] == ["deadline_passed"]
    wrong = {"looking_for": "needs", "text": OUTCOMES[0], "needed_by": "2027-01-31"}
    refused = await client.post("/v1/match", json=wrong, headers=keys.headers("provider"))
    assert (refused.status_code, refused.json()["errors"][0]["rule"]) == (422, "deadline_of_need")


@pytest.mark.parametrize("piece", ["(5%)", "九", "لا يقل عن 5 ", "heat pump drying, ", "\u200b"])
async def test_a_text_of_twenty_thousand_characters_is_stored_indexed_ranked_and_matched(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, piece: str
) -> None:
    text = (piece * (20_000 // len(piece)))[:20_000]
    content = {"title": "测试文本", "description": text, "goals": text, "indicators": [f"产量{'九' * 400}吨"]}
    need = await published(client, keys, **content)
    outcome = {"title": "测试成果", "description": text, "innovations": text}
    made = await client.post("/v1/outcomes", json=outcome, headers=keys.headers("provider"))
    assert made.status_code == 201, made.text
    for role, action in (("provider", "submit"), ("operator", "verify"), ("broker", "publish")):
        answer = await client.post(f"/v1/outcomes/{made.json()['id']}/{action}", headers=keys.headers(role))
        assert answer.status_code == 200, answer.text
    await worker.drain(resources, concurrency=2)
    hints = await client.post("/v1/needs/hints", json=content, headers=keys.headers("enterprise"))
    assert hints.status_code == 200, hints.text
    for wanted, role in (("outcomes", "enterprise"), ("needs", "provider")):
        body = {"looking_for": wanted, "text": text}
        answer = await client.post("/v1/match", json=body, headers=keys.headers(role))
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["items"]) == 1
    stored = await client.get(f"/v1/needs/{need['id']}/matches", headers=keys.headers("enterprise"))
    assert stored.json()["status"] == "ranked"
