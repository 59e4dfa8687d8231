"""Where candidates come from: nearest by vector and best by shared terms, each within the scope."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from pgvector import HalfVector, SparseVector

from matching.embedding.protocol import Vector
from matching.index import Connection
from matching.index import vocabulary as lexicon
from matching.index.models import EmbeddingModel
from matching.types import Kind, Scope, Terms

# Below this many profiles an exact scan is as fast as the graph, and loses nothing.
GRAPH_FROM = 20_000
# A graph searched with a filter loses what the filter takes away on the way; with most of it in scope it does not.
GRAPH_SHARE = 0.5
GRAPH_SEARCH = 400


@dataclass(frozen=True, slots=True)
class Found:
    """A candidate: how near it was by vector or how well it did by terms, in the source's own measure."""

    id: UUID
    score: float


COUNT_SCOPE = """
select count(*) from (
    select from match_profile
    where kind = $1
      and ($2::text is null or field = $2)
      and ($3::text is null or region_class = $3)
      and ($4::text is null or modes @> array[$4])
      and ($5::uuid is null or organization is distinct from $5)
      and ($6::uuid[] is null or id = any ($6))
    limit $7
) as counted
"""
# Materialized: the filter is applied first and the distances are computed for what it leaves, never the other way round.
NEAREST_EXACT = """
with scope as materialized (
    select id from match_profile
    where kind = $1
      and ($2::text is null or field = $2)
      and ($3::text is null or region_class = $3)
      and ($4::text is null or modes @> array[$4])
      and ($5::uuid is null or organization is distinct from $5)
      and ($6::uuid[] is null or id = any ($6))
)
select profile_id as id, -(embedding <#> $7::halfvec) as score
from scope join match_vector on model_id = $8 and match_vector.kind = $1 and profile_id = scope.id
order by embedding <#> $7::halfvec, profile_id
limit $9
"""
NEAREST_EVERYWHERE = """
select profile_id as id, -(embedding <#> $1::halfvec) as score
from match_vector
where model_id = $2 and kind = $3
order by embedding <#> $1::halfvec, profile_id
limit $4
"""
SET_GRAPH_SEARCH = "select set_config('hnsw.ef_search', $1, true)"
# The planner knows the value of every filter: which one is there decides the plan.
PLAN_EACH_TIME = "select set_config('plan_cache_mode', 'force_custom_plan', true)"


def graph_statement(model: EmbeddingModel, kind: Kind) -> str:
    """The nearest by the model's graph index, whose expression and predicate the statement must repeat literally."""
    return (  # two numbers of our own and one of two words
        f"with near as materialized (select profile_id, embedding::halfvec({model.dimensions:d}) <#> $1 as distance "
        f"from match_vector where model_id = {model.id:d} and kind = '{'need' if kind == 'need' else 'outcome'}' "
        f"order by embedding::halfvec({model.dimensions:d}) <#> $1 limit {GRAPH_SEARCH:d}) "
        "select profile_id as id, -distance as score from near join match_profile on match_profile.kind = $2 and id = profile_id "
        "where ($3::text is null or field = $3) and ($4::text is null or region_class = $4) "
        "and ($5::text is null or modes @> array[$5]) and ($6::uuid is null or organization is distinct from $6) "
        "order by distance, profile_id limit $7"
    )


async def nearest(
    connection: Connection, kind: Kind, vector: Vector, model: EmbeddingModel, scope: Scope, limit: int
) -> list[Found]:
    """The profiles of a kind nearest to a vector (inner product of unit vectors), best first."""
    await connection.execute(PLAN_EACH_TIME)
    probe = HalfVector(vector)
    total = await lexicon.collection_size(connection, kind)
    if await _use_graph(connection, kind, scope, total):
        await connection.execute(SET_GRAPH_SEARCH, str(GRAPH_SEARCH))
        rows = await connection.fetch(
            graph_statement(model, kind),
            probe, kind, scope.field, scope.region_class, scope.mode, scope.not_organization, limit,
        )  # fmt: skip
    elif scope.is_everything:
        rows = await connection.fetch(NEAREST_EVERYWHERE, probe, model.id, kind, limit)
    else:
        rows = await connection.fetch(NEAREST_EXACT, kind, *_filters(scope), probe, model.id, limit)
    return [Found(row["id"], row["score"]) for row in rows]


