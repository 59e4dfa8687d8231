"""Needs as a caller sees them."""

from service.kit.actor import Actor
from service.kit.db import Connection
from service.kit.tiers import redact
from service.listings.schemas import Listing
from service.listings.service import standing_of
from service.listings.tiers import view
from service.needs.schemas import Need, content_of


async def present(connection: Connection, actor: Actor, listing: Listing) -> Need:
    """A stored need as the actor may see it."""
    whole = Need.model_validate(content_of(listing).model_dump() | standing_of(actor, listing))
    return redact(whole, await view(connection, actor, listing))
