"""What the rooms of listings and matches ask of cases; knows nothing of those rooms."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from service.kit.db import Connection

# In the states of `records.TALKING` both sides consent, or are bound by a contract. What was won since the need was last
# published stays its success until somebody says that it is fulfilled.
TALKED_ABOUT = """
select exists (
    select from docking_case
    where need_id = $1 and (
        state in ('consented', 'consulting', 'negotiating', 'contracted', 'following')
        or (closed_as = 'won' and closed_at >= $2)
    )
)
"""


async def is_talked_about(connection: Connection, need_id: UUID, published_at: datetime) -> bool:
    """Whether in some case of a need both consent now, or one was closed as won since the need was published."""
    found: bool = await connection.fetchval(TALKED_ABOUT, need_id, published_at)
    return found


NEWEST = """
select distinct on (recommendation_id) recommendation_id, id from docking_case
where recommendation_id = any ($1) order by recommendation_id, id desc
"""


async def newest(connection: Connection, recommendations: Sequence[UUID]) -> dict[UUID, UUID]:
    """The newest case of each of some pairs, by the pair; those that never had one are left out."""
    if not recommendations:
        return {}
    return {row["recommendation_id"]: row["id"] for row in await connection.fetch(NEWEST, list(recommendations))}
