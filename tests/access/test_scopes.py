"""Every route takes the scope that is written here: a new route without a line fails, and so does one that lets through."""

import itertools
import re
from collections.abc import Iterator
from uuid import uuid4

import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from service.api import router
from service.app import create_app
from service.kit.actor import Scope
from service.settings import Settings
from tests.access.helpers import make_key
from tests.conftest import Keys

OPEN = """
GET /v1/webhooks/types, GET /v1/regions, GET /v1/partner-pairs, GET /v1/taxonomy, GET /v1/imports/template.xlsx,
GET /v1/cooperation-modes,
"""
READ = """
GET /v1/me, GET /v1/people/me, GET /v1/people/me/export, GET /v1/organizations, GET /v1/organizations/{organization_id},
GET /v1/needs, GET /v1/needs/{need_id}, GET /v1/needs/{need_id}/revisions, GET /v1/needs/{need_id}/matches,
GET /v1/needs/{need_id}/hints, POST /v1/needs/hints,
GET /v1/outcomes, GET /v1/outcomes/{outcome_id}, GET /v1/outcomes/{outcome_id}/revisions,
GET /v1/outcomes/{outcome_id}/matches, GET /v1/outcomes/{outcome_id}/hints, POST /v1/outcomes/hints,
GET /v1/audit/events, GET /v1/audit/verification, GET /v1/audit/head,
POST /v1/match, GET /v1/recommendations/{recommendation_id},
GET /v1/recommendations/{recommendation_id}/consent, GET /v1/recommendations/{recommendation_id}/contacts,
GET /v1/review, GET /v1/declines, GET /v1/brokers, GET /v1/brokers/me, GET /v1/brokers/suggestions,
GET /v1/contracts, GET /v1/contracts/figures, GET /v1/contracts/{contract_id}, GET /v1/contracts/{contract_id}/changes,
GET /v1/contracts/{contract_id}/filings, GET /v1/contracts/{contract_id}/registration,
GET /v1/contracts/{contract_id}/registration.xlsx, GET /v1/contracts/{contract_id}/registration.pdf,
GET /v1/contracts/{contract_id}/subsidies, GET /v1/contracts/{contract_id}/settlement, GET /v1/subsidy-rules,
GET /v1/cases, GET /v1/cases/{case_id}, GET /v1/cases/{case_id}/messages, GET /v1/cases/{case_id}/attachments/{message_id},
GET /v1/cases/{case_id}/meetings, GET /v1/cases/{case_id}/meetings/{meeting_id},
GET /v1/cases/{case_id}/meetings/{meeting_id}/calendar.ics,
GET /v1/cases/{case_id}/milestones, GET /v1/cases/{case_id}/milestones/{milestone_id}, GET /v1/cases/{case_id}/follow-ups,
GET /v1/partner-operators, GET /v1/organizations/{organization_id}/response,
GET /v1/imports/{import_id}, GET /v1/imports/{import_id}/report.xlsx, GET /v1/exports,
GET /v1/refinements/{listing_id},
GET /v1/notifications, GET /v1/notifications/counts, GET /v1/notifications/preferences,
GET /v1/webhooks, GET /v1/webhooks/{webhook_id}, GET /v1/webhooks/{webhook_id}/deliveries,
GET /v1/webhooks/{webhook_id}/deliveries/{delivery_id},
"""
WRITE = """
PUT /v1/people/me, DELETE /v1/people/me,
POST /v1/needs, PUT /v1/needs/{need_id}, POST /v1/needs/{need_id}/{action},
POST /v1/outcomes, PUT /v1/outcomes/{outcome_id}, POST /v1/outcomes/{outcome_id}/{action},
POST /v1/recommendations/{recommendation_id}/decisions, POST /v1/imports,
POST /v1/recommendations/{recommendation_id}/decisions/undo,
POST /v1/review/leases, DELETE /v1/review/leases, POST /v1/review/decisions,
PUT /v1/brokers/me, POST /v1/brokers/assignments, DELETE /v1/brokers/assignments/{need_id},
POST /v1/recommendations/{recommendation_id}/consent, DELETE /v1/recommendations/{recommendation_id}/consent,
POST /v1/refinements/{listing_id}/questions, POST /v1/refinements/{listing_id}/questions/{question_id}/answer,
POST /v1/refinements/{listing_id}/agreement,
POST /v1/contracts, PUT /v1/contracts/{contract_id}, POST /v1/contracts/{contract_id}/changes,
POST /v1/contracts/{contract_id}/receipts, POST /v1/contracts/{contract_id}/{action},
POST /v1/subsidy-rules, DELETE /v1/subsidy-rules/{rule_id},
POST /v1/notifications/read, POST /v1/notifications/{notification_id}/read, PUT /v1/notifications/preferences,
POST /v1/webhooks, PUT /v1/webhooks/{webhook_id}, DELETE /v1/webhooks/{webhook_id}, POST /v1/webhooks/{webhook_id}/rotate,
POST /v1/webhooks/{webhook_id}/test, POST /v1/webhooks/{webhook_id}/replay,
POST /v1/cases/{case_id}/answer, POST /v1/cases/{case_id}/leave, POST /v1/cases/{case_id}/close, POST /v1/cases/{case_id}/extensions,
POST /v1/cases/{case_id}/broker,
PUT /v1/cases/{case_id}/terms, POST /v1/cases/{case_id}/{action}, POST /v1/cases/{case_id}/messages,
POST /v1/cases/{case_id}/attachments, POST /v1/cases/{case_id}/read, POST /v1/cases/{case_id}/meetings,
PUT /v1/cases/{case_id}/meetings/{meeting_id}, POST /v1/cases/{case_id}/milestones,
PUT /v1/cases/{case_id}/milestones/{milestone_id}, POST /v1/cases/{case_id}/follow-ups/{follow_up_id},
POST /v1/partner-operators, DELETE /v1/partner-operators/{assignment_id},
"""
ADMIN = """
POST /v1/organizations, PUT /v1/organizations/{organization_id}, POST /v1/organizations/{organization_id}/{action},
POST /v1/organizations/{organization_id}/keys, GET /v1/organizations/{organization_id}/keys,
POST /v1/keys/{key_id}/rotate, DELETE /v1/keys/{key_id},
POST /v1/people, GET /v1/people, GET /v1/people/{person_id}, PUT /v1/people/{person_id}, DELETE /v1/people/{person_id},
GET /v1/people/{person_id}/identities, POST /v1/people/{person_id}/identities,
DELETE /v1/people/{person_id}/identities/{identity_id},
POST /v1/organizations/{organization_id}/members, GET /v1/organizations/{organization_id}/members,
PUT /v1/organizations/{organization_id}/members/{membership_id},
DELETE /v1/organizations/{organization_id}/members/{membership_id},
"""


