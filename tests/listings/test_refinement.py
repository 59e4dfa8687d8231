"""A need is refined by a broker and published with its organization's agreement; an outcome the same by an operator."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kit.db import Pool
from service.listings import refinement as refinement_module
from service.listings import repository as listings_repository
from service.listings.refinement import changed_fields, stages
from service.listings.refinement_schemas import Author, Stage
from tests.access.helpers import events_of
from tests.conftest import Keys
from tests.http.test_needs import NEED, post, step


async def submitted(client: httpx2.AsyncClient, keys: Keys, **changes: Any) -> dict[str, Any]:
    need = await post(client, keys, **changes)
    assert (await step(client, keys, "enterprise", need, "submit")).status_code == 200
    return need


async def rewrite(
    client: httpx2.AsyncClient, keys: Keys, role: str, need: dict[str, Any], reason: str, **changes: Any
) -> None:
    """Another text by `role`, over whatever stands now."""
    address = f"/v1/needs/{need['id']}"
    version = (await client.get(address, headers=keys.headers(role))).headers["ETag"]
    headers = keys.headers(role) | {"If-Match": version}
    answer = await client.put(address, params={"reason": reason}, json=NEED | changes, headers=headers)
    assert answer.status_code == 200, answer.text


async def refinement(client: httpx2.AsyncClient, keys: Keys, role: str, need: dict[str, Any]) -> dict[str, Any]:
    answer = await client.get(f"/v1/refinements/{need['id']}", headers=keys.headers(role))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_need_is_refined_asked_about_agreed_to_and_published(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool
) -> None:
    need = await submitted(client, keys)
    at = f"/v1/refinements/{need['id']}"
    assert (await step(client, keys, "broker", need, "refine")).status_code == 200
    question = {"field": "indicators", "question": "含水率按湿基还是干基计？"}
    asked = await client.post(f"{at}/questions", json=question, headers=keys.headers("broker"))
    assert asked.status_code == 201
    assert asked.json()["open_questions"] == 1
    (pending,) = (await refinement(client, keys, "enterprise", need))["questions"]
    answer = {"answer": "按湿基计，验收取三批平均。"}
    path = f"{at}/questions/{pending['id']}/answer"
    answered = await client.post(path, json=answer, headers=keys.headers("enterprise"))
    assert answered.json()["questions"][0]["answer"] == answer["answer"]
    assert answered.json()["open_questions"] == 0
    better = ["单批干燥时间≤12 h", "含水率≤13%（湿基）"]
    await rewrite(client, keys, "broker", need, "按企业答复写明含水率的基准", indicators=better)

    # Written by somebody else, it waits for the organization.
    refused = await step(client, keys, "broker", need, "publish")
    assert refused.status_code == 409
    assert "agreement" in refused.text
    seen = await refinement(client, keys, "enterprise", need)
    # A revision has the version of the listing that it made: after submit and refine this is the fourth.
    assert (seen["revision"], seen["agreed"]) == (4, False)
    (change,) = seen["history"][1]["changes"]
    assert change == {"field": "indicators", "before": NEED["indicators"], "after": better}
    assert seen["history"][1]["reason"] == "按企业答复写明含水率的基准"
    assert [(each["by"], each["stage"]) for each in seen["history"]] == [("owner", "original"), ("reviewer", "refined")]

    agreed = await client.post(f"{at}/agreement", json={"revision": 4}, headers=keys.headers("enterprise"))
    assert agreed.status_code == 201
    assert agreed.json()["agreed"]
    assert agreed.json()["history"][1]["agreed_at"]
    published = await step(client, keys, "broker", need, "publish")
    assert published.status_code == 200
    assert published.json()["indicators"] == better
    after = await refinement(client, keys, "broker", need)
    assert [each["stage"] for each in after["history"]] == ["original", "published"]
    (hand,) = after["rounds"]
    assert hand["organization"]["id"] == str(keys.broker.organization_id)
    assert hand["ended_at"] is not None
    assert [action for action, _, _ in await events_of(pool, need["id"])] == [
        "create", "submit", "refine", "ask", "answer", "change", "agree", "publish",
    ]  # fmt: skip
    # Of what was said the trail keeps nothing.
    data = await pool.fetch(
        "select data::text from event where subject_id = $1 and action in ('ask', 'answer')", need["id"]
    )
    assert not any("湿基" in row["data"] for row in data)


async def test_what_the_organization_wrote_itself_needs_no_agreement(client: httpx2.AsyncClient, keys: Keys) -> None:
    need = await submitted(client, keys)
    await rewrite(client, keys, "broker", need, "改标题", title="枸杞鲜果干燥装备")
    await rewrite(client, keys, "enterprise", need, "自行改写", title="枸杞鲜果低温干燥装备")
    assert (await refinement(client, keys, "broker", need))["agreed"]
    assert (await step(client, keys, "broker", need, "publish")).status_code == 200


async def test_resubmitting_in_the_organizations_place_is_no_way_around(client: httpx2.AsyncClient, keys: Keys) -> None:
    need = await submitted(client, keys)
    assert (await step(client, keys, "broker", need, "return")).status_code == 200
    await rewrite(client, keys, "broker", need, "代为改写", title="枸杞鲜果干燥装备")
    assert (await step(client, keys, "broker", need, "submit")).status_code == 200
    assert (await step(client, keys, "broker", need, "publish")).status_code == 409


async def test_what_is_posted_on_behalf_of_an_organization_is_published_without(
    client: httpx2.AsyncClient, keys: Keys
) -> None:
    own = {"organization_id": str(keys.enterprise.organization_id)}
    need = (await client.post("/v1/needs", params=own, json=NEED, headers=keys.headers("broker"))).json()
    assert (await step(client, keys, "broker", need, "submit")).status_code == 200
    await rewrite(client, keys, "broker", need, "补充", title="枸杞鲜果干燥装备")
    assert (await step(client, keys, "broker", need, "publish")).status_code == 200


async def test_an_agreement_is_to_one_text(client: httpx2.AsyncClient, keys: Keys) -> None:
    need = await submitted(client, keys)
    at = f"/v1/refinements/{need['id']}/agreement"
    await rewrite(client, keys, "broker", need, "改标题", title="枸杞鲜果干燥装备")
    for revision, status in ((1, 409), (3, 201), (3, 409)):
        answer = await client.post(at, json={"revision": revision}, headers=keys.headers("enterprise"))
        assert answer.status_code == status, revision
    await rewrite(client, keys, "broker", need, "再改", title="枸杞鲜果快速干燥装备")
    assert (await step(client, keys, "broker", need, "publish")).status_code == 409


async def test_a_round_ends_with_the_step_that_ends_it(client: httpx2.AsyncClient, keys: Keys) -> None:
    need = await submitted(client, keys)
    await step(client, keys, "broker", need, "refine")
    assert (await step(client, keys, "broker", need, "return")).status_code == 200
    await step(client, keys, "enterprise", need, "submit")
    await step(client, keys, "operator", need, "refine")
    assert (await step(client, keys, "enterprise", need, "withdraw")).status_code == 200
    first, second = (await refinement(client, keys, "enterprise", need))["rounds"]
    assert first["ended_at"] is not None
    assert second["ended_at"] is not None
    assert second["organization"] is None or second["organization"]["id"] == str(keys.operator.organization_id)


@pytest.mark.parametrize(
    ("role", "path", "body", "status", "said"),
    [
        ("broker", "", None, 200, ""),
        ("stranger", "", None, 404, "No such need or outcome"),
        ("stranger", "/questions", {"question": "多少？"}, 404, "No such need or outcome"),
        ("enterprise", "/questions", {"question": "多少？"}, 403, "Brokers and operators ask"),
        ("authority", "/questions", {"question": "多少？"}, 403, "Brokers and operators ask"),
        ("broker", "/questions", {"question": "多少？", "field": "price"}, 422, "No such field"),
        ("broker", "/questions", {"question": " "}, 422, "question"),
        ("broker", "/agreement", {"revision": 1}, 403, "agrees for itself"),
        ("enterprise", "/agreement", {"revision": 0}, 422, "revision"),
        ("enterprise", "/agreement", {"revision": 9}, 409, "revision 1"),
        (
            "enterprise",
            "/questions/00000000-0000-7000-8000-000000000000/answer",
            {"answer": "两吨"},
            404,
            "No such question",
        ),
    ],
)
async def test_who_may_not_is_told_why(
    client: httpx2.AsyncClient, keys: Keys, role: str, path: str, body: Any, status: int, said: str
) -> None:
    need = await submitted(client, keys)
    at = f"/v1/refinements/{need['id']}{path}"
    ask = client.post(at, json=body, headers=keys.headers(role)) if body else client.get(at, headers=keys.headers(role))
    answer = await ask
    assert answer.status_code == status
    assert said in answer.text


async def test_out_of_turn_is_said_in_chinese_too(client: httpx2.AsyncClient, keys: Keys) -> None:
    need = await post(client, keys)
    headers = keys.headers("enterprise") | {"Accept-Language": "zh"}
    answer = await client.post(f"/v1/refinements/{need['id']}/agreement", json={"revision": 1}, headers=headers)
    assert answer.status_code == 409
    assert "提交之后、发布之前" in answer.json()["detail"]


async def test_a_history_is_read_in_pieces(
    client: httpx2.AsyncClient, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An organization changes a listing as often as it likes; nobody reads all of that at once."""
    for module in (refinement_module, listings_repository):
        monkeypatch.setattr(module, "MOST_REVISIONS", 3)
    need = await post(client, keys)
    for number in range(2, 6):
        await rewrite(client, keys, "enterprise", need, "改", description=f"第{number}版")
    for query, numbers, first in (("", [3, 4, 5], "第2版"), ("?before=3", [1, 2], None), ("?before=1", [], None)):
        listed = await client.get(f"/v1/needs/{need['id']}/revisions{query}", headers=keys.headers("enterprise"))
        assert [each["version"] for each in listed.json()] == numbers
        path = f"/v1/refinements/{need['id']}{query}"
        history = (await client.get(path, headers=keys.headers("enterprise"))).json()["history"]
        assert [each["revision"] for each in history] == numbers
        assert {each["stage"] for each in history} <= {"original"}
        if first is not None:
            assert history[0]["changes"] == [{"field": "description", "before": first, "after": "第3版"}]


