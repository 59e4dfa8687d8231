"""Outcomes as a caller sees them."""

from service.kit.actor import Actor
from service.listings.schemas import Listing
from service.listings.service import redacted, standing_of
from service.outcomes.schemas import Outcome, content_of


def present(actor: Actor, listing: Listing) -> Outcome:
    """A stored outcome as the actor may see it."""
    return Outcome.model_validate(content_of(redacted(actor, listing)).model_dump() | standing_of(actor, listing))
