"""Verification and suspension over HTTP: who may, what follows for keys and listings, one event a step."""

import asyncio
from typing import Any
from uuid import UUID

import httpx2
import pytest

from service import worker
from service.kit.actor import SYSTEM
from service.kit.db import Pool, transaction
from service.matches import repository as pairs
from service.matches.indexing import index_listing
from service.resources import Resources
from tests.access.helpers import events_of
from tests.conftest import Keys

NEED = {"title": "枸杞低温干燥工艺", "description": "希望缩短干燥时间并保持色泽。"}


async def register(client: httpx2.AsyncClient, keys: Keys, **content: Any) -> str:
    body = {"name": "待核验演示公司", "kind": "enterprise"} | content
    made = await client.post("/v1/organizations", json=body, headers=keys.headers("operator"))
    assert made.json()["state"] == "registered"
    return str(made.json()["id"])


async def step(
    client: httpx2.AsyncClient, keys: Keys, organization: object, action: str, role: str = "operator", **body: Any
) -> httpx2.Response:
    return await client.post(
        f"/v1/organizations/{organization}/{action}", json=body or None, headers=keys.headers(role)
    )


async def publish_need(client: httpx2.AsyncClient, keys: Keys, organization: object) -> httpx2.Response:
    made = await client.post(f"/v1/needs?organization_id={organization}", json=NEED, headers=keys.headers("operator"))
    address = f"/v1/needs/{made.json()['id']}"
    submitted = await client.post(f"{address}/submit", headers=keys.headers("operator"))
    assert submitted.json()["state"] == "submitted"
    return await client.post(f"{address}/publish", headers=keys.headers("operator"))


async def test_an_operator_verifies_and_each_step_is_one_event(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool
) -> None:
    organization = await register(client, keys, credit_code="919900000000000005")
    for role in ("enterprise", "broker", "authority"):
        assert (await step(client, keys, organization, "verify", role)).status_code in (403, 404)
    verified = await step(client, keys, organization, "verify")
    assert (verified.status_code, verified.json()["state"]) == (200, "verified")
    assert (await step(client, keys, organization, "verify")).status_code == 409
    assert (await step(client, keys, organization, "suspend", reason="年报异常")).json()["state"] == "suspended"
    assert (await step(client, keys, organization, "restore")).json()["state"] == "verified"
    assert await events_of(pool, organization) == [
        ("create", None, "registered"),
        ("verify", "registered", "verified"),
        ("suspend", "verified", "suspended"),
        ("restore", "suspended", "verified"),
    ]


async def test_organizations_are_listed_by_where_they_stand(client: httpx2.AsyncClient, keys: Keys) -> None:
    waiting = await register(client, keys)
    listed = (await client.get("/v1/organizations?state=registered", headers=keys.headers("operator"))).json()["items"]
    assert [each["id"] for each in listed] == [waiting]


async def test_what_was_not_verified_is_not_so_after_a_suspension(client: httpx2.AsyncClient, keys: Keys) -> None:
    organization = await register(client, keys)
    await step(client, keys, organization, "suspend")
    assert (await step(client, keys, organization, "verify", reason="x")).status_code == 409
    assert (await step(client, keys, organization, "restore")).json()["state"] == "registered"


async def test_without_a_credit_code_the_operator_says_what_was_checked(client: httpx2.AsyncClient, keys: Keys) -> None:
    organization = await register(client, keys)
    refused = await step(client, keys, organization, "verify")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "reason"
    assert (await step(client, keys, organization, "verify", reason="境外登记号已核对")).status_code == 200


