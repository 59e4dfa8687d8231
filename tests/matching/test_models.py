"""Switching embedding models: one serves, at most one is being filled in, and nothing of a third is kept."""

import asyncio

import asyncpg
import pytest

from matching import pipeline
from matching.embedding.fake import FakeEncoder
from matching.index import Connection, models
from matching.index.models import EmbeddingModel
from tests.matching.conftest import connect, named, profile, put

WIDER, WIDEST = FakeEncoder(96, "wider"), FakeEncoder(144, "widest")
STATES = "select name, state from embedding_model order by id"


async def states(connection: Connection) -> dict[str, str]:
    """State of every model."""
    return {row["name"]: row["state"] for row in await connection.fetch(STATES)}


async def test_before_the_first_model_none_serves(connection: Connection) -> None:
    assert await models.active_model(connection) is None
    assert await models.live_models(connection) == []


async def test_registering_a_model_again_changes_nothing(connection: Connection, model: EmbeddingModel) -> None:
    assert await models.register_model(connection, "fake", FakeEncoder().identity) == model
    assert await states(connection) == {"fake": "active"}


async def test_the_configured_model_is_noted_under_its_new_source(
    connection: Connection, model: EmbeddingModel
) -> None:
    moved = await models.register_model(connection, "/elsewhere/fake", FakeEncoder().identity)
    assert (moved.id, moved.source, moved.state) == (model.id, "/elsewhere/fake", "active")


async def test_a_third_model_ends_the_filling_in_of_the_second(connection: Connection, model: EmbeddingModel) -> None:
    await models.register_model(connection, "wider", WIDER.identity)
    await models.register_model(connection, "widest", WIDEST.identity)
    assert await states(connection) == {"fake": "active", "wider": "retired", "widest": "building"}
    assert [live.name for live in await models.live_models(connection)] == ["fake", "widest"]


async def test_going_back_before_the_switch_keeps_what_served(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    given = profile("outcome", "枸杞干燥", "热泵除湿")
    (stored,) = await put(connection, encoder, model, given)
    wider = await models.register_model(connection, "wider", WIDER.identity)
    await put(connection, WIDER, wider, given)
    assert (await models.register_model(connection, "fake", encoder.identity)).state == "active"
    await models.drop_retired_vectors(connection)
    assert await connection.fetchval("select array_agg(model_id) from match_vector") == [model.id]
    (again,) = await put(connection, encoder, model, given)
    assert (again.encoded.vector == stored.encoded.vector).all()


async def test_the_switch_waits_for_the_last_profile_of_either_kind(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    need, outcome = profile("need", "枸杞脱水"), profile("outcome", "枸杞干燥")
    await put(connection, encoder, model, need, outcome)
    wider = await models.register_model(connection, "wider", WIDER.identity)
    for given in (need, outcome):
        assert not await models.activate_model(connection, wider.id)
        assert await states(connection) == {"fake": "active", "wider": "building"}
        await put(connection, WIDER, wider, given)
    assert await models.activate_model(connection, wider.id)
    assert await states(connection) == {"fake": "retired", "wider": "active"}


async def test_only_so_many_profiles_without_vector_are_named_at_once(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    made = [profile("need", f"需求{number}号") for number in range(5)]
    await put(connection, encoder, model, *made)
    wider = await models.register_model(connection, "wider", WIDER.identity)
    found = await models.profiles_without_vector(connection, wider.id, 3)
    assert found == [(identifier, "need") for identifier in sorted(each.id for each in made)[:3]]


async def test_the_database_refuses_a_second_active_model(
    connection: "asyncpg.Connection[asyncpg.Record]", model: EmbeddingModel
) -> None:
    wider = await models.register_model(connection, "wider", WIDER.identity)
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute("update embedding_model set state = 'active' where id = $1", wider.id)


async def test_processes_that_start_at_once_agree_on_the_first_model(connection: Connection, app_url: str) -> None:
    async def start(encoder: FakeEncoder) -> EmbeddingModel:
        own = await connect(app_url)
        try:
            async with own.transaction():
                return await models.register_model(own, encoder.identity.name, encoder.identity)
        finally:
            await own.close()

    found = await asyncio.gather(*(start(FakeEncoder()) for _ in range(5)))
    assert {(model.id, model.state) for model in found} == {(found[0].id, "active")}


async def test_removing_a_profile_takes_the_vectors_of_every_model(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    given = profile("outcome", "枸杞干燥", name="one")
    wider = await models.register_model(connection, "wider", WIDER.identity)
    vectors = {m.id: e.encode([given.texts], "document")[0] for m, e in ((model, encoder), (wider, WIDER))}
    await pipeline.index_profile(connection, given, vectors)
    assert await connection.fetchval("select count(*) from match_vector") == 2
    await pipeline.remove_profile(connection, named("one"))
    assert await connection.fetchval("select count(*) from match_vector") == 0
    assert await connection.fetchval("select count(*) from match_passage") == 0
