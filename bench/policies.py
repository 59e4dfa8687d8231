"""What row-level security costs a request: the same requests over two copies of one database, with and without it."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx2

from bench.figures import Figure, medians_ms
from bench.generated import database
from service import embedded, worker
from service.access import service as access
from service.access.schemas import KeyRequest
from service.app import create_app
from service.demo import FOLDER
from service.exchange.runs import import_path
from service.kit import logs
from service.kit.actor import SYSTEM
from service.kit.db import create_pool, transaction
from service.listings import service as listings
from service.listings.schemas import Kind
from service.resources import DatabaseUrls, resources_over
from service.settings import Settings

ROUNDS = 300
LISTINGS = 100_000
OFF = dict.fromkeys(("rate_limit", "rate_limit_organization", "rate_limit_address", "rate_limit_failures"), "0")
# Nine in ten are published; the demo's organizations have them in turns. Titles differ in four characters of a thousand.
FILL = """
with holder as (
    select array_agg(id order by id) as ids from organization
), made as (
    select number, case when number % 2 = 0 then 'need' else 'outcome' end as kind,
           '批量条目' || chr(19968 + number % 1000) || chr(20968 + (number / 7) % 1000)
           || '装备' || chr(21968 + (number / 49) % 1000) as title
    from generate_series(1, $1::integer) as number
)
insert into listing (kind, organization_id, state, title, description, grams)
select kind, ids[1 + number % cardinality(ids)], case when number % 10 = 0 then 'draft' else 'published' end, title, title,
       (select array_agg(distinct lower(substr(title, place, 2))) from generate_series(1, length(title) - 1) as place)
from made, holder
"""
TABLES = """
select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and relrowsecurity order by relname
"""
GUARDED, OPEN = "duijie", "duijie_open"
Ask = Callable[[httpx2.AsyncClient], Awaitable[httpx2.Response]]


async def measure(home: Path) -> list[Figure]:
    """Milliseconds a request within one process, without a network between; each kind in turns over both copies."""
    folder = home / "policies"
    server = await database(folder)
    settings = Settings(home=folder, model="fake", log_level="error").model_copy(update=OFF)
    logs.configure(settings)
    tokens, need = await _load(server, settings)
    await _copy(server)
    broker, enterprise = ({"Authorization": f"Bearer {tokens[role]}"} for role in ("broker", "enterprise"))
    draft = {"title": "枸杞鲜果快速干燥", "description": "求干燥时间短、能耗低的成套装备。"}
    asks: dict[str, Ask] = {
        "who am I": lambda to: to.get("/v1/me", headers=enterprise),
        "a page of needs, enterprise": lambda to: to.get("/v1/needs", headers=enterprise),
        "a page of outcomes, enterprise": lambda to: to.get("/v1/outcomes", headers=enterprise),
        "a page of needs, broker": lambda to: to.get("/v1/needs", headers=broker),
        "needs with a word, enterprise": lambda to: to.get(
            "/v1/needs", params={"text": "批量条目一"}, headers=enterprise
        ),
        "own needs, enterprise": lambda to: to.get("/v1/needs?mine=true", headers=enterprise),
        "a need, enterprise": lambda to: to.get(f"/v1/needs/{need}", headers=enterprise),
        "its matches, enterprise": lambda to: to.get(f"/v1/needs/{need}/matches", headers=enterprise),
        "its matches, broker": lambda to: to.get(f"/v1/needs/{need}/matches", headers=broker),
        "a draft, enterprise": lambda to: to.post("/v1/needs", json=draft, headers=enterprise),
    }
    async with AsyncExitStack() as stack:
        guarded, opened = [await _client(stack, server, settings, name) for name in (GUARDED, OPEN)]
        for ask in asks.values():
            for client in (guarded, opened):
                (await ask(client)).raise_for_status()
        times = await medians_ms([_bound(ask, to) for ask in asks.values() for to in (guarded, opened)], ROUNDS)
    return [
        Figure(what, times[2 * place], "ms", "without policies", times[2 * place + 1])
        for place, what in enumerate(asks)
    ]


def _bound(ask: Ask, client: httpx2.AsyncClient) -> Callable[[], Awaitable[httpx2.Response]]:
    return lambda: ask(client)


async def _load(server: embedded.EmbeddedServer, settings: Settings) -> tuple[dict[str, str], UUID]:
    """The demo's first listings, ranked, beside generated ones; a key of each role, and a need of the enterprise."""
    urls = DatabaseUrls(server.url(embedded.APPLICATION), server.url(embedded.OWNER))
    pool = await create_pool(urls.application, size=10, statement_timeout_ms=15_000, application="bench")
    async with resources_over(settings, urls, pool) as resources:
        for kind in ("organizations", "outcomes", "needs"):
            await import_path(pool, SYSTEM, FOLDER / f"{kind}-a.jsonl", kind)
        await worker.drain(resources, concurrency=16)
        async with transaction(pool, SYSTEM) as connection:
            need = await listings.find_anywhere(connection, Kind.NEED, "need-a-01")
            assert need is not None
            stored = await listings.stored(connection, Kind.NEED, need)
            assert stored is not None
            tokens = {}
            for role in ("broker", "enterprise"):
                request = KeyRequest(label="bench", roles=[role])
                tokens[role] = (await access.create_key(connection, SYSTEM, stored.organization_id, request)).key
    await pool.close()
    owner = await asyncpg.connect(urls.owner)
    await owner.execute(FILL, LISTINGS)
    await owner.close()
    return tokens, need


async def _copy(server: embedded.EmbeddedServer) -> None:
    """A copy of the database whose tables have no policies."""
    admin = await asyncpg.connect(server.url("postgres", "postgres"))
    await admin.execute(f"create database {OPEN} template {GUARDED} owner {embedded.OWNER}")
    await admin.close()
    for name in (GUARDED, OPEN):
        owner = await asyncpg.connect(server.url(embedded.OWNER, name))
        if name == OPEN:
            for row in await owner.fetch(TABLES):
                await owner.execute(f"alter table {row['relname']} disable row level security")
        await owner.execute("analyze")
        await owner.close()


async def _client(
    stack: AsyncExitStack, server: embedded.EmbeddedServer, settings: Settings, name: str
) -> httpx2.AsyncClient:
    urls = DatabaseUrls(server.url(embedded.APPLICATION, name), server.url(embedded.OWNER, name))
    pool = await create_pool(urls.application, size=4, statement_timeout_ms=15_000, application="bench")
    stack.push_async_callback(pool.close)
    resources = await stack.enter_async_context(resources_over(settings, urls, pool))
    app = create_app(settings)
    app.state.resources = resources
    transport = httpx2.ASGITransport(app=app)
    return await stack.enter_async_context(httpx2.AsyncClient(transport=transport, base_url="http://bench"))
