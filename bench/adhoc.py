"""Ad-hoc matching at 2,000 and at 100,000 outcomes: what ranking costs besides embedding, by stage."""

import os
from pathlib import Path

import numpy as np

from bench.figures import Figure, median_ms
from bench.generated import EMBEDDING, TOKEN_VOCABULARY, VOCABULARY, database, fill, owner_connection
from matching.embedding.protocol import Encoded, unit
from matching.embedding.tokens import TokenVectors
from matching.evaluation.scratch import identifier_of
from matching.evaluation.systems import DAY
from matching.fusion import default_model
from matching.index import candidates, profiles, tokens
from matching.index.models import EmbeddingModel
from matching.pipeline import rank
from matching.signals import SIGNALS, Pair
from matching.types import EmbeddedProfile, Facets, Passage, Profile, Scope, Terms

SMALL = 2_000
LARGE = int(os.environ.get("OUTCOMES", "100000"))
ROUNDS = 30
NEED_PASSAGES = 10
NEED_TERMS = 160
NEED_TOKENS = 150


async def measure(home: Path) -> list[Figure]:
    """Milliseconds a query at both sizes; the larger is compared with the smaller."""
    server = await database(home / "adhoc")
    owner = await owner_connection(server)
    figures: list[Figure] = []
    try:
        small = await _stages(owner, await fill(owner, SMALL))
        large = await _stages(owner, await fill(owner, LARGE))
    finally:
        await owner.close()
    for stage, value in large.items():
        figures.append(Figure(f"{stage}, {LARGE:,} outcomes", value, "ms", f"{SMALL:,} outcomes", small[stage]))
    return figures


def _need() -> EmbeddedProfile:
    random = np.random.default_rng(3)
    vectors = unit(random.standard_normal((NEED_PASSAGES, EMBEDDING)).astype(np.float32))
    terms = np.unique(random.choice(VOCABULARY, NEED_TERMS)).astype(np.int32) + 1
    passages = tuple(Passage("description", f"passage {place}") for place in range(NEED_PASSAGES))
    profile = Profile(identifier_of("need", "bench"), "need", "bench", (), passages, Facets(), "zh")
    weights = np.ones(len(terms), dtype=np.float32)
    rows = unit(random.standard_normal((NEED_TOKENS, EMBEDDING)).astype(np.float32))
    numbers = random.integers(0, TOKEN_VOCABULARY, NEED_TOKENS).astype(np.int32)
    places = (np.arange(NEED_TOKENS) * NEED_PASSAGES // NEED_TOKENS).astype(np.int32)
    encoded = Encoded(unit(vectors.mean(axis=0)), vectors, TokenVectors(rows, numbers, places))
    return EmbeddedProfile(profile, encoded, Terms(terms, weights))


async def _stages(owner, model: EmbeddingModel) -> dict[str, float]:  # type: ignore[no-untyped-def]
    need, ranking, everything = _need(), default_model(), Scope()
    async with owner.transaction():
        rarity = await candidates.rarity_of(owner, [need.terms])
        found = await candidates.nearest(owner, "outcome", need.encoded.vector, model, everything, 100)
        worded = await candidates.best_by_terms(owner, "outcome", need.terms, rarity, everything, 100)
        names = list({candidate.id for candidate in (*found, *worded)})
        loaded = await profiles.load(owner, "outcome", model.id, names)

        assert need.encoded.tokens is not None
        token_rarity = await tokens.rarity_of(owner, model.id, [need.encoded.tokens.identifiers])

        async def signals() -> None:
            for other in loaded:
                pair = Pair(need, other, rarity, token_rarity, DAY)
                for signal in SIGNALS:
                    signal.read(pair)

        return {
            "whole ranking": await median_ms(lambda: rank(owner, need, model, ranking, today=DAY), ROUNDS),
            "candidates by vector": await median_ms(
                lambda: candidates.nearest(owner, "outcome", need.encoded.vector, model, everything, 100), ROUNDS
            ),
            "candidates by terms": await median_ms(
                lambda: candidates.best_by_terms(owner, "outcome", need.terms, rarity, everything, 100), ROUNDS
            ),
            "load candidates": await median_ms(lambda: profiles.load(owner, "outcome", model.id, names), ROUNDS),
            "signals of all pairs": await median_ms(signals, ROUNDS),
        }
