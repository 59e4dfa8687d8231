"""`duijie encoders`: what encoders there are, which one is used, and using another."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.console import RenderableType

from matching.embedding import BUNDLED
from matching.embedding import tuned as folders
from matching.index.models import known_models
from service import encoder_choice
from service.encoder_choice import Change
from service.encoder_reports import list_of_encoders
from service.kit.actor import SYSTEM
from service.kit.db import Pool, ranking_role, transaction
from service.resources import open_database, open_pool
from service.settings import Settings


@asynccontextmanager
async def _pool(settings: Settings) -> AsyncIterator[Pool]:
    urls = await open_database(settings, migrating=True)
    async with open_pool(settings, urls, "duijie encoders") as pool:
        yield pool


async def listing(settings: Settings) -> RenderableType:
    """Every encoder as a table."""
    async with _pool(settings) as pool, transaction(pool, SYSTEM) as connection:
        in_use = await encoder_choice.source_in_use(connection, settings)
        async with ranking_role(connection):
            known = await known_models(connection)
        return list_of_encoders(folders.saved(settings.cache), known, in_use)


async def activate(settings: Settings, name: str) -> None:
    """Use an encoder from now on, by the name that the list shows.

    Raises:
        EncoderError: this machine has no whole encoder of this name. Conflict: it is in use, or DUIJIE_MODEL is set.
    """
    source = name if name == BUNDLED else folders.SCHEME + name.removeprefix(folders.SCHEME)
    if source != BUNDLED:
        folders.folder_of(source, settings.cache)
    async with _pool(settings) as pool, transaction(pool, SYSTEM) as connection:
        await encoder_choice.choose(connection, SYSTEM, settings, Change(source, "activate", {}))


async def rollback(settings: Settings) -> str:
    """Return to the encoder that was used before; its source.

    Raises:
        Conflict: none was, or DUIJIE_MODEL is set.
    """
    async with _pool(settings) as pool, transaction(pool, SYSTEM) as connection:
        return await encoder_choice.rollback(connection, SYSTEM, settings)
