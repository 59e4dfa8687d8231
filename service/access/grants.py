"""How much of what one may do oneself one may hand to others, by a key or a membership."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from service.errors import FieldProblem, Forbidden, ValidationProblem
from service.kit.actor import Actor, Role, Scope
from service.kit.clock import now
from service.kit.language import Text

# Roles that an operator may hand out; the others change who watches whom, and stay with the administrator.
OPERATOR_GRANTS = frozenset({Role.ENTERPRISE, Role.PROVIDER, Role.BROKER})


def may_grant(actor: Actor, organization_id: UUID, roles: Collection[Role], scopes: Collection[Scope]) -> bool:
    """Whether the actor may make a key or membership of an organization with these roles and scopes.

    Nobody hands out a scope that he does not have, and outside the own organization it takes an operator.
    """
    if actor.has(Role.SYSTEM):
        return True
    if not actor.scopes.issuperset(scopes):
        return False
    if actor.has(Role.ADMINISTRATOR):
        return True
    if actor.has(Role.OPERATOR) and OPERATOR_GRANTS.issuperset(roles):
        return True
    return actor.owns(organization_id) and actor.roles.issuperset(roles)


def check_may_grant(actor: Actor, organization_id: UUID, roles: Collection[Role], scopes: Collection[Scope]) -> None:
    """As `may_grant`.

    Raises:
        Forbidden: the actor may not.
    """
    if not may_grant(actor, organization_id, roles, scopes):
        raise Forbidden(
            Text(
                "只能在本单位内授予自己已有的角色和权限范围；其他由管理员授予",
                "You may hand out your own roles and scopes within your own organization; others are an administrator's",
            )
        )


def check_is_ahead(field: str, moment: datetime | None) -> None:
    """An end that is given lies in the future and has a time zone.

    Raises:
        ValidationProblem: names the field.
    """
    if moment is not None and (moment.tzinfo is None or moment <= now()):
        text = Text("有效期必须晚于当前时间，并带时区", "Must lie in the future, and carry a time zone")
        raise ValidationProblem([FieldProblem(field, "future", text)])