async def test_an_answer_stays(client: httpx2.AsyncClient, keys: Keys) -> None:
    need = await submitted(client, keys)
    at = f"/v1/refinements/{need['id']}/questions"
    asked = await client.post(at, json={"question": "单批多少？"}, headers=keys.headers("operator"))
    path = f"{at}/{asked.json()['questions'][0]['id']}/answer"
    assert (await client.post(path, json={"answer": "两吨。"}, headers=keys.headers("enterprise"))).status_code == 200
    again = await client.post(path, json={"answer": "三吨。"}, headers=keys.headers("enterprise"))
    assert again.status_code == 409
    assert "has its answer" in again.text


async def test_a_question_is_answered_before_the_listing_goes_to_the_market(
    client: httpx2.AsyncClient, keys: Keys
) -> None:
    need = await submitted(client, keys)
    at = f"/v1/refinements/{need['id']}/questions"
    asked = await client.post(at, json={"question": "单批多少？"}, headers=keys.headers("operator"))
    assert (await step(client, keys, "broker", need, "publish")).status_code == 200
    path = f"{at}/{asked.json()['questions'][0]['id']}/answer"
    late = await client.post(path, json={"answer": "两吨。"}, headers=keys.headers("enterprise"))
    assert (late.status_code, "between submission and publication" in late.json()["detail"]) == (409, True)


