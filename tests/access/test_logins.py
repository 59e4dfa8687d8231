"""Logins of a real issuer over HTTP: whom they stand for, in which organization they act, and who links them."""

import asyncio

import asyncpg
import httpx2
import pytest

from service.kit.db import Pool
from service.settings import Settings
from tests.access.helpers import add_member, events_of
from tests.access.issuer import LocalIssuer
from tests.access.test_oidc import first_key, issuer, running, settings
from tests.conftest import Keys

__all__ = ["first_key", "issuer", "running", "settings"]


def bearer(token: str, organization: object = None) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {token}"}
    return headers | ({"X-Organization": str(organization)} if organization else {})


async def link(client: httpx2.AsyncClient, keys: Keys, issuer: LocalIssuer, person_id: str, subject: str) -> None:
    answer = await client.post(
        f"/v1/people/{person_id}/identities",
        json={"issuer": issuer.address, "subject": subject},
        headers=keys.headers("administrator"),
    )
    assert answer.status_code == 201, answer.text


async def test_a_linked_login_acts_as_its_membership_allows(
    client: httpx2.AsyncClient, keys: Keys, issuer: LocalIssuer, pool: Pool
) -> None:
    headers = bearer(issuer.token(sub="zhang"))
    refused = await client.get("/v1/me", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "login_not_linked")
    member = await add_member(client, keys.headers("operator"), keys.enterprise.organization_id, "z@example.com")
    await link(client, keys, issuer, member["person_id"], "zhang")
    me = (await client.get("/v1/me", headers=headers)).json()
    assert (me["key_id"], me["person_id"], me["roles"]) == (None, member["person_id"], ["enterprise"])
    made = await client.post("/v1/needs", json={"title": "低温干燥"}, headers=headers)
    assert made.status_code == 201
    row = await pool.fetchrow(
        "select person_id, key_id, organization_id from event where subject_id = $1", made.json()["id"]
    )
    assert row is not None
    assert tuple(map(str, row)) == (member["person_id"], "None", str(keys.enterprise.organization_id))
    # No administration by this membership.
    assert (await client.get("/v1/people", headers=headers)).json()["code"] == "scope_missing"
    # A key still is one, whatever issuer is configured, and an unknown key is asked of nobody.
    assert (await client.get("/v1/me", headers=keys.headers("broker"))).status_code == 200
    asked = dict(issuer.asked)
    assert (await client.get("/v1/me", headers=bearer("dj_unknown"))).status_code == 401
    assert dict(issuer.asked) == asked


async def test_a_long_request_of_a_login_keeps_no_other_waiting(
    client: httpx2.AsyncClient, keys: Keys, issuer: LocalIssuer, owner_url: str
) -> None:
    member = await add_member(client, keys.headers("operator"), keys.enterprise.organization_id, "z@example.com")
    await link(client, keys, issuer, member["person_id"], "zhang")
    owner = await asyncpg.connect(owner_url)
    async with owner.transaction():
        await owner.execute("update person_identity set last_login_at = last_login_at")
        me = await asyncio.wait_for(client.get("/v1/me", headers=bearer(issuer.token(sub="zhang"))), timeout=5)
        assert me.status_code == 200
    await owner.close()


