"""If-Match: needed for every PUT and PATCH, checked where sent for every step; enumerated from the OpenAPI document."""

import asyncio
import re
from collections.abc import Awaitable
from typing import Any

import asyncpg
import httpx2
import pytest

from service.app import create_app
from service.resources import Resources
from service.settings import Settings
from tests.access.helpers import add_member, make_key
from tests.cases.made import BEGINS, ENDS, consulting_case
from tests.conftest import Keys
from tests.contracts import helpers as contracts
from tests.http.test_needs import NEED, post

STALE = '"999"'
# Steps on something that has a version: the header may be left out, since the workflow itself says what may follow.
STEPS = {
    "/v1/needs/{need_id}/{action}",
    "/v1/outcomes/{outcome_id}/{action}",
    "/v1/recommendations/{recommendation_id}/decisions",
    "/v1/recommendations/{recommendation_id}/decisions/undo",
    "/v1/organizations/{organization_id}/{action}",
    "/v1/contracts/{contract_id}/{action}",
    "/v1/cases/{case_id}/{action}",
    "/v1/cases/{case_id}/close",
    "/v1/cases/{case_id}/leave",
    "/v1/cases/{case_id}/broker",
}
# New objects beneath others; an API key has no version, so its rotation takes no header.
MADE_BENEATH = {
    "/v1/recommendations/{recommendation_id}/consent",
    "/v1/organizations/{organization_id}/keys",
    "/v1/organizations/{organization_id}/members",
    "/v1/people/{person_id}/identities",
    "/v1/keys/{key_id}/rotate",
    "/v1/refinements/{listing_id}/questions",
    "/v1/refinements/{listing_id}/questions/{question_id}/answer",
    "/v1/refinements/{listing_id}/agreement",
    "/v1/contracts/{contract_id}/changes",
    "/v1/contracts/{contract_id}/receipts",
    "/v1/notifications/{notification_id}/read",
    "/v1/webhooks/{webhook_id}/rotate",
    "/v1/webhooks/{webhook_id}/test",
    "/v1/webhooks/{webhook_id}/replay",
    "/v1/cases/{case_id}/messages",
    "/v1/cases/{case_id}/attachments",
    "/v1/cases/{case_id}/meetings",
    "/v1/cases/{case_id}/milestones",
    # Each is said once, or, as a read mark and a term, only moves on.
    "/v1/cases/{case_id}/answer",
    "/v1/cases/{case_id}/extensions",
    "/v1/cases/{case_id}/read",
    "/v1/cases/{case_id}/follow-ups/{follow_up_id}",
}


def operations(settings: Settings, *methods: str) -> dict[str, dict[str, Any]]:
    paths = create_app(settings).openapi()["paths"]
    return {path: item[method] for path, item in paths.items() for method in item if method in methods}


def test_every_change_declares_both_refusals(settings: Settings) -> None:
    changes = operations(settings, "put", "patch")
    assert changes
    for path, operation in changes.items():
        assert "If-Match" in [parameter["name"] for parameter in operation["parameters"]], path
        assert {"412", "428"} <= set(operation["responses"]), path
        assert "ETag" in operation["responses"]["200"]["headers"], path


def test_every_step_takes_the_header(settings: Settings) -> None:
    declared = {
        path
        for path, operation in operations(settings, "post").items()
        if "If-Match" in [parameter["name"] for parameter in operation.get("parameters", [])]
    }
    assert declared == STEPS
    for path in STEPS:
        assert "412" in operations(settings, "post")[path]["responses"]
    # What hangs from an object and acts on it is a step; what is made beneath one is a new object.
    beneath = {path for path in operations(settings, "post") if "}/" in path} - STEPS
    assert beneath == MADE_BENEATH


VERSIONED = """
select string_agg(format('%I', table_name), ', ') from information_schema.columns
join information_schema.tables using (table_schema, table_name)
where table_schema = 'public' and column_name = 'version' and table_type = 'BASE TABLE'
"""
WAITING = "select count(distinct pid) from pg_locks where not granted"


async def at_once(owner_url: str, *requests: Awaitable[httpx2.Response]) -> list[int]:
    """The statuses of requests of which each has read what it changes before any of them writes."""
    owner = await asyncpg.connect(owner_url)
    try:
        async with owner.transaction():
            await owner.execute(f"lock table {await owner.fetchval(VERSIONED)} in share mode")
            sent = [asyncio.ensure_future(request) for request in requests]
            for _ in range(2_000):
                if await owner.fetchval(WAITING) >= len(sent) or all(each.done() for each in sent):
                    break
                await asyncio.sleep(0.01)
        return sorted([(await each).status_code for each in sent])
    finally:
        await owner.close()


