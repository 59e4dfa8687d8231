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

# A case in these states is over.
ENDED: Final = frozenset({"closed", "lapsed"})
Resolver = Callable[[Connection, Event], Awaitable[Parties | None]]

# `$2` names the question that was answered, `$3` the broker that a need is given to or taken from. Otherwise it is whoever has the
# listing in hand or had it last, and where nobody had, who wrote the latest text for its organization.
LISTING = """
select organization_id, title,
       case
           when $2::uuid is not null then (select organization_id from listing_question where id = $2)
           when $3::uuid is not null then (select organization_id from broker where id = $3)
           else coalesce(
               (select organization_id from refinement where listing_id = $1 order by id desc limit 1),
               (
                   select organization_id from listing_revision as revision
                   where listing_id = $1 and revision.organization_id <> listing.organization_id
                   order by version desc limit 1
               )
           )
       end as reviewer
from listing where id = $1
"""


async def of_listing(connection: Connection, event: Event) -> Parties | None:
    """The organization of a need or an outcome, and who refines it."""
    question = event.data.get("question") if event.action == "answer" else None
    broker = event.data.get("broker") if event.action in ("assign", "unassign") else None
    row = await connection.fetchrow(LISTING, event.subject_id, question and UUID(question), broker and UUID(broker))
    if row is None:
        return None
    # A need is docking, or is no more, by a step of its case, of which everybody is told.
    elsewhere = event.action in ("dock", "undock")
    owner, title, reviewer = row["organization_id"], row["title"], row["reviewer"]
    return Parties(owner=owner, title=title, reviewer=reviewer, told_elsewhere=elsewhere)


# A case stays with those who were asked, and with the broker who accepted the pair.
CASE = """
select need_organization_id as need_organization, need.title as need_title,
       need.state in ('published', 'docking', 'fulfilled') and need_organization_id not in (select suspended_organization())
           as need_public,
       outcome_organization_id as outcome_organization, outcome.title as outcome_title,
       outcome.state in ('published', 'transferred') and outcome_organization_id not in (select suspended_organization())
           as outcome_public,
       broker_organization_id as broker
from docking_case
join listing as need on need.id = need_id
join listing as outcome on outcome.id = outcome_id
where docking_case.id = $1
"""


async def of_case(connection: Connection, event: Event) -> Parties | None:
    """Both sides of a case and its broker. A title off the market is not told across, and no name ever is."""
    row = await connection.fetchrow(CASE, event.subject_id)
    if row is None:
        return None
    # A case is contracted by its contract's being signed, of which both sides and the broker are told.
    elsewhere = event.action == "contract"
    former = event.data.get("former") if event.action == "hand_over" else None
    before = UUID(former) if former else None
    return Parties(
        need=_party(row, "need"),
        outcome=_party(row, "outcome"),
        broker=row["broker"],
        # Between two brokers of one organization there is nobody else to tell.
        reviewer=before if before != row["broker"] else None,
        told_elsewhere=elsewhere,
    )


CONTRACT = """
select name as title,
       array(
           select distinct organization_id from contract_party
           where contract_id = contract.id and organization_id is not null
           order by organization_id
       ) as members,
       coalesce(
           (select broker_organization_id from docking_case where docking_case.id = contract.case_id),
           (
               select organization_id from decision
               where decision.recommendation_id = contract.recommendation_id and action = 'accept'
               order by id desc limit 1
           )
       ) as broker
from contract where id = $1
"""


async def of_contract(connection: Connection, event: Event) -> Parties | None:
    """The parties that are organizations of the service, and the broker of the pair that it comes from."""
    row = await connection.fetchrow(CONTRACT, event.subject_id)
    if row is None:
        return None
    broker = row["broker"] if row["broker"] not in row["members"] else None
    return Parties(title=row["title"], members=tuple(row["members"]), broker=broker)


PAIR = """
select need.organization_id as need_organization, need.title as need_title,
       need.state in ('published', 'docking', 'fulfilled') and need.organization_id not in (select suspended_organization())
           as need_public,
       outcome.organization_id as outcome_organization, outcome.title as outcome_title,
       outcome.state in ('published', 'transferred') and outcome.organization_id not in (select suspended_organization())
           as outcome_public,
       (select organization_id from decision where recommendation_id = pair.id and action = 'accept' order by id desc limit 1)
           as broker,
       (select state from docking_case where recommendation_id = pair.id order by id desc limit 1) as case_state
from recommendation as pair
join listing as need on need.id = need_id
join listing as outcome on outcome.id = outcome_id
where pair.id = $1
"""


async def of_pair(connection: Connection, event: Event) -> Parties | None:
    """Both sides of a recommended pair, and the broker who accepted it. A title off the market is not told across."""
    row = await connection.fetchrow(PAIR, event.subject_id)
    if row is None:
        return None
    return Parties(
        need=_party(row, "need"),
        outcome=_party(row, "outcome"),
        broker=row["broker"],
        told_elsewhere=_told_by_case(event, row["case_state"]),
    )


def _told_by_case(event: Event, state: str | None) -> bool:
    """Whether the pair's case, if it has one, has an event of the same step.

    One that has ended notices no withdrawal, except that by which a side left it.
    """
    match event.action:
        case "accept" | "consent":
            return state is not None
        case "withdraw_consent":
            return bool(event.data.get("left")) or (state is not None and state not in ENDED)
        case _:
            return False


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


RESOLVERS: Final[Mapping[str, Resolver]] = {
    "need": of_listing,
    "outcome": of_listing,
    "recommendation": of_pair,
    "case": of_case,
    "contract": of_contract,
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
