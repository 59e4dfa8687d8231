"""Organizations and keys over HTTP."""

import httpx2

from tests.conftest import Keys

NEW = {"name": "新登记演示公司", "kind": "enterprise", "external_id": "new-1", "region": "640100"}


async def test_me_says_who_the_key_is(client: httpx2.AsyncClient, keys: Keys) -> None:
    me = (await client.get("/v1/me", headers=keys.headers("broker"))).json()
    assert me["roles"] == ["broker"]
    assert me["organization"]["id"] == str(keys.broker.organization_id)


async def test_operators_register_organizations(client: httpx2.AsyncClient, keys: Keys) -> None:
    assert (await client.post("/v1/organizations", json=NEW, headers=keys.headers("enterprise"))).status_code == 403
    made = await client.post("/v1/organizations", json=NEW, headers=keys.headers("operator"))
    assert made.status_code == 201
    twin = await client.post("/v1/organizations", json=NEW, headers=keys.headers("operator"))
    assert twin.status_code == 409
    unknown = await client.post(
        "/v1/organizations", json=NEW | {"external_id": "new-2", "region": "999999"}, headers=keys.headers("operator")
    )
    assert unknown.status_code == 422
    assert unknown.json()["errors"][0]["field"] == "region"


async def test_an_enterprise_sees_itself_only(client: httpx2.AsyncClient, keys: Keys) -> None:
    own = f"/v1/organizations/{keys.enterprise.organization_id}"
    other = f"/v1/organizations/{keys.stranger.organization_id}"
    assert (await client.get(own, headers=keys.headers("enterprise"))).status_code == 200
    assert (await client.get(other, headers=keys.headers("enterprise"))).status_code == 404
    assert (await client.get("/v1/organizations", headers=keys.headers("enterprise"))).status_code == 403
    assert len((await client.get("/v1/organizations", headers=keys.headers("operator"))).json()["items"]) == 8


async def test_an_organization_changes_its_own_data(client: httpx2.AsyncClient, keys: Keys) -> None:
    address = f"/v1/organizations/{keys.enterprise.organization_id}"
    content = {"name": "改名演示公司", "kind": "enterprise"}
    headers = keys.headers("enterprise") | {"If-Match": '"1"'}
    assert (await client.put(address, json=content, headers=keys.headers("enterprise"))).status_code == 428
    assert (await client.put(address, json=content, headers=headers)).json()["name"] == "改名演示公司"
    assert (await client.put(address, json=content, headers=headers)).status_code == 412
    by_broker = await client.put(address, json=content, headers=keys.headers("broker") | {"If-Match": '"2"'})
    assert by_broker.status_code == 403


async def test_a_key_is_shown_once_works_and_ends(client: httpx2.AsyncClient, keys: Keys) -> None:
    address = f"/v1/organizations/{keys.enterprise.organization_id}/keys"
    made = await client.post(
        address, json={"label": "ERP", "roles": ["enterprise"]}, headers=keys.headers("enterprise")
    )
    assert made.status_code == 201
    key, identifier = made.json()["key"], made.json()["id"]
    new = {"Authorization": f"Bearer {key}"}
    assert (await client.get("/v1/me", headers=new)).status_code == 200
    listed = (await client.get(address, headers=keys.headers("enterprise"))).json()
    assert identifier in [entry["id"] for entry in listed]
    assert all("key" not in entry for entry in listed)
    assert (await client.delete(f"/v1/keys/{identifier}", headers=keys.headers("stranger"))).status_code == 404
    assert (await client.delete(f"/v1/keys/{identifier}", headers=keys.headers("enterprise"))).status_code == 200
    assert (await client.get("/v1/me", headers=new)).status_code == 401


async def test_nobody_hands_out_more_than_he_may(client: httpx2.AsyncClient, keys: Keys) -> None:
    own = f"/v1/organizations/{keys.enterprise.organization_id}/keys"

    async def ask(role: str, address: str, wanted: str) -> int:
        answer = await client.post(address, json={"label": "x", "roles": [wanted]}, headers=keys.headers(role))
        return answer.status_code

    assert await ask("enterprise", own, "broker") == 403
    assert await ask("stranger", own, "enterprise") == 403
    assert await ask("operator", own, "broker") == 201
    assert await ask("operator", own, "administrator") == 403
    assert await ask("administrator", own, "authority") == 201


async def test_an_expired_key_says_so(client: httpx2.AsyncClient, keys: Keys, pool) -> None:  # type: ignore[no-untyped-def]
    await pool.execute(
        "update api_key set expires_at = now() - interval '1 second' where organization_id = $1",
        keys.enterprise.organization_id,
    )
    answer = await client.get("/v1/me", headers=keys.headers("enterprise"))
    assert answer.status_code == 401
    assert "expired" in answer.json()["detail"]
    past = {"label": "x", "roles": ["broker"], "expires_at": "2020-01-01T00:00:00+08:00"}
    address = f"/v1/organizations/{keys.broker.organization_id}/keys"
    refused = await client.post(address, json=past, headers=keys.headers("broker"))
    assert refused.status_code == 422