def rules() -> dict[str, Scope | None]:
    """The scope of each route as written above; None where no key is needed."""
    found: dict[str, Scope | None] = {}
    for text, scope in ((OPEN, None), (READ, Scope.READ), (WRITE, Scope.WRITE), (ADMIN, Scope.ADMIN)):
        for line in text.replace("\n", " ").split(","):
            if line.strip():
                found[line.strip()] = scope
    return found


RULES = rules()


def routes(app: FastAPI) -> list[str]:
    """Every method and path under /v1, as the OpenAPI document has them."""
    return [
        f"{method.upper()} {path}"
        for path, operations in app.openapi()["paths"].items()
        for method in operations
        if path.startswith("/v1/")
    ]


def test_every_route_has_a_rule_and_every_rule_a_route() -> None:
    assert sorted(routes(create_app(Settings(model="fake")))) == sorted(RULES)


def flat(router: APIRouter) -> Iterator[APIRoute]:
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from flat(inner)
        else:
            assert isinstance(route, APIRoute)
            yield route


def test_no_route_hides_from_the_document() -> None:
    assert sum(len(route.methods) for route in flat(router)) == len(RULES)


@pytest.fixture
async def narrow(client: httpx2.AsyncClient, keys: Keys) -> dict[frozenset[Scope], dict[str, str]]:
    """Headers of an administrator's keys: one for each set of scopes."""
    made = {}
    for size in (1, 2):
        for scopes in itertools.combinations(Scope, size):
            key = await make_key(
                client,
                keys.headers("administrator"),
                keys.administrator.organization_id,
                roles=["administrator"],
                scopes=[scope.value for scope in scopes],
            )
            made[frozenset(scopes)] = key["headers"]
    return made


async def test_a_key_without_the_scope_is_refused_and_told_which_one(
    client: httpx2.AsyncClient, narrow: dict[frozenset[Scope], dict[str, str]]
) -> None:
    """The administrator's role would allow all of it: what refuses is the scope alone."""
    probes = 0
    for rule, needed in RULES.items():
        method, path = rule.split()
        address = re.sub(r"\{[a-z_]+\}", str(uuid4()), path.replace("{action}", "submit"))
        for scopes, headers in narrow.items():
            answer = await client.request(method, address, headers=headers, json={} if method != "GET" else None)
            missing = answer.status_code == 403 and answer.json()["code"] == "scope_missing"
            assert missing == (needed is not None and needed not in scopes), (rule, scopes, answer.text)
            if missing:
                assert f"scope {needed}" in answer.json()["detail"]
            probes += 1
    assert probes == len(RULES) * 6
