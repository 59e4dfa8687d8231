"""What is not to be matched leaves the index and the lists in the same transaction: a listing, or all of an organization."""

from uuid import UUID

from matching.pipeline import remove_profile
from service.kit import queue
from service.kit.db import Connection, ranking_role
from service.matches import repository


async def leave_matching(connection: Connection, listing_id: UUID) -> None:
    """Remove a listing's profile and take its undecided pairs off the lists."""
    async with ranking_role(connection):
        await remove_profile(connection, listing_id)
    await repository.supersede(connection, listing_id, None)
    await repository.forget(connection, listing_id)


async def stay_in_matching(connection: Connection, listing_id: UUID, version: int) -> None:
    """A step left the text as it was: what the index holds of the version before is that of this one. The service's own."""
    await repository.carry_index(connection, listing_id, version)


async def forget_quotes(connection: Connection, listing_id: UUID) -> None:
    """Of what has become confidential nothing stays that was quoted before: it leaves matching, and its pairs' reasons go.

    Pairs that a broker decided on stay. What their reasons are now, the next ranking writes.
    """
    await repository.wait_for_rankings(connection)
    await leave_matching(connection, listing_id)
    await repository.forget_reasons(connection, listing_id)


async def leave_with_organization(connection: Connection, organization_id: UUID) -> None:
    """Take every published listing of a suspended organization out of matching; the listings keep their state."""
    for job in await repository.published_of(connection, organization_id):
        await leave_matching(connection, job.listing_id)


async def return_with_organization(connection: Connection, organization_id: UUID) -> None:
    """Ask for the published listings of a restored organization to be indexed and ranked again."""
    for job in await repository.published_of(connection, organization_id):
        await queue.enqueue_index(connection, job.listing_id, job.version, bulk=True)