async def test_a_person_of_several_organizations_chooses_one(
    client: httpx2.AsyncClient, keys: Keys, issuer: LocalIssuer
) -> None:
    first, second = keys.enterprise.organization_id, keys.broker.organization_id
    member = await add_member(client, keys.headers("operator"), first, "z@example.com")
    await link(client, keys, issuer, member["person_id"], "zhang")
    body = {"person_id": member["person_id"], "roles": ["broker"]}
    await client.post(f"/v1/organizations/{second}/members", json=body, headers=keys.headers("operator"))
    token = issuer.token(sub="zhang")
    for headers in (bearer(token), bearer(token, keys.stranger.organization_id), bearer(token, "nonsense")):
        refused = await client.get("/v1/needs", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "choose_organization")
        choices = [problem["message"].split()[0] for problem in refused.json()["errors"]]
        assert choices == [str(first), str(second)]
    assert (await client.get("/v1/me", headers=bearer(token, first))).json()["roles"] == ["enterprise"]
    assert (await client.get("/v1/me", headers=bearer(token, second))).json()["roles"] == ["broker"]
    # One's own record needs no choice.
    own = (await client.get("/v1/people/me", headers=bearer(token))).json()
    assert len(own["memberships"]) == 2
    # A suspended organization is told so, and the other one works on.
    await client.post(f"/v1/organizations/{first}/suspend", headers=keys.headers("operator"))
    assert (await client.get("/v1/needs", headers=bearer(token, first))).json()["code"] == "organization_suspended"
    assert (await client.get("/v1/needs", headers=bearer(token, second))).status_code == 200


async def test_a_login_acts_by_the_present_membership_of_its_own_person(
    client: httpx2.AsyncClient, keys: Keys, issuer: LocalIssuer, pool: Pool
) -> None:
    for name, house in (("zhang", keys.enterprise), ("li", keys.provider)):
        member = await add_member(client, keys.headers("operator"), house.organization_id, f"{name}@example.com")
        await link(client, keys, issuer, member["person_id"], name)
    headers = bearer(issuer.token(sub="zhang"))
    # It has one to act by, and need not choose.
    assert (await client.get("/v1/me", headers=headers)).json()["roles"] == ["enterprise"]
    own = keys.enterprise.organization_id
    for times in (
        "valid_from = now() + interval '1 hour'",
        "valid_from = now() - interval '1 hour', valid_until = now()",
    ):
        await pool.execute(f"update membership set {times} where organization_id = $1", own)
        assert (await client.get("/v1/needs", headers=headers)).json()["code"] == "choose_organization", times


async def test_the_same_request_for_another_organization_is_another_request(
    client: httpx2.AsyncClient, keys: Keys, issuer: LocalIssuer, pool: Pool
) -> None:
    """It is neither answered with what the first organization was answered, nor taken for done."""
    first, second = keys.enterprise.organization_id, keys.stranger.organization_id
    member = await add_member(client, keys.headers("operator"), first, "z@example.com")
    await link(client, keys, issuer, member["person_id"], "zhang")
    body = {"person_id": member["person_id"], "roles": ["enterprise"]}
    await client.post(f"/v1/organizations/{second}/members", json=body, headers=keys.headers("operator"))
    token = issuer.token(sub="zhang")
    answers = [
        await client.post(
            "/v1/needs", json={"title": "低温干燥"}, headers=bearer(token, organization) | {"Idempotency-Key": key}
        )
        for organization, key in ((first, "one"), (first, "one"), (second, "one"), (second, "two"))
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 422, 201]
    assert answers[0].content == answers[1].content
    assert answers[2].json()["code"] == "idempotency_key_reused"
    owners = await pool.fetch("select organization_id from listing order by id")
    assert [row["organization_id"] for row in owners] == [first, second]


async def test_a_login_whose_membership_ended_keeps_the_own_record_alone(
    client: httpx2.AsyncClient, keys: Keys, issuer: LocalIssuer
) -> None:
    own = keys.enterprise.organization_id
    member = await add_member(client, keys.headers("operator"), own, "z@example.com")
    await link(client, keys, issuer, member["person_id"], "zhang")
    headers = bearer(issuer.token(sub="zhang"))
    assert (await client.get("/v1/needs", headers=headers)).status_code == 200
    await client.delete(f"/v1/organizations/{own}/members/{member['id']}", headers=keys.headers("operator"))
    assert (await client.get("/v1/needs", headers=headers)).json()["code"] == "choose_organization"
    assert (await client.get("/v1/people/me/export", headers=headers)).status_code == 200


