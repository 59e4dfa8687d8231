"""Needs as a caller sees them."""

from service.kit.actor import Actor
from service.listings.schemas import Listing
from service.listings.service import redacted, standing_of
from service.needs.schemas import Need, content_of


def present(actor: Actor, listing: Listing) -> Need:
    """A stored need as the actor may see it."""
    return Need.model_validate(content_of(redacted(actor, listing)).model_dump() | standing_of(actor, listing))
