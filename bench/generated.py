"""A generated index: random vectors and terms of realistic sizes, loaded by COPY, in the service's own tables."""

from pathlib import Path
from uuid import UUID, uuid5

import asyncpg
import numpy as np
from pgvector import HalfVector, SparseVector

from matching.embedding.protocol import ModelIdentity
from matching.embedding.tokens import pack
from matching.evaluation.scratch import NAMESPACE
from matching.index.models import EmbeddingModel, create_graph_index, register_model
from matching.index.vocabulary import DIMENSIONS, ensure_lexicon
from service import embedded
from service.kit.db import prepare_connection
from service.migrate import prepare_embedded

EMBEDDING = 384
PASSAGES = 8
# Rows of token vectors: the abstracts of the development data have 90 in the mean.
TOKEN_ROWS = 90
TOKEN_VOCABULARY = 250_000
VOCABULARY = 60_000
TERMS = 220
BATCH = 2_000


async def database(home: Path) -> embedded.EmbeddedServer:
    """A migrated embedded database under `home`."""
    server = embedded.start(home)
    await prepare_embedded(server.url("postgres", "postgres"), server.url(embedded.OWNER))
    return server


async def owner_connection(server: embedded.EmbeddedServer) -> "asyncpg.Connection[asyncpg.Record]":
    """The owner, with the index on its search path."""
    owner = await asyncpg.connect(server.url(embedded.OWNER), server_settings={"search_path": "matching, public"})
    await prepare_connection(owner)
    return owner


async def fill(owner: "asyncpg.Connection[asyncpg.Record]", outcomes: int) -> EmbeddingModel:
    """Bring the index to so many outcomes; terms follow Zipf's law, vectors lie in a few hundred clusters."""
    random = np.random.default_rng(7)
    await ensure_lexicon(owner)
    model = await register_model(owner, "generated", ModelIdentity("generated", "generated", EMBEDDING))
    there = await owner.fetchval("select count(*) from match_profile where kind = 'outcome'")
    centres = np.random.default_rng(1).standard_normal((300, EMBEDDING))
    shares = 1 / np.arange(1, VOCABULARY + 1)
    shares /= shares.sum()
    for start in range(there, outcomes, BATCH):
        numbers = range(start, min(outcomes, start + BATCH))
        await _copy_batch(owner, model, numbers, random, centres, shares)
    await owner.execute(
        "insert into match_vocabulary (term, outcomes) "
        "select 'term' || n, greatest(1, ($2 * least(1.0, 220.0 / n / 11.6))::integer) from generate_series(1, $1::integer) n "
        "on conflict (term) do update set outcomes = excluded.outcomes",
        VOCABULARY, float(outcomes),
    )  # fmt: skip
    await owner.execute("update match_lexicon set outcomes = $1", outcomes)
    await create_graph_index(owner, model)
    await owner.execute("vacuum analyze")
    return model


def identifier(number: int) -> UUID:
    """The id of a generated outcome."""
    return uuid5(NAMESPACE, f"generated:{number}")


async def _copy_batch(
    owner: "asyncpg.Connection[asyncpg.Record]",
    model: EmbeddingModel,
    numbers: range,
    random: np.random.Generator,
    centres: np.ndarray,
    shares: np.ndarray,
) -> None:
    profiles, vectors, passages, lexemes = [], [], [], []
    token_codes = pack(random.standard_normal((TOKEN_ROWS, EMBEDDING)).astype(np.float32))
    for number in numbers:
        own = centres[random.integers(len(centres))] + random.standard_normal((PASSAGES, EMBEDDING))
        rows = own / np.linalg.norm(own, axis=1, keepdims=True)
        whole = own.mean(axis=0) / np.linalg.norm(own.mean(axis=0))
        terms = np.unique(random.choice(VOCABULARY, TERMS, p=shares))
        name = identifier(number)
        texts = [f"generated passage {place}" for place in range(PASSAGES)]
        profiles.append(
            (name, "outcome", f"generated {number}", "zh", ["description"] * PASSAGES, texts, [1.0] * PASSAGES)
        )
        vectors.append((name, "outcome", model.id, HalfVector(whole)))
        # One block of codes serves all: what is read and computed does not depend on what they say.
        passages.append(
            (
                name,
                "outcome",
                model.id,
                rows.astype("<f2").tobytes(),
                token_codes,
                TOKEN_ROWS,
                [number % TOKEN_VOCABULARY],
                [],
            )
        )
        weights = dict(zip(terms.tolist(), random.uniform(0.5, 2.0, len(terms)).tolist(), strict=True))
        lexemes.append((name, "outcome", SparseVector(weights, DIMENSIONS)))
    columns = ["id", "kind", "title", "language", "sections", "passages", "passage_weights"]
    await owner.copy_records_to_table("match_profile", records=profiles, columns=columns, schema_name="matching")
    token_columns = ["vectors", "token_vectors", "token_rows", "token_ids", "token_passages"]
    for table, records, last in (("match_vector", vectors, ["embedding"]), ("match_passage", passages, token_columns)):
        names = ["profile_id", "kind", "model_id", *last]
        await owner.copy_records_to_table(table, records=records, columns=names, schema_name="matching")
    await owner.copy_records_to_table(
        "match_lexeme", records=lexemes, columns=["profile_id", "kind", "weights"], schema_name="matching"
    )