async def test_ones_own_record_is_there_while_the_only_organization_is_suspended(
    client: httpx2.AsyncClient, keys: Keys, issuer: LocalIssuer
) -> None:
    own = keys.enterprise.organization_id
    member = await add_member(client, keys.headers("operator"), own, "z@example.com", scopes=["read"])
    await link(client, keys, issuer, member["person_id"], "zhang")
    await client.post(f"/v1/organizations/{own}/suspend", headers=keys.headers("operator"))
    headers = bearer(issuer.token(sub="zhang"))
    assert (await client.get("/v1/needs", headers=headers)).json()["code"] == "organization_suspended"
    assert (await client.get("/v1/people/me/export", headers=headers)).status_code == 200
    me = (await client.get("/v1/me", headers=headers)).json()
    assert (me["organization"], me["roles"]) == (None, [])


async def test_a_first_login_is_linked_by_an_email_that_an_operator_wrote_down(
    client: httpx2.AsyncClient,
    keys: Keys,
    issuer: LocalIssuer,
    pool: Pool,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = keys.enterprise.organization_id
    member = await add_member(client, keys.headers("operator"), own, "Wang@example.com")
    by_itself = await add_member(client, keys.headers("enterprise"), own, "li@example.com")

    async def code(subject: str, email: str, verified: object = True) -> str:
        token = issuer.token(sub=subject, email=email, email_verified=verified)
        answer = await client.get("/v1/me", headers=bearer(token))
        return "in" if answer.status_code == 200 else str(answer.json()["code"])

    assert await code("wang", "wang@example.com", verified=False) == "login_not_linked"
    assert await code("wang", "other@example.com") == "login_not_linked"
    # An organization writes down what it likes; nobody is taken for that person by it.
    assert await code("li", "li@example.com") == "login_not_linked"
    with monkeypatch.context() as unset:
        unset.setattr(settings, "oidc_link_by_email", False)
        assert await code("wang", "wang@example.com") == "login_not_linked"
    assert await asyncio.gather(*(code("wang", "wang@example.com") for _ in range(4))) == ["in"] * 4
    assert [action for action, _, _ in await events_of(pool, member["person_id"])] == ["create", "link"]
    # That somebody else has a login already does not matter.
    second = await add_member(client, keys.headers("operator"), own, "zhao@example.com")
    assert await code("zhao", "zhao@example.com") == "in"
    assert second["person_id"] != member["person_id"]
    # From then on by the login; a second login with the same mailbox is not the same person.
    assert await code("wang", "changed@example.com") == "in"
    assert await code("somebody", "wang@example.com") == "login_not_linked"
    assert by_itself["person_id"] != member["person_id"]


async def test_only_administrators_link_logins_and_each_stands_for_one_person(
    client: httpx2.AsyncClient, keys: Keys, issuer: LocalIssuer
) -> None:
    own = keys.enterprise.organization_id
    first = await add_member(client, keys.headers("operator"), own, "a@example.com")
    second = await add_member(client, keys.headers("operator"), own, "b@example.com")
    body = {"issuer": issuer.address, "subject": "zhang"}
    address = f"/v1/people/{first['person_id']}/identities"
    assert (await client.post(address, json=body, headers=keys.headers("operator"))).status_code == 403
    linked = await client.post(address, json=body, headers=keys.headers("administrator"))
    twin = f"/v1/people/{second['person_id']}/identities"
    assert (await client.post(twin, json=body, headers=keys.headers("administrator"))).status_code == 409
    token = bearer(issuer.token(sub="zhang"))
    assert (await client.get("/v1/me", headers=token)).status_code == 200
    nobody = "/v1/people/00000000-0000-7000-8000-000000000000/identities"
    assert (
        await client.post(nobody, json=body | {"subject": "li"}, headers=keys.headers("administrator"))
    ).status_code == 404
    removed = f"{address}/{linked.json()['id']}"
    assert (
        await client.delete(f"{twin}/{linked.json()['id']}", headers=keys.headers("administrator"))
    ).status_code == 404
    assert (await client.delete(removed, headers=keys.headers("administrator"))).status_code == 204
    assert (await client.get("/v1/me", headers=token)).json()["code"] == "login_not_linked"
