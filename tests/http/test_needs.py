"""A need's life over HTTP, with every refusal on the way."""

from typing import Any

import httpx2
import pytest

from tests.conftest import Keys

NEED = {
    "title": "枸杞鲜果快速干燥",
    "description": "现用热风烘房干燥一批需要三十多个小时，成品发暗。求干燥时间短、能耗低的成套装备。",
    "indicators": ["单批干燥时间≤12 h", "含水率≤13%"],
    "keywords": ["枸杞", "干燥"],
    "field": "goji",
    "region": "640500",
    "modes": ["joint_rd"],
    "maturity_min": 6,
    "budget_max": "800000.00",
    "needed_by": "2027-07-31",
    "contact_name": "演示联系人",
    "contact_phone": "0951-0000001",
}


async def post(client: httpx2.AsyncClient, keys: Keys, role: str = "enterprise", **changes: Any) -> dict[str, Any]:
    answer = await client.post("/v1/needs", json=NEED | changes, headers=keys.headers(role))
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def step(client: httpx2.AsyncClient, keys: Keys, role: str, need: dict[str, Any], action: str) -> httpx2.Response:
    return await client.post(f"/v1/needs/{need['id']}/{action}", headers=keys.headers(role))


async def published(client: httpx2.AsyncClient, keys: Keys, **changes: Any) -> dict[str, Any]:
    need = await post(client, keys, **changes)
    assert (await step(client, keys, "enterprise", need, "submit")).status_code == 200
    answer = await step(client, keys, "broker", need, "publish")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_need_is_created_read_and_listed(client: httpx2.AsyncClient, keys: Keys) -> None:
    answer = await client.post("/v1/needs", json=NEED, headers=keys.headers("enterprise"))
    assert answer.status_code == 201
    need = answer.json()
    assert answer.headers["Location"] == f"/v1/needs/{need['id']}"
    assert answer.headers["ETag"] == '"1"'
    assert {name: need[name] for name in NEED} == NEED
    assert need["state"] == "draft"
    assert need["actions"] == ["submit", "withdraw"]
    read = await client.get(f"/v1/needs/{need['id']}", headers=keys.headers("enterprise"))
    assert read.json() == need
    listed = await client.get("/v1/needs?mine=true", headers=keys.headers("enterprise"))
    assert [item["id"] for item in listed.json()["items"]] == [need["id"]]


async def test_a_draft_does_not_exist_for_strangers(client: httpx2.AsyncClient, keys: Keys) -> None:
    need = await post(client, keys)
    for role in ("stranger", "provider"):
        assert (await client.get(f"/v1/needs/{need['id']}", headers=keys.headers(role))).status_code == 404
        assert (await client.get("/v1/needs", headers=keys.headers(role))).json()["items"] == []
        assert (await step(client, keys, role, need, "submit")).status_code == 404
    assert (await client.get(f"/v1/needs/{need['id']}", headers=keys.headers("broker"))).status_code == 200


async def test_the_way_to_publication_leaves_an_event_each(client: httpx2.AsyncClient, keys: Keys, pool: Any) -> None:
    need = await post(client, keys)
    assert (await step(client, keys, "enterprise", need, "publish")).status_code == 403
    assert (await step(client, keys, "broker", need, "publish")).status_code == 409
    assert (await step(client, keys, "enterprise", need, "submit")).json()["state"] == "submitted"
    assert (await step(client, keys, "enterprise", need, "submit")).status_code == 409
    assert (await step(client, keys, "broker", need, "refine")).json()["state"] == "refining"
    answer = await step(client, keys, "broker", need, "publish")
    assert answer.json()["state"] == "published"
    assert answer.json()["published_at"] is not None
    async with pool.acquire() as connection:
        events = await connection.fetch(
            "select action, from_state, to_state from event where subject_kind = 'need' order by id"
        )
        jobs = await connection.fetchval("select count(*) from pgqueuer where entrypoint = 'index'")
    assert [tuple(event) for event in events] == [
        ("create", None, "draft"),
        ("submit", "draft", "submitted"),
        ("refine", "submitted", "refining"),
        ("publish", "refining", "published"),
    ]
    assert jobs == 1