async def test_of_two_operators_at_once_one_suspends(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    organization = await register(client, keys)
    answers = await asyncio.gather(*(step(client, keys, organization, "suspend") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert [action for action, _, _ in await events_of(pool, organization)] == ["create", "suspend"]


async def test_only_what_a_verified_organization_posts_is_published(client: httpx2.AsyncClient, keys: Keys) -> None:
    organization = await register(client, keys)
    refused = await publish_need(client, keys, organization)
    assert refused.status_code == 409
    assert "/verify" in refused.json()["detail"]
    await step(client, keys, organization, "verify", reason="营业执照已核对")
    assert (await publish_need(client, keys, organization)).json()["state"] == "published"


async def test_keys_of_a_suspended_organization_are_refused_and_told_so(client: httpx2.AsyncClient, keys: Keys) -> None:
    own = keys.enterprise.organization_id
    await step(client, keys, own, "suspend")
    refused = await client.get("/v1/me", headers=keys.headers("enterprise"))
    assert (refused.status_code, refused.json()["code"]) == (403, "organization_suspended")
    # It is a suspended organization's key that is told so; a wrong one is not.
    wrong = await client.get("/v1/me", headers={"Authorization": "Bearer dj_wrong"})
    assert wrong.status_code == 401
    await step(client, keys, own, "restore")
    assert (await client.get("/v1/me", headers=keys.headers("enterprise"))).status_code == 200


async def test_listings_of_a_suspended_organization_rest_and_come_back(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool, resources: Resources
) -> None:
    own = keys.enterprise.organization_id
    published = (await publish_need(client, keys, own)).json()["id"]
    await worker.drain(resources, concurrency=4)
    held = "select count(*) from listing_matching where listing_id = $1"
    profiles = "select count(*) from matching.match_profile where id = $1"
    assert await pool.fetchval(held, UUID(published)) == 1
    address = f"/v1/needs/{published}"
    assert (await client.get(address, headers=keys.headers("provider"))).status_code == 200

    await step(client, keys, own, "suspend")
    assert await pool.fetchval(held, UUID(published)) == 0
    assert await pool.fetchval(profiles, UUID(published)) == 0
    # Neither a job that was late nor the look for lost jobs brings it back.
    await index_listing(resources, UUID(published), bulk=False)
    assert await pool.fetchval(held, UUID(published)) == 0
    async with transaction(pool, SYSTEM) as connection:
        assert await pairs.unindexed(connection, 10) == []
    assert (await client.get(address, headers=keys.headers("provider"))).status_code == 404
    assert (await client.get(address, headers=keys.headers("broker"))).status_code == 200
    listed = (await client.get("/v1/needs", headers=keys.headers("provider"))).json()["items"]
    assert published not in [item["id"] for item in listed]

    await step(client, keys, own, "restore")
    async with transaction(pool, SYSTEM) as connection:
        assert [job.listing_id for job in await pairs.unindexed(connection, 10)] == [UUID(published)]
    await index_listing(resources, UUID(published), bulk=False)
    assert await pool.fetchval(held, UUID(published)) == 1
    assert (await client.get(address, headers=keys.headers("provider"))).status_code == 200


async def test_nobody_locks_out_the_own_organization_or_the_administrators(
    client: httpx2.AsyncClient, keys: Keys
) -> None:
    assert (await step(client, keys, keys.operator.organization_id, "suspend")).status_code == 403
    assert (await step(client, keys, keys.administrator.organization_id, "suspend")).status_code == 403
    assert (await step(client, keys, keys.administrator.organization_id, "suspend", "administrator")).status_code == 403
    assert (await step(client, keys, keys.operator.organization_id, "suspend", "administrator")).status_code == 200


async def test_a_verified_organization_that_renames_itself_is_verified_anew(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool
) -> None:
    address = f"/v1/organizations/{keys.enterprise.organization_id}"
    current = (await client.get(address, headers=keys.headers("enterprise"))).json()
    names = ("external_id", "name", "kind", "region")
    content = {name: current[name] for name in names} | {"introduction": "新的简介"}
    headers = keys.headers("enterprise") | {"If-Match": "*"}
    assert (await client.put(address, json=content, headers=headers)).json()["state"] == "verified"
    renamed = content | {"name": "他人的名称演示公司"}
    assert (await client.put(address, json=renamed, headers=headers)).json()["state"] == "registered"
    assert (await events_of(pool, current["id"]))[-1] == ("change", "verified", "registered")
    by_operator = keys.headers("operator") | {"If-Match": "*"}
    await step(client, keys, current["id"], "verify", reason="更名已核对")
    assert (await client.put(address, json=content, headers=by_operator)).json()["state"] == "verified"


@pytest.mark.parametrize("action", ["restore_unverified", "keys2", "create"])
async def test_other_steps_are_none(client: httpx2.AsyncClient, keys: Keys, action: str) -> None:
    assert (await step(client, keys, keys.enterprise.organization_id, action)).status_code == 422
