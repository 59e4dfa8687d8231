"""Consent of both sides: who gives it, what it opens, how it ends, and what happens when all of it comes at once."""

import asyncio
from typing import Any

import httpx2
import pytest

from service.kit.db import Pool
from service.resources import Resources
from tests.access.helpers import make_key
from tests.access.test_confidential import World, made, take
from tests.conftest import Keys

NEED = {
    "title": "枸杞鲜果快速干燥",
    "description": "求干燥时间短的装备。",
    "contact_name": "演示甲",
    "contact_phone": "0951-0000001",
}
OUTCOME = {
    "title": "枸杞真空脉动干燥装备",
    "description": "干燥时间 10 h。",
    "contact_name": "演示乙",
    "contact_email": "yi@example.com",
}
PURPOSE = {"purpose": "就中试条件洽谈"}
EVENTS = """
select action, count(*) as times from event
where subject_kind = 'recommendation' and action in ('consent', 'withdraw_consent', 'open_contacts') group by action
"""


@pytest.fixture
async def world(client: httpx2.AsyncClient, keys: Keys, resources: Resources) -> World:
    return await made(client, keys, resources, NEED, OUTCOME)


async def accept(client: httpx2.AsyncClient, keys: Keys, world: World) -> None:
    path = f"/v1/recommendations/{world.pair}/decisions"
    answer = await client.post(path, json={"action": "accept", "note": "值得一谈"}, headers=keys.headers("broker"))
    assert answer.status_code == 201, answer.text


async def ask(
    client: httpx2.AsyncClient, keys: Keys, world: World, role: str, method: str, what: str, json: Any = None
) -> httpx2.Response:
    return await client.request(
        method, f"/v1/recommendations/{world.pair}{what}", headers=keys.headers(role), json=json
    )


async def events(pool: Pool) -> dict[str, int]:
    return {row["action"]: row["times"] for row in await pool.fetch(EVENTS)}


async def test_consent_waits_for_a_broker(client: httpx2.AsyncClient, keys: Keys, world: World, pool: Pool) -> None:
    for method, what in (
        ("POST", "/consent"),
        ("DELETE", "/consent"),
        ("GET", "/consent"),
        ("GET", "/contacts"),
        ("GET", ""),
    ):
        for role in ("enterprise", "provider", "stranger"):
            answer = await ask(client, keys, world, role, method, what, PURPOSE if method == "POST" else None)
            assert answer.status_code == 404, (method, what, role)
    assert (await ask(client, keys, world, "broker", "GET", "/consent")).json()["opened"] is False
    assert (await ask(client, keys, world, "broker", "GET", "/contacts")).status_code == 409
    assert await events(pool) == {}


async def test_contacts_open_by_both_consents_and_close_by_one_withdrawal(
    client: httpx2.AsyncClient, keys: Keys, world: World, pool: Pool
) -> None:
    await accept(client, keys, world)
    everybody = ("enterprise", "provider", "broker", "operator", "administrator")
    given = await ask(client, keys, world, "enterprise", "POST", "/consent", PURPOSE)
    assert given.status_code == 201, given.text
    assert (given.json()["need"], given.json()["outcome"], given.json()["opened"]) == (True, False, False)
    assert (await ask(client, keys, world, "enterprise", "POST", "/consent", PURPOSE)).status_code == 409
    for role in everybody:
        assert (await ask(client, keys, world, role, "GET", "/contacts")).status_code == 409, role
        told = (await ask(client, keys, world, role, "GET", "/consent")).json()
        assert told["history"][0].pop("purpose") == (None if role == "provider" else PURPOSE["purpose"]), role
        kept = {name: value for name, value in given.json()["history"][0].items() if name != "purpose"}
        assert told == given.json() | {"history": [kept]}, role
    need = f"/v1/needs/{world.need}"
    assert (await client.get(need, headers=keys.headers("provider"))).json()["organization"] is None
    assert (await ask(client, keys, world, "provider", "POST", "/consent", PURPOSE)).json()["opened"] is True
    for role in everybody:
        shown = await ask(client, keys, world, role, "GET", "/contacts")
        assert shown.status_code == 200, (role, shown.text)
        assert (shown.json()["need"]["contact_phone"], shown.json()["outcome"]["contact_email"]) == (
            NEED["contact_phone"],
            OUTCOME["contact_email"],
        )
        assert shown.json()["need"]["organization"]["id"] == str(keys.enterprise.organization_id)
    assert (await ask(client, keys, world, "authority", "GET", "/contacts")).status_code == 403
    assert (await ask(client, keys, world, "stranger", "GET", "/contacts")).status_code == 404
    # Those who consented know each other's name; contact data stays where each opening leaves an event.
    known = (await client.get(need, headers=keys.headers("provider"))).json()
    assert known["organization"]["id"] == str(keys.enterprise.organization_id)
    assert known["contact_name"] is None
    assert (await client.get(need, headers=keys.headers("other_provider"))).json()["organization"] is None
    assert await events(pool) == {"consent": 2, "open_contacts": 5}
    data = await pool.fetchval("select string_agg(data::text, ' ') from event where subject_kind = 'recommendation'")
    assert not any(word in data for word in ("演示", "0951", "example.com", PURPOSE["purpose"]))
    ended = await ask(client, keys, world, "provider", "DELETE", "/consent")
    assert (ended.status_code, ended.json()["opened"]) == (200, False)
    assert ended.json()["history"][1]["withdrawn_at"] is not None
    for role in everybody:
        assert (await ask(client, keys, world, role, "GET", "/contacts")).status_code == 409, role
    assert (await client.get(need, headers=keys.headers("provider"))).json()["organization"] is None
    assert (await ask(client, keys, world, "provider", "DELETE", "/consent")).status_code == 409
    # Consent may be given again, for another purpose.
    again = await ask(client, keys, world, "provider", "POST", "/consent", {"purpose": "签约"})
    assert again.json()["opened"] is True
    assert [each["purpose"] for each in again.json()["history"]] == [PURPOSE["purpose"], PURPOSE["purpose"], "签约"]


