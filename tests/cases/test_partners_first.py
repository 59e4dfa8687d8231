"""Ranked lists from partner regions first: of those and of the others the best first, page by page."""

from typing import Any
from uuid import UUID

import httpx2

from service.kit.actor import SYSTEM
from service.kit.db import Pool, transaction
from tests.access.test_confidential import take
from tests.conftest import Keys

# 福州 and 泉州 lie in a partner province of 宁夏; 成都 does not, and one outcome names no region.
REGIONS = (("510100", 0.9), ("350100", 0.5), (None, 0.8), ("350500", 0.7))
INSERT = """
insert into recommendation (need_id, outcome_id, score, probability, level, explanation, model_version)
values ($1, $2, $3, 0.5, 'fair', '{"signals": [], "indicators": [], "level": "fair", "conflicts": []}', 'x')
"""


async def test_partner_regions_come_first(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    operator = keys.headers("operator")

    async def publish(kind: str, role: str, region: str | None, *steps: str) -> str:
        content: dict[str, Any] = {"title": "演示", "description": "装备。", "region": region}
        made = (await client.post(f"/v1/{kind}", json=content, headers=keys.headers(role))).json()
        await take(client, operator, f"/v1/{kind}/{made['id']}", *steps)
        return str(made["id"])

    need = await publish("needs", "enterprise", "640100", "submit", "publish")
    outcomes = [await publish("outcomes", "provider", region, "submit", "verify", "publish") for region, _ in REGIONS]
    async with transaction(pool, SYSTEM) as connection:
        for outcome, (_, score) in zip(outcomes, REGIONS, strict=True):
            await connection.execute(INSERT, UUID(need), UUID(outcome), score)

    async def pages(query: str, limit: int) -> list[tuple[int, int]]:
        found, cursor = [], ""
        for _ in range(len(outcomes)):
            path = f"/v1/needs/{need}/matches?limit={limit}{query}{cursor}"
            page = (await client.get(path, headers=keys.headers("enterprise"))).json()
            found += [(each["rank"], outcomes.index(each["counterpart"]["id"])) for each in page["items"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        return found

    for limit in (1, 2, 3, 10):
        assert await pages("", limit) == [(1, 0), (2, 2), (3, 3), (4, 1)]
        assert await pages("&partners_first=true", limit) == [(1, 3), (2, 1), (3, 0), (4, 2)]
    other = f"/v1/outcomes/{outcomes[1]}/matches?partners_first=true"
    listed = (await client.get(other, headers=keys.headers("provider"))).json()
    assert [each["counterpart"]["id"] for each in listed["items"]] == [need]
    # A cursor of the plain list is none of this one.
    plain = (await client.get(f"/v1/needs/{need}/matches?limit=1", headers=keys.headers("enterprise"))).json()["next"]
    wrong = f"/v1/needs/{need}/matches?partners_first=true&cursor={plain}"
    assert (await client.get(wrong, headers=keys.headers("enterprise"))).status_code == 422
