"""Check the chain: every hash is computed anew here, from what the database shows."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID

from service.audit import repository
from service.errors import FieldProblem, ValidationProblem
from service.events.chain import BEGINNING, Break, Event, Fault, Point, digest_of, follow
from service.kit.actor import Actor
from service.kit.db import Connection, Pool, set_actor
from service.kit.language import Text

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was checked: seals `first` to `last`, how many held before a break, the head, and the first break if any."""

    first: int
    last: int
    checked: int
    head: Point
    broken: Break | None

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return self.broken is None


@asynccontextmanager
async def snapshot(pool: Pool, actor: Actor) -> AsyncIterator[Connection]:
    """A transaction whose statements all see the same moment, so that a pruning meanwhile does not look like a break."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        await set_actor(connection, actor)
        yield connection


def read_anchor(text: str) -> Point:
    """An anchor as it was written down: POSITION:HASH.

    >>> read_anchor("3:" + "ab" * 32).position
    3

    Raises:
        ValidationProblem: it is not one.
    """
    position, _, digits = text.strip().partition(":")
    try:
        if position.isascii() and position.isdigit() and len(position) <= 18 and len(digits) == 64:
            return Point(int(position), bytes.fromhex(digits))
    except ValueError:
        pass
    message = Text(
        "锚点格式应为“位置:散列值”，即 duijie audit head 输出的内容",
        "An anchor is POSITION:HASH, as `duijie audit head` prints it",
    )
    raise ValidationProblem([FieldProblem("anchor", "anchor", message)])


async def verify(
    connection: Connection,
    *,
    first: int | None = None,
    last: int | None = None,
    anchor: Point | None = None,
    on_progress: Progress = lambda _: None,
) -> Verdict:
    """Check the chain from `first` to `last`, both included, else as far as it is kept; in bounded memory.

    Also whether events lie outside the chain, whether its beginning is the one that a pruning left, and whether the
    `anchor` is in it. `on_progress` takes the number of seals checked since its last call. The connection is that of a
    `snapshot`, and sees every event.
    """
    origin, head = await repository.start(connection), await repository.head(connection)
    begin = max(first or 1, origin.position + 1)
    end = head.position if last is None else min(last, head.position)
    walk = await _walk(connection, origin, begin, end, on_progress)
    broken = (
        await _unfounded(connection, origin)
        or walk.broken
        or await _against_anchor(connection, origin, head, anchor)
        or await _outside(connection, walk, from_start=begin == origin.position + 1, to_end=end == head.position)
    )
    return Verdict(begin, end, walk.checked, head, broken)


async def _unfounded(connection: Connection, origin: Point) -> Break | None:
    if origin == BEGINNING or await repository.pruning_is_recorded(connection, origin):
        return None
    return Break(Fault.CHECKPOINT_UNFOUNDED, origin.position)


@dataclass(frozen=True, slots=True)
class _Walk:
    checked: int
    broken: Break | None
    lowest: str | None = None
    highest: str | None = None


async def _walk(connection: Connection, origin: Point, begin: int, end: int, on_progress: Progress) -> _Walk:
    point = origin if begin == origin.position + 1 else await repository.point_at(connection, begin - 1)
    if point is None:
        return _Walk(0, Break(Fault.SEAL_MISSING, begin - 1) if begin <= end else None)
    checked, lowest, highest = 0, None, None
    async for entry in repository.sealed(connection, begin, end):
        step = follow(point, entry.seal, entry.event)
        if isinstance(step, Break):
            return _Walk(checked, await _explained(connection, step, point, entry.seal.hash, entry.event))
        point = step
        # Keys as texts sort as the keys do.
        lowest = min(lowest or entry.seal.event_id, entry.seal.event_id)
        highest = max(highest or entry.seal.event_id, entry.seal.event_id)
        checked += 1
        if checked % repository.BATCH == 0:
            on_progress(repository.BATCH)
    on_progress(checked % repository.BATCH)
    missing = Break(Fault.SEAL_MISSING, point.position + 1) if point.position < end else None
    return _Walk(checked, missing, lowest, highest)


async def _explained(
    connection: Connection, found: Break, before: Point, hash_there: bytes, event: Event | None
) -> Break:
    """The same break, as a reordering where what belongs here stands at another place."""
    other = None
    if found.fault is Fault.EVENT_CHANGED and event is not None:
        other = await repository.position_of_digest(connection, digest_of(event))
    elif found.fault is Fault.LINK_BROKEN:
        other = await repository.position_of_link(connection, before, hash_there)
    return found if other is None else replace(found, fault=Fault.REORDERED, other=other)


async def _against_anchor(connection: Connection, origin: Point, head: Point, anchor: Point | None) -> Break | None:
    if anchor is None or anchor in (origin, head, BEGINNING):
        return None
    if anchor.position > head.position:
        return Break(Fault.TAIL_MISSING, head.position + 1)
    if anchor.position < origin.position:
        return Break(Fault.ANCHOR_PRUNED, anchor.position)
    there = origin if anchor.position == origin.position else await repository.point_at(connection, anchor.position)
    if there is None:
        return Break(Fault.SEAL_MISSING, anchor.position)
    return None if there.hash == anchor.hash else Break(Fault.ANCHOR_DIFFERS, anchor.position)


async def _outside(connection: Connection, walk: _Walk, *, from_start: bool, to_end: bool) -> Break | None:
    """An event without a seal; of a part of the chain, among the keys of that part."""
    lowest = None if from_start or walk.lowest is None else UUID(walk.lowest)
    highest = None if to_end or walk.highest is None else UUID(walk.highest)
    found = await repository.unsealed(connection, lowest, highest)
    return Break(Fault.EVENT_UNSEALED, None, found) if found else None