async def test_a_verified_outcome_is_published_with_its_providers_agreement(
    client: httpx2.AsyncClient, keys: Keys
) -> None:
    content = {"title": "枸杞真空脉动干燥装备", "description": "单批干燥时间 10 h。"}
    outcome = (await client.post("/v1/outcomes", json=content, headers=keys.headers("provider"))).json()
    address = f"/v1/outcomes/{outcome['id']}"
    await client.post(f"{address}/submit", headers=keys.headers("provider"))
    version = (await client.get(address, headers=keys.headers("operator"))).headers["ETag"]
    changed = content | {"description": "单批干燥时间 10 h，已附检测报告编号。"}
    headers = keys.headers("operator") | {"If-Match": version}
    assert (await client.put(address, json=changed, headers=headers)).status_code == 200
    assert (await client.post(f"{address}/verify", headers=keys.headers("operator"))).status_code == 200
    assert (await client.post(f"{address}/publish", headers=keys.headers("operator"))).status_code == 409
    at = f"/v1/refinements/{outcome['id']}/agreement"
    assert (await client.post(at, json={"revision": 3}, headers=keys.headers("provider"))).status_code == 201
    assert (await client.post(f"{address}/publish", headers=keys.headers("operator"))).status_code == 200


async def test_a_provider_publishes_what_an_operator_corrected_by_its_own_step(
    client: httpx2.AsyncClient, keys: Keys
) -> None:
    outcome = (await client.post("/v1/outcomes", json={"title": "演示成果"}, headers=keys.headers("provider"))).json()
    address = f"/v1/outcomes/{outcome['id']}"
    await client.post(f"{address}/submit", headers=keys.headers("provider"))
    headers = keys.headers("operator") | {"If-Match": '"2"'}
    assert (await client.put(address, json={"title": "演示成果二"}, headers=headers)).status_code == 200
    await client.post(f"{address}/verify", headers=keys.headers("operator"))
    assert (await client.post(f"{address}/publish", headers=keys.headers("provider"))).status_code == 200


Contents = st.dictionaries(st.sampled_from("abcde"), st.one_of(st.none(), st.integers(), st.lists(st.text(max_size=3))))


@given(before=Contents, after=Contents)
def test_differences_lead_from_one_text_to_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    changes = changed_fields(before, after)
    replayed = before | {change.field: change.after for change in changes}
    filled = {name: value for name, value in replayed.items() if value}
    assert filled == {name: value for name, value in after.items() if value}
    assert changed_fields(after, after) == []
    assert not {change.field for change in changed_fields(before, after, secret="abcde")}


@given(authors=st.lists(st.sampled_from(Author), min_size=1, max_size=8), published=st.none() | st.integers(0, 10))
def test_stages_begin_with_the_original_and_end_with_what_went_out(
    authors: list[Author], published: int | None
) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    revisions = [(number, start + timedelta(days=number), author) for number, author in enumerate(authors)]
    went_out = None if published is None else start + timedelta(days=published, hours=1)
    found = stages(revisions, went_out)
    assert len(found) == len(authors)
    order = [Stage.ORIGINAL, Stage.REFINED, Stage.PUBLISHED]
    assert found == sorted(found, key=order.index)
    assert (found[-1] is Stage.PUBLISHED) == (published is not None)
    if len(set(authors)) == 1:
        assert Stage.REFINED not in found
