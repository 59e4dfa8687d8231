"""A need is docking while it is talked about, and open to others as before."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from service import worker
from service.kit.actor import SYSTEM
from service.kit.db import Pool, transaction
from service.listings import service as listings
from service.resources import Resources
from tests.cases.helpers import OUTCOME, YES, Clock, Desk, accept
from tests.conftest import Keys

LOST = {"closed_as": "lost", "code": "no_agreement"}
STEPS = "select action, organization_id from event where subject_kind = 'need' and subject_id = $1 order by id"


async def need_of(desk: Desk, role: str = "enterprise") -> dict[str, Any]:
    answer = await desk.client.get(f"/v1/needs/{desk.need}", headers=desk.keys.headers(role))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def steps_of(desk: Desk) -> list[str]:
    """What the service did to the need by itself."""
    rows = await desk.pool.fetch(STEPS, UUID(desk.need))
    return [row["action"] for row in rows if row["organization_id"] is None]


async def another(desk: Desk, resources: Resources) -> Desk:
    """A second case of the same need, with an outcome of another provider that comes now."""
    made = await desk.client.post("/v1/outcomes", json=OUTCOME, headers=desk.keys.headers("other_provider"))
    path = f"/v1/outcomes/{made.json()['id']}"
    for action in ("submit", "verify", "publish"):
        assert (await desk.client.post(f"{path}/{action}", headers=desk.keys.headers("operator"))).status_code == 200
    await worker.drain(resources, concurrency=1)
    matches = await desk.client.get(f"/v1/needs/{desk.need}/matches", headers=desk.keys.headers("broker"))
    (pair,) = [item["id"] for item in matches.json()["items"] if item["counterpart"]["id"] == made.json()["id"]]
    await accept(desk.client, desk.keys, pair)
    found = (await desk.client.get("/v1/cases?state=invited", headers=desk.keys.headers("broker"))).json()["items"]
    (case,) = [each["id"] for each in found if each["recommendation_id"] == pair]
    return replace(desk, case_id=case, recommendation=pair, outcome=made.json()["id"])


async def agree(desk: Desk) -> None:
    for role in ("enterprise", "other_provider"):
        await desk.take(role, "/answer", YES)


async def test_both_consents_make_it_docking_by_the_service_and_one_event(desk: Desk) -> None:
    before = await need_of(desk)
    await desk.take("enterprise", "/answer", YES)
    assert (await need_of(desk))["state"] == "published"
    await desk.take("provider", "/answer", YES)
    after = await need_of(desk)
    assert (after["state"], after["version"]) == ("docking", before["version"] + 1)
    # It is the same publication, and what its organization may do with it.
    assert after["published_at"] == before["published_at"]
    assert after["actions"] == ["fulfil", "withdraw"]
    (event,) = await desk.pool.fetch(
        "select event.*, consent.request_id as asked from event join event as consent on consent.action = 'consent'"
        " and consent.subject_kind = 'case' and consent.to_state = 'consented' where event.action = 'dock'"
    )
    assert (event["from_state"], event["to_state"], event["key_id"]) == ("published", "docking", None)
    # By the service, and traceable to the request that brought it about.
    assert event["request_id"] == event["asked"]


async def test_who_is_not_concerned_finds_it_as_before(desk: Desk, resources: Resources) -> None:
    await desk.agree()
    found = await desk.client.get("/v1/needs?text=枸杞", headers=desk.keys.headers("stranger"))
    assert [(item["id"], item["state"]) for item in found.json()["items"]] == [(desk.need, "docking")]
    matches = await desk.client.get(f"/v1/needs/{desk.need}/matches", headers=desk.keys.headers("enterprise"))
    assert (matches.json()["status"], len(matches.json()["items"])) == ("ranked", 1)
    # Its text stands: nothing is embedded anew, and nothing is left for the sweep of the worker.
    rows = await desk.pool.fetch(
        "select indexed_version = version as current from listing join listing_matching on listing_id = id where id = $1",
        UUID(desk.need),
    )
    assert [row["current"] for row in rows] == [True]
    before = await desk.pool.fetchval("select indexed_at from listing_matching where listing_id = $1", UUID(desk.need))
    await worker.drain(resources, concurrency=1)
    after = await desk.pool.fetchval("select indexed_at from listing_matching where listing_id = $1", UUID(desk.need))
    assert after == before


async def test_it_is_ranked_with_what_comes_later_and_has_several_cases(desk: Desk, resources: Resources) -> None:
    await desk.agree()
    second = await another(desk, resources)
    await agree(second)
    assert (await need_of(desk))["state"] == "docking"
    await desk.take("broker", "/close", LOST)
    assert (await need_of(desk))["state"] == "docking"
    await second.take("broker", "/close", LOST)
    assert (await need_of(desk))["state"] == "published"
    assert await steps_of(desk) == ["dock", "undock"]


@pytest.mark.parametrize("way", ["withdraw", "close", "lapse"])
async def test_without_talks_it_is_published_again(desk: Desk, moment: Clock, way: str) -> None:
    await desk.agree()
    await desk.take("broker", "/consult")
    before = await need_of(desk)
    if way == "withdraw":
        consent = f"/v1/recommendations/{desk.recommendation}/consent"
        assert (await desk.client.delete(consent, headers=desk.keys.headers("provider"))).status_code == 200
    elif way == "close":
        await desk.take("broker", "/close", LOST)
    else:
        for _ in range(2):
            moment.go(timedelta(days=60))
            await desk.tick(moment.at)
        assert (await desk.read())["state"] == "lapsed"
    after = await need_of(desk)
    assert (after["state"], after["published_at"]) == ("published", before["published_at"])
    assert await steps_of(desk) == ["dock", "undock"]
    if way != "close":
        # Consented anew, or resumed: it is docking again.
        await (desk.take("provider", "/answer", YES) if way == "withdraw" else desk.take("broker", "/reopen"))
        assert (await need_of(desk))["state"] == "docking"


async def test_of_two_cases_at_once_none_is_forgotten(desk: Desk, resources: Resources) -> None:
    """One ends while the other begins, then both end at the same moment."""
    await desk.agree()
    second = await another(desk, resources)
    await second.take("enterprise", "/answer", YES)
    answers = await asyncio.gather(
        desk.ask("broker", "POST", "/close", LOST), second.ask("other_provider", "POST", "/answer", YES)
    )
    assert [answer.status_code for answer in answers] == [200, 200]
    assert (await need_of(desk))["state"] == "docking"
    third = await another(desk, resources)
    await agree(third)
    answers = await asyncio.gather(*(each.ask("broker", "POST", "/close", LOST) for each in (second, third)))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert (await need_of(desk))["state"] == "published"
    steps = await steps_of(desk)
    assert steps == ["dock", "undock"] * (len(steps) // 2)


async def test_what_was_won_stays_docking_until_it_is_marked_as_fulfilled(
    desk: Desk, pool: Pool, moment: Clock
) -> None:
    # The clock of cases begins before that of listings.
    moment.go(datetime.now(UTC))
    await desk.agree()
    async with transaction(pool, SYSTEM) as connection:
        await connection.execute("update docking_case set state = 'contracted', contracted_at = now()")
    await desk.take("broker", "/close", {"closed_as": "won", "code": "in_use"})
    assert (await need_of(desk))["state"] == "docking"
    done = await desk.client.post(f"/v1/needs/{desk.need}/fulfil", headers=desk.keys.headers("enterprise"))
    assert (done.status_code, done.json()["state"]) == (200, "fulfilled")
    matches = await desk.client.get(f"/v1/needs/{desk.need}/matches", headers=desk.keys.headers("broker"))
    assert matches.json()["status"] == "not_published"
    assert await pool.fetchval("select count(*) from listing_matching where listing_id = $1", UUID(desk.need)) == 0


async def test_withdrawn_in_the_middle_it_comes_back_as_its_cases_are(
    desk: Desk, resources: Resources, moment: Clock
) -> None:
    await desk.agree()
    left = await desk.client.post(f"/v1/needs/{desk.need}/withdraw", headers=desk.keys.headers("enterprise"))
    assert (left.status_code, left.json()["state"]) == (200, "withdrawn")
    for role, action in (("enterprise", "reopen"), ("enterprise", "submit"), ("broker", "publish")):
        answer = await desk.client.post(f"/v1/needs/{desk.need}/{action}", headers=desk.keys.headers(role))
        assert answer.status_code == 200, answer.text
    # The two still talk.
    assert answer.json()["state"] == "docking"
    await worker.drain(resources, concurrency=1)
    matches = await desk.client.get(f"/v1/needs/{desk.need}/matches", headers=desk.keys.headers("broker"))
    assert matches.json()["status"] == "ranked"
    await desk.client.post(f"/v1/needs/{desk.need}/withdraw", headers=desk.keys.headers("operator"))
    await desk.take("broker", "/close", LOST)
    assert (await need_of(desk))["state"] == "withdrawn"


async def test_its_last_day_waits_for_the_end_of_the_talks(desk: Desk, pool: Pool, moment: Clock) -> None:
    await desk.agree()
    yesterday = moment.at.date() - timedelta(days=1)
    async with transaction(pool, SYSTEM) as connection:
        await connection.execute("update listing set expires_on = $1 where id = $2", yesterday, UUID(desk.need))
        assert await listings.expire_due(connection, moment.at.date()) == 0
    assert (await need_of(desk))["state"] == "docking"
    await desk.take("broker", "/close", LOST)
    async with transaction(pool, SYSTEM) as connection:
        assert await listings.expire_due(connection, moment.at.date()) == 1
    assert (await need_of(desk))["state"] == "expired"


async def test_a_broker_corrects_it_and_it_is_matched_anew(desk: Desk, resources: Resources) -> None:
    await desk.agree()
    need = await need_of(desk, "broker")
    tag = {"If-Match": f'"{need["version"]}"'}
    path, body = f"/v1/needs/{desk.need}", {"title": "枸杞鲜果快速干燥", "description": "改为求燃气干燥装备。"}
    owner = await desk.client.put(path, json=body, headers=desk.keys.headers("enterprise") | tag)
    assert owner.status_code == 409
    changed = await desk.client.put(path, json=body, headers=desk.keys.headers("broker") | tag)
    assert (changed.status_code, changed.json()["state"]) == (200, "docking")
    await worker.drain(resources, concurrency=1)
    held = "select indexed_version from listing_matching where listing_id = $1"
    assert await desk.pool.fetchval(held, UUID(desk.need)) == changed.json()["version"]


async def test_a_suspended_organization_takes_it_along_and_brings_it_back(
    desk: Desk, resources: Resources, client: httpx2.AsyncClient, keys: Keys
) -> None:
    await desk.agree()
    held = "select count(*) from listing_matching where listing_id = $1"
    path = f"/v1/organizations/{keys.enterprise.organization_id}"
    for action, indexed in (("suspend", 0), ("restore", 1)):
        reason = {"reason": "核查资料"} if action == "suspend" else None
        answer = await client.post(f"{path}/{action}", json=reason, headers=keys.headers("operator"))
        assert answer.status_code == 200, answer.text
        await worker.drain(resources, concurrency=1)
        assert await desk.pool.fetchval(held, UUID(desk.need)) == indexed
    assert (await need_of(desk))["state"] == "docking"
