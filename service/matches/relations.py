"""How near an organization has come to listings of others: the accepted pairs between theirs and its own."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from service.kit.db import Connection


@dataclass(frozen=True, slots=True)
class Relation:
    """What is between a listing and an organization's own: a broker accepted a pair, and both sides of it consented."""

    accepted: bool = False
    consented: bool = False


STRANGERS = Relation()
# A pair counts while the own listing of it is one of the market's; the other is read under the policies of its table.
RELATIONS = """
select wanted.id, bool_or((
    select count(*) = 2 from consent where consent.recommendation_id = pair.id and consent.withdrawn_at is null
)) as consented
from unnest($2::uuid[]) as wanted (id)
join recommendation as pair on pair.state = 'accepted' and (pair.need_id = wanted.id or pair.outcome_id = wanted.id)
join listing as own on own.id = case when pair.need_id = wanted.id then pair.outcome_id else pair.need_id end
where own.organization_id = $1 and own.state in ('published', 'docking', 'fulfilled', 'transferred')
group by wanted.id
"""


async def relations(connection: Connection, organization_id: UUID, listings: Collection[UUID]) -> dict[UUID, Relation]:
    """The relation of an organization to listings, by id; those that it has no accepted pair with are left out."""
    rows = await connection.fetch(RELATIONS, organization_id, list(listings))
    return {row["id"]: Relation(accepted=True, consented=row["consented"]) for row in rows}