async def test_nobody_consents_for_another(client: httpx2.AsyncClient, keys: Keys, world: World, pool: Pool) -> None:
    await accept(client, keys, world)
    for role, status in (("broker", 403), ("operator", 403), ("administrator", 403), ("stranger", 404)):
        assert (await ask(client, keys, world, role, "POST", "/consent", PURPOSE)).status_code == status, role
        assert (await ask(client, keys, world, role, "DELETE", "/consent")).status_code == status, role
    other = await ask(client, keys, world, "enterprise", "POST", "/consent", PURPOSE | {"side": "outcome"})
    assert other.status_code == 403
    empty = await ask(client, keys, world, "enterprise", "POST", "/consent", {"purpose": " "})
    assert (empty.status_code, empty.json()["errors"][0]["field"]) == (422, "purpose")
    assert await pool.fetchval("select count(*) from consent") == 0


async def test_the_sides_read_their_accepted_pair_without_what_the_broker_noted(
    client: httpx2.AsyncClient, keys: Keys, world: World
) -> None:
    await accept(client, keys, world)
    for role in ("enterprise", "provider"):
        shown = (await ask(client, keys, world, role, "GET", "")).json()
        assert (shown["state"], shown["decisions"]) == ("accepted", [])
        assert "值得一谈" not in str(shown)
        assert (shown["need"]["organization"] is None) == (role == "provider")
    assert len((await ask(client, keys, world, "broker", "GET", "")).json()["decisions"]) == 1
    assert (await ask(client, keys, world, "stranger", "GET", "")).status_code == 404


async def test_what_has_left_the_market_opens_nothing(client: httpx2.AsyncClient, keys: Keys, world: World) -> None:
    await accept(client, keys, world)
    for role in ("enterprise", "provider"):
        assert (await ask(client, keys, world, role, "POST", "/consent", PURPOSE)).status_code == 201
    await take(client, keys.headers("enterprise"), f"/v1/needs/{world.need}", "withdraw")
    assert (await ask(client, keys, world, "enterprise", "GET", "/contacts")).status_code == 409
    assert (await ask(client, keys, world, "broker", "GET", "/contacts")).status_code == 409
    assert (await ask(client, keys, world, "provider", "GET", "/contacts")).status_code in (404, 409)
    # Ending a consent is always possible.
    assert (await ask(client, keys, world, "enterprise", "DELETE", "/consent")).status_code == 200


async def test_an_organization_on_both_sides_says_which(
    client: httpx2.AsyncClient, keys: Keys, world: World, pool: Pool
) -> None:
    await accept(client, keys, world)
    await pool.execute("update listing set organization_id = $1", keys.enterprise.organization_id)
    unsaid = await ask(client, keys, world, "enterprise", "POST", "/consent", PURPOSE)
    assert (unsaid.status_code, unsaid.json()["errors"][0]["field"]) == (422, "side")
    for side in ("need", "outcome"):
        answer = await ask(client, keys, world, "enterprise", "POST", "/consent", PURPOSE | {"side": side})
        assert answer.json()[side] is True
    assert (await ask(client, keys, world, "enterprise", "DELETE", "/consent?side=need")).json()["outcome"] is True


