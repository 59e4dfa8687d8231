"""Recall@50 and time of candidates by vector, over scopes from everything to one listing in ten thousand.

What is right is computed outside the database, from the vectors as they are stored: the nearest fifty in scope. FULL=1
measures a million outcomes, OUTCOMES=n so many; `bench.generated` says how they are made.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import asyncpg
import numpy as np
from numpy.typing import NDArray

from bench.figures import Figure
from bench.generated import OF_ONE_ORGANIZATION, SHARES, database, field_of, fill, owner_connection
from bench.parents import Parent, parents
from matching.embedding import load_encoder
from matching.index import candidates
from matching.index.models import EmbeddingModel
from matching.types import Scope

OUTCOMES = int(os.environ.get("OUTCOMES", "1000000" if os.environ.get("FULL") else "100000"))
LIMIT = 100
AT = 50
NEEDS = 40
VISIBLE_SHARES = (10.0, 1.0, 0.1)
READ_AT_ONCE = 5_000
# Products of stored half-precision numbers differ in the last place by the order in which they are added.
SAME = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """What the index holds: ids, vectors (count, dimensions) in half precision, and each scope's members as a mask."""

    ids: NDArray[np.object_]
    vectors: NDArray[np.float16]
    fields: NDArray[np.object_]
    organizations: NDArray[np.bool_]
    classes: NDArray[np.object_]


async def measure(home: Path) -> list[Figure]:
    """Recall and milliseconds a share, by the route that was taken; times against the exact scan of everything."""
    server = await database(home / "routing")
    owner = await owner_connection(server)
    try:
        encoder = load_encoder(None, home / "models")
        model = await fill(owner, parents(encoder, "outcome"), OUTCOMES, texts=False)
        needs = parents(encoder, "need")[:NEEDS]
        stored = await _stored(owner)
        base = await _timed(owner, candidates.NEAREST_EVERYWHERE, needs, model)
        figures = [Figure(f"exact scan of everything, {OUTCOMES:,} outcomes", base, "ms")]
        for name, scope, inside in _scopes(stored):
            figures.extend(await _of_scope(owner, model, needs, stored, (name, scope, inside), base))
    finally:
        await owner.close()
    return figures


def _scopes(stored: Stored) -> list[tuple[str, Scope, NDArray[np.bool_]]]:
    everyone = np.ones(len(stored.ids), dtype=bool)
    dice = np.random.default_rng(11)
    visible = [(share, dice.random(len(stored.ids)) < share / 100) for share in VISIBLE_SHARES]
    return [
        ("100 %, everything", Scope(), everyone),
        ("99.9 %, all but one organization's", Scope(not_organization=OF_ONE_ORGANIZATION), ~stored.organizations),
        ("90 %, a class of regions", Scope(region_class="east"), stored.classes == "east"),
        *(
            (f"{share:g} %, a field", Scope(field=field_of(share)), stored.fields == field_of(share))
            for share in SHARES
        ),
        *(
            (f"{share:g} %, ids handed in", Scope(identifiers=tuple(stored.ids[inside])), inside)
            for share, inside in visible
        ),
    ]


async def _of_scope(
    owner: "asyncpg.Connection[asyncpg.Record]",
    model: EmbeddingModel,
    needs: list[Parent],
    stored: Stored,
    case: tuple[str, Scope, NDArray[np.bool_]],
    base: float,
) -> list[Figure]:
    name, scope, inside = case
    members = np.flatnonzero(inside)
    place = {identifier: number for number, identifier in enumerate(stored.ids)}
    routes: set[str] = set()

    def note(query: asyncpg.connection.LoggedQuery) -> None:
        if query.query in ROUTES or "::halfvec(" in query.query:
            routes.add(ROUTES.get(query.query, "graph"))

    recalls, times = [], []
    with owner.query_logger(note):
        for need in needs:
            begun = perf_counter()
            async with owner.transaction():
                found = await candidates.nearest(owner, "outcome", need.encoded.vector, model, scope, LIMIT)
            times.append((perf_counter() - begun) * 1000)
            probe = need.encoded.vector.astype(np.float16).astype(np.float32)
            scores = _products(stored.vectors, members, probe)
            wanted = min(AT, len(members))
            least = np.partition(scores, -wanted)[-wanted] if wanted else 0.0
            own = [stored.vectors[place[one.id]].astype(np.float32) @ probe for one in found[:wanted]]
            recalls.append(sum(score >= least - SAME for score in own) / wanted if wanted else 1.0)
    route = " then ".join(sorted(routes, key=lambda route: route != "graph"))
    return [
        Figure(f"recall@{AT}, {name}", float(np.mean(recalls)), "", f"{len(members):,} in scope, by {route}"),
        Figure(f"time, {name}", median(times), "ms", "exact scan of everything", base),
    ]


ROUTES = {candidates.NEAREST_EXACT: "exact scan of the scope", candidates.NEAREST_EVERYWHERE: "exact scan"}


def _products(
    vectors: NDArray[np.float16], members: NDArray[np.int64], probe: NDArray[np.float32]
) -> NDArray[np.float32]:
    parts = [
        vectors[members[start : start + 50_000]].astype(np.float32) @ probe for start in range(0, len(members), 50_000)
    ]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.float32)


async def _timed(
    owner: "asyncpg.Connection[asyncpg.Record]", statement: str, needs: list[Parent], model: EmbeddingModel
) -> float:
    times = []
    for need in needs:
        probe = candidates.HalfVector(need.encoded.vector)
        begun = perf_counter()
        async with owner.transaction():
            await owner.execute(EXACT_ONLY)
            await owner.fetch(statement, probe, model.id, "outcome", LIMIT)
        times.append((perf_counter() - begun) * 1000)
    return median(times)


EXACT_ONLY = "set local enable_indexscan = off; set local plan_cache_mode = 'force_custom_plan'"


async def _stored(owner: "asyncpg.Connection[asyncpg.Record]") -> Stored:
    ids, vectors, fields, organizations, classes = [], [], [], [], []
    async with owner.transaction():
        rows = owner.cursor(
            "select id, embedding, field, organization is not null as organized, region_class from match_profile "
            "join match_vector on match_vector.kind = match_profile.kind and profile_id = id",
            prefetch=READ_AT_ONCE,
        )
        async for row in rows:
            ids.append(row["id"])
            vectors.append(row["embedding"].to_numpy().astype(np.float16))
            fields.append(row["field"])
            organizations.append(row["organized"])
            classes.append(row["region_class"])
    return Stored(
        np.array(ids, dtype=object), np.array(vectors), np.array(fields, dtype=object),
        np.array(organizations), np.array(classes, dtype=object),
    )  # fmt: skip
