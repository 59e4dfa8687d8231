"""What learning reads: decisions with what the broker had before the eyes, and the pairs that are stored now."""

from collections import defaultdict
from uuid import UUID

from matching.learning.examples import Decided
from matching.learning.shadow import StoredPair
from service.kit.db import Connection

# Evidence is most of an explanation and teaches nothing here, so only the raw readings leave the database.
DECISIONS = """
select recommendation.need_id, recommendation.outcome_id, decision.action, decision.code, decision.rank, decision.model_version,
       (select jsonb_object_agg(part ->> 'signal', part -> 'raw') from jsonb_array_elements(features -> 'signals') as part) as raw
from decision join recommendation on recommendation.id = decision.recommendation_id
where decision.undone_at is null
order by decision.id
"""


async def decided(connection: Connection) -> list[Decided]:
    """Every decision that was not undone, in the order in which they were made."""
    return [
        Decided(
            need=row["need_id"],
            outcome=row["outcome_id"],
            action=row["action"],
            code=row["code"],
            rank=row["rank"],
            model_version=row["model_version"],
            raw=row["raw"] or {},
        )
        for row in await connection.fetch(DECISIONS)
    ]


STORED = """
select need_id, outcome_id, score,
       (select jsonb_object_agg(part ->> 'signal', part -> 'raw') from jsonb_array_elements(explanation -> 'signals') as part) as raw
from recommendation join listing on listing.id = need_id and listing.state in ('published', 'docking')
where recommendation.state <> 'superseded'
order by need_id, score desc, recommendation.id desc
"""


async def stored_lists(connection: Connection) -> dict[UUID, list[StoredPair]]:
    """The stored list of every published need, best first."""
    lists: dict[UUID, list[StoredPair]] = defaultdict(list)
    for row in await connection.fetch(STORED):
        lists[row["need_id"]].append(StoredPair(row["outcome_id"], row["raw"] or {}))
    return dict(lists)
