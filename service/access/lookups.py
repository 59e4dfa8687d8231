"""Who may look at which organization."""

from uuid import UUID

from service.access import repository
from service.access.schemas import Organization
from service.errors import NotFound
from service.kit.actor import Actor
from service.kit.db import Connection
from service.kit.language import Text

NO_ORGANIZATION = Text("没有这个单位，或无权查看", "No such organization, or none that you may see")


async def read_organization(connection: Connection, actor: Actor, organization_id: UUID) -> Organization:
    """One organization: your own, or any for those whose work it is."""
    if not (actor.is_staff or actor.owns(organization_id)):
        raise NotFound(NO_ORGANIZATION)
    found = await repository.get_organization(connection, organization_id)
    if found is None:
        raise NotFound(NO_ORGANIZATION)
    return found
