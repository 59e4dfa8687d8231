"""What is of one is not of another, also where policies hide nothing from whoever asks."""

from typing import Any

import httpx2
import pytest

from service import administration
from service.access.passwords import Verified, check_password, set_password
from service.errors import Conflict
from service.kit.actor import SYSTEM
from service.kit.db import Pool, transaction
from service.settings import Settings
from tests.access.helpers import add_member, make_key
from tests.conftest import Keys

ISSUER = "https://login.example.com"
PASSWORD = "三十六个字太长了但这句够用了吧"
ENDS = {
    "api_key": ("revoked_at = now()", "expires_at = now()"),
    "membership": ("ended_at = now()", "valid_from = now() - interval '1 hour', valid_until = now()"),
}


async def equipped(client: httpx2.AsyncClient, keys: Keys, pool: Pool, name: str, house: str) -> dict[str, Any]:
    """An administrator with a login, a password, a key and something done."""
    administrator, own = keys.headers("administrator"), getattr(keys, house).organization_id
    email = f"{name}@example.com"
    member = await add_member(client, administrator, own, email, roles=["administrator"], scopes=["read", "write"])
    login = {"issuer": ISSUER, "subject": name}
    path = f"/v1/people/{member['person_id']}/identities"
    assert (await client.post(path, json=login, headers=administrator)).status_code == 201
    key = await make_key(client, administrator, own, roles=["administrator"], membership_id=member["id"])
    async with transaction(pool, SYSTEM) as connection:
        await set_password(connection, SYSTEM, email, PASSWORD)
    assert (await client.post("/v1/needs", json={"title": "低温干燥"}, headers=key["headers"])).status_code == 201
    return {"member": member, "key": key, "email": email}


async def test_the_data_of_one_are_exported_listed_and_erased_without_those_of_another(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool
) -> None:
    first = await equipped(client, keys, pool, "jia", "enterprise")
    second = await equipped(client, keys, pool, "yi", "provider")
    await pool.execute(
        "update person_password set changed_at = changed_at - interval '1 day' where person_id = $1",
        first["member"]["person_id"],
    )
    for one, house in ((first, "enterprise"), (second, "provider")):
        person, own = one["member"]["person_id"], getattr(keys, house).organization_id
        exported = (await client.get("/v1/people/me/export", headers=one["key"]["headers"])).json()
        assert [each["id"] for each in exported["memberships"]] == [one["member"]["id"]]
        assert [each["subject"] for each in exported["identities"]] == [one["email"].partition("@")[0]]
        assert [each["id"] for each in exported["keys"]] == [one["key"]["id"]]
        assert [each["action"] for each in exported["events"]] == ["create"]
        changed = await pool.fetchval("select changed_at from person_password where person_id = $1", person)
        assert exported["password_changed_at"][:19] == changed.isoformat()[:19]
        address = f"/v1/organizations/{own}"
        members = (await client.get(f"{address}/members", headers=keys.headers("administrator"))).json()
        assert [each["person_id"] for each in members] == [person]
        listed = (await client.get(f"{address}/keys", headers=keys.headers("administrator"))).json()
        assert {each["organization_id"] for each in listed} == {str(own)}
        logins = await client.get(f"/v1/people/{person}/identities", headers=keys.headers("administrator"))
        assert [each["person_id"] for each in logins.json()] == [person]

    path = f"/v1/people/{second['member']['person_id']}"
    assert (await client.delete(path, headers=keys.headers("administrator"))).status_code == 204
    left = (await client.get("/v1/people/me/export", headers=first["key"]["headers"])).json()
    assert (len(left["identities"]), len(left["keys"])) == (1, 1)
    assert (left["memberships"][0]["ended_at"], left["keys"][0]["revoked_at"]) == (None, None)
    async with transaction(pool, SYSTEM) as connection:
        assert isinstance(await check_password(connection, first["email"], PASSWORD), Verified)


async def test_a_key_that_was_revoked_before_its_membership_ended_stays_revoked_as_it_was(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool
) -> None:
    own, administrator = keys.enterprise.organization_id, keys.headers("administrator")
    member = await add_member(client, administrator, own, "a@example.com")
    old, other = [await make_key(client, administrator, own, membership_id=member["id"]) for _ in range(2)]
    revoked = (await client.delete(f"/v1/keys/{old['id']}", headers=administrator)).json()["revoked_at"]
    assert (await client.get("/v1/me", headers=old["headers"])).json()["detail"] == "The key is unknown or revoked"
    await client.delete(f"/v1/organizations/{own}/members/{member['id']}", headers=administrator)
    listed = (await client.get(f"/v1/organizations/{own}/keys", headers=administrator)).json()
    assert [each["revoked_at"] for each in listed if each["id"] == old["id"]] == [revoked]
    told = await pool.fetchval(
        "select data -> 'keys' from event where subject_id = $1 and action = 'end'", member["id"]
    )
    assert told == [other["id"]]


@pytest.mark.parametrize("table", ENDS)
@pytest.mark.parametrize("place", [0, 1], ids=["ended", "over"])
async def test_an_administrator_whose_time_is_over_is_none(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool, table: str, place: int
) -> None:
    """Its organization is suspended by operators again."""
    own, administrator = keys.enterprise.organization_id, keys.headers("administrator")
    if table == "membership":
        await add_member(client, administrator, own, "a@example.com", roles=["administrator"])
    else:
        await make_key(client, administrator, own, roles=["administrator"])
    path = f"/v1/organizations/{own}/suspend"
    assert (await client.post(path, headers=keys.headers("operator"))).status_code == 403
    await pool.execute(f"update {table} set {ENDS[table][place]} where organization_id = $1", own)
    assert (await client.post(path, headers=keys.headers("operator"))).status_code == 200


@pytest.mark.parametrize("table", ["membership", "api_key"])
@pytest.mark.parametrize("ended", ["over", "revoked", "suspended"])
async def test_where_no_administrator_is_left_there_is_a_first_one_again(
    pool: Pool, app_url: str, owner_url: str, settings: Settings, table: str, ended: str
) -> None:
    configured = settings.model_copy(update={"database_url": app_url, "owner_database_url": owner_url})

    async def create(email: str) -> str:
        return await administration.create_administrator(
            configured, "王演示", email, email[:1], "演示技术市场", another=False
        )

    await create("a@example.com")
    # Of the key and the membership one is left.
    other = next(each for each in ENDS if each != table)
    await pool.execute(f"update {other} set {ENDS[other][0]}")
    with pytest.raises(Conflict):
        await create("b@example.com")
    if ended == "suspended":
        await pool.execute("update organization set state = 'suspended', suspended_at = now()")
    else:
        await pool.execute(f"update {table} set {ENDS[table][ended == 'over']}")
    assert (await create("b@example.com")).startswith("dj_")
