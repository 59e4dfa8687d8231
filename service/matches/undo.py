"""A decision that is taken back: within a set time, by whoever made it, while nothing was built on it."""

from datetime import timedelta
from uuid import UUID

from service.cases import service as cases
from service.errors import Conflict, Forbidden, OutOfTurn
from service.events import log
from service.kit.actor import Actor, Role
from service.kit.clock import MARKET_ZONE, now
from service.kit.db import Connection, Row
from service.kit.etag import check_if_match
from service.kit.language import Text
from service.matches import consent_repository, decision_repository, repository
from service.matches.decisions import read
from service.matches.schemas import Decision
from service.review import leases
from service.workflows.engine import Advanced, advance
from service.workflows.refusals import as_error
from service.workflows.tables import RECOMMENDATION

CONSENTED = Text("已有一方同意，不能再撤销", "A side has consented: this cannot be undone any more")
ANSWERED = Text("对接中已有一方答复，不能再撤销", "A side has answered in the case: this cannot be undone any more")


async def built_upon(connection: Connection, pair: Row) -> Text | None:
    """What was built on the decision on a pair, so that it stands; None where nothing was.

    Rooms that open something by an accepted pair add their question here. The consents of the pair are held while it is asked.
    """
    if await consent_repository.list_consents(connection, pair["id"]):
        return CONSENTED
    return ANSWERED if await cases.is_touched(connection, pair["id"]) else None


async def undo(
    connection: Connection, actor: Actor, identifier: UUID, if_match: str | None, within: timedelta
) -> Decision:
    """Take back the decision that holds on a pair, which goes back into the queue; the decision stays on record as undone.

    Raises:
        NotFound, Forbidden: not this actor's to undo. PreconditionFailed: another version than the one seen.
        OutOfTurn: nothing is decided, the time is over, something was built on it, or a listing has left the market.
        Conflict: somebody changed the pair at the same moment.
    """
    pair = await read(connection, actor, identifier)
    moment = now()
    step = advance(RECOMMENDATION, pair["state"], "undo", actor, owner=False, now=moment)
    if if_match is not None:
        check_if_match(if_match, pair["version"])
    if not isinstance(step, Advanced):
        raise as_error(RECOMMENDATION, step)
    await consent_repository.lock(connection, identifier, to_change=True)
    held = (await repository.hold(connection, [identifier]))[identifier]
    made = await decision_repository.last(connection, identifier)
    if (held["state"], held["version"]) != (pair["state"], pair["version"]):
        raise Conflict(Text("刚有他人处理了这条推荐，请重新读取", "Somebody else changed it just now: read again"))
    if made is None:
        raise OutOfTurn(Text("没有可撤销的决定", "There is no decision to undo"))
    _check_made_by(actor, made)
    if moment > made["decided_at"] + within:
        ended = (made["decided_at"] + within).astimezone(MARKET_ZONE).isoformat(timespec="seconds")
        raise OutOfTurn(Text(f"撤销期限已过（{ended}）", f"It could be undone until {ended}"))
    built = await built_upon(connection, pair)
    if built is not None:
        raise OutOfTurn(built)
    if not await decision_repository.both_on_the_market(connection, pair):
        raise OutOfTurn(Text("需求或成果已不在发布状态，不能撤销", "The need or the outcome is not published any more"))
    await decision_repository.decide(connection, identifier, step.source, step.target, None)
    undone = await decision_repository.undo(connection, actor, made["id"], moment)
    assert undone is not None
    await cases.close_unanswered(connection, actor, identifier)
    await log.record(
        connection,
        actor,
        "recommendation",
        identifier,
        "undo",
        from_state=step.source,
        to_state=step.target,
        data={"decision": str(undone.id)},
    )
    await leases.settle(connection)
    return undone


def _check_made_by(actor: Actor, made: Row) -> None:
    """A person undoes what it decided itself, a machine client what its organization's did; administrators any."""
    if actor.has(Role.ADMINISTRATOR, Role.SYSTEM):
        return
    if (made["organization_id"], made["person_id"]) != (actor.organization_id, actor.person_id):
        raise Forbidden(
            Text(
                "只能由作出决定的技术经理人或管理员撤销",
                "Only the broker who decided, or an administrator, may undo it",
            )
        )