async def test_every_put_wants_the_version_that_was_seen(
    client: httpx2.AsyncClient, keys: Keys, settings: Settings, resources: Resources, owner_url: str
) -> None:
    outcome = {"title": "枸杞真空脉动干燥装备"}
    made = (await client.post("/v1/outcomes", json=outcome, headers=keys.headers("provider"))).json()
    own = keys.enterprise.organization_id
    organization = (await client.get(f"/v1/organizations/{own}", headers=keys.headers("enterprise"))).json()
    content = {name: organization[name] for name in ("external_id", "name", "kind", "region")}
    enterprise, provider, administrator = (keys.headers(name) for name in ("enterprise", "provider", "administrator"))
    member = await add_member(client, administrator, own, "yanshi@example.com")
    membership, person = f"/v1/organizations/{own}/members/{member['id']}", f"/v1/people/{member['person_id']}"
    mine = (await make_key(client, administrator, own, membership_id=member["id"]))["headers"]
    named = {"name": "演示人员", "email": "yanshi@example.com"}
    contract = (await contracts.enter(client, keys))["id"]
    hook = {"url": "https://erp.example.com/duijie"}
    added = (await client.post("/v1/webhooks", json=hook, headers=enterprise)).json()
    case = f"/v1/cases/{await consulting_case(client, keys, resources)}"
    meeting, milestone = {"title": "x", "starts_at": BEGINS, "ends_at": ENDS}, {"title": "x", "due_on": "2099-01-01"}
    made_meeting = (await client.post(f"{case}/meetings", json=meeting, headers=enterprise)).json()
    made_milestone = (await client.post(f"{case}/milestones", json=milestone, headers=enterprise)).json()
    exercises: dict[str, tuple[dict[str, str], str, dict[str, Any]]] = {
        "/v1/cases/{case_id}/meetings/{meeting_id}": (enterprise, f"{case}/meetings/{made_meeting['id']}", meeting),
        "/v1/cases/{case_id}/milestones/{milestone_id}": (
            enterprise,
            f"{case}/milestones/{made_milestone['id']}",
            milestone,
        ),
        "/v1/cases/{case_id}/terms": (enterprise, f"{case}/terms", {"mode": "service"}),
        "/v1/needs/{need_id}": (enterprise, f"/v1/needs/{(await post(client, keys))['id']}", NEED),
        "/v1/outcomes/{outcome_id}": (provider, f"/v1/outcomes/{made['id']}", outcome),
        "/v1/organizations/{organization_id}": (enterprise, f"/v1/organizations/{own}", content),
        "/v1/people/{person_id}": (administrator, person, named),
        "/v1/brokers/me": (keys.headers("broker"), "/v1/brokers/me", {"name": "演示技术经理人"}),
        "/v1/contracts/{contract_id}": (
            keys.headers("broker"),
            f"/v1/contracts/{contract}",
            contracts.content(keys),
        ),
        "/v1/notifications/preferences": (enterprise, "/v1/notifications/preferences", {"language": "en"}),
        "/v1/webhooks/{webhook_id}": (enterprise, f"/v1/webhooks/{added['id']}", hook),
        "/v1/people/me": (mine, "/v1/people/me", named),
        "/v1/organizations/{organization_id}/members/{membership_id}": (
            administrator,
            membership,
            {"roles": ["enterprise"]},
        ),
    }
    assert set(exercises) == set(operations(settings, "put", "patch")), "exercise the new change"
    for headers, path, body in exercises.values():
        # The version of what is settled is the case's.
        address = case if path == f"{case}/terms" else path
        seen = '"1"' if path == membership else (await client.get(address, headers=headers)).headers["ETag"]
        missing = await client.put(path, json=body, headers=headers)
        assert (missing.status_code, missing.headers["ETag"]) == (428, seen)
        for stale in (STALE, f"W/{seen}", "1", ""):
            refused = await client.put(path, json=body, headers=headers | {"If-Match": stale})
            assert (refused.status_code, refused.headers["ETag"]) == (412, seen), stale
        both = [client.put(path, json=body, headers=headers | {"If-Match": seen}) for _ in range(2)]
        # What is made by the first change is not changed by the second: that is a conflict.
        assert await at_once(owner_url, *both) == [200, 409 if path == "/v1/brokers/me" else 412], path
        again = await client.put(path, json=body, headers=headers | {"If-Match": seen})
        assert again.status_code == 412
        latest = again.headers["ETag"]
        assert latest != seen
        both = [client.put(path, json=body, headers=headers | {"If-Match": latest}) for _ in range(2)]
        assert await at_once(owner_url, *both) == [200, 412], path


@pytest.mark.parametrize("sent", [STALE, 'W/"1"'])
async def test_a_step_on_what_has_changed_is_refused(client: httpx2.AsyncClient, keys: Keys, sent: str) -> None:
    need = await post(client, keys)
    path, headers = f"/v1/needs/{need['id']}/submit", keys.headers("enterprise")
    refused = await client.post(path, headers=headers | {"If-Match": sent})
    assert (refused.status_code, refused.headers["ETag"]) == (412, '"1"')
    taken = await client.post(path, headers=headers | {"If-Match": '"1"'})
    assert (taken.status_code, taken.headers["ETag"]) == (200, '"2"')


def test_every_answer_declares_the_headers_of_the_layers_around_it(settings: Settings) -> None:
    for path, operation in operations(settings, "get", "post", "put", "delete").items():
        if re.match("/v1/", path):
            assert "Retry-After" in operation["responses"]["429"]["headers"], path
            assert all("RateLimit" in answer["headers"] for answer in operation["responses"].values()), path