async def test_others_see_a_published_need_without_its_organization_and_contact(
    client: httpx2.AsyncClient, keys: Keys
) -> None:
    need = await published(client, keys, external_id="A-7")
    seen = (await client.get(f"/v1/needs/{need['id']}", headers=keys.headers("provider"))).json()
    assert seen["title"] == NEED["title"]
    assert [seen[name] for name in ("organization", "contact_name", "contact_phone", "external_id")] == [None] * 4
    (item,) = (await client.get("/v1/needs", headers=keys.headers("provider"))).json()["items"]
    assert item["organization"] is None
    by_broker = (await client.get(f"/v1/needs/{need['id']}", headers=keys.headers("broker"))).json()
    assert by_broker["organization"]["id"] == str(keys.enterprise.organization_id)
    assert by_broker["contact_phone"] is None


async def test_an_anonymous_need_is_not_found_by_its_organization(client: httpx2.AsyncClient, keys: Keys) -> None:
    await published(client, keys)
    query = f"/v1/needs?organization_id={keys.enterprise.organization_id}"
    assert (await client.get(query, headers=keys.headers("provider"))).json()["items"] == []
    assert len((await client.get(query, headers=keys.headers("broker"))).json()["items"]) == 1


async def test_a_change_needs_the_version_that_was_read(client: httpx2.AsyncClient, keys: Keys) -> None:
    need = await post(client, keys)
    address, headers = f"/v1/needs/{need['id']}", keys.headers("enterprise")
    assert (await client.put(address, json=NEED, headers=headers)).status_code == 428
    changed = await client.put(address, json=NEED | {"title": "改过的标题"}, headers=headers | {"If-Match": '"1"'})
    assert changed.status_code == 200
    assert changed.headers["ETag"] == '"2"'
    late = await client.put(address, json=NEED, headers=headers | {"If-Match": '"1"'})
    assert late.status_code == 412
    assert late.headers["ETag"] == '"2"'
    history = (await client.get(f"{address}/revisions", headers=headers)).json()
    assert [(r["version"], r["content"]["title"]) for r in history] == [(1, NEED["title"]), (2, "改过的标题")]


async def test_a_published_need_is_the_brokers_to_correct(client: httpx2.AsyncClient, keys: Keys) -> None:
    need = await published(client, keys)
    address, tag = f"/v1/needs/{need['id']}", {"If-Match": f'"{need["version"]}"'}
    by_owner = await client.put(address, json=NEED, headers=keys.headers("enterprise") | tag)
    assert by_owner.status_code == 409
    by_broker = await client.put(address, json=NEED | {"goals": "≤10 h"}, headers=keys.headers("broker") | tag)
    assert by_broker.status_code == 200
    assert by_broker.json()["goals"] == "≤10 h"


async def test_withdrawn_needs_leave_the_lists_of_others(client: httpx2.AsyncClient, keys: Keys) -> None:
    need = await published(client, keys)
    assert (await step(client, keys, "stranger", need, "withdraw")).status_code == 403
    assert (await step(client, keys, "enterprise", need, "withdraw")).json()["state"] == "withdrawn"
    assert (await client.get(f"/v1/needs/{need['id']}", headers=keys.headers("provider"))).status_code == 404
    assert (await step(client, keys, "enterprise", need, "reopen")).json()["state"] == "draft"


