"""Embedding models: vectors of a new one are filled in beside those of the old one, which serves until then."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import asyncpg

from matching.embedding.protocol import ModelIdentity
from matching.index import Connection, tokens
from matching.types import Kind

ModelState = Literal["building", "active", "retired"]


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """A model whose vectors the index holds."""

    id: int
    source: str
    name: str
    checksum: str
    dimensions: int
    state: ModelState


LOCK_MODELS = "select pg_advisory_xact_lock(7236870)"
ACTIVE_MODEL = """
select id, source, name, checksum, dimensions, state from embedding_model where state = 'active'
"""


async def active_model(connection: Connection) -> EmbeddingModel | None:
    """The model that serves; None before the first."""
    row = await connection.fetchrow(ACTIVE_MODEL)
    return EmbeddingModel(**dict(row)) if row else None


LIVE_MODELS = """
select id, source, name, checksum, dimensions, state from embedding_model where state <> 'retired' order by id
"""


async def live_models(connection: Connection) -> list[EmbeddingModel]:
    """The models for which a newly published profile needs vectors."""
    return [EmbeddingModel(**dict(row)) for row in await connection.fetch(LIVE_MODELS)]


KNOWN_MODELS = """
select id, source, name, checksum, dimensions, state from embedding_model order by id
"""


async def known_models(connection: Connection) -> list[EmbeddingModel]:
    """Every model that there ever was, oldest first."""
    return [EmbeddingModel(**dict(row)) for row in await connection.fetch(KNOWN_MODELS)]


# A model that comes back after it was retired has no vectors any more and begins anew.
REGISTER_MODEL = """
insert into embedding_model (source, name, checksum, dimensions, state)
values ($1, $2, $3, $4, case when exists (select from embedding_model where state = 'active') then 'building' else 'active' end)
on conflict (checksum) do update
set source = excluded.source, name = excluded.name,
    state = case when embedding_model.state = 'retired' then 'building' else embedding_model.state end
returning id, source, name, checksum, dimensions, state
"""
RETIRE_OTHER_BUILDING = "update embedding_model set state = 'retired' where state = 'building' and id <> $1"


async def register_model(connection: Connection, source: str, identity: ModelIdentity) -> EmbeddingModel:
    """Note the configured model: the first is active at once, a later one is filled in first.

    Whatever else was being filled in is given up: one switch at a time.
    """
    await connection.execute(LOCK_MODELS)
    row = await connection.fetchrow(REGISTER_MODEL, source, identity.name, identity.checksum, identity.dimensions)
    model = EmbeddingModel(**dict(row or {}))
    await connection.execute(RETIRE_OTHER_BUILDING, model.id)
    return model


WITHOUT_VECTOR = """
select match_profile.id, match_profile.kind from match_profile
where not exists (
    select from match_vector
    where model_id = $1 and match_vector.kind = match_profile.kind and profile_id = match_profile.id
)
order by match_profile.id
limit $2
"""


async def profiles_without_vector(connection: Connection, model_id: int, limit: int) -> list[tuple[UUID, Kind]]:
    """Profiles that the model has not embedded yet."""
    return [(row["id"], row["kind"]) for row in await connection.fetch(WITHOUT_VECTOR, model_id, limit)]


RETIRE_ACTIVE = "update embedding_model set state = 'retired' where state = 'active' and id <> $1"
ACTIVATE = "update embedding_model set state = 'active' where id = $1"


async def activate_model(connection: Connection, model_id: int) -> bool:
    """Switch to a model if no profile lacks its vector; whether the switch was made."""
    await connection.execute(LOCK_MODELS)
    if await profiles_without_vector(connection, model_id, 1):
        return False
    await connection.execute(RETIRE_ACTIVE, model_id)
    await connection.execute(ACTIVATE, model_id)
    return True


DROP_RETIRED_VECTORS = """
delete from match_vector using embedding_model where embedding_model.id = model_id and state = 'retired'
"""
DROP_RETIRED_PASSAGES = """
delete from match_passage using embedding_model where embedding_model.id = model_id and state = 'retired'
"""


async def drop_retired_vectors(connection: Connection) -> None:
    """Free the space of models that serve no more."""
    await connection.execute(DROP_RETIRED_VECTORS)
    await connection.execute(DROP_RETIRED_PASSAGES)
    await tokens.forget_retired(connection)


# Links a node, and candidates while building. Of the nearest fifty among 300,000 vectors such a graph lost 0.2 %, searching
# among 1,000; one of 16 and 128 lost twice that, and pgvector's own 16 and 64 already 0.5 % of 100,000.
GRAPH_LINKS = 24
GRAPH_CONSTRUCTION = 256


# A graph that outgrows this is built further on disk, several times slower; containers share about so much memory.
BUILD_WITH = "select set_config('maintenance_work_mem', '768MB', false), set_config('max_parallel_maintenance_workers', $1, false)"


async def create_graph_index(owner: Connection, model: EmbeddingModel) -> None:
    """The HNSW graphs of a model, one a kind (Malkov and Yashunin 2018). Takes the owner's connection.

    The statement is made from numbers of our own: an index's expression and predicate take no parameters.
    """
    for kind in ("need", "outcome"):
        statement = (
            f"create index if not exists match_vector_graph_{model.id:d}_{kind} on match_vector "
            f"using hnsw ((embedding::halfvec({model.dimensions:d})) halfvec_ip_ops) "
            f"with (m = {GRAPH_LINKS:d}, ef_construction = {GRAPH_CONSTRUCTION:d}) "
            f"where model_id = {model.id:d} and kind = '{kind}'"
        )
        try:
            await owner.execute(BUILD_WITH, "2")
            await owner.execute(statement)
        except asyncpg.DiskFullError:
            # Workers of one build share memory, of which a container may have 64 MB: one process needs none.
            await owner.execute(BUILD_WITH, "0")
            await owner.execute(statement)
