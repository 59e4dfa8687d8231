"""The review queue of a broker: which pairs wait, in which order, and whose they are meanwhile.

**Order.** Pairs go by expected gain: the probability that a broker would introduce the pair, as the ranking model is calibrated,
times a factor for fairness over needs. The factor halves for each step of better pairs of the same need: its first pair
counts whole, the second and third half, the fourth to seventh a quarter, and so on, pairs that were accepted already counting
as better ones. So a need with many good pairs does not fill the queue, and every need's best pair comes early. The gain is
stored with the pair (`review_item.gain`) and kept when pairs are ranked, decided or withdrawn; reading is a walk along its index.

**Stretches.** Needs that an operator assigned to the broker come first, whatever its profile says. Then the others within
the profile's fields, regions and organizations; where partner regions are asked for first, pairs between partner regions, then
those between east and west, then the rest.

**Once.** The queue holds pairs in the state `proposed` and no others, so that nothing decided comes back. A snoozed pair comes
again when its time has come, and one whose decision was undone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from service.brokers import service as brokers
from service.brokers.service import Scope
from service.errors import FieldProblem, Forbidden, OutOfTurn, ValidationProblem
from service.kit.actor import Actor, Role
from service.kit.clock import now
from service.kit.db import Connection, Row
from service.kit.language import Text
from service.kit.pages import decode_cursor, encode_cursor
from service.matches import history, lists
from service.review import repository
from service.review.leases import holder_of
from service.review.repository import Stretch
from service.review.schemas import From, LeaseAnswer, LeaseRequest, Released, ReviewItem, ReviewPage

READERS = (Role.BROKER, Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM)
DECIDERS = (Role.BROKER, Role.ADMINISTRATOR)
# Pairs that one broker may have under lease at a time.
MOST_LEASED = 100
PARTNERSHIPS = (2, 1, 0)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended: the stretch, and gain and id of the last pair."""

    stretch: int
    after: tuple[float, UUID] | None


def stretches_of(scope: Scope, source: From) -> list[Stretch]:
    """The stretches of a broker's queue, in order. Does no I/O."""
    rest = [None] if source == "anywhere" else list(PARTNERSHIPS)
    stretches = [Stretch(needs=scope.needs)] if scope.needs else []
    return stretches + [
        Stretch(
            without=scope.needs,
            fields=scope.fields,
            regions=scope.regions,
            organizations=scope.organizations,
            partnership=partnership,
        )
        for partnership in rest
    ]


async def read_queue(
    connection: Connection, actor: Actor, source: From, *, leased: bool, limit: int, cursor: str | None
) -> ReviewPage:
    """A page of the actor's queue, or of what it has under lease. What others have under lease is not shown.

    Raises:
        Forbidden: reviewing is not the actor's work. ValidationProblem: the cursor is not of this list.
    """
    if not actor.has(*READERS):
        raise Forbidden(Text("审阅队列仅对技术经理人和运营方开放", "The review queue is for brokers and operators"))
    await repository.plan_each_time(connection)
    scope = await brokers.scope_of(connection, actor)
    moment, holder = now(), holder_of(actor)
    start = _position(cursor)
    if leased:
        rows = await repository.leased_items(connection, holder, moment, after=start.after, limit=limit + 1)
        found = [(0, row) for row in rows]
    else:
        found = []
        for number, stretch in enumerate(stretches_of(scope, source)):
            if number < start.stretch or len(found) > limit:
                continue
            rows = await repository.open_items(
                connection,
                stretch,
                holder,
                moment,
                after=start.after if number == start.stretch else None,
                limit=limit + 1 - len(found),
            )
            found += [(number, row) for row in rows]
    shown = found[:limit]
    more = None
    if len(found) > limit:
        number, last = shown[-1]
        more = encode_cursor(number, last["gain"], str(last["recommendation_id"]))
    rows = [row for _, row in shown]
    return ReviewPage(items=await _present(connection, actor, rows, scope, moment), next=more)


def _position(cursor: str | None) -> Position:
    position = decode_cursor(cursor, int, float, UUID)
    if position is None:
        return Position(0, None)
    stretch, gain, identifier = position
    if not isinstance(stretch, int) or stretch < 0:
        text = Text("游标无效：请使用上一页返回的 next", "Not a cursor of this list: pass `next` of the page before")
        raise ValidationProblem([FieldProblem("cursor", "cursor", text)])
    return Position(stretch, (float(str(gain)), UUID(str(identifier))))


async def lease(connection: Connection, actor: Actor, request: LeaseRequest, length: timedelta) -> LeaseAnswer:
    """Take the best free pairs of the actor's queue for a while; two who come at once never get the same.

    Raises:
        Forbidden: the actor decides on no pairs. OutOfTurn: it has as many under lease as it may.
    """
    holder = holder_of(actor)
    if not actor.has(*DECIDERS) or holder is None or actor.organization_id is None:
        raise Forbidden(Text("领取推荐需要技术经理人密钥", "Taking pairs to review takes a broker's key"))
    await repository.plan_each_time(connection)
    moment = now()
    until = moment + length
    room = MOST_LEASED - await repository.count_leased(connection, actor.organization_id, actor.person_id, moment)
    if room <= 0:
        raise OutOfTurn(
            Text(
                f"已占用 {MOST_LEASED} 条推荐：请先作出决定，或用 DELETE /v1/review/leases 释放",
                f"You have {MOST_LEASED} pairs already: decide on them, or release some by DELETE /v1/review/leases",
            )
        )
    scope = await brokers.scope_of(connection, actor)
    most = min(request.limit, room)
    taken: list[Row] = []
    for stretch in stretches_of(scope, request.source):
        if len(taken) < most:
            taken += await repository.take(connection, actor, stretch, holder, moment, until, limit=most - len(taken))
    return LeaseAnswer(leased_until=until, items=await _present(connection, actor, taken, scope, moment))


async def release(connection: Connection, actor: Actor, identifiers: list[UUID] | None) -> Released:
    """Give pairs back: those named as far as they are the actor's, or all.

    Raises:
        Forbidden: the actor decides on no pairs.
    """
    holder = holder_of(actor)
    if not actor.has(*DECIDERS) or holder is None:
        raise Forbidden(Text("释放推荐需要技术经理人密钥", "Giving pairs back takes a broker's key"))
    return Released(released=sorted(await repository.release(connection, holder, identifiers)))


async def _present(
    connection: Connection, actor: Actor, rows: Iterable[Row], scope: Scope, moment: datetime
) -> list[ReviewItem]:
    """Pairs of the queue with both sides, explanation, indicators and what was decided on their sides before."""
    by_pair = {row["recommendation_id"]: row for row in rows}
    pairs = await lists.recommendations(connection, actor, list(by_pair))
    earlier = await history.of_pairs(connection, pairs)
    holder, needs = holder_of(actor), frozenset(scope.needs)
    return [
        ReviewItem(
            recommendation=pair,
            gain=by_pair[pair.id]["gain"],
            partnership=by_pair[pair.id]["partnership"],
            assigned=pair.need.id in needs,
            leased_until=_lease_of(by_pair[pair.id], holder, moment),
            history=earlier[pair.id],
        )
        for pair in pairs
    ]


def _lease_of(row: Row, holder: UUID | None, moment: datetime) -> datetime | None:
    until: datetime | None = row["leased_until"]
    return until if until is not None and until > moment and row["leased_to"] == holder else None
