"""Many decisions in one request: all or nothing, each problem under its place."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from service.kit.clock import now
from service.kit.db import Connection
from service.responses import repository
from tests.review.world import World

PAIRS = {"A": {"a": 0.9, "b": 0.8}, "B": {"a": 0.7, "b": 0.6}}
COUNTS = "select (select count(*) from decision), (select count(*) from event where subject_kind = 'recommendation')"


async def batch(world: World, *decisions: dict[str, Any], role: str = "broker", **more: Any) -> Any:
    sent = [{**each, "recommendation_id": str(world.pairs.get(each["pair"], each["pair"]))} for each in decisions]
    for each in sent:
        del each["pair"]
    return await world.ask(role, "POST", "/v1/review/decisions", {"decisions": sent} | more)


async def test_every_kind_of_decision_in_one_request(world: World) -> None:
    await world.fill(PAIRS)
    until = (now() + timedelta(days=3)).isoformat()
    answer = await batch(
        world,
        {"pair": "A/a", "action": "accept", "version": 1},
        {"pair": "A/b", "action": "decline", "code": "vague", "note": "看不懂", "to_provider": "请写明指标"},
        {"pair": "B/a", "action": "snooze", "snoozed_until": until},
    )
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["decided"] == 3
    assert [item["decision"]["action"] for item in body["items"]] == ["accept", "decline", "snooze"]
    assert [item["decision"]["rank"] for item in body["items"]] == [1, 2, 1]
    assert body["items"][1]["decision"]["to_provider"] == "请写明指标"
    assert await world.names() == ["B/b"]
    assert tuple(await world.owner.fetchrow(COUNTS)) == (3, 3)


async def test_one_that_cannot_be_decided_undoes_all_and_is_named(world: World, second: str) -> None:
    await world.fill(PAIRS)
    assert (await world.decide("broker", "B/a")).status_code == 201
    # A/a and B/b, by their gains: the second broker has them, and gives one back.
    assert await world.lease(second, limit=2) == ["A/a", "A/b"]
    await world.ask(second, "DELETE", f"/v1/review/leases?recommendation_id={world.pairs['A/a']}")
    before = tuple(await world.owner.fetchrow(COUNTS))
    sent = (
        {"pair": "A/a", "action": "accept"},
        {"pair": "A/b", "action": "accept"},
        {"pair": "B/a", "action": "accept"},
        {"pair": "A/a", "action": "accept"},
        {"pair": "01890a5d-ac96-774b-bcce-b302099a8057", "action": "accept"},
        {"pair": "B/b", "action": "accept", "version": 7},
    )
    refused = await batch(world, *sent)
    assert (refused.status_code, refused.json()["code"]) == (409, "batch_refused")
    assert [(each["field"], each["rule"]) for each in refused.json()["errors"]] == [
        ("decisions.1", "leased"),
        ("decisions.2", "out_of_turn"),
        ("decisions.3", "conflict"),
        ("decisions.4", "not_found"),
        ("decisions.5", "changed_meanwhile"),
    ]
    assert "more than once" in refused.json()["errors"][2]["message"]
    assert tuple(await world.owner.fetchrow(COUNTS)) == before
    # With partial the one that can be decided is, and each other says why not.
    answer = (await batch(world, *sent, partial=True)).json()
    assert answer["decided"] == 1
    assert [(item["problem"] or {}).get("rule") for item in answer["items"]] == [
        None, "leased", "out_of_turn", "conflict", "not_found", "changed_meanwhile",
    ]  # fmt: skip
    assert tuple(await world.owner.fetchrow(COUNTS)) == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize(
    ("decision", "field", "rule"),
    [
        ({"action": "snooze", "snoozed_until": "2020-01-01T00:00:00+08:00"}, "decisions.1.snoozed_until", "future"),
        ({"action": "decline"}, "decisions.1.code", "code_with_decline"),
        ({"action": "decline", "code": "vague", "to_provider": ""}, "decisions.1.to_provider", "string_too_short"),
        ({"action": "accept", "to_provider": "请补充"}, "decisions.1.to_provider", "told_when_declined"),
        ({"action": "decline", "code": "vague", "to_provider": "测试演示单位 enterprise 不感兴趣"},
         "decisions.1.to_provider", "names_the_need"),
    ],
)  # fmt: skip
async def test_a_wrong_decision_names_place_field_and_rule(
    world: World, decision: dict[str, Any], field: str, rule: str
) -> None:
    await world.fill(PAIRS)
    refused = await batch(world, {"pair": "A/a", "action": "accept"}, {"pair": "B/a", **decision})
    assert refused.status_code == 422, refused.text
    assert [(each["field"], each["rule"]) for each in refused.json()["errors"]] == [(field, rule)]
    assert await world.owner.fetchval("select count(*) from decision") == 0


async def test_at_least_one_and_at_most_a_hundred(world: World) -> None:
    await world.fill(PAIRS)
    for count, rule in ((0, "too_short"), (101, "too_long")):
        refused = await batch(world, *[{"pair": "A/a", "action": "accept"}] * count)
        assert (refused.status_code, refused.json()["errors"][0]["rule"]) == (422, rule)


async def test_batches_are_for_those_who_decide(world: World) -> None:
    await world.fill(PAIRS)
    for role in ("enterprise", "provider", "operator", "authority"):
        assert (await batch(world, {"pair": "A/a", "action": "accept"}, role=role)).status_code == 403
    assert (await batch(world, {"pair": "A/a", "action": "accept"}, role="administrator")).status_code == 200


async def test_those_who_accept_many_hold_organizations_in_one_order(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the order of the request, so that two who accept at once do not wait for each other."""
    for name, role in (("a", "provider"), ("b", "other_provider")):
        await world.outcome(name, role=role)
    await world.fill({"A": {"a": 0.9}, "B": {"b": 0.8}})
    stranger = world.keys.stranger.organization_id
    await world.owner.execute("update listing set organization_id = $1 where id = $2", stranger, world.needs["A"])
    held: list[UUID] = []
    lock = repository.lock

    async def noted(connection: Connection, organization_id: UUID) -> None:
        held.append(organization_id)
        await lock(connection, organization_id)

    monkeypatch.setattr(repository, "lock", noted)
    for order in (("B/b", "A/a"), ("A/a", "B/b")):
        held.clear()
        answer = await batch(world, *({"pair": pair, "action": "accept"} for pair in order))
        assert answer.status_code == 200, answer.text
        first_held = list(dict.fromkeys(held))
        assert first_held == sorted(first_held)
        assert len(first_held) == 4
        for pair in order:
            assert (await world.undo("broker", pair)).status_code == 200
