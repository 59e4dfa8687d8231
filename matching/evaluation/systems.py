"""The systems that are compared: all use the service's own index, candidates and pipeline."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from matching.fusion import Ranking, reciprocal_rank_fusion
from matching.index import Connection, candidates
from matching.index.models import EmbeddingModel
from matching.pipeline import rank
from matching.types import EmbeddedProfile, Scope

DEPTH = 100
# A fixed day: what is measured must not depend on when.
DAY = date(2026, 1, 1)


@dataclass(frozen=True, slots=True)
class Setting:
    """What every system gets."""

    connection: Connection
    embedding: EmbeddingModel
    ranking: Ranking
    today: date = DAY


System = Callable[[Setting, EmbeddedProfile], Awaitable[list[UUID]]]


async def bm25(setting: Setting, need: EmbeddedProfile) -> list[UUID]:
    """Best by terms: words and character pairs."""
    rarity = await candidates.rarity_of(setting.connection, [need.terms])
    found = await candidates.best_by_terms(setting.connection, "outcome", need.terms, rarity, Scope(), DEPTH)
    return [candidate.id for candidate in found]


async def dense(setting: Setting, need: EmbeddedProfile) -> list[UUID]:
    """Nearest by vector."""
    vector = need.encoded.vector
    found = await candidates.nearest(setting.connection, "outcome", vector, setting.embedding, Scope(), DEPTH)
    return [candidate.id for candidate in found]


async def rrf(setting: Setting, need: EmbeddedProfile) -> list[UUID]:
    """Both lists by reciprocal rank fusion."""
    lists = [await dense(setting, need), await bm25(setting, need)]
    return [identifier for identifier, _ in reciprocal_rank_fusion(lists)][:DEPTH]


async def duijie(setting: Setting, need: EmbeddedProfile) -> list[UUID]:
    """The service's pipeline."""
    matches = await rank(setting.connection, need, setting.embedding, setting.ranking, today=setting.today, limit=DEPTH)
    return [match.outcome_id for match in matches]


SYSTEMS: dict[str, System] = {"bm25": bm25, "dense": dense, "rrf": rrf, "duijie": duijie}
