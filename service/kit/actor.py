"""Who acts: every transaction runs in the name of exactly one actor."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from service.kit.addresses import AddressClass


class Role(StrEnum):
    """What an API key may stand for; one key may carry several roles of its organization."""

    ENTERPRISE = "enterprise"
    PROVIDER = "provider"
    BROKER = "broker"
    OPERATOR = "operator"
    AUTHORITY = "authority"
    ADMINISTRATOR = "administrator"
    # The service itself: expiry, ranking, embedding. No key can carry it.
    SYSTEM = "system"


KEY_ROLES = tuple(role for role in Role if role is not Role.SYSTEM)
# Roles that see every organization's listings, because reviewing and reporting is their work.
STAFF = frozenset({Role.BROKER, Role.OPERATOR, Role.AUTHORITY, Role.ADMINISTRATOR, Role.SYSTEM})


@dataclass(frozen=True, slots=True)
class Actor:
    """An API key (or the service itself) with the organization and roles it acts for."""

    key_id: UUID | None
    organization_id: UUID | None
    roles: frozenset[Role]
    request_id: str = ""
    # Of the client that sent the request; work without a request has none.
    address_class: AddressClass = AddressClass.UNKNOWN

    def has(self, *roles: Role) -> bool:
        """Whether the actor carries at least one of `roles`."""
        return not self.roles.isdisjoint(roles)

    @property
    def is_staff(self) -> bool:
        """Whether the actor may see listings of every organization."""
        return not self.roles.isdisjoint(STAFF)

    def owns(self, organization_id: UUID) -> bool:
        """Whether the object belongs to the actor's own organization."""
        return self.organization_id == organization_id


SYSTEM = Actor(key_id=None, organization_id=None, roles=frozenset({Role.SYSTEM}), request_id="system")
