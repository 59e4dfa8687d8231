"""A connection to the matching index, and short ways to make profiles."""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID, uuid5

import asyncpg
import pytest

from matching import pipeline
from matching.embedding.fake import FakeEncoder
from matching.index import Connection, register_codecs
from matching.index.models import EmbeddingModel, register_model
from matching.profiling import ListingText, compose
from matching.types import EmbeddedProfile, Facets, Kind, Profile

NAMESPACE = UUID("1b671a64-40d5-491e-99b0-da01ff1f3341")


async def connect(url: str, **settings: str) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection as the service makes it: the index's schema on the search path, vector types known."""
    made = await asyncpg.connect(url, server_settings={"search_path": "public, matching", **settings})
    await register_codecs(made)
    return made


@pytest.fixture
async def connection(app_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection of the ranking role, which owns nothing, to a fresh migrated database."""
    made = await connect(app_url, role="duijie_ranking")
    yield made
    await made.close()


@pytest.fixture
def encoder() -> FakeEncoder:
    """An encoder that knows no meaning, but which texts share characters."""
    return FakeEncoder()


@pytest.fixture
async def model(connection: Connection, encoder: FakeEncoder) -> EmbeddingModel:
    """The fake encoder's model, active."""
    return await register_model(connection, "fake", encoder.identity)


def named(name: str) -> UUID:
    """The same id for the same name."""
    return uuid5(NAMESPACE, name)


def profile(kind: Kind, title: str, text: str = "", *, name: str = "", facets: Facets = Facets()) -> Profile:
    """A profile of a title and one text; its id follows from its name, or its title."""
    sections = (("description", text),) if text else ()
    return compose(ListingText(named(name or title), kind, title, sections, facets=facets))


async def put(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel, *profiles: Profile
) -> list[EmbeddedProfile]:
    """Index profiles, and read them back as stored."""
    found = []
    for each in profiles:
        role = "query" if each.kind == "need" else "document"
        (encoded,) = encoder.encode([each.texts], role)
        async with connection.transaction():
            await pipeline.index_profile(connection, each, {model.id: encoded})
        loaded = await pipeline.load_profile(connection, each.kind, each.id, model)
        assert loaded is not None
        found.append(loaded)
    return found


def with_facets(embedded: EmbeddedProfile, **facets: object) -> EmbeddedProfile:
    """The same profile with other facets."""
    changed = replace(embedded.profile, facets=replace(embedded.profile.facets, **facets))  # type: ignore[arg-type]
    return replace(embedded, profile=changed)
