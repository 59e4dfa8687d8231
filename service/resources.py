"""What a running process holds: the database pool, the encoder, the model that ranks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from matching.embedding.engine import State
from matching.indicators.units import registry
from service import embedded
from service.encoder_choice import source_in_use
from service.encoders import Encoders, load_configured_encoder
from service.hints.vectors import FieldVectors
from service.kit.db import Pool, create_pool
from service.kit.limits import SharedBuckets, open_buckets
from service.kit.places import Places
from service.kit.rates import parse_rate
from service.migrate import migrate, prepare_embedded
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """Where requests connect, and where the owner does."""

    application: str
    owner: str


__all__ = [
    "DatabaseUrls",
    "Resources",
    "load_configured_encoder",
    "open_database",
    "open_pool",
    "open_resources",
    "resources_over",
]


async def open_database(settings: Settings, *, migrating: bool) -> DatabaseUrls:
    """Start the embedded server where no URL is given, and bring the schema up to date if `migrating`.

    Raises:
        EmbeddedDatabaseError, MigrationError: with what to do.
    """
    if settings.database_url is not None:
        urls = DatabaseUrls(settings.database_url, settings.owner_database_url or settings.database_url)
        if migrating:
            await migrate(urls.owner)
        return urls
    server = embedded.start(settings.home)
    urls = DatabaseUrls(server.url(embedded.APPLICATION), server.url(embedded.OWNER))
    await prepare_embedded(server.url("postgres", "postgres"), urls.owner)
    return urls


@asynccontextmanager
async def open_pool(settings: Settings, urls: DatabaseUrls, application: str) -> AsyncIterator[Pool]:
    """The application's pool, closed at the end; requests under way are waited for."""
    pool = await create_pool(
        urls.application,
        size=settings.pool_size,
        statement_timeout_ms=settings.statement_timeout_ms,
        application=application,
    )
    try:
        yield pool
    finally:
        await pool.close()


@dataclass(frozen=True, slots=True)
class Resources:
    """What a running process holds."""

    settings: Settings
    urls: DatabaseUrls
    pool: Pool
    encoders: Encoders
    imports: Places = field(default_factory=lambda: Places(1))
    limits: SharedBuckets | None = None
    field_vectors: FieldVectors = field(default_factory=FieldVectors)

    def encoder_state(self) -> State:
        """Whether the encoder to be used is there."""
        return self.encoders.state


@asynccontextmanager
async def resources_over(settings: Settings, urls: DatabaseUrls, pool: Pool) -> AsyncIterator[Resources]:
    """Resources over a pool that is open already; the encoder loads meanwhile."""
    async with pool.acquire() as connection:
        source = await source_in_use(connection, settings)
    encoders = Encoders(settings, source=source)
    # An import may hold one connection while it works with another: half of them at most, so that none waits for ever.
    imports = Places(max(1, settings.pool_size // 2))
    rates = parse_rate(settings.rate_limit), parse_rate(settings.rate_limit_organization)
    try:
        async with open_buckets(urls.application, *rates) as limits:
            yield Resources(settings, urls, pool, encoders, imports, limits)
    finally:
        await encoders.close()


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Everything that serving or working takes, with the database migrated.

    Raises:
        EmbeddedDatabaseError, MigrationError: with what to do.
    """
    urls = await open_database(settings, migrating=settings.database_url is None)
    async with open_pool(settings, urls, "duijie") as pool, resources_over(settings, urls, pool) as resources:
        # Reading the units' definitions takes most of a second, which no first request should wait for.
        units = asyncio.create_task(asyncio.to_thread(registry))
        try:
            yield resources
        finally:
            await units
