"""The review queue with a million open pairs: a broker's page and lease over HTTP's whole way within one process."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx2

from bench.figures import Figure, median_ms
from bench.generated import database
from service import embedded
from service.access import service as access
from service.access.schemas import KeyRequest, OrganizationContent, OrganizationKind
from service.app import create_app
from service.kit import logs
from service.kit.actor import SYSTEM
from service.kit.db import create_pool, prepare_connection, transaction
from service.resources import DatabaseUrls, resources_over
from service.settings import Settings

PAIRS = int(os.environ.get("PAIRS", "1000000"))
# Open pairs of one need: as many as a ranking stores.
OF_NEED = 50
ROUNDS = 200
OFF = dict.fromkeys(("rate_limit", "rate_limit_organization", "rate_limit_address", "rate_limit_failures"), "0")
# Fields of the market's own list and cities of six provinces in turns; half of the listings lie in the first thirty.
LISTINGS = """
with fields as (select array_agg(code order by code) as codes from field),
     places as (select array_agg(code order by code) as codes from region
                where level = 'prefecture' and left(code, 2) in ('32', '35', '37', '44', '62', '64')),
     holders as (select array_agg(id order by id) as ids from organization)
insert into listing (kind, organization_id, state, title, description, field, region)
select $1, holders.ids[1 + n % cardinality(holders.ids)], 'published', '条目 ' || n, '真空脉动干燥装备，含水率不高于13%',
       fields.codes[1 + n % cardinality(fields.codes)],
       places.codes[1 + case when n % 2 = 0 then n % 30 else n % cardinality(places.codes) end]
from generate_series(1, $2::integer) as n, fields, places, holders
"""
# As the ranking writes it: eleven signals, two passages, some terms and three figures as evidence.
EVIDENCE = {
    "coverage": [
        {
            "code": "passages",
            "values": ["求干燥时间短、能耗低的成套装备。", "真空脉动干燥装备，单批干燥时间 10 h。", "0.87"],
        },
        {"code": "passages", "values": ["成品含水率不高于 13%。", "成品含水率 12%，色泽保持良好。", "0.81"]},
    ],
    "lexical": [{"code": "terms", "values": ["真空脉动干燥", "含水率", "枸杞"]}],
    "indicators": [
        {
            "code": "indicator",
            "values": ["met", "单批干燥时间≤12 h", "单批干燥时间 10 h", "干燥时间", "≤ 12 h", "10 h"],
        },
        {"code": "indicator", "values": ["met", "含水率≤13%", "含水率 12%", "含水率", "≤ 13 %", "12 %"]},
        {"code": "indicator", "values": ["not_stated", "能耗≤1 kWh/kg", "", "能耗", "≤ 1 kWh/kg", ""]},
    ],
}
SIGNALS = (
    "semantic", "lexical", "coverage", "indicators", "field", "modes", "maturity", "price", "region", "freshness",
    "responsiveness",
)  # fmt: skip
EXPLANATION = {
    "score": 0.5,
    "signals": [
        {"signal": name, "raw": 0.5, "weight": 0.1, "part": 0.05, "evidence": EVIDENCE.get(name, [])}
        for name in SIGNALS
    ],
    "conflicts": [],
}
PAIR = """
with needs as (select id, row_number() over (order by id) as n from need where state = 'published'),
     outcomes as (select array_agg(id order by id) as ids from outcome where state = 'published')
