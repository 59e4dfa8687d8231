"""If-Match: needed for every PUT and PATCH, checked where sent for every step; enumerated from the OpenAPI document."""

import re
from collections.abc import Awaitable
from typing import Any

import httpx2
import pytest

from service.app import create_app
from service.resources import Resources
from service.settings import Settings
from tests.access.helpers import add_member, make_key
from tests.at_once import at_once, overtaken
from tests.cases.made import BEGINS, ENDS, another_broker, consulting_case, proposed_pair
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


async def statuses(owner_url: str, *requests: Awaitable[httpx2.Response]) -> list[int]:
    """The statuses of requests that meet, in order."""
    return sorted(answer.status_code for answer in await at_once(owner_url, *requests))


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
        assert await statuses(owner_url, *both) == [200, 409 if path == "/v1/brokers/me" else 412], path
        again = await client.put(path, json=body, headers=headers | {"If-Match": seen})
        assert again.status_code == 412
        latest = again.headers["ETag"]
        assert latest != seen
        both = [client.put(path, json=body, headers=headers | {"If-Match": latest}) for _ in range(2)]
        assert await statuses(owner_url, *both) == [200, 412], path


async def test_of_two_equal_steps_at_once_one_is_taken(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, owner_url: str
) -> None:
    outcome = (await client.post("/v1/outcomes", json={"title": "装备"}, headers=keys.headers("provider"))).json()
    pair = f"/v1/recommendations/{await proposed_pair(client, keys, resources)}"
    new = {"name": "待核验演示公司", "kind": "enterprise"}
    organization = (await client.post("/v1/organizations", json=new, headers=keys.headers("operator"))).json()
    contract = await contracts.enter(client, keys)
    left, closed = [f"/v1/cases/{await consulting_case(client, keys, resources)}" for _ in range(2)]
    steps: dict[str, tuple[str, str, dict[str, str] | None]] = {
        "/v1/needs/{need_id}/{action}": ("enterprise", f"/v1/needs/{(await post(client, keys))['id']}/submit", None),
        "/v1/outcomes/{outcome_id}/{action}": ("provider", f"/v1/outcomes/{outcome['id']}/submit", None),
        "/v1/recommendations/{recommendation_id}/decisions": ("broker", f"{pair}/decisions", {"action": "accept"}),
        "/v1/recommendations/{recommendation_id}/decisions/undo": ("broker", f"{pair}/decisions/undo", None),
        "/v1/organizations/{organization_id}/{action}": (
            "operator",
            f"/v1/organizations/{organization['id']}/verify",
            {"reason": "营业执照已核对"},
        ),
        "/v1/contracts/{contract_id}/{action}": (
            "enterprise",
            f"/v1/contracts/{contract['id']}/cancel",
            {"reason": "双方不再合作"},
        ),
        "/v1/cases/{case_id}/leave": ("provider", f"{left}/leave", {"code": "too_early"}),
        "/v1/cases/{case_id}/{action}": ("broker", f"{closed}/negotiate", None),
        "/v1/cases/{case_id}/broker": (
            "operator",
            f"{closed}/broker",
            {"broker_id": await another_broker(client, keys), "reason": "leaves"},
        ),
        "/v1/cases/{case_id}/close": ("another", f"{closed}/close", {"closed_as": "lost", "code": "no_agreement"}),
    }
    assert set(steps) == STEPS, "take the new step"
    for role, path, body in steps.values():
        both = [client.post(path, json=body, headers=keys.headers(role)) for _ in range(2)]
        taken, refused = await statuses(owner_url, *both)
        assert (taken < 300, refused) == (True, 409), path


async def test_a_pair_that_changes_while_a_decision_waits_is_not_decided_on(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, owner_url: str
) -> None:
    """As when it is ranked anew: it is not what the broker saw any more."""
    path, broker = (
        f"/v1/recommendations/{await proposed_pair(client, keys, resources)}/decisions",
        keys.headers("broker"),
    )
    changed = "update recommendation set version = version + 1"
    accepting = client.post(path, json={"action": "accept"}, headers=broker | {"If-Match": '"1"'})
    refused = await overtaken(owner_url, changed, accepting)
    assert (refused.status_code, refused.headers["ETag"]) == (412, '"2"')
    assert (await client.post(path, json={"action": "accept"}, headers=broker)).status_code == 201
    assert (await overtaken(owner_url, changed, client.post(f"{path}/undo", headers=broker))).status_code == 409
    assert (await client.post(f"{path}/undo", headers=broker)).status_code == 200


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
