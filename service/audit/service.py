"""Rules of the audit trail: who reads it, and how much is checked in one request."""

from uuid import UUID

from service.audit import repository
from service.audit.messages import message_of
from service.audit.repository import Filters
from service.audit.schemas import AuditBreak, AuditEvent, AuditHead, AuditVerification
from service.audit.verification import Verdict, read_anchor, snapshot, verify
from service.errors import FieldProblem, Forbidden, ValidationProblem
from service.events.chain import Point
from service.kit.actor import Actor, Role
from service.kit.db import Connection, Pool
from service.kit.language import Text
from service.kit.pages import Page, decode_cursor, encode_cursor

READERS = (Role.OPERATOR, Role.AUTHORITY, Role.ADMINISTRATOR, Role.SYSTEM)
# Positions checked in one request; longer stretches are for `duijie audit verify`.
LONGEST_RANGE = 10_000


def check_may_read(actor: Actor) -> None:
    """The trail is for those who watch over the market.

    Raises:
        Forbidden: the actor is none of them.
    """
    if not actor.has(*READERS):
        raise Forbidden(
            Text(
                "审计记录仅对运营方、主管部门和管理员开放",
                "The audit trail is for operators, authorities and administrators",
            )
        )


async def events_page(
    connection: Connection, actor: Actor, filters: Filters, limit: int, cursor: str | None
) -> Page[AuditEvent]:
    """Events by filters, the latest first."""
    check_may_read(actor)
    if filters.since is not None and filters.until is not None and filters.until <= filters.since:
        raise ValidationProblem([FieldProblem("to", "range_order", Text("须晚于 from", "Must lie after `from`"))])
    position = decode_cursor(cursor, int)
    before = int(str(position[0])) if position else None
    rows = await repository.events(connection, filters, before, limit + 1)
    items = [
        AuditEvent.model_validate(dict(row) | {"digest": row["digest"].hex(), "hash": row["hash"].hex()})
        for row in rows[:limit]
    ]
    return Page(items=items, next=encode_cursor(items[-1].position) if len(rows) > limit else None)


async def read_head(connection: Connection, actor: Actor) -> AuditHead:
    """The end of the chain."""
    check_may_read(actor)
    return _head(await repository.head(connection), (await repository.start(connection)).position + 1)


async def verify_range(
    pool: Pool, actor: Actor, first: int | None, last: int | None, anchor: str | None
) -> AuditVerification:
    """Check a stretch of at most `LONGEST_RANGE` positions; with neither end named, the latest.

    Raises:
        ValidationProblem: the stretch is too long or none, or the anchor cannot be read.
    """
    check_may_read(actor)
    expected = read_anchor(anchor) if anchor is not None else None
    async with snapshot(pool, actor) as connection:
        head = await repository.head(connection)
        begin, end = _bounds(first, last, head.position)
        verdict = await verify(connection, first=begin, last=end, anchor=expected)
        kept_from = (await repository.start(connection)).position + 1
    return _shown(verdict, kept_from)


def _bounds(first: int | None, last: int | None, head: int) -> tuple[int, int]:
    if first is None:
        end = head if last is None else last
        return max(1, end - LONGEST_RANGE + 1), end
    end = min(head, first + LONGEST_RANGE - 1) if last is None else last
    if last is not None and last < first:
        raise ValidationProblem(
            [FieldProblem("to", "range_order", Text("不得小于 from", "Must not be less than `from`"))]
        )
    if end - first >= LONGEST_RANGE:
        text = Text(
            f"一次最多核验 {LONGEST_RANGE} 个位置，请分段核验或使用 duijie audit verify",
            f"At most {LONGEST_RANGE} positions at once: take it in parts, or use `duijie audit verify`",
        )
        raise ValidationProblem([FieldProblem("to", "range_too_long", text)])
    return first, end


def _head(point: Point, kept_from: int) -> AuditHead:
    return AuditHead(position=point.position, hash=point.hash.hex(), anchor=str(point), kept_from=kept_from)


def _shown(verdict: Verdict, kept_from: int) -> AuditVerification:
    broken = verdict.broken
    return AuditVerification(
        holds=verdict.holds,
        first=verdict.first,
        last=verdict.last,
        checked=verdict.checked,
        head=_head(verdict.head, kept_from),
        broken=broken
        and AuditBreak(
            fault=broken.fault,
            position=broken.position,
            event_id=UUID(broken.event_id) if broken.event_id else None,
            message=str(message_of(broken)),
        ),
    )
