"""Ad-hoc matching at 2,000 and at 100,000 outcomes: what ranking costs besides embedding, by stage.

The need of middle length among the demo's is asked for every stage; a short text (its title) and one of 2,000
characters (several needs put together) are ranked whole. `bench.generated` says how the outcomes are made.
"""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import asyncpg
import numpy as np

from bench.figures import Figure, median_ms
from bench.generated import database, fill, owner_connection
from bench.parents import Parent, parents
from matching.embedding import load_encoder
from matching.embedding.protocol import Encoded, unit
from matching.embedding.tokens import TokenVectors
from matching.embedding.vectors import Ints, Vector
from matching.evaluation.systems import DAY
from matching.fusion import default_model
from matching.index import candidates, profiles, tokens, vocabulary
from matching.index.models import EmbeddingModel
from matching.pipeline import CANDIDATES_EACH, rank, score_pair
from matching.policy import arrange
from matching.profiling import count_terms
from matching.signals import SIGNALS, pairs_of
from matching.types import EmbeddedProfile, Scope

SMALL = 2_000
LARGE = int(os.environ.get("OUTCOMES", "100000"))
ROUNDS = 30
LONG_TEXT = 2_000
EVERYTHING = Scope()


async def measure(home: Path) -> list[Figure]:
    """Milliseconds a query at both sizes; the larger is compared with the smaller."""
    server = await database(home / "adhoc")
    owner = await owner_connection(server)
    encoder = load_encoder(None, home / "models")
    outcomes, needs = parents(encoder, "outcome"), parents(encoder, "need")
    figures: list[Figure] = []
    try:
        small = await _stages(owner, needs, await fill(owner, outcomes, SMALL))
        large = await _stages(owner, needs, await fill(owner, outcomes, LARGE))
    finally:
        await owner.close()
    for stage, value in large.items():
        figures.append(Figure(f"{stage}, {LARGE:,} outcomes", value, "ms", f"{SMALL:,} outcomes", small[stage]))
    return figures


async def _embedded(
    owner: "asyncpg.Connection[asyncpg.Record]", parent: Parent, counts: Counter[str]
) -> EmbeddedProfile:
    weights = vocabulary.query_weights(counts)
    numbers = await vocabulary.find_terms(owner, sorted(weights))
    return EmbeddedProfile(parent.profile, parent.encoded, vocabulary.as_terms(weights, numbers))


def _tokens_of(encoded: Encoded, passage: int, place: int) -> TokenVectors:
    """The tokens of one passage, as those of a passage in another place."""
    assert encoded.tokens is not None
    own = encoded.tokens.passages == passage
    places = np.full(int(own.sum()), place, dtype=np.int32)
    return TokenVectors(encoded.tokens.vectors[own], encoded.tokens.identifiers[own], places)


def _joined(parts: list[TokenVectors]) -> TokenVectors:
    vectors: Vector = np.concatenate([part.vectors for part in parts])
    numbers: Ints = np.concatenate([part.identifiers for part in parts])
    return TokenVectors(vectors, numbers, np.concatenate([part.passages for part in parts]))


async def _asked(owner: "asyncpg.Connection[asyncpg.Record]", needs: list[Parent]) -> dict[str, EmbeddedProfile]:
    """A short, a middling and a long need, by what they are called in the table."""
    middle = sorted(needs, key=lambda parent: len(parent.counts))[len(needs) // 2]
    text, passages, vectors, rows = "", [], [], []
    for parent in needs:
        for place, (passage, vector) in enumerate(zip(parent.profile.passages, parent.encoded.passages, strict=False)):
            if len(text) < LONG_TEXT:
                text += passage.text
                rows.append(_tokens_of(parent.encoded, place, len(passages)))
                passages.append(passage)
                vectors.append(vector)
    several = np.array(vectors)
    long = Parent(
        replace(middle.profile, passages=tuple(passages)),
        Encoded(unit(several.mean(axis=0)), several, _joined(rows)),
        count_terms([passage.text for passage in passages]),
    )
    title = replace(middle.profile, passages=middle.profile.passages[:1])
    first = Encoded(middle.encoded.vector, middle.encoded.passages[:1], _tokens_of(middle.encoded, 0, 0))
    short = Parent(title, first, count_terms([title.title] * 2))
    asked = {"short": short, "middling": middle, "long": long}
    return {name: await _embedded(owner, parent, parent.counts) for name, parent in asked.items()}


async def _stages(
    owner: "asyncpg.Connection[asyncpg.Record]", needs: list[Parent], model: EmbeddingModel
) -> dict[str, float]:
    ranking = default_model()
    async with owner.transaction():
        asked = await _asked(owner, needs)
        found: dict[str, float] = {}
        for name, need in asked.items():
            label = f"whole ranking, {name} need"
            found[label] = await median_ms(lambda need=need: rank(owner, need, model, ranking, today=DAY), ROUNDS)  # type: ignore[misc]
        need = asked["middling"]
        rarity = await candidates.rarity_of(owner, [need.terms])
        near = await candidates.nearest(owner, "outcome", need.encoded.vector, model, EVERYTHING, CANDIDATES_EACH)
        worded = await candidates.best_by_terms(owner, "outcome", need.terms, rarity, EVERYTHING, CANDIDATES_EACH)
        names = list({candidate.id for candidate in (*near, *worded)})
        loaded = await profiles.load(owner, "outcome", model.id, names)
        assert need.encoded.tokens is not None
        token_rarity = await tokens.rarity_of(owner, model.id, [need.encoded.tokens.identifiers])
        pairs = pairs_of(need, loaded, rarity, token_rarity, DAY)
        scored = [score_pair(pair, ranking) for pair in pairs]

        async def read_signals() -> None:
            for pair in pairs_of(need, loaded, rarity, token_rarity, DAY):
                for signal in SIGNALS:
                    signal.read(pair)

        async def apply_policy() -> None:
            arrange(scored, 50)

        for name, one in asked.items():
            its = await candidates.rarity_of(owner, [one.terms])
            found[f"candidates by terms, {name}"] = await median_ms(
                lambda one=one, its=its: candidates.best_by_terms(  # type: ignore[misc]
                    owner, "outcome", one.terms, its, EVERYTHING, CANDIDATES_EACH
                ),
                ROUNDS,
            )
        for each in (CANDIDATES_EACH, CANDIDATES_EACH * 3 // 2):
            found[f"candidates by vector, {each}"] = await median_ms(
                lambda each=each: candidates.nearest(  # type: ignore[misc]
                    owner, "outcome", need.encoded.vector, model, EVERYTHING, each
                ),
                ROUNDS,
            )
        found["rarity of the need's terms"] = await median_ms(lambda: candidates.rarity_of(owner, [need.terms]), ROUNDS)
        found["load candidates"] = await median_ms(lambda: profiles.load(owner, "outcome", model.id, names), ROUNDS)
        found["signals of all pairs"] = await median_ms(read_signals, ROUNDS)
        found["policy"] = await median_ms(apply_policy, ROUNDS)
        return found
