"""Verification and suspension of organizations by an operator, and what follows for their listings."""

from uuid import UUID

from service.access import repository
from service.access.lookups import read_organization
from service.access.schemas import Organization, OrganizationAction, OrganizationState
from service.errors import Conflict, FieldProblem, Forbidden, ValidationProblem
from service.events import log
from service.kit.actor import Actor, Role
from service.kit.clock import now
from service.kit.db import Connection
from service.kit.etag import check_if_match
from service.kit.language import Text
from service.matches import withdrawal
from service.workflows.engine import Advanced, advance
from service.workflows.refusals import as_error
from service.workflows.tables import ORGANIZATION


async def act_on_organization(
    connection: Connection,
    actor: Actor,
    organization_id: UUID,
    action: OrganizationAction,
    *,
    if_match: str | None = None,
    reason: str | None = None,
) -> Organization:
    """Verify, suspend or restore: compare-and-set, one event, and the listings leave matching or come back.

    Raises:
        Forbidden, OutOfTurn: as the workflow table says; nobody suspends the own organization, and whoever watches
            over the operators is suspended by an administrator only.
        ValidationProblem: an organization without a credit code is verified, and no reason says by what.
        Conflict: somebody else took a step at the same moment.
    """
    current = await read_organization(connection, actor, organization_id)
    if if_match is not None:
        check_if_match(if_match, current.version)
    name = action.value
    if action is OrganizationAction.RESTORE and current.verified_at is None:
        name = "restore_unverified"
    moment = now()
    step = advance(ORGANIZATION, current.state, name, actor, owner=actor.owns(organization_id), now=moment)
    if not isinstance(step, Advanced):
        raise as_error(ORGANIZATION, step)
    if action is OrganizationAction.SUSPEND:
        await _check_may_suspend(connection, actor, organization_id)
    if action is OrganizationAction.VERIFY and current.credit_code is None and reason is None:
        text = Text(
            "该单位没有统一社会信用代码：请在 reason 中说明核验依据（例如境外登记号）",
            "The organization has no credit code: say in reason what was checked instead, such as a foreign register",
        )
        raise ValidationProblem([FieldProblem("reason", "reason_without_credit_code", text)])
    changed = await repository.transition(connection, organization_id, step.source, step.target, moment)
    if changed is None:
        raise Conflict(
            Text("状态刚被他人改变，请重新读取", "The state was changed by somebody else just now: read again")
        )
    await log.record(
        connection,
        actor,
        "organization",
        organization_id,
        action.value,
        from_state=step.source,
        to_state=step.target,
        data={"reason": reason} if reason else None,
    )
    if step.target == OrganizationState.SUSPENDED:
        await withdrawal.leave_with_organization(connection, organization_id)
    elif step.source == OrganizationState.SUSPENDED:
        await withdrawal.return_with_organization(connection, organization_id)
    return changed


async def _check_may_suspend(connection: Connection, actor: Actor, organization_id: UUID) -> None:
    if actor.owns(organization_id):
        raise Forbidden(Text("不能停用自己所在的单位", "You cannot suspend the organization that you act for yourself"))
    if not actor.has(Role.ADMINISTRATOR, Role.SYSTEM) and await repository.has_administrator(
        connection, organization_id
    ):
        raise Forbidden(
            Text(
                "该单位有管理员，只能由其他单位的管理员停用",
                "The organization has administrators: only another administrator may suspend it",
            )
        )
