"""Administrators and passwords from the command line, in the name of the service itself."""

from pydantic import ValidationError

from service.access import service
from service.access.people_schemas import PersonContent
from service.access.schemas import OrganizationContent, OrganizationKind
from service.errors import ValidationProblem
from service.kit.actor import SYSTEM
from service.kit.db import transaction
from service.kit.validation import problems_of
from service.resources import open_database, open_pool
from service.settings import Settings


async def create_administrator(
    settings: Settings, name: str, email: str, external_id: str, organization_name: str, *, another: bool
) -> str:
    """Make an administrator in an organization, registering it first where it is new; returns the key.

    Raises:
        Conflict: there is an administrator already, and `another` was not asked for.
        ValidationProblem: a name or an e-mail that is none.
    """
    try:
        content = PersonContent(name=name, email=email)
        organization = OrganizationContent(
            external_id=external_id, name=organization_name, kind=OrganizationKind.MARKET
        )
    except ValidationError as error:
        raise ValidationProblem(problems_of(error.errors())) from error
    urls = await open_database(settings, migrating=True)
    async with open_pool(settings, urls, "duijie administrator") as pool, transaction(pool, SYSTEM) as connection:
        owner = await service.find_organization(connection, external_id) or await service.create_organization(
            connection, SYSTEM, organization
        )
        made = await service.create_administrator(connection, SYSTEM, owner.id, content, another=another)
        return made.key


async def set_password(settings: Settings, email: str, password: str) -> None:
    """Set the password of the person with an e-mail."""
    urls = await open_database(settings, migrating=True)
    async with open_pool(settings, urls, "duijie people") as pool, transaction(pool, SYSTEM) as connection:
        await service.set_password(connection, SYSTEM, email, password)
