"""A case that goes to another broker: who may, what goes with it, and two at once."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx2
import pytest

from service.kit.actor import Actor, Role
from service.kit.db import Pool, transaction
from tests.cases.helpers import Clock, Desk
from tests.cases.made import another_broker
from tests.conftest import Keys

MISSING = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.fixture
async def another(client: httpx2.AsyncClient, keys: Keys) -> str:
    """The profile of a broker of another organization, who asks as `another`."""
    return await another_broker(client, keys)


@pytest.mark.parametrize("role", ["broker", "operator", "administrator"])
async def test_a_case_goes_to_another_broker(desk: Desk, another: str, pool: Pool, role: str) -> None:
    await desk.agree()
    note = {"channel": "broker", "body": "备注"}
    await desk.take("broker", "/messages", note, status=201)
    assert (await desk.ask("another", "POST", "/consult")).status_code == 403
    shown = await desk.take(role, "/broker", {"broker_id": another, "reason": "leaves"})
    own = str(desk.keys.operator.organization_id)
    assert (shown["broker_organization_id"], shown["state"]) == (own, "consented")
    # The former broker sees that there is a case, as all staff, and has no part in it any more.
    assert (await desk.ask("broker", "POST", "/consult")).status_code == 403
    assert (await desk.ask("broker", "GET", "/messages")).status_code == 403
    read = await desk.ask("another", "GET", "/messages")
    assert [each["body"] for each in read.json()["items"]] == ["备注"]
    await desk.take("another", "/consult")
    assert (await desk.events())[-2:] == [
        ("hand_over", "consented", "consented"), ("consult", "consented", "consulting"),
    ]  # fmt: skip
    data = await pool.fetchval("select data from event where action = 'hand_over'")
    assert {name: data[name] for name in ("broker", "organization", "former", "reason")} == {
        "broker": another, "organization": own, "former": str(desk.keys.broker.organization_id), "reason": "leaves",
    }  # fmt: skip


async def test_the_new_broker_has_a_whole_term(desk: Desk, another: str, moment: Clock) -> None:
    await desk.agree()
    (before,) = (await desk.read())["awaiting"]
    moment.go(timedelta(days=1))
    (after,) = (await desk.take("broker", "/broker", {"broker_id": another}))["awaiting"]
    assert (after["party"], after["what"], after["escalated"]) == ("broker", "consult", False)
    assert after["until"] > before["until"]


async def test_who_may_not_hand_over_and_what_is_refused(desk: Desk, another: str) -> None:
    body = {"broker_id": another}
    for role in ("enterprise", "provider", "authority", "another"):
        assert (await desk.ask(role, "POST", "/broker", body)).status_code == 403
    assert (await desk.ask("stranger", "POST", "/broker", body)).status_code == 404
    for language in ("zh-CN", "en"):
        headers = {"Accept-Language": language}
        unknown = await desk.ask("broker", "POST", "/broker", {"broker_id": MISSING}, headers=headers)
        assert [(each["field"], each["rule"]) for each in unknown.json()["errors"]] == [("broker_id", "known_broker")]
    wrong = await desk.ask("broker", "POST", "/broker", body | {"reason": "张三离职"})
    assert wrong.status_code == 422
    stale = await desk.ask("broker", "POST", "/broker", body, headers={"If-Match": '"999"'})
    assert stale.status_code == 412
    await desk.take("broker", "/broker", body)
    again = await desk.ask("another", "POST", "/broker", body)
    assert (again.status_code, again.json()["code"]) == (409, "out_of_turn")
    await desk.take("another", "/close", {"closed_as": "lost", "code": "no_funds"})
    closed = await desk.ask("operator", "POST", "/broker", body)
    assert (closed.status_code, closed.json()["code"]) == (409, "out_of_turn")
    assert (await desk.actions()).count("hand_over") == 1


async def test_a_broker_that_takes_on_nothing_is_given_no_case(
    client: httpx2.AsyncClient, keys: Keys, desk: Desk
) -> None:
    resting = await another_broker(client, keys, available=False)
    refused = await desk.ask("broker", "POST", "/broker", {"broker_id": resting})
    assert (refused.status_code, refused.json()["code"]) == (409, "out_of_turn")


async def test_two_who_hand_over_at_once_do_it_once(desk: Desk, another: str, pool: Pool) -> None:
    answers = await asyncio.gather(*(desk.ask("broker", "POST", "/broker", {"broker_id": another}) for _ in range(4)))
    # The first one has no part in it any more, once it is another's.
    assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403]
    assert await pool.fetchval("select count(*) from event where action = 'hand_over'") == 1


async def test_the_database_lets_no_side_and_no_other_broker_change_whose_case_it_is(desk: Desk, pool: Pool) -> None:
    take = "update docking_case set broker_organization_id = $1 where id = $2"
    for house, role in (("enterprise", Role.ENTERPRISE), ("provider", Role.PROVIDER), ("stranger", Role.BROKER)):
        own = desk.keys.members[house].organization_id
        actor = Actor(key_id=None, organization_id=own, roles=frozenset({role}))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with transaction(pool, actor) as connection:
                await connection.execute(take, own, UUID(desk.case_id))


async def test_what_came_of_it_counts_for_who_has_it(desk: Desk, another: str) -> None:
    await desk.agree()
    path, headers = "/v1/brokers", desk.keys.headers("operator")

    async def shown() -> tuple[int, int]:
        items = (await desk.client.get(path, headers=headers)).json()["items"]
        one = next(each for each in items if each["id"] == another)
        return one["workload"]["open"]["cases"], one["workload"]["taken"]

    assert await shown() == (0, 0)
    await desk.take("broker", "/broker", {"broker_id": another})
    assert await shown() == (1, 1)
    await desk.take("another", "/close", {"closed_as": "lost", "code": "no_funds"})
    assert await shown() == (0, 0)
