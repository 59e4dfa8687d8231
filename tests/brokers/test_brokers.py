"""Profiles of brokers, figures of their work, suggestions and assignments over HTTP."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from service.brokers import service
from service.kit.clock import now
from service.kit.db import Pool
from tests.access.helpers import add_member, events_of, make_key
from tests.conftest import Member
from tests.http.test_needs import NEED
from tests.review.world import World

PROFILE: dict[str, Any] = {
    "name": "演示技术经理人",
    "introduction": "多年从事枸杞加工领域的技术转移。",
    "fields": ["goji"],
    "regions": ["640000"],
    "languages": ["zh", "en"],
    "capacity": 2,
    "qualifications": [
        {
            "title": "技术经理人（中级）",
            "issuer": "演示机构",
            "number": "ZJ-001",
            "issued_on": "2025-01-01",
            "valid_until": "2028-12-31",
        }
    ],
}


async def write(world: World, role: str = "broker", version: int = 0, **changes: Any) -> dict[str, Any]:
    answer = await world.ask(role, "PUT", "/v1/brokers/me", PROFILE | changes, {"If-Match": f'"{version}"'})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def submitted(world: World, **changes: Any) -> str:
    made = (await world.ask("enterprise", "POST", "/v1/needs", NEED | changes)).json()
    assert (await world.ask("enterprise", "POST", f"/v1/needs/{made['id']}/submit")).status_code == 200
    return str(made["id"])


async def test_a_profile_is_written_read_and_changed(world: World, pool: Pool) -> None:
    empty = (await world.ask("broker", "GET", "/v1/brokers/me")).json()
    assert (empty["id"], empty["version"], empty["fields"]) == (None, 0, [])
    made = await write(world)
    assert {name: made[name] for name in PROFILE} == PROFILE
    assert (await world.ask("broker", "GET", "/v1/brokers/me")).json() == made
    changed = await write(world, version=1, qualifications=[], available=False)
    assert (changed["id"], changed["version"], changed["qualifications"]) == (made["id"], 2, [])
    assert [action for action, _, _ in await events_of(pool, made["id"])] == ["create", "change"]
    data = await pool.fetchval("select string_agg(data::text, '') from event where subject_kind = 'broker'")
    assert "演示" not in data
    assert "ZJ-001" not in data


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"name": " "}, "name", "string_too_short"),
        ({"fields": ["goji", "astrology"]}, "fields.1", "known_field"),
        ({"regions": ["640999"]}, "regions.0", "known_region"),
        ({"organizations": ["01890a5d-ac96-774b-bcce-b302099a8057"]}, "organizations.0", "known_organization"),
        ({"languages": ["fr"]}, "languages.0", "literal_error"),
        ({"languages": []}, "languages", "too_short"),
        ({"capacity": -1}, "capacity", "greater_than_equal"),
        ({"qualifications": [{"title": "甲", "issuer": "乙", "issued_on": "2026-01-02", "valid_until": "2026-01-01"}]},
         "qualifications.0", "range_order"),
    ],
)  # fmt: skip
async def test_a_wrong_profile_names_its_field(world: World, changes: dict[str, Any], field: str, rule: str) -> None:
    for language in ("zh-CN", "en"):
        headers = {"If-Match": '"0"', "Accept-Language": language}
        refused = await world.ask("broker", "PUT", "/v1/brokers/me", PROFILE | changes, headers)
        assert refused.status_code == 422, refused.text
        assert [(each["field"], each["rule"]) for each in refused.json()["errors"]] == [(field, rule)]


async def test_only_brokers_have_a_profile(world: World) -> None:
    for role in ("enterprise", "provider", "operator", "authority", "administrator"):
        assert (await world.ask(role, "GET", "/v1/brokers/me")).status_code == 403
        for language, words in (("zh-CN", "仅技术经理人有此资料"), ("en", "Only brokers have a profile")):
            refused = await world.ask(role, "PUT", "/v1/brokers/me", PROFILE, {"Accept-Language": language})
            assert (refused.status_code, refused.json()["detail"]) == (403, words)


async def test_two_first_writings_at_once_make_one_profile(world: World, pool: Pool) -> None:
    headers = {"If-Match": '"0"'}
    answers = await asyncio.gather(*(world.ask("broker", "PUT", "/v1/brokers/me", PROFILE, headers) for _ in range(4)))
    assert sorted({answer.status_code for answer in answers} | {200}) in ([200, 409], [200, 412], [200, 409, 412])
    assert [answer.status_code for answer in answers].count(200) == 1
    assert await pool.fetchval("select count(*) from broker") == 1


async def test_people_and_their_organization_have_profiles_of_their_own(world: World, pool: Pool) -> None:
    own, administrator = world.keys.broker.organization_id, world.keys.headers("administrator")
    member = await add_member(world.client, administrator, own, "jia@example.com", roles=["broker"])
    key = await make_key(
        world.client, administrator, own, roles=["broker"], membership_id=member["id"], scopes=["read", "write"]
    )
    world.keys.members["jia"] = Member("broker", own, key["key"])
    await world.fill({"A": {"a": 0.9}})
    await write(world, fields=["wine"], regions=[])
    # Without a profile of its own a person's queue is the organization's.
    assert await world.names("jia") == []
    mine = await write(world, "jia", regions=[])
    assert mine["person_id"] == member["person_id"]
    assert await world.names("jia") == ["A/a"]
    assert (await world.ask("broker", "GET", "/v1/brokers/me")).json()["person_id"] is None
    exported = (await world.ask("jia", "GET", "/v1/people/me/export")).json()["broker_profiles"]
    assert [(each["id"], each["qualifications"][0]["number"]) for each in exported] == [(mine["id"], "ZJ-001")]
    # With the person goes what it said of itself.
    erased = await world.client.delete(f"/v1/people/{member['person_id']}", headers=administrator)
    assert erased.status_code == 204, erased.text
    row = await pool.fetchrow("select * from broker where person_id is not null")
    assert (row["name"], row["introduction"], row["available"]) == ("", "", False)
    assert await pool.fetchval("select count(*) from broker_qualification") == 1
    listed = (await world.ask("enterprise", "GET", "/v1/brokers")).json()["items"]
    assert [each["id"] for each in listed] == [(await world.ask("broker", "GET", "/v1/brokers/me")).json()["id"]]


async def test_members_see_who_is_good_at_what_and_staff_how_much_is_in_hand(world: World, second: str) -> None:
    made = await write(world)
    await write(world, second, fields=["wine"], name="另一位")
    for role, staff in (("enterprise", False), ("provider", False), ("operator", True)):
        items = (await world.ask(role, "GET", "/v1/brokers")).json()["items"]
        assert [each["name"] for each in items] == ["另一位", "演示技术经理人"]
        shown = items[1]
        assert (shown["id"], shown["fields"], shown["languages"]) == (made["id"], ["goji"], ["zh", "en"])
        assert shown["qualifications"][0]["title"] == "技术经理人（中级）"
        assert (shown["qualifications"][0]["number"] is not None) == staff
        assert (shown["workload"] is not None) == staff
    narrowed = (await world.ask("enterprise", "GET", "/v1/brokers?field=goji")).json()["items"]
    assert [each["name"] for each in narrowed] == ["演示技术经理人"]
    first = (await world.ask("enterprise", "GET", "/v1/brokers?limit=1")).json()
    rest = (await world.ask("enterprise", "GET", f"/v1/brokers?limit=1&cursor={first['next']}")).json()
    assert [each["name"] for each in first["items"] + rest["items"]] == ["另一位", "演示技术经理人"]
    assert rest["next"] is None


async def test_figures_count_what_was_done_and_not_undone(
    world: World, second: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await write(world)
    await write(world, second)
    need = await submitted(world)
    assert (await world.ask("broker", "POST", f"/v1/needs/{need}/refine")).status_code == 200
    workload = (await world.ask("operator", "GET", "/v1/brokers")).json()["items"][1]["workload"]
    assert workload["open"] == {"leases": 0, "assigned": 0, "refining": 1, "cases": 0, "followed": 0}
    assert (await world.ask("broker", "POST", f"/v1/needs/{need}/publish")).status_code == 200
    await world.fill({"A": {"a": 0.9, "b": 0.8}, "B": {"a": 0.7, "b": 0.6}})
    for pair, body in (
        ("A/a", {"action": "accept"}),
        ("A/b", {"action": "accept"}),
        ("B/a", {"action": "decline", "code": "vague"}),
        ("B/b", {"action": "accept"}),
    ):
        assert (await world.decide("broker", pair, **body)).status_code == 201
    assert (await world.undo("broker", "B/b")).status_code == 200
    for role in ("enterprise", "provider"):
        path = f"/v1/recommendations/{world.pairs['A/a']}/consent"
        assert (await world.ask(role, "POST", path, {"purpose": "洽谈"})).status_code == 201
    assert await world.lease(second, limit=1) == ["B/b"]
    items = (await world.ask("operator", "GET", "/v1/brokers")).json()["items"]
    figures = {each["id"]: each["figures"] for each in items}[made["id"]]
    assert {name: figures[name] for name in ("refined", "reviewed", "introduced", "consented", "contracted")} == {
        "refined": 1, "reviewed": 3, "introduced": 2, "consented": 1, "contracted": 0,
    }  # fmt: skip
    assert figures["response_hours"] is None
    assert items[0]["workload"]["open"]["leases"] == 1
    assert items[0]["figures"]["reviewed"] == 0
    # Two cases of one need, which is no longer refined; the one that was undone is none.
    load = next(each["workload"] for each in items if each["id"] == made["id"])
    assert load == {
        "open": {"leases": 0, "assigned": 0, "refining": 0, "cases": 2, "followed": 0}, "taken": 2, "capacity": 2, "free": 0,
    }  # fmt: skip
    # Members see the same figures, which are counted past what they may read.
    seen = (await world.ask("enterprise", "GET", "/v1/brokers")).json()["items"]
    later = {each["id"]: each["figures"] for each in seen}[made["id"]]
    assert {**later, "since": 0, "until": 0} == {**figures, "since": 0, "until": 0}
    monkeypatch.setattr(service, "now", lambda: now() + timedelta(days=366))
    past = (await world.ask("enterprise", "GET", "/v1/brokers")).json()["items"]
    assert {each["figures"]["reviewed"] for each in past} == {0}


async def test_an_assigned_need_and_how_soon_it_was_taken_up(world: World, pool: Pool) -> None:
    made = await write(world)
    need = await submitted(world)
    body = {"need_id": need, "broker_id": made["id"]}
    answer = await world.ask("operator", "POST", "/v1/brokers/assignments", body)
    assert (answer.status_code, answer.json()["before"]) == (201, None)
    again = await world.ask("operator", "POST", "/v1/brokers/assignments", body)
    assert again.status_code == 409
    event = await pool.fetchrow("select organization_id, data from event where action = 'assign'")
    assert event["organization_id"] == world.keys.operator.organization_id
    assert event["data"] == {"broker": made["id"], "before": None}
    # Six hours ago, and begun now.
    await world.owner.execute("update broker_assignment set assigned_at = now() - interval '6 hours'")
    assert (await world.ask("broker", "POST", f"/v1/needs/{need}/refine")).status_code == 200
    shown = (await world.ask("operator", "GET", "/v1/brokers")).json()["items"][0]
    assert shown["figures"]["response_hours"] == 6.0
    assert shown["workload"] == {
        "open": {"leases": 0, "assigned": 1, "refining": 1, "cases": 0, "followed": 0}, "taken": 1, "capacity": 2, "free": 1,
    }  # fmt: skip


async def test_a_need_goes_to_another_broker_and_no_further_than_the_capacity(
    world: World, second: str, pool: Pool
) -> None:
    first, other = await write(world), await write(world, second, capacity=1)
    needs = [await submitted(world, title=title) for title in ("枸杞干燥", "枸杞分选")]
    path = "/v1/brokers/assignments"
    await world.ask("operator", "POST", path, {"need_id": needs[0], "broker_id": first["id"]})
    moved = await world.ask("operator", "POST", path, {"need_id": needs[0], "broker_id": other["id"]})
    assert (moved.status_code, moved.json()["before"]) == (201, first["id"])
    full = await world.ask("operator", "POST", path, {"need_id": needs[1], "broker_id": other["id"]})
    assert (full.status_code, full.json()["code"]) == (409, "out_of_turn")
    rows = await pool.fetch("select broker_id, ended_at is null as open from broker_assignment order by assigned_at")
    assert [(str(row["broker_id"]), row["open"]) for row in rows] == [(first["id"], False), (other["id"], True)]
    # What is withdrawn is nobody's work any more.
    assert (await world.ask("enterprise", "POST", f"/v1/needs/{needs[0]}/withdraw")).status_code == 200
    assert (
        await world.ask("operator", "POST", path, {"need_id": needs[1], "broker_id": other["id"]})
    ).status_code == 201


async def test_two_operators_at_once_give_a_need_to_one_broker(world: World, second: str, pool: Pool) -> None:
    brokers = [await write(world, capacity=100), await write(world, second, capacity=100)]
    for turn in range(5):
        need = await submitted(world, title=f"枸杞加工难题之{turn}")
        answers = await asyncio.gather(
            *(
                world.ask(role, "POST", "/v1/brokers/assignments", {"need_id": need, "broker_id": broker["id"]})
                for role, broker in zip(("operator", "administrator"), brokers, strict=True)
            )
        )
        # One after the other: the later one moves it.
        assert [answer.status_code for answer in answers] == [201, 201]
        assert sorted(answer.json()["before"] is None for answer in answers) == [False, True]
    assert await pool.fetchval("select count(*) from broker_assignment where ended_at is null") == 5
    assert await pool.fetchval("select count(*) from event where action = 'assign'") == 10


@pytest.mark.parametrize(("language", "words"), [("zh-CN", "重点方向相符"), ("en", "Names the need's field")])
async def test_suggestions_explain_themselves(world: World, second: str, language: str, words: str) -> None:
    fits, other = await write(world), await write(world, second, fields=["wine"], regions=["350000"], languages=["en"])
    need = await submitted(world)
    path = f"/v1/brokers/suggestions?need_id={need}"
    answer = await world.ask("operator", "GET", path, headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert [each["broker_id"] for each in items] == [fits["id"], other["id"]]
    # The need lies in Zhongwei, which is in Ningxia.
    assert [each["score"] for each in items] == [0.4 + 0.2 + 0.1 + 0.3, 0.3]
    assert items[0]["parts"][0] == {"name": "field", "value": 1.0, "weight": 0.4, "reason": words}
    await write(world, version=1, available=False)
    after = (await world.ask("operator", "GET", path)).json()["items"]
    assert [(each["broker_id"], each["can_take"]) for each in after] == [(other["id"], True), (fits["id"], False)]
    body = {"need_id": need, "broker_id": fits["id"]}
    assert (await world.ask("operator", "POST", "/v1/brokers/assignments", body)).status_code == 409


async def test_who_may_not_give_out_work_and_what_is_not_to_be_given(world: World) -> None:
    made = await write(world)
    draft = (await world.ask("enterprise", "POST", "/v1/needs", NEED)).json()["id"]
    missing = "01890a5d-ac96-774b-bcce-b302099a8057"
    for need, broker, role, status in (
        (draft, made["id"], "broker", 403), (draft, made["id"], "enterprise", 403), (draft, made["id"], "authority", 403),
        (draft, made["id"], "operator", 409), (missing, made["id"], "operator", 404), (draft, missing, "operator", 404),
    ):  # fmt: skip
        for language in ("zh-CN", "en"):
            body = {"need_id": need, "broker_id": broker}
            refused = await world.ask(role, "POST", "/v1/brokers/assignments", body, {"Accept-Language": language})
            assert (refused.status_code, "detail" in refused.json()) == (status, True), refused.text
    for role, status in (("broker", 403), ("operator", 409)):
        assert (await world.ask(role, "GET", f"/v1/brokers/suggestions?need_id={draft}")).status_code == status
