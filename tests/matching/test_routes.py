"""Which way candidates are looked for: nothing is lost at any share, and each statement is planned as it was meant."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import numpy as np
import pytest

from matching.embedding.protocol import ModelIdentity, Vector, unit
from matching.index import candidates, postings, vocabulary
from matching.index.models import EmbeddingModel, create_graph_index, register_model
from matching.profiling import TOKENIZER
from matching.types import Scope, Terms
from tests.matching.conftest import connect, named
from tests.matching.test_candidates import GRAPH_ONLY, indexes, plan_nodes

COUNT = 3_000
DIMENSIONS = 256
CLUSTERS = 40
# A field's members are those of the first clusters, as what is of one field is alike; "other" is the rest.
FIELDS = {"half": 20, "tenth": 4}
RARE, SOME = 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """An index with data in it."""

    connection: "asyncpg.Connection[asyncpg.Record]"
    model: EmbeddingModel
    ids: list[UUID]
    vectors: Vector
    fields: list[str]

    def nearest_in(self, probe: Vector, scope: Scope, count: int) -> set[UUID]:
        """The nearest of a field or of a list, computed here."""
        rounded = self.vectors.astype(np.float16).astype(np.float32)
        inside = [
            place
            for place, (name, field) in enumerate(zip(self.ids, self.fields, strict=True))
            if scope.field in (None, field) and (scope.identifiers is None or name in scope.identifiers)
        ]
        ranked = sorted(inside, key=lambda place: -float(rounded[place] @ probe))
        return {self.ids[place] for place in ranked[:count]}


@pytest.fixture
async def filled(
    connection: "asyncpg.Connection[asyncpg.Record]", owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> Filled:
    """3,000 outcomes in clusters, a graph, packed postings; and lower bounds of what is large and what is narrow."""
    monkeypatch.setattr(candidates, "GRAPH_FROM", 1_000)
    monkeypatch.setattr(candidates, "NARROW", 100)
    model = await register_model(connection, "wide", ModelIdentity("wide", "wide", DIMENSIONS))
    dice = np.random.default_rng(4)
    cluster = np.arange(COUNT) % CLUSTERS
    centres = dice.standard_normal((CLUSTERS, DIMENSIONS))
    vectors = unit((centres[cluster] + 0.8 * dice.standard_normal((COUNT, DIMENSIONS))).astype(np.float32))
    ids = [named(f"route{number}") for number in range(COUNT)]
    fields = ["hundredth" if n % 100 == 5 else next((f for f, c in reversed(FIELDS.items()) if k < c), "other")
              for n, k in enumerate(cluster)]  # fmt: skip
    await connection.execute(
        "insert into match_profile (id, kind, title, language, sections, passages, passage_weights, field) "
        "select id, 'outcome', repeat('t', 200), 'zh', '{}', '{}', '{}', field from unnest($1::uuid[], $2::text[]) as given (id, field)",
        ids, fields,
    )  # fmt: skip
    await connection.copy_records_to_table(
        "match_vector",
        records=[(i, "outcome", model.id, candidates.HalfVector(v)) for i, v in zip(ids, vectors, strict=True)],
        columns=["profile_id", "kind", "model_id", "embedding"],
    )
    await vocabulary.ensure_lexicon(connection)
    await connection.execute(
        "insert into match_vocabulary (term, outcomes) select 't' || n, 30 from generate_series(1, 400) n"
    )
    lexemes = []
    for number, identifier in enumerate(ids):
        weights = {int(term): 1.0 for term in dice.choice(400, 90, replace=False) + 10}
        weights |= {RARE - 1: 2.0} if number % 500 == 0 else {SOME - 1: 1.0 + number / COUNT}
        lexemes.append((identifier, "outcome", candidates.SparseVector(weights, vocabulary.DIMENSIONS), TOKENIZER))
    columns = ["profile_id", "kind", "weights", "tokenizer"]
    await connection.copy_records_to_table("match_lexeme", records=lexemes, columns=columns)
    await connection.execute("update match_lexicon set outcomes = $1", COUNT)
    async with connection.transaction():
        assert await postings.pack(connection, "outcome", await postings.last_number(connection, "outcome"))
    owner = await connect(owner_url)
    try:
        await create_graph_index(owner, model)
        await owner.execute("vacuum analyze")
    finally:
        await owner.close()
    return Filled(connection, model, ids, vectors, fields)


async def test_no_share_of_the_listings_loses_any_of_the_nearest(filled: Filled) -> None:
    """Also where a field holds none of what is nearest everywhere: then the graph's answer is not used."""
    visible = tuple(filled.ids[::7])
    scopes = [Scope(), *(Scope(field=f) for f in (*FIELDS, "other", "hundredth", "none")), Scope(identifiers=visible)]
    for scope in scopes:
        shares = []
        for place in range(0, COUNT, 311):
            probe = filled.vectors[place]
            expected = filled.nearest_in(probe, scope, 50)
            async with filled.connection.transaction():
                await filled.connection.execute(GRAPH_ONLY)
                found = await candidates.nearest(filled.connection, "outcome", probe, filled.model, scope, 50)
            shares.append(len(expected & {each.id for each in found}) / len(expected) if expected else 1.0)
        assert np.mean(shares) >= 0.99, scope


