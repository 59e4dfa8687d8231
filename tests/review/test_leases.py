"""Leases: whose a pair is meanwhile, how that ends, and what happens when two want the same."""

import asyncio
from datetime import datetime, timedelta

import pytest

from service.access import service as access
from service.access.schemas import KeyRequest
from service.kit.actor import SYSTEM
from service.kit.clock import MARKET_ZONE, now
from service.kit.db import Pool, transaction
from service.matches import decisions
from service.review import service
from tests.conftest import Member
from tests.review.world import World

PAIRS = {"A": {"a": 0.9, "b": 0.8}, "B": {"a": 0.7}}
STATE = "select leased_to is not null as leased from review_item where recommendation_id = $1"


async def test_what_one_has_under_lease_others_do_not_see(world: World, second: str) -> None:
    await world.fill(PAIRS)
    assert await world.lease(limit=2) == ["A/a", "B/a"]
    assert await world.names(second) == ["A/b"]
    assert await world.names("operator") == ["A/b"]
    own = (await world.ask("broker", "GET", "/v1/review")).json()["items"]
    assert [item["leased_until"] is not None for item in own] == [True, True, False]
    assert await world.names(query="?leased=true") == ["A/a", "B/a"]
    assert await world.names(second, "?leased=true") == []
    assert await world.lease(second, limit=5) == ["A/b"]
    assert await world.lease(second, limit=5) == []


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh-CN", "该推荐由其他技术经理人处理中，至 "), ("en", "Another broker works on this pair until ")],
)
async def test_a_decision_on_anothers_lease_says_until_when(
    world: World, second: str, language: str, words: str
) -> None:
    await world.fill(PAIRS)
    leased = (await world.ask("broker", "POST", "/v1/review/leases", {"limit": 1})).json()
    until = datetime.fromisoformat(leased["leased_until"])
    assert timedelta(minutes=29) < until - now() < timedelta(minutes=31)
    path = f"/v1/recommendations/{world.pairs['A/a']}/decisions"
    for role in (second, "administrator"):
        refused = await world.ask(role, "POST", path, {"action": "accept"}, {"Accept-Language": language})
        assert (refused.status_code, refused.json()["code"]) == (409, "leased")
        assert refused.json()["detail"] == words + until.astimezone(MARKET_ZONE).isoformat(timespec="seconds")
    # What nobody has under lease anybody decides on.
    assert (await world.decide(second, "A/b")).status_code == 201
    assert (await world.decide("broker", "A/a")).status_code == 201


