"""A decision that is taken back: by whom, until when, and what it leaves."""

import asyncio
from datetime import timedelta

import pytest

from service.kit.clock import now
from service.matches import undo
from service.matches.labels import decided
from service.matches.samples import decided_pairs
from tests.access.helpers import add_member, events_of, make_key
from tests.conftest import Member
from tests.review.world import World


async def test_an_undone_decision_stays_on_record_and_teaches_nothing(world: World, pool: object) -> None:
    await world.fill({"A": {"a": 0.9, "b": 0.8}})
    made = (await world.decide("broker", "A/a", action="decline", code="too_early")).json()
    assert (await world.decide("broker", "A/b")).status_code == 201
    assert len(await decided(world.owner)) == len(await decided_pairs(world.owner)) == 2
    undone = await world.undo("broker", "A/a")
    assert undone.status_code == 200, undone.text
    assert undone.json()["id"] == made["id"]
    assert undone.json()["undone_at"] is not None
    assert [each.action for each in await decided(world.owner)] == ["accept"]
    assert [each.pair.action for each in await decided_pairs(world.owner)] == ["accept"]
    read = (await world.ask("broker", "GET", f"/v1/recommendations/{world.pairs['A/a']}")).json()
    assert (read["state"], read["version"]) == ("proposed", 3)
    assert read["decisions"] == [undone.json()]
    events = await events_of(pool, world.pairs["A/a"])  # type: ignore[arg-type]
    assert events == [("decline", "proposed", "declined"), ("undo", "declined", "proposed")]
    # There is nothing to undo twice, and the pair may be decided on again.
    assert (await world.undo("broker", "A/a")).status_code == 409
    assert (await world.decide("broker", "A/a")).status_code == 201
    assert sorted(each.action for each in await decided(world.owner)) == ["accept", "accept"]


async def test_who_decided_undoes_and_an_administrator(world: World, second: str) -> None:
    await world.fill({"A": {"a": 0.9}})
    assert (await world.decide("broker", "A/a")).status_code == 201
    for language, words in (
        ("zh-CN", "只能由作出决定的技术经理人或管理员撤销"),
        ("en", "Only the broker who decided, or an administrator"),
    ):
        path = f"/v1/recommendations/{world.pairs['A/a']}/decisions/undo"
        refused = await world.ask(second, "POST", path, headers={"Accept-Language": language})
        assert refused.status_code == 403
        assert refused.json()["detail"].startswith(words)
    for role, status in (("enterprise", 404), ("provider", 404), ("operator", 403), ("authority", 403)):
        assert (await world.undo(role, "A/a")).status_code == status, role
    assert (await world.undo("administrator", "A/a")).status_code == 200


async def test_a_person_undoes_what_it_decided_itself(world: World) -> None:
    """Of one organization: two people, and a machine client."""
    own, administrator = world.keys.broker.organization_id, world.keys.headers("administrator")
    for name in ("jia", "yi"):
        member = await add_member(world.client, administrator, own, f"{name}@example.com", roles=["broker"])
        key = await make_key(world.client, administrator, own, roles=["broker"], membership_id=member["id"])
        world.keys.members[name] = Member("broker", own, key["key"])
    await world.fill({"A": {"a": 0.9}})
    assert (await world.decide("jia", "A/a")).status_code == 201
    assert (await world.undo("yi", "A/a")).status_code == 403
    assert (await world.undo("broker", "A/a")).status_code == 403
    assert (await world.undo("jia", "A/a")).status_code == 200


async def test_after_a_while_it_stands(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.fill({"A": {"a": 0.9}})
    assert (await world.decide("broker", "A/a")).status_code == 201
    decided_at = await world.owner.fetchval("select decided_at from decision")
    path = f"/v1/recommendations/{world.pairs['A/a']}/decisions/undo"
    monkeypatch.setattr(undo, "now", lambda: decided_at + timedelta(minutes=10, seconds=1))
    for language, words in (("zh-CN", "撤销期限已过"), ("en", "It could be undone until")):
        refused = await world.ask("broker", "POST", path, headers={"Accept-Language": language})
        assert refused.status_code == 409
        assert refused.json()["detail"].startswith(words)
    monkeypatch.setattr(undo, "now", lambda: decided_at + timedelta(minutes=10))
    stale = await world.ask("broker", "POST", path, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.headers["ETag"]) == (412, '"2"')
    assert (await world.ask("broker", "POST", path, headers={"If-Match": '"2"'})).status_code == 200


async def test_what_nobody_here_decided_is_not_undone(world: World) -> None:
    await world.fill({"A": {"a": 0.9}})
    await world.owner.execute("update recommendation set state = 'declined'")
    refused = await world.undo("administrator", "A/a")
    assert (refused.status_code, refused.json()["detail"]) == (409, "There is no decision to undo")


async def test_what_was_built_upon_stands(world: World) -> None:
    await world.fill({"A": {"a": 0.9}})
    assert (await world.decide("broker", "A/a")).status_code == 201
    consent = f"/v1/recommendations/{world.pairs['A/a']}/consent"
    assert (await world.ask("enterprise", "POST", consent, {"purpose": "就中试洽谈"})).status_code == 201
    refused = await world.undo("broker", "A/a")
    assert (refused.status_code, refused.json()["detail"]) == (409, undo.CONSENTED.en)
    # Also after it was withdrawn: contact data may have been seen.
    assert (await world.ask("enterprise", "DELETE", consent)).status_code == 200
    assert (await world.undo("broker", "A/a")).status_code == 409


async def test_what_has_left_the_market_goes_into_no_queue(world: World) -> None:
    await world.fill({"A": {"a": 0.9}})
    assert (await world.decide("broker", "A/a")).status_code == 201
    withdrawn = await world.ask("enterprise", "POST", f"/v1/needs/{world.needs['A']}/withdraw")
    assert withdrawn.status_code == 200, withdrawn.text
    assert (await world.undo("broker", "A/a")).status_code == 409
    assert await world.names() == []


async def test_of_undoing_and_consenting_at_once_exactly_one_happens(world: World) -> None:
    for turn in range(10):
        need = f"N{turn}"
        await world.fill({need: {"a": 0.9}})
        assert (await world.decide("broker", f"{need}/a")).status_code == 201
        consent = f"/v1/recommendations/{world.pairs[f'{need}/a']}/consent"
        asked = [world.undo("broker", f"{need}/a"), world.ask("enterprise", "POST", consent, {"purpose": "洽谈"})]
        first, other = await asyncio.gather(*(asked if turn % 2 else asked[::-1]))
        undone, consented = (first, other) if turn % 2 else (other, first)
        assert (undone.status_code, consented.status_code) in ((200, 404), (200, 409), (409, 201)), (
            undone.text,
            consented.text,
        )


async def test_of_two_who_undo_at_once_exactly_one_does(world: World, pool: object) -> None:
    await world.fill({"A": {"a": 0.9}})
    for turn in range(5):
        assert (await world.decide("broker", "A/a")).status_code == 201
        answers = await asyncio.gather(world.undo("broker", "A/a"), world.undo("administrator", "A/a"))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        events = await events_of(pool, world.pairs["A/a"])  # type: ignore[arg-type]
        assert [action for action, _, _ in events] == ["accept", "undo"] * (turn + 1)
    assert await world.owner.fetchval("select max(undone_at) from decision") < now()
