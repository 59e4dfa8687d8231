"""API keys: scopes that are handed on, people's keys within their membership, rotation without a gap."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx2

from service.kit.db import Pool
from tests.access.helpers import add_member, events_of, make_key
from tests.conftest import Keys


async def status(client: httpx2.AsyncClient, headers: dict[str, str]) -> int:
    return (await client.get("/v1/me", headers=headers)).status_code


async def test_a_key_reads_and_writes_unless_more_is_asked_for(client: httpx2.AsyncClient, keys: Keys) -> None:
    made = await make_key(client, keys.headers("enterprise"), keys.enterprise.organization_id)
    assert made["scopes"] == ["read", "write"]
    assert (await client.get("/v1/me", headers=made["headers"])).json()["scopes"] == ["read", "write"]


async def test_a_key_that_would_have_ended_already_is_not_made(client: httpx2.AsyncClient, keys: Keys) -> None:
    address = f"/v1/organizations/{keys.enterprise.organization_id}/keys"
    body = {"label": "x", "roles": ["enterprise"], "expires_at": "2020-01-01T00:00:00+08:00"}
    answer = await client.post(address, json=body, headers=keys.headers("enterprise"))
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["expires_at"]


async def test_nobody_hands_out_a_scope_that_he_lacks(client: httpx2.AsyncClient, keys: Keys) -> None:
    own = keys.enterprise.organization_id
    narrow = await make_key(client, keys.headers("enterprise"), own, scopes=["read", "admin"])
    address = f"/v1/organizations/{own}/keys"
    body = {"label": "x", "roles": ["enterprise"], "scopes": ["write"]}
    assert (await client.post(address, json=body, headers=narrow["headers"])).status_code == 403
    # Not by way of a rotation either.
    wide = await make_key(client, keys.headers("enterprise"), own, scopes=["read", "write"])
    assert (await client.post(f"/v1/keys/{wide['id']}/rotate", headers=narrow["headers"])).status_code == 403


async def test_a_rotation_hands_out_no_role_that_the_caller_lacks(client: httpx2.AsyncClient, keys: Keys) -> None:
    own = keys.enterprise.organization_id
    broker = await make_key(client, keys.headers("administrator"), own, roles=["broker"])
    address = f"/v1/keys/{broker['id']}/rotate"
    assert (await client.post(address, headers=keys.headers("enterprise"))).status_code == 403
    assert (await client.post(address, headers=keys.headers("stranger"))).status_code == 404
    assert (await client.post(address, headers=keys.headers("administrator"))).status_code == 201


async def test_both_keys_work_during_the_overlap_and_the_old_one_not_after(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool
) -> None:
    old = await make_key(client, keys.headers("enterprise"), keys.enterprise.organization_id)
    begun = datetime.now(UTC)
    answer = await client.post(f"/v1/keys/{old['id']}/rotate", headers=keys.headers("enterprise"))
    assert answer.status_code == 201
    new = answer.json()
    until = datetime.fromisoformat(new["old_valid_until"])
    assert timedelta(hours=24) <= until - begun < timedelta(hours=24, minutes=1)
    assert (new["replaces"], new["roles"], new["scopes"]) == (old["id"], old["roles"], old["scopes"])
    headers = {"Authorization": f"Bearer {new['key']}"}
    assert (await status(client, old["headers"]), await status(client, headers)) == (200, 200)
    await pool.execute("update api_key set expires_at = expires_at - interval '25 hours' where id = $1", old["id"])
    assert (await status(client, old["headers"]), await status(client, headers)) == (401, 200)
    assert [action for action, _, _ in await events_of(pool, old["id"])] == ["create", "rotate"]


async def test_a_key_is_rotated_once_even_by_many_at_once(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    old = await make_key(client, keys.headers("enterprise"), keys.enterprise.organization_id)
    address = f"/v1/keys/{old['id']}/rotate"
    answers = await asyncio.gather(*(client.post(address, headers=keys.headers("enterprise")) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert await pool.fetchval("select count(*) from api_key where label = '演示密钥'") == 2


async def test_a_rotation_without_overlap_ends_the_old_key_at_once(client: httpx2.AsyncClient, keys: Keys) -> None:
    old = await make_key(client, keys.headers("enterprise"), keys.enterprise.organization_id)
    address = f"/v1/keys/{old['id']}/rotate"
    too_long = await client.post(address, json={"overlap_hours": 169}, headers=keys.headers("enterprise"))
    assert too_long.json()["errors"][0]["field"] == "overlap_hours"
    await client.post(address, json={"overlap_hours": 0}, headers=keys.headers("enterprise"))
    assert await status(client, old["headers"]) == 401


async def test_an_overlap_lengthens_no_life_and_the_successor_lives_as_long(
    client: httpx2.AsyncClient, keys: Keys
) -> None:
    end = datetime.now(UTC) + timedelta(hours=2)
    old = await make_key(
        client, keys.headers("enterprise"), keys.enterprise.organization_id, expires_at=end.isoformat()
    )
    new = (await client.post(f"/v1/keys/{old['id']}/rotate", headers=keys.headers("enterprise"))).json()
    assert datetime.fromisoformat(new["old_valid_until"]) == end
    lived = datetime.fromisoformat(new["expires_at"]) - datetime.fromisoformat(new["created_at"])
    assert abs(lived - timedelta(hours=2)) < timedelta(minutes=1)


async def test_an_ended_key_is_not_rotated(client: httpx2.AsyncClient, keys: Keys) -> None:
    old = await make_key(client, keys.headers("enterprise"), keys.enterprise.organization_id)
    await client.delete(f"/v1/keys/{old['id']}", headers=keys.headers("enterprise"))
    assert (await client.post(f"/v1/keys/{old['id']}/rotate", headers=keys.headers("enterprise"))).status_code == 409


async def test_a_persons_key_stays_within_the_membership(client: httpx2.AsyncClient, keys: Keys) -> None:
    own = keys.enterprise.organization_id
    member = await add_member(client, keys.headers("operator"), own, "a@example.com", scopes=["read"])
    address = f"/v1/organizations/{own}/keys"
    body = {"label": "x", "roles": ["enterprise", "provider"], "scopes": ["write"], "membership_id": member["id"]}
    refused = await client.post(address, json=body, headers=keys.headers("administrator"))
    assert [(each["field"], each["rule"]) for each in refused.json()["errors"]] == [
        ("roles", "within_membership"),
        ("scopes", "within_membership"),
    ]
    elsewhere = f"/v1/organizations/{keys.stranger.organization_id}/keys"
    body = {"label": "x", "roles": ["enterprise"], "scopes": ["read"], "membership_id": member["id"]}
    assert (await client.post(elsewhere, json=body, headers=keys.headers("administrator"))).status_code == 422
    made = (await client.post(address, json=body, headers=keys.headers("administrator"))).json()
    me = (await client.get("/v1/me", headers={"Authorization": f"Bearer {made['key']}"})).json()
    assert me["person_id"] == member["person_id"]


async def test_what_the_membership_loses_its_keys_lose_at_once(client: httpx2.AsyncClient, keys: Keys) -> None:
    own = keys.enterprise.organization_id
    member = await add_member(
        client, keys.headers("operator"), own, "a@example.com", roles=["enterprise", "broker"], scopes=["read", "write"]
    )
    key = await make_key(
        client, keys.headers("administrator"), own, roles=["enterprise", "broker"], membership_id=member["id"]
    )
    assert (await client.get("/v1/me", headers=key["headers"])).json()["roles"] == ["broker", "enterprise"]
    address = f"/v1/organizations/{own}/members/{member['id']}"
    body = {"roles": ["enterprise"], "scopes": ["read"]}
    changed = await client.put(address, json=body, headers=keys.headers("operator") | {"If-Match": '"1"'})
    assert changed.json()["version"] == 2
    me = (await client.get("/v1/me", headers=key["headers"])).json()
    assert (me["roles"], me["scopes"]) == (["enterprise"], ["read"])
    ended = await client.delete(address, headers=keys.headers("operator"))
    assert ended.json()["ended_at"] is not None
    assert await status(client, key["headers"]) == 401
    listed = (await client.get(f"/v1/organizations/{own}/keys", headers=keys.headers("operator"))).json()
    assert [entry["revoked_at"] is not None for entry in listed if entry["id"] == key["id"]] == [True]


async def test_a_membership_that_ran_out_takes_its_keys_with_it(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool
) -> None:
    own = keys.enterprise.organization_id
    member = await add_member(client, keys.headers("operator"), own, "a@example.com")
    key = await make_key(client, keys.headers("administrator"), own, membership_id=member["id"])
    assert await status(client, key["headers"]) == 200
    await pool.execute(
        "update membership set valid_from = now() - interval '2 hours', valid_until = now() - interval '1 hour'"
    )
    assert await status(client, key["headers"]) == 401


async def test_nobody_makes_or_rotates_a_key_of_somebody_else(client: httpx2.AsyncClient, keys: Keys) -> None:
    """Whoever held one could correct, export and erase the person, and act in the person's name."""
    own = keys.enterprise.organization_id
    every = ["read", "write", "admin"]
    chief = await add_member(client, keys.headers("operator"), own, "chief@example.com", scopes=every)
    other = await add_member(client, keys.headers("operator"), own, "other@example.com", scopes=every)
    mine = await make_key(client, keys.headers("administrator"), own, membership_id=chief["id"], scopes=every)
    theirs = await make_key(client, keys.headers("administrator"), own, membership_id=other["id"])
    address = f"/v1/organizations/{own}/keys"
    for headers in (mine["headers"], keys.headers("enterprise"), keys.headers("operator")):
        body = {"label": "x", "roles": ["enterprise"], "membership_id": other["id"]}
        assert (await client.post(address, json=body, headers=headers)).status_code == 403
    for headers in (mine["headers"], keys.headers("enterprise")):
        assert (await client.post(f"/v1/keys/{theirs['id']}/rotate", headers=headers)).status_code == 403
    # The own ones, and ending anybody's, are the organization's administrator's.
    await make_key(client, mine["headers"], own, membership_id=chief["id"])
    assert (await client.post(f"/v1/keys/{mine['id']}/rotate", headers=mine["headers"])).status_code == 201
    assert (await client.delete(f"/v1/keys/{theirs['id']}", headers=mine["headers"])).status_code == 200


async def test_a_long_request_of_a_key_keeps_no_other_waiting(
    client: httpx2.AsyncClient, keys: Keys, owner_url: str
) -> None:
    """Whichever request notes the use of the key does so until its transaction ends."""
    owner = await asyncpg.connect(owner_url)
    async with owner.transaction():
        await owner.execute("update api_key set last_used_at = last_used_at")
        assert await asyncio.wait_for(status(client, keys.headers("enterprise")), timeout=5) == 200
    await owner.close()


async def test_the_use_of_a_key_is_noted_and_its_text_never_stored(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool
) -> None:
    key = await make_key(client, keys.headers("enterprise"), keys.enterprise.organization_id)
    assert key["last_used_at"] is None
    await status(client, key["headers"])
    row = await pool.fetchrow("select last_used_at, api_key::text as text from api_key where id = $1", key["id"])
    assert row is not None
    assert row["last_used_at"] is not None
    assert key["key"] not in row["text"]
    assert len(key["key"]) == len("dj_") + 43