insert into recommendation (need_id, outcome_id, score, probability, level, explanation, model_version)
select needs.id, outcomes.ids[1 + ((n * 7919 + k * 104729) % cardinality(outcomes.ids))::integer], p, p, 'fair', $1, 'bench'
from needs, outcomes, generate_series(1, $2::integer) as k, lateral (select power(random(), 3) + 0 * (n + k) as p) as drawn
where n > $3 and n <= $4
on conflict do nothing
"""
BATCH = 1_000


async def measure(home: Path) -> list[Figure]:
    """Milliseconds, in the median: pages of brokers with and without limits, and leases of twenty pairs with their end."""
    server = await database(home / "review")
    settings = Settings(home=home / "review", model="fake", log_level="error").model_copy(update=OFF)
    logs.configure(settings)
    urls = DatabaseUrls(server.url(embedded.APPLICATION), server.url(embedded.OWNER))
    pool = await create_pool(urls.application, size=4, statement_timeout_ms=600_000, application="bench")
    async with transaction(pool, SYSTEM) as connection:
        made = [
            await access.create_organization(
                connection, SYSTEM, OrganizationContent(name=f"压测演示单位 {n}", kind=OrganizationKind.INTERMEDIARY)
            )
            for n in range(200)
        ]
        keys = {
            role: (await access.create_key(connection, SYSTEM, house.id, KeyRequest(label="bench", roles=[role]))).key
            for role, house in zip(("broker", "operator"), made, strict=False)
        }
    count = await _fill(urls.owner)
    figures = [Figure("open pairs", float(count), "pairs")]
    async with resources_over(settings, urls, pool) as resources:
        app = create_app(settings)
        app.state.resources = resources
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://bench") as client:
            figures += await _ask(client, keys, made[5].id)
    await pool.close()
    return figures


async def _fill(url: str) -> int:
    """The listings and pairs, in batches, so that no one transaction holds a million rows in memory."""
    owner = await asyncpg.connect(url)
    await prepare_connection(owner)
    needs = PAIRS // OF_NEED
    await owner.execute("set synchronous_commit = off")
    await owner.execute(LISTINGS, "need", needs)
    await owner.execute(LISTINGS, "outcome", needs)
    await owner.execute("analyze listing")
    for first in range(0, needs, BATCH):
        await owner.execute(PAIR, EXPLANATION, OF_NEED, first, first + BATCH)
        while await owner.fetchval("select settle_review(5000)"):
            pass
    await owner.execute("vacuum analyze review_item")
    await owner.execute("vacuum analyze recommendation")
    count: int = await owner.fetchval("select count(*) from review_item")
    await owner.close()
    return count


async def _ask(client: httpx2.AsyncClient, keys: dict[str, str], organization: UUID) -> list[Figure]:
    headers = {role: {"Authorization": f"Bearer {key}"} for role, key in keys.items()}

    def get(role: str, query: str = "") -> Callable[[], Awaitable[httpx2.Response]]:
        return lambda: client.get(f"/v1/review{query}", headers=headers[role])

    async def lease_and_release() -> None:
        taken = await client.post("/v1/review/leases", json={"limit": 20}, headers=headers["broker"])
        taken.raise_for_status()
        (await client.delete("/v1/review/leases", headers=headers["broker"])).raise_for_status()

    figures = []

    async def note(what: str, action: Callable[[], Awaitable[object]]) -> None:
        answer = await action()
        if isinstance(answer, httpx2.Response):
            answer.raise_for_status()
            what = f"{what} ({len(answer.json()['items'])} items)"
        figures.append(Figure(what, await median_ms(action, ROUNDS), "ms"))

    await note("a page of the queue, no limits", get("operator"))
    await note("partner regions first", get("operator", "?from=partner_regions"))
    first = (await get("operator")()).json()
    await note("the second page", get("operator", f"?cursor={first['next']}"))
    limits = {
        "one field": {"fields": ["goji"]},
        "one province": {"regions": ["640000"]},
        "one field of one city": {"fields": ["goji"], "regions": ["640500"]},
        "one organization": {"organizations": [str(organization)]},
    }
    for version, (what, content) in enumerate(limits.items()):
        body = {"name": "压测", **content}
        put = await client.put("/v1/brokers/me", json=body, headers=headers["broker"] | {"If-Match": f'"{version}"'})
        put.raise_for_status()
        await note(f"a page of a broker with {what}", get("broker"))
    await client.put(
        "/v1/brokers/me", json={"name": "压测"}, headers=headers["broker"] | {"If-Match": f'"{len(limits)}"'}
    )
    await note("twenty pairs leased and given back", lease_and_release)
    await note("a pair leased and decided on", _decisions(client, headers["broker"]))
    return figures


def _decisions(client: httpx2.AsyncClient, headers: dict[str, str]) -> Callable[[], Awaitable[object]]:
    """Each call takes one pair and declines it: the two calls that a pair takes at most."""

    async def one() -> None:
        taken = await client.post("/v1/review/leases", json={"limit": 1}, headers=headers)
        pair = taken.json()["items"][0]["recommendation"]["id"]
        body = {"action": "decline", "code": "vague"}
        (await client.post(f"/v1/recommendations/{pair}/decisions", json=body, headers=headers)).raise_for_status()

    return one
