"""A need that names no region: where its organization lies is not told to the other side before both consent."""

from dataclasses import replace

import httpx2

from service.kit.db import Pool
from service.resources import Resources
from tests.access.test_confidential import made
from tests.cases.helpers import NEED, OUTCOME, Clock, Desk, accept
from tests.conftest import Keys

# The case takes 640100 of the organization, whose province is a partner of the outcome's.
HOUSE = "640100"
FILTERS = {"region=640000": 1, "region=640100": 1, "region=350000": 1, "partner=true": 1, "partner=false": 0}


async def opened_without_region(client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool) -> Desk:
    """A case of a need that names no region."""
    need = {name: value for name, value in NEED.items() if name != "region"}
    world = await made(client, keys, resources, need, OUTCOME)
    await accept(client, keys, world.pair)
    (case,) = (await client.get("/v1/cases", headers=keys.headers("broker"))).json()["items"]
    return Desk(client, keys, pool, case["id"], world.pair, world.need, world.outcome)


async def found(desk: Desk, role: str) -> dict[str, int]:
    """How many cases a role finds by each filter."""
    return {
        query: len((await desk.client.get(f"/v1/cases?{query}", headers=desk.keys.headers(role))).json()["items"])
        for query in FILTERS
    }


async def test_a_region_that_a_need_does_not_name_is_told_once_both_consent(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool, moment: Clock
) -> None:
    desk = await opened_without_region(client, keys, resources, pool)
    for role in ("enterprise", "broker", "operator"):
        shown = await desk.read(role)
        assert (shown["need_region"], shown["partner"], len(shown["partner_pairs"])) == (HOUSE, True, 1), role
        assert await found(desk, role) == FILTERS, role
    shown = await desk.read("provider")
    assert (shown["need_region"], shown["outcome_region"]) == (None, OUTCOME["region"])
    assert (shown["partner"], shown["partner_pairs"]) == (False, [])
    assert await found(desk, "provider") == {
        "region=640000": 0, "region=640100": 0, "region=350000": 1, "partner=true": 0, "partner=false": 1,
    }  # fmt: skip
    await desk.agree()
    assert (await desk.read("provider"))["need_region"] == HOUSE
    assert await found(desk, "provider") == FILTERS


async def test_a_region_that_a_need_names_is_told(desk: Desk) -> None:
    shown = await replace(desk).read("provider")
    assert (shown["need_region"], shown["partner"]) == (NEED["region"], True)
    answer = await desk.client.get("/v1/cases?region=640500&partner=true", headers=desk.keys.headers("provider"))
    assert len(answer.json()["items"]) == 1
