"""A generated index of any size in the service's own tables, loaded by COPY, whose parents are the demo's listings.

**Vectors.** Real vectors are neither spread evenly nor laid out in neat clusters: those of the bundled model over the
demo's outcomes have about 73 directions that matter (participation ratio of their covariance) out of 384. So a
generated outcome is a mixture of the vectors of two demo outcomes, plus noise of the covariance that the demo's vectors
have, plus a little noise in every direction. Needs are the demo's own, as the model embeds them.

**Terms.** Six in ten come from the two parents' own texts, as often as they stand there; the others are made-up words
that follow Zipf's law. Lengths are log-normal, with the median and spread of the demo's.
"""

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid5

import asyncpg
import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector, SparseVector

from bench.parents import Parent
from matching.embedding import tokens
from matching.embedding.protocol import ModelIdentity, unit
from matching.evaluation.scratch import NAMESPACE
from matching.index.models import EmbeddingModel, create_graph_index, register_model
from matching.index.postings import last_number, pack
from matching.index.vocabulary import DEFAULT_AVERAGE_LENGTH, DIMENSIONS, K1, B, ensure_lexicon
from matching.profiling import TOKENIZER
from service import embedded
from service.kit.db import prepare_connection
from service.migrate import prepare_embedded

EMBEDDING = 384
PASSAGES = 8
# Rows of token vectors: the abstracts of the development data have 90 in the mean.
TOKEN_ROWS = 90
BATCH = 2_000
BACKGROUND = 60_000
OWN_SHARE = 0.6
LENGTH_MEDIAN, LENGTH_SPREAD = 180.0, 0.6
MIXTURE_NOISE, EVEN_NOISE = 0.6, 0.25
# Fields that hold these shares of the outcomes. What is in a field is alike, as it is in life: it lies on one side
# of the widest direction of the vectors.
SHARES = (30.0, 10.0, 3.0, 1.0, 0.1, 0.01)
OF_ONE_ORGANIZATION = uuid5(NAMESPACE, "generated organization")


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


def identifier(number: int) -> UUID:
    """The id of a generated outcome."""
    return uuid5(NAMESPACE, f"generated:{number}")


def field_of(share: float) -> str:
    """The field that holds so many percent of the outcomes."""
    return f"{share:g} percent"


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """Terms of the parents and of the background, by number."""

    names: list[str]
    parents: list[tuple[NDArray[np.int64], NDArray[np.float64]]]
    background: NDArray[np.float64]

    @classmethod
    def of(cls, parents: list[Parent]) -> "Lexicon":
        """Number the parents' terms; the background's follow."""
        names = sorted({term for parent in parents for term in parent.counts})
        numbers = {name: number for number, name in enumerate(names)}
        own = []
        for parent in parents:
            counts = np.array(list(parent.counts.values()), dtype=np.float64)
            own.append((np.array([numbers[term] for term in parent.counts]), counts / counts.sum()))
        shares = 1 / np.arange(1, BACKGROUND + 1)
        return cls([*names, *(f"word{n}" for n in range(BACKGROUND))], own, shares / shares.sum())

    def draw(self, random: np.random.Generator, pair: tuple[int, int]) -> dict[int, float]:
        """BM25 weights of a new outcome of two parents, by term number."""
        length = max(20, int(LENGTH_MEDIAN * math.exp(random.normal(0, LENGTH_SPREAD))))
        drawn = [random.choice(len(self.background), length - 2 * int(length * OWN_SHARE / 2), p=self.background)]
        drawn[0] += len(self.names) - len(self.background)
        for parent in pair:
            terms, shares = self.parents[parent]
            drawn.append(random.choice(terms, int(length * OWN_SHARE / 2), p=shares))
        norm = K1 * (1 - B + B * length / DEFAULT_AVERAGE_LENGTH)
        terms, counts = np.unique(np.concatenate(drawn), return_counts=True)
        return dict(zip(terms.tolist(), (counts * (K1 + 1) / (counts + norm)).tolist(), strict=True))