async def test_a_side_that_knows_of_the_pair_already_waits_for_the_broker_too(
    client: httpx2.AsyncClient, keys: Keys, world: World, pool: Pool
) -> None:
    """An operator's own need: it sees the pair as staff, before anybody accepted it."""
    await pool.execute("update listing set organization_id = $1 where kind = 'need'", keys.operator.organization_id)
    early = await ask(client, keys, world, "operator", "POST", "/consent", PURPOSE)
    assert (early.status_code, "once a broker accepted" in early.json()["detail"]) == (409, True)
    none = await ask(client, keys, world, "operator", "DELETE", "/consent")
    assert (none.status_code, "no open consent" in none.json()["detail"]) == (409, True)


async def test_a_reading_key_does_not_consent(client: httpx2.AsyncClient, keys: Keys, world: World) -> None:
    await accept(client, keys, world)
    own = keys.enterprise.organization_id
    reader = await make_key(client, keys.headers("administrator"), own, scopes=["read"])
    path = f"/v1/recommendations/{world.pair}/consent"
    assert (await client.post(path, json=PURPOSE, headers=reader["headers"])).status_code == 403
    assert (await client.get(path, headers=reader["headers"])).status_code == 200


# Every change of a pair's consents and every opening, in the order in which they were sealed.
CHAIN = """
select action, data ->> 'side' as side from event join event_seal on event_seal.event_id = event.id
where subject_kind = 'recommendation' and action in ('consent', 'withdraw_consent', 'open_contacts') order by position
"""


async def test_contacts_never_open_without_two_consents_whatever_comes_at_once(
    client: httpx2.AsyncClient, keys: Keys, world: World, pool: Pool
) -> None:
    await accept(client, keys, world)
    changed: dict[str, int] = {"consent": 0, "withdraw_consent": 0, "open_contacts": 0}
    for _ in range(8):
        answers = await asyncio.gather(
            ask(client, keys, world, "enterprise", "POST", "/consent", PURPOSE),
            ask(client, keys, world, "provider", "POST", "/consent", PURPOSE),
            ask(client, keys, world, "provider", "GET", "/contacts"),
            ask(client, keys, world, "enterprise", "DELETE", "/consent"),
            ask(client, keys, world, "enterprise", "POST", "/consent", PURPOSE),
            ask(client, keys, world, "enterprise", "GET", "/contacts"),
            ask(client, keys, world, "provider", "DELETE", "/consent"),
            ask(client, keys, world, "broker", "GET", "/contacts"),
        )
        assert {answer.status_code for answer in answers} <= {200, 201, 409}
        for answer in answers:
            name = {"POST": "consent", "DELETE": "withdraw_consent", "GET": "open_contacts"}[answer.request.method]
            changed[name] += answer.status_code != 409
    assert changed["consent"] >= 2
    # One event for each effect, and one row for each consent.
    assert await events(pool) == {name: times for name, times in changed.items() if times}
    assert await pool.fetchval("select count(*) from consent") == changed["consent"]
    # The order of the chain holds each opening between two consents and the next withdrawal.
    open_sides: set[str] = set()
    for row in await pool.fetch(CHAIN):
        if row["action"] == "consent":
            assert row["side"] not in open_sides
            open_sides.add(row["side"])
        elif row["action"] == "withdraw_consent":
            open_sides.remove(row["side"])
        else:
            assert open_sides == {"need", "outcome"}


async def test_a_purpose_is_told_across_while_both_consent(
    client: httpx2.AsyncClient, keys: Keys, world: World
) -> None:
    """Before that it would be a way to tell the other side who one is and how to be reached."""
    await accept(client, keys, world)
    said = {"purpose": "演示公司，请致电 0951-0000001"}
    given = await ask(client, keys, world, "enterprise", "POST", "/consent", said)
    assert given.json()["history"][0]["purpose"] == said["purpose"]

    async def purposes(role: str) -> list[str | None]:
        answer = await ask(client, keys, world, role, "GET", "/consent")
        return [each["purpose"] for each in answer.json()["history"]]

    assert await purposes("provider") == [None]
    assert await purposes("enterprise") == await purposes("broker") == [said["purpose"]]
    own = await ask(client, keys, world, "provider", "POST", "/consent", PURPOSE)
    assert [each["purpose"] for each in own.json()["history"]] == [said["purpose"], PURPOSE["purpose"]]
    ended = await ask(client, keys, world, "enterprise", "DELETE", "/consent")
    assert [each["purpose"] for each in ended.json()["history"]] == [said["purpose"], None]
    assert await purposes("provider") == [None, PURPOSE["purpose"]]
