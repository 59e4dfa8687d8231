"""Reading a stored ranked list over HTTP against the bare asyncpg query, in one process over one database."""

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import uvicorn

from bench.figures import Figure, median_ms
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
from service.matches.repository import OF_NEED
from service.resources import DatabaseUrls, resources_over
from service.settings import Settings

PORT = 8974
ROUNDS = 300


async def measure(home: Path) -> list[Figure]:
    """Milliseconds a read of the first twenty matches of a need."""
    server = await database(home / "reads")
    urls = DatabaseUrls(server.url(embedded.APPLICATION), server.url(embedded.OWNER))
    settings = Settings(home=home / "reads", model="fake", port=PORT, log_level="error")
    pool = await create_pool(urls.application, size=10, statement_timeout_ms=15_000, application="bench")
    logs.configure(settings)
    async with resources_over(settings, urls, pool) as resources:
        for kind in ("organizations", "outcomes", "needs"):
            await import_path(pool, SYSTEM, FOLDER / f"{kind}-a.jsonl", kind)
        await worker.drain(resources, concurrency=16)
        async with transaction(pool, SYSTEM) as connection:
            holder = await access.find_organization(connection, "org-a-01")
            assert holder is not None
            key = await access.create_key(connection, SYSTEM, holder.id, KeyRequest(label="bench", roles=["broker"]))
            need = await listings.find_anywhere(connection, Kind.NEED, "need-a-01")

        @asynccontextmanager
        async def opener(_: Settings):  # type: ignore[no-untyped-def]
            yield resources

        api = uvicorn.Server(uvicorn.Config(create_app(settings, opener), port=PORT, log_config=None, access_log=False))
        serving = asyncio.create_task(api.serve())
        headers = {"Authorization": f"Bearer {key.key}"}
        states = ["proposed", "accepted", "declined", "snoozed"]
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{PORT}", headers=headers) as client:
            for _ in range(200):
                if api.started:
                    break
                await asyncio.sleep(0.05)
            over_http = await median_ms(lambda: client.get(f"/v1/needs/{need}/matches"), ROUNDS)
            bare = await median_ms(lambda: pool.fetch(OF_NEED, need, states, None, None, None, 21), ROUNDS)
        api.should_exit = True
        await serving
    await pool.close()
    return [Figure("ranked list over HTTP", over_http, "ms", "the bare query", bare)]