async def test_terms_are_found_in_every_scope_as_a_scan_finds_them(filled: Filled) -> None:
    """Wide scopes by packed postings, narrow ones by their rows; both against the statement that reads every row."""
    terms = Terms(np.array([RARE, SOME, 50, 90], dtype=np.int32), np.ones(4, dtype=np.float32))
    rarity = await candidates.rarity_of(filled.connection, [terms])
    for field in (None, *FIELDS, "other", "hundredth", "none"):
        probe = candidates.SparseVector({n - 1: rarity.of(n) for n in (RARE, SOME, 50, 90)}, vocabulary.DIMENSIONS)
        expected = await filled.connection.fetch(
            candidates.BEST_BY_TERMS, "outcome", field, None, None, None, None, probe, 40
        )
        found = await candidates.best_by_terms(filled.connection, "outcome", terms, rarity, Scope(field=field), 40)
        assert [(each.id, each.score) for each in found] == [(row["id"], row["score"]) for row in expected]


def scanned(nodes: Sequence[dict[str, object]]) -> set[str]:
    """Tables that a plan reads whole."""
    return {str(node["Relation Name"]) for node in nodes if node["Node Type"] == "Seq Scan"}


NO_FILTER = (None, None, None, None)
LARGE_TABLES = {"match_profile_outcome", "match_vector", "match_lexeme", "match_posting"}


async def test_each_route_reads_what_it_is_meant_to(filled: Filled) -> None:
    """The indexes that a statement goes by. Only the exact scan of everything may read a table whole, and joins none."""
    connection, model = filled.connection, filled.model
    probe = candidates.HalfVector(filled.vectors[0])
    words = candidates.SparseVector({SOME - 1: 1.0, 50: 1.0}, vocabulary.DIMENSIONS)
    packed_to = await connection.fetchval("select max(last) from match_segment")
    some = filled.ids[:20]
    by_field, by_key = "match_profile_outcome_kind_field_id_idx", "match_profile_outcome_pkey"
    cases: list[tuple[str, tuple[object, ...], set[str]]] = [
        (candidates.COUNT_SCOPE, ("outcome", "hundredth", None, None, None, None, 101), {by_field}),
        (
            candidates.NEAREST_EXACT,
            ("outcome", "hundredth", None, None, None, None, probe, model.id, 50),
            {by_field, "match_vector_pkey"},
        ),
        (candidates.NEAREST_EXACT, ("outcome", *NO_FILTER, some, probe, model.id, 50), {by_key, "match_vector_pkey"}),
        (
            candidates.graph_statement(model, "outcome").replace("$1", "$1::halfvec").replace("limit 1000", "limit 50"),
            (probe, "outcome", "half", None, None, None, 20),
            {f"match_vector_graph_{model.id}_outcome"},
        ),
        (
            candidates.BEST_BY_TERMS,
            ("outcome", "hundredth", None, None, None, None, words, 50),
            {by_field, "match_lexeme_pkey"},
        ),
        (candidates.BEST_BY_TERMS, ("outcome", *NO_FILTER, some, words, 50), {by_key, "match_lexeme_pkey"}),
        (postings.READ, ("outcome", [RARE, SOME]), {"match_posting_pkey"}),
        (candidates.BEST_OF_CHOSEN, (words, "outcome", list(range(1, 40)), packed_to, 20), {"match_lexeme_number"}),
        (
            candidates.BEST_OF_CHOSEN_IN_SCOPE,
            (words, "outcome", list(range(1, 40)), packed_to, 20, "half", None, None, None),
            {"match_lexeme_number"},
        ),
    ]
    async with connection.transaction():
        await connection.execute(candidates.PLAN_FOR_THESE)
        for statement, arguments, expected in cases:
            nodes = await plan_nodes(connection, statement, *arguments)
            assert indexes(nodes) >= expected, statement
            assert not scanned(nodes) & LARGE_TABLES, statement
        nodes = await plan_nodes(connection, candidates.NEAREST_EVERYWHERE, probe, model.id, "outcome", 50)
        assert not {node["Node Type"] for node in nodes} & {"Nested Loop", "Hash Join", "Merge Join"}


async def test_a_graph_that_leaves_too_few_is_followed_by_an_exact_scan(
    filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the 20 that such a graph gives, the other half of the listings holds none that is near."""
    monkeypatch.setattr(candidates, "GRAPH_SEARCH", 20)
    probe = filled.vectors[0]
    asked: list[str] = []
    with filled.connection.query_logger(lambda query: asked.append(query.query)):
        found = await candidates.nearest(filled.connection, "outcome", probe, filled.model, Scope(field="other"), 50)
        await asyncio.sleep(0)  # the logger is called at the loop's next turn
    assert asked[-2:] == [candidates.graph_statement(filled.model, "outcome"), candidates.NEAREST_EXACT]
    assert {each.id for each in found} == filled.nearest_in(probe, Scope(field="other"), 50)
