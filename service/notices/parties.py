"""Whom a subject concerns: one resolver for each kind of subject, registered at the end.

A resolver asks the database in the name of the service, and hands on what the rules need. A kind without one is a kind
that nobody is told of.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from uuid import UUID

from service.kit.actor import Role
from service.kit.db import Connection, Row
from service.notices.model import Event, Parties, Party, Recipient

Resolver = Callable[[Connection, Event], Awaitable[Parties | None]]

LISTING = "select organization_id, title from listing where id = $1"


async def of_listing(connection: Connection, event: Event) -> Parties | None:
    """The organization of a need or an outcome."""
    row = await connection.fetchrow(LISTING, event.subject_id)
    return Parties(owner=row["organization_id"], title=row["title"]) if row else None


PAIR = """
select need.organization_id as need_organization, need.title as need_title,
       need.state in ('published', 'docking', 'fulfilled') and need.organization_id not in (select suspended_organization())
           as need_public,
       outcome.organization_id as outcome_organization, outcome.title as outcome_title,
       outcome.state in ('published', 'transferred') and outcome.organization_id not in (select suspended_organization())
           as outcome_public,
       (select organization_id from decision where recommendation_id = pair.id and action = 'accept' order by id desc limit 1)
           as broker
from recommendation as pair
join listing as need on need.id = need_id
join listing as outcome on outcome.id = outcome_id
where pair.id = $1
"""


async def of_pair(connection: Connection, event: Event) -> Parties | None:
    """Both sides of a recommended pair, and the broker who accepted it. A title off the market is not told across."""
    row = await connection.fetchrow(PAIR, event.subject_id)
    return Parties(need=_party(row, "need"), outcome=_party(row, "outcome"), broker=row["broker"]) if row else None


def _party(row: Row, side: str) -> Party:
    return Party(row[f"{side}_organization"], row[f"{side}_title"], row[f"{side}_public"])


async def of_organization(_: Connection, event: Event) -> Parties:
    """The organization itself."""
    return Parties(owner=event.subject_id)


KEY = "select organization_id, person_id from api_key where id = $1"


async def of_key(connection: Connection, event: Event) -> Parties | None:
    """Whose key it is."""
    row = await connection.fetchrow(KEY, event.subject_id)
    return Parties(owner=row["organization_id"], person=row["person_id"]) if row else None


MEMBERSHIP = "select organization_id, person_id from membership where id = $1"


async def of_membership(connection: Connection, event: Event) -> Parties | None:
    """The organization and the person of a membership."""
    row = await connection.fetchrow(MEMBERSHIP, event.subject_id)
    return Parties(owner=row["organization_id"], person=row["person_id"]) if row else None


async def of_person(_: Connection, event: Event) -> Parties:
    """The person itself."""
    return Parties(person=event.subject_id)


WEBHOOK = "select organization_id from webhook where id = $1"


async def of_webhook(connection: Connection, event: Event) -> Parties | None:
    """The organization of an endpoint."""
    owner: UUID | None = await connection.fetchval(WEBHOOK, event.subject_id)
    return Parties(owner=owner) if owner else None


# Cases and contracts have their rules already; their rooms add a line here.
RESOLVERS: Final[Mapping[str, Resolver]] = {
    "need": of_listing,
    "outcome": of_listing,
    "recommendation": of_pair,
    "organization": of_organization,
    "api_key": of_key,
    "membership": of_membership,
    "person": of_person,
    "webhook": of_webhook,
}

OPERATORS = """
select organization_id from api_key
where 'operator' = any (roles) and revoked_at is null and (expires_at is null or expires_at > now())
union
select organization_id from membership
where 'operator' = any (roles) and ended_at is null and (valid_until is null or valid_until > now())
order by organization_id
"""


async def operators_of(connection: Connection) -> list[Recipient]:
    """The organizations that somebody operates the market for, each as those who carry the role."""
    rows = await connection.fetch(OPERATORS)
    return [Recipient(organization_id=row["organization_id"], role=Role.OPERATOR) for row in rows]
