"""People and memberships: who sees and keeps whom, what an organization's own administrator may, and one's own data."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from service.kit.db import Pool
from service.resources import Resources
from tests.access.helpers import add_member, events_of, make_key
from tests.access.test_confidential import made as made_pair
from tests.conftest import Keys
from tests.http.test_consents import NEED, OUTCOME

PERSON = {"name": "王演示", "email": "wang@example.com", "phone": "138 0000 1234"}


async def key_of(client: httpx2.AsyncClient, keys: Keys, member: dict[str, Any], **content: Any) -> dict[str, str]:
    """Headers of a key of a member."""
    made = await make_key(
        client, keys.headers("administrator"), member["organization_id"], membership_id=member["id"], **content
    )
    headers: dict[str, str] = made["headers"]
    return headers


async def test_operators_note_people_and_lists_mask_them(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    for role in ("enterprise", "broker", "authority"):
        assert (await client.post("/v1/people", json=PERSON, headers=keys.headers(role))).status_code == 403
        assert (await client.get("/v1/people", headers=keys.headers(role))).status_code == 403
    made = await client.post("/v1/people", json=PERSON, headers=keys.headers("operator"))
    assert made.status_code == 201
    listed = (await client.get("/v1/people", headers=keys.headers("operator"))).json()["items"]
    assert [(each["name"], each["email"], each["phone"]) for each in listed] == [
        ("王演示", "w***@example.com", "138****1234")
    ]
    by_email = await client.get("/v1/people?text=WANG@example.com", headers=keys.headers("operator"))
    assert len(by_email.json()["items"]) == 1
    assert (await client.get("/v1/people?text=wang@", headers=keys.headers("operator"))).json()["items"] == []
    opened = await client.get(made.headers["Location"], headers=keys.headers("operator"))
    assert opened.json()["phone"] == "138 0000 1234"
    assert [action for action, _, _ in await events_of(pool, made.json()["id"])] == ["create", "open"]
    twin = await client.post(
        "/v1/people", json=PERSON | {"email": "WANG@example.com"}, headers=keys.headers("operator")
    )
    assert twin.status_code == 409


@pytest.mark.parametrize(
    ("field", "value"), [("name", ""), ("email", "nobody"), ("phone", "call me"), ("email", "x" * 250 + "@a.cn")]
)
async def test_a_wrong_field_is_named(client: httpx2.AsyncClient, keys: Keys, field: str, value: str) -> None:
    refused = await client.post("/v1/people", json=PERSON | {field: value}, headers=keys.headers("operator"))
    assert [problem["field"] for problem in refused.json()["errors"]] == [field]


async def test_an_organizations_own_administrator_adds_people_within_its_own_rights(
    client: httpx2.AsyncClient, keys: Keys
) -> None:
    own = keys.enterprise.organization_id
    member = await add_member(
        client, keys.headers("operator"), own, "chief@example.com", scopes=["read", "write", "admin"]
    )
    chief = await key_of(client, keys, member, scopes=["read", "write", "admin"])
    await add_member(client, chief, own, "new@example.com")
    address = f"/v1/organizations/{own}/members"

    async def add(headers: dict[str, str], to: str = address, **content: Any) -> int:
        body = {"person": PERSON, "roles": ["enterprise"]} | content
        return (await client.post(to, json=body, headers=headers)).status_code

    assert await add(chief, roles=["broker"]) == 403
    assert await add(chief, to=f"/v1/organizations/{keys.stranger.organization_id}/members") == 404
    # Whoever is there already is added by an operator.
    assert await add(chief, person=PERSON | {"email": "new@example.com"}) == 409
    assert await add(chief, person=None, person_id=member["person_id"]) == 403
    assert await add(chief, person_id=member["person_id"]) == 422
    assert await add(chief, person=None) == 422
    assert await add(chief, valid_until="2020-01-01T00:00:00+08:00") == 422
    assert await add(keys.headers("operator"), roles=["administrator"]) == 403
    assert await add(keys.headers("operator"), person=None, person_id=str(uuid4())) == 404
    mallory = {"person": PERSON | {"email": "mallory@example.com"}, "roles": ["enterprise"]}
    added = (await client.post(address, json=mallory, headers=chief)).json()
    assert (added["person"]["email"], added["person"]["phone"]) == ("m***@example.com", "138****1234")
    members = (await client.get(address, headers=chief)).json()
    assert sorted(each["person"]["email"] for each in members) == [f"{letter}***@example.com" for letter in "cmn"]
    assert {each["person"]["phone"] for each in members} == {"138****1234"}


async def test_a_person_belongs_to_several_organizations_and_once_to_each(
    client: httpx2.AsyncClient, keys: Keys
) -> None:
    member = await add_member(client, keys.headers("operator"), keys.enterprise.organization_id, "a@example.com")
    body = {"person_id": member["person_id"], "roles": ["provider"]}
    address = f"/v1/organizations/{keys.provider.organization_id}/members"
    answers = await asyncio.gather(
        *(client.post(address, json=body, headers=keys.headers("operator")) for _ in range(3))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    own = (await client.get("/v1/people/me", headers=await key_of(client, keys, member))).json()
    assert [each["roles"] for each in own["memberships"]] == [["provider"], ["enterprise"]]


async def test_an_ended_member_can_come_again(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    own = keys.enterprise.organization_id
    member = await add_member(client, keys.headers("operator"), own, "a@example.com")
    address = f"/v1/organizations/{own}/members"
    for _ in range(2):
        ended = await client.delete(f"{address}/{member['id']}", headers=keys.headers("enterprise"))
        assert ended.status_code == 200
    assert await events_of(pool, member["id"]) == [("create", None, None), ("end", None, None)]
    change = {"roles": ["enterprise"]}
    late = await client.put(
        f"{address}/{member['id']}", json=change, headers=keys.headers("operator") | {"If-Match": "*"}
    )
    assert late.status_code == 409
    body = {"person_id": member["person_id"], "roles": ["enterprise"]}
    assert (await client.post(address, json=body, headers=keys.headers("operator"))).status_code == 201
    assert len((await client.get(address, headers=keys.headers("enterprise"))).json()) == 1
    assert len((await client.get(f"{address}?ended=true", headers=keys.headers("enterprise"))).json()) == 2


async def test_nobody_takes_away_what_he_may_not_give(client: httpx2.AsyncClient, keys: Keys) -> None:
    own = keys.enterprise.organization_id
    member = await add_member(client, keys.headers("administrator"), own, "a@example.com", roles=["authority"])
    address = f"/v1/organizations/{own}/members/{member['id']}"
    headers = keys.headers("enterprise") | {"If-Match": "*"}
    assert (await client.put(address, json={"roles": ["enterprise"]}, headers=headers)).status_code == 403
    assert (await client.delete(address, headers=keys.headers("enterprise"))).status_code == 403
    assert (await client.delete(address, headers=keys.headers("stranger"))).status_code == 404
    assert (
        await client.put(address, json={"roles": ["enterprise"]}, headers=keys.headers("administrator"))
    ).status_code == 428
    over = {"roles": ["authority"], "valid_until": "2020-01-01T00:00:00+08:00"}
    headers = keys.headers("administrator") | {"If-Match": "*"}
    assert (await client.put(address, json=over, headers=headers)).status_code == 422


async def test_people_correct_their_own_data(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    member = await add_member(client, keys.headers("operator"), keys.enterprise.organization_id, "a@example.com")
    own = await key_of(client, keys, member)
    assert (await client.put("/v1/people/me", json=PERSON, headers=own)).status_code == 428
    changed = await client.put("/v1/people/me", json=PERSON, headers=own | {"If-Match": '"1"'})
    assert (changed.json()["email"], changed.json()["version"]) == ("wang@example.com", 2)
    assert (await client.put("/v1/people/me", json=PERSON, headers=own | {"If-Match": '"1"'})).status_code == 412
    vouched = "select email_vouched from person where id = $1"
    assert await pool.fetchval(vouched, member["person_id"]) is False
    address = f"/v1/people/{member['person_id']}"
    by_operator = await client.put(address, json=PERSON, headers=keys.headers("operator") | {"If-Match": "*"})
    assert by_operator.status_code == 403
    by_administrator = await client.put(address, json=PERSON, headers=keys.headers("administrator") | {"If-Match": "*"})
    assert by_administrator.status_code == 200
    assert await pool.fetchval(vouched, member["person_id"]) is True
    # A machine client has no data of its own.
    machine = await client.get("/v1/people/me", headers=keys.headers("broker"))
    assert machine.status_code == 404
    assert "machine client" in machine.json()["detail"]


async def test_the_export_holds_everything_and_no_secret(client: httpx2.AsyncClient, keys: Keys) -> None:
    member = await add_member(client, keys.headers("operator"), keys.enterprise.organization_id, "a@example.com")
    key = await make_key(
        client, keys.headers("administrator"), keys.enterprise.organization_id, membership_id=member["id"]
    )
    await client.post("/v1/needs", json={"title": "低温干燥"}, headers=key["headers"])
    answer = await client.get("/v1/people/me/export", headers=key["headers"])
    assert "attachment" in answer.headers["Content-Disposition"]
    exported = answer.json()
    assert (exported["person"]["email"], exported["person"]["phone"]) == ("a@example.com", "138 0000 1234")
    assert [each["id"] for each in exported["memberships"]] == [member["id"]]
    assert [each["id"] for each in exported["keys"]] == [key["id"]]
    assert [(each["subject_kind"], each["action"]) for each in exported["events"]] == [("need", "create")]
    assert exported["events_complete"] is True
    assert key["key"] not in answer.text
    assert "digest" not in answer.text


# The second begins with the person's name.
@pytest.mark.parametrize("email", ["a@example.com", "演示人员@example.com"])
async def test_consents_and_preferences_are_exported_and_go_with_the_person(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool, email: str
) -> None:
    """Also a consent that was given for an organization that the person does not act for any more."""
    administrator = keys.headers("administrator")
    member = await add_member(client, administrator, keys.enterprise.organization_id, email)
    own = await key_of(client, keys, member)
    world = await made_pair(client, keys, resources, NEED, OUTCOME)
    path = f"/v1/recommendations/{world.pair}"
    accepted = await client.post(f"{path}/decisions", json={"action": "accept"}, headers=keys.headers("broker"))
    assert accepted.status_code == 201, accepted.text
    purpose = {"purpose": "请与演示人员联系：138 0000 1234 或 " + email + "，谈中试"}
    assert (await client.post(f"{path}/consent", json=purpose, headers=own)).status_code == 201
    chosen = {"language": "en", "categories": {"account": {"in_app": True, "mail": "at_once"}}}
    preferences = "/v1/notifications/preferences?of=person"
    saved = await client.put(preferences, json=chosen, headers=own | {"If-Match": '"1"'})
    assert saved.status_code == 200, saved.text

    exported = (await client.get("/v1/people/me/export", headers=own)).json()
    assert [(each["recommendation_id"], each["side"], each["purpose"]) for each in exported["consents"]] == [
        (world.pair, "need", purpose["purpose"])
    ]
    assert exported["notice_preferences"] | chosen == exported["notice_preferences"]
    elsewhere = await client.post(
        f"/v1/organizations/{keys.stranger.organization_id}/members",
        json={"person_id": member["person_id"], "roles": ["enterprise"]},
        headers=administrator,
    )
    assert elsewhere.status_code == 201, elsewhere.text
    there = await make_key(client, administrator, keys.stranger.organization_id, membership_id=elsewhere.json()["id"])
    again = (await client.get("/v1/people/me/export", headers=there["headers"])).json()
    assert again["consents"] == exported["consents"]

    assert (await client.delete(f"/v1/people/{member['person_id']}", headers=administrator)).status_code == 204
    assert await pool.fetchval("select purpose from consent") == "请与…联系：… 或 …，谈中试"
    assert await pool.fetchval("select count(*) from notice_preference") == 0


async def test_erasure_leaves_ids_alone(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    member = await add_member(client, keys.headers("operator"), keys.enterprise.organization_id, "a@example.com")
    own = await key_of(client, keys, member, label="演示人员的电脑")
    await client.post("/v1/needs", json={"title": "低温干燥"}, headers=own)
    events = "select count(*), min(id::text), string_agg(data::text, '' order by id) as data from event"
    before = await pool.fetchrow(events)
    assert before is not None
    address = f"/v1/people/{member['person_id']}"
    assert (await client.delete(address, headers=keys.headers("operator"))).status_code == 403
    assert (await client.delete(address, headers=keys.headers("administrator"))).status_code == 204
    assert (await client.delete(address, headers=keys.headers("administrator"))).status_code == 404
    assert (await client.get(address, headers=keys.headers("operator"))).status_code == 404
    assert (await client.get("/v1/people", headers=keys.headers("operator"))).json()["items"] == []
    assert (await client.get("/v1/me", headers=own)).status_code == 401
    row = await pool.fetchrow("select * from person where id = $1", member["person_id"])
    assert row is not None
    assert (row["name"], row["email"], row["phone"], row["state"]) == ("", None, None, "erased")
    for text in ("a@example.com", "演示人员", "138 0000 1234"):
        for table in ("person", "membership", "person_identity", "person_password", "api_key", "event"):
            found = f"select count(*) from {table} where position($1 in {table}::text) > 0"
            assert await pool.fetchval(found, text) == 0, (table, text)
    after = await pool.fetchrow(events)
    assert after is not None
    # What was there is as it was; the erasure itself came to it.
    assert after["count"] == before["count"] + 1
    assert after["data"].startswith(before["data"])
    # The e-mail is free again.
    assert (
        await client.post("/v1/people", json=PERSON | {"email": "a@example.com"}, headers=keys.headers("operator"))
    ).status_code == 201


async def test_people_erase_themselves(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    member = await add_member(client, keys.headers("operator"), keys.enterprise.organization_id, "a@example.com")
    own = await key_of(client, keys, member)
    assert (await client.delete("/v1/people/me", headers=own)).status_code == 204
    assert (await client.get("/v1/people/me", headers=own)).status_code == 401
    assert (await events_of(pool, member["person_id"]))[-1] == ("erase", "active", "erased")
    assert await pool.fetchval("select ended_at is not null from membership where id = $1", member["id"])


async def test_the_database_refuses_a_key_outside_the_membership(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool
) -> None:
    import asyncpg

    member = await add_member(client, keys.headers("operator"), keys.enterprise.organization_id, "a@example.com")
    insert = """
        insert into api_key (organization_id, label, digest, roles, scopes, membership_id, person_id)
        values ($1, 'x', sha256('x'), '{enterprise}', '{read}', $2, $3)
    """
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await pool.execute(insert, keys.stranger.organization_id, member["id"], member["person_id"])
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute(insert, keys.enterprise.organization_id, None, member["person_id"])
