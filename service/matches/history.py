"""What was decided before on the two sides of a pair, for whoever decides on it now."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from service.kit.db import Connection
from service.matches import decision_repository
from service.matches.schemas import EarlierDecision, History, Recommendation

MOST = 5


async def of_pairs(connection: Connection, pairs: Sequence[Recommendation]) -> dict[UUID, History]:
    """For each pair the last decisions on other pairs of its need and of its outcome, newest first, at most five each.

    The database shows decisions to staff only, notes included; undone ones are not among them.
    """
    needs = sorted({pair.need.id for pair in pairs})
    outcomes = sorted({pair.outcome.id for pair in pairs})
    of_need = await _decided(connection, needs, of_need=True)
    of_outcome = await _decided(connection, outcomes, of_need=False)
    return {pair.id: History(need=of_need[pair.need.id], outcome=of_outcome[pair.outcome.id]) for pair in pairs}


async def _decided(connection: Connection, listings: list[UUID], *, of_need: bool) -> dict[UUID, list[EarlierDecision]]:
    found: dict[UUID, list[EarlierDecision]] = defaultdict(list)
    for row in await decision_repository.decided_of(connection, listings, of_need=of_need, most=MOST):
        found[row["listing_id"]].append(
            EarlierDecision.model_validate({name: row[name] for name in EarlierDecision.model_fields})
        )
    return found
