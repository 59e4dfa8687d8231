"""profile -> candidates -> signals -> fusion -> policy: how a ranked list comes about, on one screen.

Every function works inside the caller's transaction.
"""

from datetime import date
from uuid import UUID

from matching.embedding.protocol import Encoded, as_stored
from matching.fusion import Ranking, probability_of
from matching.index import Connection, candidates, profiles, tokens, vocabulary
from matching.index.candidates import Rarity
from matching.index.models import EmbeddingModel
from matching.policy import arrange, conflicts_of
from matching.signals import SIGNALS, Pair
from matching.types import EmbeddedProfile, Kind, Match, Profile, Scope, Terms

CANDIDATES_EACH = 100
OTHER: dict[Kind, Kind] = {"need": "outcome", "outcome": "need"}


async def index_profile(connection: Connection, profile: Profile, encoded: dict[int, Encoded]) -> None:
    """Write a profile with its vectors by model id. Writing it again changes nothing but what differs."""
    created = await profiles.upsert_profile(connection, profile)
    # Terms first: they make the lexicon, whose lock guards the counts of tokens too.
    await profiles.upsert_lexemes(connection, profile, created=created)
    for model_id, vectors in encoded.items():
        await profiles.upsert_vectors(connection, profile, model_id, vectors)


async def remove_profile(connection: Connection, identifier: UUID) -> bool:
    """Take a profile out of the index; whether it was there."""
    return await profiles.delete_profile(connection, identifier)


async def load_profile(
    connection: Connection, kind: Kind, identifier: UUID, model: EmbeddingModel
) -> EmbeddedProfile | None:
    """A stored profile with the vectors of a model; None where one of them is missing."""
    found = await profiles.load(connection, kind, model.id, [identifier])
    return found[0] if found else None


async def embedded_ad_hoc(connection: Connection, profile: Profile, encoded: Encoded) -> EmbeddedProfile:
    """A profile that is not stored, with its terms looked up; terms that no profile has are of no use and left out."""
    average = await vocabulary.ensure_lexicon(connection)
    weights = vocabulary.weights_of(profile, average)
    numbers = await vocabulary.find_terms(connection, sorted(weights))
    return EmbeddedProfile(profile, as_stored(encoded), vocabulary.as_terms(weights, numbers))


async def rank(
    connection: Connection,
    asking: EmbeddedProfile,
    embedding: EmbeddingModel,
    ranking: Ranking,
    *,
    today: date,
    scope: Scope = Scope(),
    limit: int = 50,
) -> list[Match]:
    """The best matches of a profile among the other kind's, best first."""
    kind = OTHER[asking.profile.kind]
    rarity = await candidates.rarity_of(connection, [asking.terms])
    found = await retrieve(connection, asking, embedding, rarity, scope)
    others = await profiles.load(connection, kind, embedding.id, found)
    if kind == "need":
        # Rarity weighs the need's terms, and here the needs are what was found.
        rarity = await candidates.rarity_of(connection, [other.terms for other in others])
    needs = [asking] if kind == "outcome" else others
    token_rarity = await tokens.rarity_of(
        connection, embedding.id, [need.encoded.tokens.identifiers for need in needs if need.encoded.tokens is not None]
    )
    pairs = (
        Pair(asking, other, rarity, token_rarity, today)
        if kind == "outcome"
        else Pair(other, asking, rarity, token_rarity, today)
        for other in others
    )
    return arrange([score_pair(pair, ranking) for pair in pairs], limit)


async def retrieve(
    connection: Connection, asking: EmbeddedProfile, embedding: EmbeddingModel, rarity: Rarity, scope: Scope
) -> list[UUID]:
    """Candidates by vector and by terms, each source's best, without repetition."""
    kind = OTHER[asking.profile.kind]
    near = await candidates.nearest(connection, kind, asking.encoded.vector, embedding, scope, CANDIDATES_EACH)
    terms: Terms = asking.terms
    worded = await candidates.best_by_terms(connection, kind, terms, rarity, scope, CANDIDATES_EACH)
    return list(dict.fromkeys(found.id for found in (*near, *worded)))


def score_pair(pair: Pair, ranking: Ranking) -> Match:
    """A pair's score with every signal's part in it. Does no I/O."""
    readings = [(signal.name, signal.read(pair)) for signal in SIGNALS]
    contributions = ranking.contributions(readings)
    score = ranking.score(contributions)
    probability = probability_of(score)
    return Match(
        need_id=pair.need.profile.id,
        outcome_id=pair.outcome.profile.id,
        score=score,
        probability=probability,
        level=ranking.level(probability),
        contributions=contributions,
        conflicts=conflicts_of(pair, [reading for _, reading in readings]),
    )
