"""Where candidates come from: nearest by vector and best by shared terms, each within the scope.

Three routes, and none loses what the exact ranking of the scope would find (docs/adr/0005-index.md has the figures):

- a narrow scope is ranked exactly: its rows are read by the filters' indexes and compared one by one;
- in a wide one the best of everything are taken, by the graph or by packed postings, and what is outside is left out.
  That answer is used if it is complete; a filter may well leave nothing of the nearest, whatever its share is;
- if it is not, the scope is ranked exactly after all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from pgvector import HalfVector, SparseVector

from matching.embedding.protocol import Vector
from matching.index import Connection, postings
from matching.index import vocabulary as lexicon
from matching.index.models import EmbeddingModel
from matching.types import Kind, Scope, Terms

if TYPE_CHECKING:
    import asyncpg

# Below this many profiles an exact scan of all takes a few milliseconds.
GRAPH_FROM = 20_000
# A scope of no more profiles is compared one by one at once.
NARROW = 5_000
# How many the graph searches among, and gives back: the most that pgvector takes.
GRAPH_SEARCH = 1_000
# How many times the limit are chosen by packed weights to be scored exactly, and how much more at every further try.
CHOSEN = 3
MORE_CHOSEN = 6


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
NEAREST_EXACT = """
select profile_id as id, -(embedding <#> $7::halfvec) as score
from match_profile join match_vector on model_id = $8 and match_vector.kind = $1 and profile_id = id
where match_profile.kind = $1
  and ($2::text is null or field = $2)
  and ($3::text is null or region_class = $3)
  and ($4::text is null or modes @> array[$4])
  and ($5::uuid is null or organization is distinct from $5)
  and ($6::uuid[] is null or id = any ($6))
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
# Plans are made for the values at hand: which filter is there decides. And what is read by key lies in memory mostly:
# at the cost of a turning disk the planner reads whole tables for a scope of three in a hundred.
PLAN_FOR_THESE = """
select set_config('plan_cache_mode', 'force_custom_plan', true), set_config('random_page_cost', '1.1', true)
"""


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
    await connection.execute(PLAN_FOR_THESE)
    probe = HalfVector(vector)
    if await lexicon.collection_size(connection, kind) >= GRAPH_FROM and not await is_narrow(connection, kind, scope):
        await connection.execute(SET_GRAPH_SEARCH, str(GRAPH_SEARCH))
        found = await connection.fetch(
            graph_statement(model, kind),
            probe, kind, scope.field, scope.region_class, scope.mode, scope.not_organization, limit,
        )  # fmt: skip
        if len(found) == limit:
            return _found(found)
    if scope.is_everything:
        return _found(await connection.fetch(NEAREST_EVERYWHERE, probe, model.id, kind, limit))
    return _found(await connection.fetch(NEAREST_EXACT, kind, *_filters(scope), probe, model.id, limit))


async def is_narrow(connection: Connection, kind: Kind, scope: Scope) -> bool:
    """Whether a scope is compared one by one at once. Counting stops where that is decided."""
    if scope.is_everything:
        return False
    if scope.identifiers is not None:
        return True
    return bool(await connection.fetchval(COUNT_SCOPE, kind, *_filters(scope), NARROW + 1) <= NARROW)


def _found(rows: "Sequence[asyncpg.Record]") -> list[Found]:
    return [Found(row["id"], row["score"]) for row in rows]


def _filters(scope: Scope) -> tuple[object, ...]:
    identifiers = list(scope.identifiers) if scope.identifiers is not None else None
    return scope.field, scope.region_class, scope.mode, scope.not_organization, identifiers


BEST_BY_TERMS = """
select id, -distance as score
from (
    select id, weights <#> $7 as distance
    from match_profile join match_lexeme on match_lexeme.kind = $1 and profile_id = id
    where match_profile.kind = $1
      and ($2::text is null or field = $2)
      and ($3::text is null or region_class = $3)
      and ($4::text is null or modes @> array[$4])
      and ($5::uuid is null or organization is distinct from $5)
      and ($6::uuid[] is null or id = any ($6))
    order by distance, id
    limit $8
) as nearest
where distance < 0
order by distance, id
"""
# Chosen by their packed weights, and what is not packed yet; materialized, so that each product is computed once.
BEST_OF_CHOSEN = """
with chosen as materialized (
    select profile_id, weights <#> $1 as distance from match_lexeme
    where kind = $2 and (number = any ($3) or number > $4)
)
select profile_id as id, -distance as score
from chosen
where distance < 0
order by distance, profile_id
limit $5
"""
BEST_OF_CHOSEN_IN_SCOPE = """
with chosen as materialized (
    select profile_id, weights <#> $1 as distance from match_lexeme
    where kind = $2 and (number = any ($3) or number > $4)
)
select profile_id as id, -distance as score
from chosen join match_profile on match_profile.kind = $2 and id = profile_id
where distance < 0
  and ($6::text is null or field = $6)
  and ($7::text is null or region_class = $7)
  and ($8::text is null or modes @> array[$8])
  and ($9::uuid is null or organization is distinct from $9)
order by distance, profile_id
limit $5
"""


async def best_by_terms(
    connection: Connection, kind: Kind, terms: Terms, rarity: "Rarity", scope: Scope, limit: int
) -> list[Found]:
    """The profiles of a kind with the greatest sum of shared terms' weights, rare terms counting more. Exact."""
    query = {
        number: weight * rarity.of(number)
        for number, weight in zip(terms.identifiers.tolist(), terms.weights.tolist(), strict=True)
        if rarity.of(number) > 0
    }
    if not query:
        return []
    await connection.execute(PLAN_FOR_THESE)
    probe = SparseVector({number - 1: weight for number, weight in query.items()}, lexicon.DIMENSIONS)
    if await is_narrow(connection, kind, scope):
        return _found(await connection.fetch(BEST_BY_TERMS, kind, *_filters(scope), probe, limit))
    scores = await postings.score(connection, kind, query)
    taken = CHOSEN * limit
    while True:
        numbers, left = scores.best(taken)
        if scope.is_everything:
            rows = await connection.fetch(BEST_OF_CHOSEN, probe, kind, numbers, scores.packed_to, limit)
        else:
            filters = scope.field, scope.region_class, scope.mode, scope.not_organization
            rows = await connection.fetch(
                BEST_OF_CHOSEN_IN_SCOPE, probe, kind, numbers, scores.packed_to, limit, *filters
            )
        # Complete when nothing that was not chosen can come before the last of these.
        if left == 0 or (len(rows) == limit and rows[-1]["score"] > left):
            return _found(rows)
        taken *= MORE_CHOSEN


@dataclass(frozen=True, slots=True, eq=False)
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
