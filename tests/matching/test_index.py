"""Rows of the index: the same however often they are written, and exact whoever writes at the same time."""

import asyncio
import random
from collections import Counter
from dataclasses import fields
from datetime import date
from decimal import Decimal

import asyncpg
import numpy as np
import pytest

from matching import pipeline
from matching.embedding.fake import FakeEncoder
from matching.embedding.protocol import as_stored
from matching.index import Connection, candidates, models, postings, profiles, tokens, vocabulary
from matching.index.models import EmbeddingModel
from matching.profiling import ListingText, compose
from matching.types import Facets
from tests.matching.conftest import connect, named, profile, put

TABLES = (
    "match_profile", "match_vector", "match_passage", "match_token", "match_lexeme", "match_vocabulary", "match_lexicon",
)  # fmt: skip


async def contents(connection: Connection) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    return {
        table: [row[0] for row in await connection.fetch(f"select t::text from {table} t order by 1")]
        for table in TABLES
    }


async def recounted(connection: Connection) -> tuple[Counter[int], Counter[str]]:
    """Outcomes by term and profiles by kind, counted from the rows themselves."""
    documents: Counter[int] = Counter()
    for row in await connection.fetch("select weights from match_lexeme where kind = 'outcome'"):
        documents.update(index + 1 for index in row["weights"].indices())
    return documents, Counter(row["kind"] for row in await connection.fetch("select kind from match_profile"))


async def check_counts(connection: Connection) -> None:
    """Document frequencies and collection sizes are what the rows say."""
    documents, sizes = await recounted(connection)
    rows = await connection.fetch("select id, outcomes from match_vocabulary")
    assert {row["id"]: row["outcomes"] for row in rows if row["outcomes"]} == dict(documents)
    for kind in ("need", "outcome"):
        assert await vocabulary.collection_size(connection, kind) == sizes[kind]


