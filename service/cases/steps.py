"""A step of a case: taken by the workflow's table, saved by compare-and-set. Its event is the caller's to record."""

from dataclasses import replace
from datetime import datetime

from asyncpg import UniqueViolationError

from service.cases import repository
from service.cases.opening import ACTIVE_ALREADY
from service.cases.records import Case
from service.errors import Conflict
from service.kit.actor import Actor, Role
from service.kit.db import Connection
from service.kit.language import Text
from service.workflows.engine import Advanced, Refusal, advance
from service.workflows.refusals import as_error
from service.workflows.tables import CASE


def as_party(actor: Actor, case: Case) -> Actor:
    """The actor as the case's table knows it: a broker of another organization is none here. Does no I/O."""
    return actor if case.handled_by(actor) else replace(actor, roles=actor.roles - {Role.BROKER})


def try_step(actor: Actor, case: Case, action: str, at: datetime) -> Advanced | Refusal:
    """What the table says to a step. Does no I/O."""
    return advance(CASE, case.state, action, as_party(actor, case), owner=bool(case.sides_of(actor)), now=at)


async def take(
    connection: Connection,
    actor: Actor,
    case: Case,
    action: str,
    at: datetime,
    *,
    closed_as: str | None = None,
    code: str | None = None,
) -> Case:
    """The case after a step.

    Raises:
        Forbidden, OutOfTurn: not the actor's step, or not in this state.
        Conflict: somebody else took a step at the same moment, or the pair has another active case.
    """
    step = try_step(actor, case, action, at)
    if not isinstance(step, Advanced):
        raise as_error(CASE, step)
    try:
        async with connection.transaction():
            after = await repository.advance(
                connection, case.id, step.source, step.target, at, closed_as=closed_as, code=code
            )
    except UniqueViolationError as error:
        raise Conflict(ACTIVE_ALREADY) from error
    if after is None:
        raise Conflict(
            Text("刚有他人操作了该对接，请重新读取", "Somebody else acted on this case just now: read again")
        )
    return after
