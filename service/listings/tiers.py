"""Which tier a caller has towards a listing, and what of the listing it is shown by it."""

from collections.abc import Collection
from uuid import UUID

from service.kit.actor import Actor, Role
from service.kit.db import Connection, Row
from service.kit.tiers import Tier, View
from service.listings.schemas import Kind, Listing
from service.matches.relations import STRANGERS, Relation, relations


def tier_of(actor: Actor, organization_id: UUID, relation: Relation = STRANGERS) -> Tier:
    """The tier that an actor has towards a listing of an organization. Does no I/O.

    Staff work with every listing's text and are the counterpart of each, without an accepted pair; consent opens to
    them what it opens to the two sides. There is no route for listings without a key, so that nobody who asks has less than
    `member`; whoever carries no role at all has `public`.
    """
    if actor.owns(organization_id) or actor.has(Role.SYSTEM):
        return Tier.OWNER
    if relation.accepted and relation.consented:
        return Tier.CONSENTED
    if relation.accepted or actor.is_staff:
        return Tier.COUNTERPART
    return Tier.MEMBER if actor.roles else Tier.PUBLIC


def view_of(actor: Actor, listing: Listing, relation: Relation = STRANGERS) -> View:
    """How an actor looks at a listing. Does no I/O."""
    return View(
        tier_of(actor, listing.organization_id, relation),
        staff=actor.is_staff,
        confidential=listing.confidential,
        outcome=listing.kind is Kind.OUTCOME,
    )


def view_of_row(actor: Actor, row: Row, relation: Relation = STRANGERS) -> View:
    """As `view_of`, of a row with the columns kind, organization_id and confidential."""
    return View(
        tier_of(actor, row["organization_id"], relation),
        staff=actor.is_staff,
        confidential=row["confidential"],
        outcome=row["kind"] == Kind.OUTCOME,
    )


async def relations_of(connection: Connection, actor: Actor, listings: Collection[UUID]) -> dict[UUID, Relation]:
    """The relations that an actor's tier depends on; staff, and who belongs to no organization, have none."""
    if actor.organization_id is None or actor.is_staff or not listings:
        return {}
    return await relations(connection, actor.organization_id, listings)


async def view(connection: Connection, actor: Actor, listing: Listing) -> View:
    """How an actor looks at a listing; asks the database only where pairs can make a difference."""
    if actor.owns(listing.organization_id):
        return view_of(actor, listing)
    found = await relations_of(connection, actor, [listing.id])
    return view_of(actor, listing, found.get(listing.id, STRANGERS))