async def _use_graph(connection: Connection, kind: Kind, scope: Scope, total: int) -> bool:
    if total < GRAPH_FROM or scope.identifiers is not None:
        return False
    if scope.is_everything:
        return True
    enough = max(GRAPH_FROM, int(total * GRAPH_SHARE))
    return bool(await connection.fetchval(COUNT_SCOPE, kind, *_filters(scope), enough) >= enough)


def _filters(scope: Scope) -> tuple[object, ...]:
    identifiers = list(scope.identifiers) if scope.identifiers is not None else None
    return scope.field, scope.region_class, scope.mode, scope.not_organization, identifiers


BEST_BY_TERMS = """
with scope as materialized (
    select id from match_profile
    where kind = $1
      and ($2::text is null or field = $2)
      and ($3::text is null or region_class = $3)
      and ($4::text is null or modes @> array[$4])
      and ($5::uuid is null or organization is distinct from $5)
      and ($6::uuid[] is null or id = any ($6))
)
select profile_id as id, -(weights <#> $7) as score
from scope join match_lexeme on match_lexeme.kind = $1 and profile_id = scope.id
where (weights <#> $7) < 0
order by weights <#> $7, profile_id
limit $8
"""
BEST_BY_TERMS_EVERYWHERE = """
select profile_id as id, -(weights <#> $1) as score
from match_lexeme
where kind = $2 and (weights <#> $1) < 0
order by weights <#> $1, profile_id
limit $3
"""


async def best_by_terms(
    connection: Connection, kind: Kind, terms: Terms, rarity: "Rarity", scope: Scope, limit: int
) -> list[Found]:
    """The profiles of a kind with the greatest sum of shared terms' weights, rare terms counting more."""
    probe = SparseVector(
        {
            number - 1: weight * rarity.of(number)
            for number, weight in zip(terms.identifiers.tolist(), terms.weights.tolist(), strict=True)
            if rarity.of(number) > 0
        },
        lexicon.DIMENSIONS,
    )
    if not probe.indices():
        return []
    if scope.is_everything:
        rows = await connection.fetch(BEST_BY_TERMS_EVERYWHERE, probe, kind, limit)
    else:
        rows = await connection.fetch(BEST_BY_TERMS, kind, *_filters(scope), probe, limit)
    return [Found(row["id"], row["score"]) for row in rows]


@dataclass(frozen=True, slots=True)
class Rarity:
    """Inverse document frequencies among outcomes, and the terms themselves, by term number."""

    values: dict[int, tuple[str, float]]

    def of(self, number: int) -> float:
        """The inverse document frequency of a term; 0 for one that no outcome has."""
        return self.values.get(number, ("", 0.0))[1]

    def term(self, number: int) -> str:
        """The term of a number."""
        return self.values.get(number, ("", 0.0))[0]

    def array(self, numbers: Sequence[int]) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
        """Inverse document frequencies of several terms."""
        return np.array([self.of(number) for number in numbers], dtype=np.float32)


async def rarity_of(connection: Connection, groups: Sequence[Terms]) -> Rarity:
    """The rarity of every term in some profiles."""
    numbers = sorted({int(number) for group in groups for number in group.identifiers.tolist()})
    collection = await lexicon.collection_size(connection, "outcome")
    found = await lexicon.frequencies(connection, numbers)
    return Rarity(
        {
            number: (term, lexicon.inverse_document_frequency(documents, collection))
            for number, (term, documents) in found.items()
        }
    )