async def test_what_is_stored_is_what_was_given(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    given = profile("outcome", "枸杞热泵干燥装备", "热泵除湿，干燥时间8小时。能耗降低30%以上。")
    (stored,) = await put(connection, encoder, model, given)
    (encoded,) = encoder.encode([given.texts], "document")
    assert stored.profile == given
    # Half precision has eleven bits: unit vectors are off by less than 2^-11.
    assert abs(stored.encoded.vector - encoded.vector).max() < 2**-11
    assert abs(stored.encoded.passages - encoded.passages).max() < 2**-11
    assert stored.encoded.tokens is not None
    assert encoded.tokens is not None
    rounded = as_stored(encoded).tokens
    assert rounded is not None
    assert np.array_equal(stored.encoded.tokens.vectors, rounded.vectors)
    assert np.array_equal(stored.encoded.tokens.identifiers, encoded.tokens.identifiers)


async def test_every_facet_is_stored(connection: Connection, encoder: FakeEncoder, model: EmbeddingModel) -> None:
    stated = Facets(
        field="goji",
        field_group="agriculture",
        industry="A",
        region="640500",
        region_class="west",
        partner_regions=frozenset({"350000"}),
        modes=frozenset({"license", "transfer"}),
        maturity=6,
        price_min=Decimal("100000.50"),
        price_max=Decimal(800_000),
        currency="USD",
        needed_by=date(2027, 1, 1),
        published_on=date(2026, 1, 1),
    )
    for facets in (stated, Facets(), stated):
        (stored,) = await put(connection, encoder, model, profile("need", "枸杞干燥", facets=facets))
        assert stored.profile.facets == facets
    unset = Facets()
    assert not [each.name for each in fields(Facets) if getattr(stated, each.name) == getattr(unset, each.name)]


async def test_a_need_keeps_which_token_and_passage_each_row_is(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    given = profile("need", "枸杞干燥", "热泵除湿")
    (stored,) = await put(connection, encoder, model, given)
    (encoded,) = encoder.encode([given.texts], "query")
    assert stored.encoded.tokens is not None
    assert encoded.tokens is not None
    assert stored.encoded.tokens.identifiers.tolist() == encoded.tokens.identifiers.tolist()
    assert stored.encoded.tokens.passages.tolist() == encoded.tokens.passages.tolist()


async def test_tokens_are_counted_among_outcomes_exactly_however_often_they_are_written(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    texts = {"one": "枸杞干燥", "two": "枸杞脱水"}
    for _ in range(2):
        await put(connection, encoder, model, *(profile("outcome", text, name=name) for name, text in texts.items()))
    await put(connection, encoder, model, profile("need", "枸杞干燥"), profile("outcome", "热泵除湿", name="one"))
    kept = encoder.encode([["热泵除湿"], ["枸杞脱水"]], "document")
    expected = Counter(number for each in kept if each.tokens for number in each.tokens.identifiers.tolist())
    rows = await connection.fetch("select token, outcomes from match_token where model_id = $1", model.id)
    assert {row["token"]: row["outcomes"] for row in rows if row["outcomes"]} == dict(expected)
    for name in texts:
        await pipeline.remove_profile(connection, named(name))
    assert await connection.fetchval("select sum(outcomes) from match_token") == 0


async def test_writing_a_profile_again_changes_nothing(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    await put(connection, encoder, model, profile("outcome", "枸杞干燥", "热泵"), profile("need", "枸杞脱水", "能耗"))
    before = await contents(connection)
    await put(connection, encoder, model, profile("outcome", "枸杞干燥", "热泵"), profile("need", "枸杞脱水", "能耗"))
    assert await contents(connection) == before


async def test_a_changed_text_gives_up_terms_and_takes_others(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    await put(
        connection, encoder, model, profile("outcome", "枸杞", name="one"), profile("outcome", "枸杞热泵", name="two")
    )
    await put(connection, encoder, model, profile("outcome", "酿酒", name="one"))
    rows = await connection.fetch("select term, outcomes from match_vocabulary order by term")
    assert {row["term"]: row["outcomes"] for row in rows} == {"枸杞": 1, "杞热": 1, "热泵": 1, "酿酒": 1}
    await check_counts(connection)


async def test_a_removed_profile_leaves_no_row_and_no_count(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    await put(connection, encoder, model, profile("outcome", "枸杞干燥", name="one"))
    assert await pipeline.remove_profile(connection, named("one"))
    assert not await pipeline.remove_profile(connection, named("one"))
    for table in ("match_profile", "match_vector", "match_passage", "match_lexeme"):
        assert await connection.fetchval(f"select count(*) from {table}") == 0
    assert await connection.fetchval("select sum(outcomes) from match_vocabulary") == 0
    await check_counts(connection)


async def test_counts_stay_exact_and_nobody_deadlocks_under_concurrent_writers(
    connection: Connection, app_url: str, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    """Writers that create, rewrite and remove the same few profiles, whose terms overlap in every order."""
    words = [f"w{number}" for number in range(120)]

    async def work(seed: int) -> None:
        dice = random.Random(seed)
        own = await connect(app_url, role="duijie_ranking")
        try:
            for _ in range(25):
                name = f"p{dice.randrange(8)}"
                async with own.transaction():
                    if dice.random() < 0.3:
                        await pipeline.remove_profile(own, named(name))
                    else:
                        given = profile("outcome", " ".join(dice.sample(words, 30)), name=name)
                        (encoded,) = encoder.encode([given.texts], "document")
                        await pipeline.index_profile(own, given, {model.id: encoded})
        finally:
            await own.close()

    await asyncio.gather(*(work(seed) for seed in range(5)))
    await check_counts(connection)


async def test_a_rolled_back_write_leaves_the_counts(
    connection: "asyncpg.Connection[asyncpg.Record]", encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    await put(connection, encoder, model, profile("outcome", "枸杞干燥"))
    before = await contents(connection)
    transaction = connection.transaction()
    await transaction.start()
    await put(connection, encoder, model, profile("outcome", "热泵除湿"))
    await transaction.rollback()
    assert await contents(connection) == before


async def test_vectors_of_two_models_stand_side_by_side(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    given = profile("outcome", "枸杞干燥", "热泵除湿")
    other = FakeEncoder(dimensions=96, name="wider")
    newer = await models.register_model(connection, "wider", other.identity)
    vectors = {m.id: e.encode([given.texts], "document")[0] for m, e in ((model, encoder), (newer, other))}
    async with connection.transaction():
        await pipeline.index_profile(connection, given, vectors)
    for each, dimensions in ((model, 48), (newer, 96)):
        loaded = await pipeline.load_profile(connection, "outcome", given.id, each)
        assert loaded is not None
        assert loaded.encoded.vector.shape == (dimensions,)
        assert loaded.encoded.passages.shape == (len(given.passages), dimensions)


async def test_a_model_becomes_active_only_when_no_profile_lacks_its_vector(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    given = profile("outcome", "枸杞干燥", "热泵除湿")
    await put(connection, encoder, model, given)
    other = FakeEncoder(dimensions=96, name="wider")
    newer = await models.register_model(connection, "wider", other.identity)
    assert newer.state == "building"
    assert await models.profiles_without_vector(connection, newer.id, 10) == [(given.id, "outcome")]
    assert not await models.activate_model(connection, newer.id)
    await put(connection, other, newer, given)
    assert await models.activate_model(connection, newer.id)
    active = await models.active_model(connection)
    assert active is not None
    assert active.id == newer.id
    await models.drop_retired_vectors(connection)
    assert await connection.fetchval("select array_agg(model_id) from match_vector") == [newer.id]
    assert await connection.fetchval("select array_agg(model_id) from match_passage") == [newer.id]


MODULES = {module.__name__: module for module in (candidates, models, postings, profiles, tokens, vocabulary)}
VERBS = {"select", "insert", "update", "delete", "with"}
STATEMENTS = [
    (module, name)
    for module, found in MODULES.items()
    for name, value in vars(found).items()
    if name.isupper() and isinstance(value, str) and value.split()[:1] and value.split()[0] in VERBS
]


@pytest.mark.parametrize(("module", "name"), STATEMENTS)
async def test_every_statement_fits_the_migrated_tables(
    connection: "asyncpg.Connection[asyncpg.Record]", module: str, name: str
) -> None:
    await connection.prepare(getattr(MODULES[module], name))


def test_the_statements_are_found() -> None:
    assert len(STATEMENTS) >= 25


def test_what_a_profile_is_about_counts_twice() -> None:
    """BM25F: a need's title; an outcome's title and keywords."""
    given = {"title": "枸杞", "sections": (("description", "干燥"),), "keywords": ("热泵",)}
    counts = {
        kind: vocabulary.profile_counts(compose(ListingText(named("one"), kind, **given)))  # type: ignore[arg-type]
        for kind in ("need", "outcome")
    }
    assert counts["need"] == {"枸杞": 2, "干燥": 1, "热泵": 1}
    assert counts["outcome"] == {"枸杞": 2, "干燥": 1, "热泵": 2}
