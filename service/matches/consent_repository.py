"""Rows of consents."""

from uuid import UUID

from service.kit.actor import Actor
from service.kit.db import Connection, Row
from service.matches.consent_schemas import Consent, Side

# Opening waits for a change of consents under way and the other way round, so that no opening is sealed behind a withdrawal.
LOCK_TO_CHANGE = "select pg_advisory_xact_lock(hashtextextended('consent ' || $1::uuid::text, 0))"
LOCK_TO_OPEN = "select pg_advisory_xact_lock_shared(hashtextextended('consent ' || $1::uuid::text, 0))"


async def lock(connection: Connection, recommendation_id: UUID, *, to_change: bool) -> None:
    """Hold a pair's consents until the transaction ends: alone to change them, with other readers to open by them."""
    await connection.execute(LOCK_TO_CHANGE if to_change else LOCK_TO_OPEN, recommendation_id)


LIST = "select id, side, purpose, given_at, withdrawn_at from consent where recommendation_id = $1 order by id"


async def list_consents(connection: Connection, recommendation_id: UUID) -> list[Consent]:
    """Every consent to a pair, oldest first."""
    return [Consent.model_validate(dict(row)) for row in await connection.fetch(LIST, recommendation_id)]


INSERT = """
insert into consent (recommendation_id, side, organization_id, key_id, person_id, purpose, given_at)
values ($1, $2, $3, $4, $5, $6, clock_timestamp())
returning id
"""


async def insert(connection: Connection, actor: Actor, recommendation_id: UUID, side: Side, purpose: str) -> UUID:
    """Keep a consent that the actor gives; its id."""
    identifier: UUID = await connection.fetchval(
        INSERT, recommendation_id, side, actor.organization_id, actor.key_id, actor.person_id, purpose
    )
    return identifier


WITHDRAW = """
update consent set withdrawn_at = clock_timestamp(), withdrawn_by_key = $3, withdrawn_by_person = $4
where recommendation_id = $1 and side = $2 and withdrawn_at is null
returning id
"""


async def withdraw(connection: Connection, actor: Actor, recommendation_id: UUID, side: Side) -> UUID | None:
    """End the open consent of a side; its id, None where there is none."""
    identifier: UUID | None = await connection.fetchval(
        WITHDRAW, recommendation_id, side, actor.key_id, actor.person_id
    )
    return identifier


CONTACTS = """
select listing.id, listing.kind, organization_id, confidential, contact_name, contact_phone, contact_email,
       organization.brief as organization
from listing left join organization_brief as organization on organization.id = listing.organization_id
where listing.id in ($1, $2) and listing.state in ('published', 'docking', 'fulfilled', 'transferred')
  and organization.state is distinct from 'suspended'
"""


async def contacts(connection: Connection, pair: Row) -> dict[str, Row]:
    """The contact data of a pair's listings by kind, as far as they are shown to the market at all."""
    return {row["kind"]: row for row in await connection.fetch(CONTACTS, pair["need_id"], pair["outcome_id"])}
