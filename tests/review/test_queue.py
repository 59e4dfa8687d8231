"""The order of the review queue, whom it is for, and what it never shows."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from service import worker
from service.kit.clock import now
from service.resources import Resources
from tests.review.world import World


async def profile(world: World, version: int = 0, **content: Any) -> None:
    body = {"name": "演示技术经理人"} | content
    answer = await world.ask("broker", "PUT", "/v1/brokers/me", body, {"If-Match": f'"{version}"'})
    assert answer.status_code == 200, answer.text


async def test_the_best_pairs_of_every_need_come_before_the_many_of_one(world: World) -> None:
    await world.fill({"A": {"a": 0.9, "b": 0.8, "c": 0.7, "d": 0.6}, "B": {"a": 0.5}})
    # First whole, second and third half, fourth a quarter.
    expected = [("A/a", 0.9), ("B/a", 0.5), ("A/b", 0.8 / 2), ("A/c", 0.7 / 2), ("A/d", 0.6 / 4)]
    assert await world.queue() == expected


async def test_the_places_follow_each_decision(world: World) -> None:
    await world.fill({"A": {"a": 0.9, "b": 0.8, "c": 0.7, "d": 0.6}})
    # What was accepted still counts as a better pair of the need; what was declined does not.
    assert (await world.decide("broker", "A/a")).status_code == 201
    assert await world.queue() == [("A/b", 0.8 / 2), ("A/c", 0.7 / 2), ("A/d", 0.6 / 4)]
    assert (await world.decide("broker", "A/b", action="decline", code="vague")).status_code == 201
    assert await world.queue() == [("A/c", 0.7 / 2), ("A/d", 0.6 / 2)]
    assert (await world.undo("broker", "A/a")).status_code == 200
    assert await world.queue() == [("A/a", 0.9), ("A/c", 0.7 / 2), ("A/d", 0.6 / 2)]


async def test_pages_follow_one_another_without_a_gap(world: World) -> None:
    await world.fill({n: {"a": 0.9 - number / 100, "b": 0.4} for number, n in enumerate("ABCDE")})
    whole = await world.names()
    assert len(whole) == 10
    for query in ("", "&from=partner_regions"):
        pages, cursor = [], ""
        while True:
            answer = (await world.ask("broker", "GET", f"/v1/review?limit=3{query}{cursor}")).json()
            pages.append([world.name_of(item["recommendation"]["id"]) for item in answer["items"]])
            if answer["next"] is None:
                break
            cursor = f"&cursor={answer['next']}"
        assert [len(page) for page in pages] == [3, 3, 3, 1]
        assert [name for page in pages for name in page] == whole


async def test_a_profile_limits_the_queue_by_field_region_and_organization(world: World) -> None:
    await world.need("goji", "goji", "640500")
    await world.need("wine", "wine", "620000")
    await world.need("any", None, None)
    await world.outcome("here", "640100")
    await world.outcome("there", "440000", role="other_provider")
    for need in ("goji", "wine", "any"):
        await world.pair(need, "here", 0.8)
        await world.pair(need, "there", 0.6)
    assert len(await world.names()) == 6
    await profile(world, fields=["wine"])
    # A need without a field is everybody's.
    assert {name.partition("/")[0] for name in await world.names()} == {"wine", "any"}
    await profile(world, 1, regions=["640000"])
    # One side lies there, in a city of it too.
    assert set(await world.names()) == {"goji/here", "goji/there", "wine/here", "any/here"}
    await profile(world, 2, organizations=[str(world.keys.other_provider.organization_id)])
    assert {name.partition("/")[2] for name in await world.names()} == {"there"}
    await profile(world, 3, fields=["wine"], regions=["440000"])
    assert set(await world.names()) == {"wine/there", "any/there"}
    # An operator has no profile, and sees all.
    assert len(await world.names("operator")) == 6


async def test_partner_regions_come_first_where_asked(world: World) -> None:
    await world.need("A", region="640100")
    for outcome, region, probability in (
        ("gansu", "620000", 0.9),
        ("guangdong", "440000", 0.5),
        ("fujian", "350100", 0.3),
    ):
        await world.outcome(outcome, region)
        await world.pair("A", outcome, probability)
    await world.settle()
    assert await world.names() == ["A/gansu", "A/guangdong", "A/fujian"]
    # 闽宁协作 first, then east and west, then the rest.
    assert await world.names(query="?from=partner_regions") == ["A/fujian", "A/guangdong", "A/gansu"]
    assert await world.lease(limit=1, **{"from": "partner_regions"}) == ["A/fujian"]


async def test_what_is_decided_asleep_or_withdrawn_is_not_in_the_queue(
    world: World, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.fill({"A": {"a": 0.9, "b": 0.8, "c": 0.7}, "B": {"a": 0.6, "d": 0.5}})
    until = (now() + timedelta(days=1)).isoformat()
    assert (await world.decide("broker", "A/a", action="accept")).status_code == 201
    assert (await world.decide("broker", "A/b", action="snooze", snoozed_until=until)).status_code == 201
    assert (await world.decide("broker", "B/a", action="decline", code="too_early")).status_code == 201
    withdrawn = await world.ask("provider", "POST", f"/v1/outcomes/{world.outcomes['d']}/withdraw")
    assert withdrawn.status_code == 200
    assert await world.names() == ["A/c"]
    monkeypatch.setattr(worker, "now", lambda: now() + timedelta(days=2))
    await worker.keep_house(resources)
    # It comes again when its time has come; the accepted pair still stands before it.
    assert await world.queue() == [("A/b", 0.8 / 2), ("A/c", 0.7 / 2)]


async def test_an_item_tells_what_was_decided_on_both_sides_before(world: World) -> None:
    await world.fill({"A": {"a": 0.9, "b": 0.8}, "B": {"b": 0.7, "a": 0.2}})
    told = {"action": "decline", "code": "too_early", "note": "仍在小试", "to_provider": "补充中试数据"}
    assert (await world.decide("broker", "A/a", **told)).status_code == 201
    assert (await world.decide("broker", "B/b")).status_code == 201
    items = (await world.ask("broker", "GET", "/v1/review")).json()["items"]
    by_name = {world.name_of(item["recommendation"]["id"]): item for item in items}
    assert set(by_name) == {"A/b", "B/a"}
    history = by_name["A/b"]["history"]
    assert [(each["recommendation_id"], each["code"], each["note"]) for each in history["need"]] == [
        (str(world.pairs["A/a"]), "too_early", "仍在小试")
    ]
    assert [(each["recommendation_id"], each["action"]) for each in history["outcome"]] == [
        (str(world.pairs["B/b"]), "accept")
    ]
    assert by_name["A/b"]["recommendation"]["need"]["organization"]["id"] == str(world.keys.enterprise.organization_id)
    assert (await world.undo("broker", "A/a")).status_code == 200
    again = (await world.ask("broker", "GET", "/v1/review")).json()["items"]
    back = next(item for item in again if item["recommendation"]["id"] == str(world.pairs["A/a"]))
    # What was undone is history of its own pair only.
    assert back["recommendation"]["decisions"][0]["undone_at"] is not None
    assert back["history"]["need"] == []


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh-CN", "审阅队列仅对技术经理人和运营方开放"), ("en", "The review queue is for brokers and operators")],
)
async def test_the_queue_is_for_those_who_review(world: World, language: str, words: str) -> None:
    for role in ("enterprise", "provider", "authority"):
        answer = await world.ask(role, "GET", "/v1/review", headers={"Accept-Language": language})
        assert (answer.status_code, answer.json()["detail"]) == (403, words)


@pytest.mark.parametrize("cursor", ["x", "WzEsMl0", "Wy0xLDAuNSwiMDE4OTBhNWQtYWM5Ni03NzRiLWJjY2UtYjMwMjA5OWE4MDU3Il0"])
async def test_a_cursor_of_another_list_is_refused(world: World, cursor: str) -> None:
    answer = await world.ask("broker", "GET", f"/v1/review?cursor={cursor}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor")


async def test_an_assigned_need_comes_first_whatever_the_profile_says(world: World) -> None:
    await world.fill({"A": {"a": 0.9}, "B": {"b": 0.2, "c": 0.1}})
    await profile(world, fields=["wine"])
    assert await world.names() == []
    mine = (await world.ask("broker", "GET", "/v1/brokers/me")).json()["id"]
    body = {"need_id": str(world.needs["B"]), "broker_id": mine}
    assert (await world.ask("operator", "POST", "/v1/brokers/assignments", body)).status_code == 201
    assert await world.names() == ["B/b", "B/c"]
    await profile(world, 1)
    assert await world.names() == ["B/b", "B/c", "A/a"]
    items = (await world.ask("broker", "GET", "/v1/review")).json()["items"]
    assert [item["assigned"] for item in items] == [True, True, False]
    first = (await world.ask("broker", "GET", "/v1/review?limit=1")).json()
    rest = (await world.ask("broker", "GET", f"/v1/review?cursor={first['next']}")).json()
    assert [world.name_of(item["recommendation"]["id"]) for item in rest["items"]] == ["B/c", "A/a"]
    assert await world.lease(limit=2) == ["B/b", "B/c"]


async def test_ranking_leasing_and_deciding_through_the_whole_service(
    client: httpx2.AsyncClient, world: World, resources: Resources
) -> None:
    """Pairs that the ranking itself proposed, in the order of their gains, at two calls for each at most."""
    from tests.matches.test_worker import publish_all

    needs, _ = await publish_all(client, world.keys)
    await worker.drain(resources, concurrency=2)
    items = (await world.ask("broker", "GET", "/v1/review")).json()["items"]
    assert {item["recommendation"]["need"]["id"] for item in items} == set(needs)
    gains = [item["gain"] for item in items]
    assert gains == sorted(gains, reverse=True)
    for need in needs:
        of_need = [item for item in items if item["recommendation"]["need"]["id"] == need]
        # The first of a need's own list counts whole.
        assert of_need[0]["gain"] == of_need[0]["recommendation"]["probability"]
    leased = (await world.ask("broker", "POST", "/v1/review/leases", {"limit": 2})).json()["items"]
    decisions = [{"recommendation_id": item["recommendation"]["id"], "action": "accept"} for item in leased]
    answer = await world.ask("broker", "POST", "/v1/review/decisions", {"decisions": decisions})
    assert (answer.status_code, answer.json()["decided"]) == (200, 2)
