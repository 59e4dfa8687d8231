"""Rows of decisions."""

from datetime import datetime
from uuid import UUID

from service.kit.actor import Actor
from service.kit.db import Connection, Row
from service.matches.schemas import Decision

RANK_IN_NEED = """
select count(*) + 1 from recommendation
where need_id = $1 and state <> 'superseded' and (score, id) > ($2, $3)
"""


async def rank_in_need(connection: Connection, need_id: UUID, score: float, identifier: UUID) -> int:
    """The pair's place in the need's list, 1 for the best."""
    rank: int = await connection.fetchval(RANK_IN_NEED, need_id, score, identifier)
    return rank


DECIDE = """
update recommendation set state = $3, snoozed_until = $4, version = version + 1, updated_at = now()
where id = $1 and state = $2
returning version
"""


async def decide(
    connection: Connection, identifier: UUID, source: str, target: str, snoozed_until: datetime | None
) -> bool:
    """Save a decision's state if the pair still has the old one; whether it had."""
    return await connection.fetchval(DECIDE, identifier, source, target, snoozed_until) is not None


INSERT = """
insert into decision (
    recommendation_id, key_id, organization_id, person_id, action, code, note, to_provider, snoozed_until, rank,
    model_version, features, decided_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
returning *
"""


async def insert(connection: Connection, actor: Actor, identifier: UUID, *values: object) -> Decision:
    """Keep a decision: action, code, note, text to the provider, until, rank, model version, features, when."""
    row = await connection.fetchrow(INSERT, identifier, actor.key_id, actor.organization_id, actor.person_id, *values)
    return Decision.model_validate(dict(row or {}))


LIST = "select * from decision where recommendation_id = any ($1) order by id"


async def list_of(connection: Connection, identifiers: list[UUID]) -> dict[UUID, list[Decision]]:
    """What was decided on pairs, by pair, oldest first; undone decisions too."""
    found: dict[UUID, list[Decision]] = {identifier: [] for identifier in identifiers}
    for row in await connection.fetch(LIST, identifiers):
        found[row["recommendation_id"]].append(Decision.model_validate(dict(row)))
    return found


LAST = """
select id, organization_id, person_id, action, decided_at from decision
where recommendation_id = $1 and undone_at is null order by id desc limit 1
"""


async def last(connection: Connection, identifier: UUID) -> Row | None:
    """The decision that holds on a pair: id, organization_id, person_id, action, decided_at."""
    return await connection.fetchrow(LAST, identifier)


# Clocks of two machines differ a little; nothing is undone before it was made.
UNDO = """
update decision set undone_at = greatest(decided_at, $2), undone_by_key = $3, undone_by_person = $4
where id = $1 and undone_at is null
returning *
"""


async def undo(connection: Connection, actor: Actor, decision_id: UUID, at: datetime) -> Decision | None:
    """Mark a decision as undone; None where it was already."""
    row = await connection.fetchrow(UNDO, decision_id, at, actor.key_id, actor.person_id)
    return Decision.model_validate(dict(row)) if row else None


NAMES_OF_NEEDS = """
select listing.id, array_remove(array[name, name_en], null) as names
from listing join organization on organization.id = listing.organization_id
where listing.id = any ($1)
"""


async def names_behind(connection: Connection, needs: list[UUID]) -> dict[UUID, list[str]]:
    """The names of the organizations that posted needs."""
    return {row["id"]: row["names"] for row in await connection.fetch(NAMES_OF_NEEDS, needs)}


ON_THE_MARKET = """
select count(*) = 2 from listing join organization on organization.id = organization_id
where listing.id in ($1, $2) and listing.state in ('published', 'docking') and organization.state <> 'suspended'
"""


async def both_on_the_market(connection: Connection, pair: Row) -> bool:
    """Whether both listings of a pair are matched, of organizations in good standing."""
    both: bool = await connection.fetchval(ON_THE_MARKET, pair["need_id"], pair["outcome_id"])
    return both


# The last decision on each of a listing's other pairs, newest first. What was undone is no decision any more.
DECIDED_OF_NEEDS = """
select asked.id as listing_id, recommendation.id as recommendation_id, outcome_id as counterpart_id, recent.*
from unnest($1::uuid[]) as asked (id)
cross join lateral (
    select latest.* from recommendation
    cross join lateral (
        select recommendation_id as pair, action, code, note, decided_at from decision
        where recommendation_id = recommendation.id and undone_at is null order by id desc limit 1
    ) as latest
    where need_id = asked.id and state in ('accepted', 'declined', 'snoozed')
    order by decided_at desc
    limit $2
) as recent
join recommendation on recommendation.id = recent.pair
"""
DECIDED_OF_OUTCOMES = """
select asked.id as listing_id, recommendation.id as recommendation_id, need_id as counterpart_id, recent.*
from unnest($1::uuid[]) as asked (id)
cross join lateral (
    select latest.* from recommendation
    cross join lateral (
        select recommendation_id as pair, action, code, note, decided_at from decision
        where recommendation_id = recommendation.id and undone_at is null order by id desc limit 1
    ) as latest
    where outcome_id = asked.id and state in ('accepted', 'declined', 'snoozed')
    order by decided_at desc
    limit $2
) as recent
join recommendation on recommendation.id = recent.pair
"""


async def decided_of(connection: Connection, listings: list[UUID], *, of_need: bool, most: int) -> list[Row]:
    """The latest decisions on pairs of listings, at most so many for each listing."""
    return await connection.fetch(DECIDED_OF_NEEDS if of_need else DECIDED_OF_OUTCOMES, listings, most)