@pytest.mark.parametrize(
    ("content", "field", "rule"),
    [
        ({}, "title", "missing"),
        ({"title": " 短\n"}, "title", "string_too_short"),
        ({"title": "长" * 201}, "title", "string_too_long"),
        ({"title": "标题", "budget_max": -1}, "budget_max", "greater_than_equal"),
        ({"title": "标题", "maturity_min": 10}, "maturity_min", "less_than_equal"),
        ({"title": "标题", "modes": ["buy"]}, "modes.0", "enum"),
        ({"title": "标题", "region": "64"}, "region", "string_pattern_mismatch"),
        ({"title": "标题", "region": "640999"}, "region", "known_region"),
        ({"title": "标题", "field": "astrology"}, "field", "known_field"),
        ({"title": "标题", "needed_by": "soon"}, "needed_by", "date_from_datetime_parsing"),
        ({"title": "标题", "tittle": "x"}, "tittle", "extra_forbidden"),
    ],
)
async def test_bad_input_names_field_and_rule(
    client: httpx2.AsyncClient, keys: Keys, content: dict[str, Any], field: str, rule: str
) -> None:
    answer = await client.post(
        "/v1/needs", json=content, headers=keys.headers("enterprise") | {"Accept-Language": "zh-CN"}
    )
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Content-Language"] == "zh-CN"
    problem = answer.json()
    assert problem["title"] == "提交的内容不符合要求"
    assert [(error["field"], error["rule"]) for error in problem["errors"]] == [(field, rule)]


async def test_an_external_id_is_used_once(client: httpx2.AsyncClient, keys: Keys) -> None:
    await post(client, keys, external_id="N-1")
    twin = await client.post("/v1/needs", json=NEED | {"external_id": "N-1"}, headers=keys.headers("enterprise"))
    assert twin.status_code == 409
    await post(client, keys, role="broker", external_id="N-1")


async def test_filters_narrow_and_pages_follow(client: httpx2.AsyncClient, keys: Keys) -> None:
    titles = ["锂电池热管理", "葡萄酒低醇发酵", "锂电池回收", "煤化工废水", "奶牛热应激"]
    fields = ["clean_energy", "wine", "clean_energy", "pollution_control", "dairy"]
    regions = ["640100", "640300", "350200", "640181", None]
    for title, field, region in zip(titles, fields, regions, strict=True):
        await published(client, keys, title=title, field=field, region=region)
    headers = keys.headers("broker")

    async def found(query: str) -> list[str]:
        answer = await client.get(f"/v1/needs?{query}", headers=headers)
        assert answer.status_code == 200, answer.text
        return [item["title"] for item in answer.json()["items"]]

    assert await found("field=clean_energy") == ["锂电池回收", "锂电池热管理"]
    assert await found("region=640000") == ["煤化工废水", "葡萄酒低醇发酵", "锂电池热管理"]
    assert await found("region=640100") == ["煤化工废水", "锂电池热管理"]
    assert await found("region_class=east") == ["锂电池回收"]
    assert await found("text=锂电池") == ["锂电池回收", "锂电池热管理"]
    assert await found("text=酒") == ["葡萄酒低醇发酵"]
    assert await found("state=draft&state=submitted") == []
    assert await found("maturity=5") == []
    assert len(await found("maturity=6&mode=joint_rd&budget_from=700000")) == 5
    assert await found("budget_from=900000") == []
    pages, cursor = [], ""
    while True:
        page = (await client.get(f"/v1/needs?limit=2{cursor}", headers=headers)).json()
        pages.append([item["title"] for item in page["items"]])
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert pages == [["奶牛热应激", "煤化工废水"], ["锂电池回收", "葡萄酒低醇发酵"], ["锂电池热管理"]]


async def test_who_may_post_what_for_whom(client: httpx2.AsyncClient, keys: Keys) -> None:
    as_authority = await client.post("/v1/needs", json=NEED, headers=keys.headers("authority"))
    assert as_authority.status_code == 403
    for_another = f"/v1/needs?organization_id={keys.enterprise.organization_id}"
    assert (await client.post(for_another, json=NEED, headers=keys.headers("stranger"))).status_code == 403
    by_broker = await client.post(for_another, json=NEED, headers=keys.headers("broker"))
    assert by_broker.json()["organization"]["id"] == str(keys.enterprise.organization_id)