async def test_a_lease_ends_by_decision_release_and_time(
    world: World, second: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.fill({"A": {"a": 0.9}, "B": {"b": 0.8}, "C": {"c": 0.7}})
    assert await world.lease(limit=3) == ["A/a", "B/b", "C/c"]
    assert (await world.decide("broker", "A/a", action="decline", code="vague")).status_code == 201
    # Undone, the pair is in the queue again, and nobody's.
    assert (await world.undo("broker", "A/a")).status_code == 200
    assert await world.names(second) == ["A/a"]
    given = await world.ask("broker", "DELETE", f"/v1/review/leases?recommendation_id={world.pairs['B/b']}")
    assert given.json() == {"released": [str(world.pairs["B/b"])]}
    assert await world.names(second) == ["A/a", "B/b"]
    # Nobody gives back what is another's.
    theirs = await world.ask(second, "DELETE", "/v1/review/leases")
    assert (theirs.status_code, theirs.json()) == (200, {"released": []})
    later = now() + timedelta(minutes=31)
    for module in (service, decisions):
        monkeypatch.setattr(module, "now", lambda: later)
    assert await world.names(second) == ["A/a", "B/b", "C/c"]
    assert await world.lease(second, limit=3) == ["A/a", "B/b", "C/c"]
    refused = await world.decide("broker", "C/c")
    assert (refused.status_code, refused.json()["code"]) == (409, "leased")
    everything = await world.ask(second, "DELETE", "/v1/review/leases")
    assert len(everything.json()["released"]) == 3


async def test_nobody_takes_more_than_can_be_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.fill({"A": {"a": 0.9}, "B": {"b": 0.8}, "C": {"c": 0.7}})
    monkeypatch.setattr(service, "MOST_LEASED", 2)
    assert await world.lease(limit=100) == ["A/a", "B/b"]
    for language, words in (("zh-CN", "已占用 2 条推荐"), ("en", "You have 2 pairs already")):
        refused = await world.ask("broker", "POST", "/v1/review/leases", {}, {"Accept-Language": language})
        assert refused.status_code == 409
        assert refused.json()["detail"].startswith(words)


@pytest.mark.parametrize(
    ("body", "field"), [({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"from": "mars"}, "from"), ({"x": 1}, "x")]
)
async def test_a_lease_that_cannot_be_names_its_field(world: World, body: dict[str, object], field: str) -> None:
    refused = await world.ask("broker", "POST", "/v1/review/leases", body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)


async def test_leasing_is_for_those_who_decide(world: World) -> None:
    for role in ("enterprise", "provider", "operator", "authority"):
        for method in ("POST", "DELETE"):
            for language, word in (("zh-CN", "技术经理人"), ("en", "broker")):
                answer = await world.ask(
                    role, method, "/v1/review/leases", {} if method == "POST" else None, {"Accept-Language": language}
                )
                assert answer.status_code == 403
                assert word in answer.json()["detail"]


async def test_keys_of_one_broker_share_its_room(
    world: World, second: str, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Machine clients of one organization are one broker, one after the other and at once."""
    monkeypatch.setattr(service, "MOST_LEASED", 3)
    await world.fill({"A": dict.fromkeys("abcdefgh", 0.9)})
    async with transaction(pool, SYSTEM) as connection:
        request = KeyRequest(label="third", roles=["broker"], scopes=["read", "write"])
        made = await access.create_key(connection, SYSTEM, world.keys.broker.organization_id, request)
    world.keys.members["third"] = Member("broker", world.keys.broker.organization_id, made.key)
    answers = await asyncio.gather(
        *(world.ask(role, "POST", "/v1/review/leases", {"limit": 2}) for role in ("broker", "third", "broker", "third"))
    )
    taken = [len(answer.json()["items"]) for answer in answers if answer.status_code == 201]
    assert sum(taken) == 3
    assert {answer.status_code for answer in answers} == {201, 409}
    assert len(await world.lease(second, limit=2)) == 2


async def test_two_who_lease_at_once_never_get_the_same(world: World, second: str) -> None:
    await world.fill({name: {"a": 0.9, "b": 0.8, "c": 0.7} for name in "ABCDE"})
    for _ in range(10):
        taken = await asyncio.gather(*(world.lease(role, limit=4) for role in ("broker", second, "broker", second)))
        mine, theirs = set(taken[0] + taken[2]), set(taken[1] + taken[3])
        assert not mine & theirs
        assert sum(map(len, taken)) == len(mine) + len(theirs) <= 15
        rows = await world.owner.fetch(
            "select recommendation_id, leased_organization from review_item where leased_to is not null"
        )
        assert {world.name_of(row["recommendation_id"]) for row in rows} == mine | theirs
        for role in ("broker", second):
            await world.ask(role, "DELETE", "/v1/review/leases")


async def test_of_two_who_accept_at_once_exactly_one_does(world: World, second: str) -> None:
    """Without a lease, and where one leases while the other decides."""
    for turn in range(10):
        need = f"N{turn}"
        await world.fill({need: {"a": 0.9}})
        pair = f"{need}/a"
        if turn % 2:
            answers = await asyncio.gather(world.decide("broker", pair), world.decide(second, pair))
            assert sorted(answer.status_code for answer in answers) == [201, 409]
        else:
            leased, answer = await asyncio.gather(world.lease(limit=1), world.decide(second, pair))
            # Either the lease was first, and keeps the other out; or the decision was, and there is nothing to lease.
            assert (leased, answer.status_code) in (([pair], 409), ([], 201))
            if leased:
                assert (await world.decide("broker", pair)).status_code == 201
        events = await world.owner.fetchval(
            "select count(*) from event where subject_id = $1 and action = 'accept'", world.pairs[pair]
        )
        assert events == 1
