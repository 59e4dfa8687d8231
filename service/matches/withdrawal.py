"""A listing that is published no more leaves the index and the lists, in the same transaction."""

from uuid import UUID

from matching.pipeline import remove_profile
from service.kit.db import Connection
from service.matches import repository


async def leave_matching(connection: Connection, listing_id: UUID) -> None:
    """Remove a listing's profile and take its undecided pairs off the lists."""
    await remove_profile(connection, listing_id)
    await repository.supersede(connection, listing_id, None)
    await repository.forget(connection, listing_id)
