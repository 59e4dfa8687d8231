"""Corners that the matrix and generated requests found, each by itself."""

import httpx2
import pytest

from service.app import create_app
from service.kit.db import Pool
from service.settings import Settings
from tests.access.indexing import build_market
from tests.access.market import NOBODY, ROLES, Caller, Market


@pytest.fixture
async def market(owner_url: str) -> Market:
    """A market with a caller of each role in each of four organizations."""
    return await build_market(owner_url, [frozenset({role}) for role in ROLES])


def headers(market: Market, name: str) -> dict[str, str]:
    """The header that authenticates as a caller."""
    caller: Caller = next(each for each in market.callers if each.name == name)
    return {"Authorization": f"Bearer {caller.key}"}


async def test_a_list_leaves_out_pairs_whose_other_side_is_not_to_be_seen(
    client: httpx2.AsyncClient, market: Market
) -> None:
    ids = {(each.kind, each.state): each.id for each in market.subjects if each.house in "AP"}
    path = f"/v1/outcomes/{ids['outcome', 'published']}/matches"
    needs = {}
    for name in ("provider of P", "broker of T"):
        answer = await client.get(path, headers=headers(market, name))
        assert answer.status_code == 200, answer.text
        needs[name] = {item["counterpart"]["id"] for item in answer.json()["items"]}
    on_the_market = {str(ids["need", state]) for state in ("published", "docking", "fulfilled")}
    assert needs == {"provider of P": on_the_market, "broker of T": on_the_market | {str(ids["need", "withdrawn"])}}


@pytest.mark.parametrize("path", ["/v1/needs", "/v1/outcomes"])
async def test_posting_for_an_organization_that_is_not_there_names_the_parameter(
    client: httpx2.AsyncClient, market: Market, path: str
) -> None:
    content = {"title": "枸杞鲜果快速干燥"}
    answer = await client.post(f"{path}?organization_id={NOBODY}", json=content, headers=headers(market, "broker of T"))
    assert answer.status_code == 422
    assert [(each["field"], each["rule"]) for each in answer.json()["errors"]] == [
        ("organization_id", "known_organization")
    ]


async def test_a_person_takes_its_published_need_off_the_lists(
    client: httpx2.AsyncClient, pool: Pool, market: Market
) -> None:
    need = next(s for s in market.subjects if (s.kind, s.state, s.house) == ("need", "published", "A"))
    answer = await client.post(f"/v1/needs/{need.id}/withdraw", headers=headers(market, "enterprise of A, a person"))
    assert answer.status_code == 200, answer.text
    person = next(s for s in market.subjects if (s.kind, s.house) == ("person", "A"))
    left = await pool.fetch("select person_id, from_state from event where action = 'supersede'")
    assert {(row["person_id"], row["from_state"]) for row in left} == {
        (person.id, "proposed"),
        (person.id, "snoozed"),
    }


def test_problems_of_an_import_are_not_described_as_error_answers() -> None:
    schemas = create_app(Settings(model="fake")).openapi()["components"]["schemas"]
    assert {"type", "title", "status", "code"} <= set(schemas["Problem"]["properties"])
    items = schemas["Report"]["properties"]["problems"]["items"]
    assert items == {"$ref": "#/components/schemas/ImportProblem"}
    assert {"line", "column", "rule"} <= set(schemas["ImportProblem"]["properties"])