class Vectors:
    """The way from the parents' vectors to those of new outcomes."""

    def __init__(self, parents: list[Parent]) -> None:
        self.own = np.array([parent.encoded.vector for parent in parents])
        self._spread = (self.own - self.own.mean(axis=0)) / math.sqrt(len(parents))
        self._widest = np.linalg.svd(self._spread)[2][0]
        sample, _ = self.draw(np.random.default_rng(0), 20_000)
        # Shares follow one another from the far end of the widest direction.
        ends = 1 - np.cumsum(SHARES) / 100
        self._bounds = np.quantile(sample @ self._widest, ends)

    def draw(self, random: np.random.Generator, count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Vectors of new outcomes, shape (count, dimensions), and the numbers of their two parents."""
        pairs = random.integers(len(self.own), size=(count, 2))
        share = random.uniform(0.5, 1.0, (count, 1))
        mixed = share * self.own[pairs[:, 0]] + (1 - share) * self.own[pairs[:, 1]]
        mixed += MIXTURE_NOISE * (random.standard_normal((count, len(self.own))) @ self._spread)
        mixed += EVEN_NOISE * random.standard_normal(mixed.shape) / math.sqrt(EMBEDDING)
        return unit(mixed.astype(np.float32)), pairs

    def fields(self, vectors: NDArray[np.float32]) -> list[str | None]:
        """The field of each vector; None for most."""
        places = len(SHARES) - np.searchsorted(self._bounds[::-1], vectors @ self._widest, side="right")
        return [field_of(SHARES[place]) if place < len(SHARES) else None for place in places]


async def fill(
    owner: "asyncpg.Connection[asyncpg.Record]", parents: list[Parent], outcomes: int, *, texts: bool = True
) -> EmbeddingModel:
    """Bring the index to so many outcomes; without `texts` it has vectors only."""
    there = await owner.fetchval("select count(*) from match_profile where kind = 'outcome'")
    # What an earlier call made is not made again.
    random = np.random.default_rng(7 + there)
    await ensure_lexicon(owner)
    model = await register_model(owner, "generated", ModelIdentity("generated", "generated", EMBEDDING))
    lexicon, vectors = Lexicon.of(parents), Vectors(parents)
    documents: Counter[int] = Counter()
    for start in range(there, outcomes, BATCH):
        numbers = range(start, min(outcomes, start + BATCH))
        drawn, pairs = vectors.draw(random, len(numbers))
        await _copy_profiles(owner, numbers, vectors.fields(drawn))
        rows = [(identifier(n), "outcome", model.id, HalfVector(v)) for n, v in zip(numbers, drawn, strict=True)]
        await _copy(owner, "match_vector", ["profile_id", "kind", "model_id", "embedding"], rows)
        if texts:
            await _copy_passages(owner, model, numbers, drawn, random)
            terms = [lexicon.draw(random, (int(first), int(second))) for first, second in pairs]
            documents.update(number for weights in terms for number in weights)
            rows = [
                (identifier(n), "outcome", SparseVector(w, DIMENSIONS), TOKENIZER)
                for n, w in zip(numbers, terms, strict=True)
            ]
            await _copy(owner, "match_lexeme", ["profile_id", "kind", "weights", "tokenizer"], rows)
    if texts:
        await _count(owner, lexicon, documents)
    await owner.execute("update match_lexicon set outcomes = $1", outcomes)
    async with owner.transaction():
        packed_to = await last_number(owner, "outcome")
        while await pack(owner, "outcome", packed_to):
            pass
    await create_graph_index(owner, model)
    await owner.execute("vacuum analyze")
    return model


async def _count(owner: "asyncpg.Connection[asyncpg.Record]", lexicon: Lexicon, documents: "Counter[int]") -> None:
    """Add to the document frequencies. A sparse vector's position n is the term with the number n + 1."""
    if not await owner.fetchval("select exists (select from match_vocabulary)"):
        await _copy(owner, "match_vocabulary", ["term"], [(name,) for name in lexicon.names])
    await owner.execute(
        "update match_vocabulary set outcomes = outcomes + added "
        "from unnest($1::integer[], $2::integer[]) as counted (number, added) where id = number + 1",
        list(documents.keys()),
        list(documents.values()),
    )


async def _copy_profiles(owner: "asyncpg.Connection[asyncpg.Record]", numbers: range, fields: list[str | None]) -> None:
    passages = [
        f"generated passage {place}, as long as a sentence that says something " * 2 for place in range(PASSAGES)
    ]
    sections, weights = ["description"] * PASSAGES, [1.0] * PASSAGES
    rows = [
        (
            identifier(number), "outcome", f"generated {number}", "zh", field, "east" if number % 10 else "west",
            OF_ONE_ORGANIZATION if number % 1000 == 0 else None, sections, passages, weights,
        )
        for number, field in zip(numbers, fields, strict=True)
    ]  # fmt: skip
    columns = [
        "id", "kind", "title", "language", "field", "region_class", "organization", "sections", "passages",
        "passage_weights",
    ]  # fmt: skip
    await _copy(owner, "match_profile", columns, rows)


async def _copy_passages(
    owner: "asyncpg.Connection[asyncpg.Record]",
    model: EmbeddingModel,
    numbers: range,
    vectors: NDArray[np.float32],
    random: np.random.Generator,
) -> None:
    # One block of codes serves all: what is read and computed does not depend on what they say.
    codes = tokens.pack(random.standard_normal((TOKEN_ROWS, EMBEDDING)).astype(np.float32))
    rows = []
    for number, vector in zip(numbers, vectors, strict=True):
        own = unit(vector + random.standard_normal((PASSAGES, EMBEDDING)).astype(np.float32) / math.sqrt(EMBEDDING))
        rows.append((identifier(number), "outcome", model.id, own.astype("<f2").tobytes(), codes, TOKEN_ROWS, [], []))
    columns = ["vectors", "token_vectors", "token_rows", "token_ids", "token_passages"]
    await _copy(owner, "match_passage", ["profile_id", "kind", "model_id", *columns], rows)


async def _copy(
    owner: "asyncpg.Connection[asyncpg.Record]", table: str, columns: list[str], rows: "list[tuple[object, ...]]"
) -> None:
    await owner.copy_records_to_table(table, records=rows, columns=columns, schema_name="matching")
