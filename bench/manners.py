"""What counting a request and keeping its answer cost: the same requests with and without, in one run."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import httpx2

from bench.figures import Figure, medians_ms
from bench.generated import database
from service import embedded
from service.access import service as access
from service.access.schemas import KeyRequest, OrganizationContent, OrganizationKind
from service.app import create_app
from service.kit import logs
from service.kit.actor import SYSTEM
from service.kit.db import create_pool, transaction
from service.resources import DatabaseUrls, resources_over
from service.settings import Settings

ROUNDS = 300
NEED = {
    "title": "枸杞鲜果快速干燥",
    "description": "求干燥时间短、能耗低的成套装备。",
    "indicators": ["单批干燥时间≤12 h"],
}
OFF = dict.fromkeys(("rate_limit", "rate_limit_organization", "rate_limit_address", "rate_limit_failures"), "0")
WIDE = {"rate_limit": "100000/second", "rate_limit_organization": "100000/second"}


async def measure(home: Path) -> list[Figure]:
    """Milliseconds a request within one process, without a network between; each kind in turns."""
    folder = home / "manners"
    server = await database(folder)
    urls = DatabaseUrls(server.url(embedded.APPLICATION), server.url(embedded.OWNER))
    base = Settings(home=folder, model="fake", log_level="error")
    logs.configure(base)
    pool = await create_pool(urls.application, size=10, statement_timeout_ms=15_000, application="bench")
    async with transaction(pool, SYSTEM) as connection:
        content = OrganizationContent(external_id="bench", name="测量单位", kind=OrganizationKind.ENTERPRISE)
        holder = await access.create_organization(connection, SYSTEM, content)
        request = KeyRequest(label="bench", roles=["enterprise"])
        key = await access.create_key(connection, SYSTEM, holder.id, request)

    @asynccontextmanager
    async def client(rates: dict[str, str]) -> AsyncIterator[httpx2.AsyncClient]:
        settings = base.model_copy(update=rates)
        async with resources_over(settings, urls, pool) as resources:
            app = create_app(settings)
            app.state.resources = resources
            headers = {"Authorization": f"Bearer {key.key}"}
            transport = httpx2.ASGITransport(app=app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://bench", headers=headers) as made:
                yield made

    numbers = count()
    async with client(OFF) as plain, client(WIDE) as counted:

        def draft(through: httpx2.AsyncClient, key: str | None = None) -> Awaitable[httpx2.Response]:
            return through.post("/v1/needs", json=NEED, headers={"Idempotency-Key": key} if key else {})

        read, read_counted, write, write_kept, both, repeated = await medians_ms(
            [
                lambda: plain.get("/v1/me"),
                lambda: counted.get("/v1/me"),
                lambda: draft(plain),
                lambda: draft(plain, f"k{next(numbers)}"),
                lambda: draft(counted, f"k{next(numbers)}"),
                lambda: draft(plain, "k0"),
            ],
            ROUNDS,
        )
    await pool.close()
    return [
        Figure("a read, counted", read_counted, "ms", "not counted", read),
        Figure("a draft, answer kept", write_kept, "ms", "not kept", write),
        Figure("a draft, counted and kept", both, "ms", "neither", write),
        Figure("a repeated answer", repeated, "ms", "the first", write_kept),
    ]
