"""A stretch of the chain as JSON Lines, and checking such a file without a database.

The first line is the head of the file: the format, the days, and the place of the chain before the first event. Each
other line is one event with its seal. `data` is the JSON text that was sealed, as a string: read it by parsing it, hash
it as it is.
"""

from dataclasses import asdict, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import orjson

from service.audit import repository
from service.audit.repository import Entry
from service.audit.verification import Progress, Verdict, read_anchor
from service.errors import FieldProblem, NotFound, ValidationProblem
from service.events.chain import BEGINNING, Break, Event, Fault, Point, Seal, follow
from service.kit.clock import MARKET_ZONE
from service.kit.db import Connection
from service.kit.language import Text

FORMAT = "duijie-audit-1"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAMES = tuple(each.name for each in fields(Event))
# Days outside of these have no events, and no instant that the database takes.
EARLIEST, LATEST = date(1970, 1, 1), date(9000, 1, 1)


def bounds_of(first: date, last: date) -> tuple[datetime, datetime]:
    """The instants from the beginning of the first day to the end of the last, where the market is.

    Raises:
        ValidationProblem: the last day lies before the first.
    """
    if last < first:
        raise ValidationProblem(
            [FieldProblem("to", "range_order", Text("不得早于 from", "Must not lie before `from`"))]
        )
    begin = datetime.combine(max(first, EARLIEST), time(), MARKET_ZONE)
    return begin, datetime.combine(min(last, LATEST) + timedelta(days=1), time(), MARKET_ZONE)


async def write(connection: Connection, path: Path, first: date, last: date, on_progress: Progress) -> int:
    """Write the events of the days to a file; how many. The connection is that of a snapshot.

    Raises:
        NotFound: the days have no event.
    """
    span = await repository.span(connection, *bounds_of(first, last))
    if span is None:
        raise NotFound(Text("这些日期内没有事件", "There are no events on these days"))
    start = await repository.start(connection)
    before = start if span[0] == start.position + 1 else await repository.point_at(connection, span[0] - 1)
    head = {"format": FORMAT, "from": first, "to": last, "after": str(before) if before else None}
    count = 0
    with path.open("wb") as file:
        file.write(orjson.dumps(head | {"first": span[0], "last": span[1]}, option=orjson.OPT_APPEND_NEWLINE))
        async for entry in repository.sealed(connection, *span):
            file.write(_line(entry))
            count += 1
            if count % repository.BATCH == 0:
                on_progress(repository.BATCH)
    return count


def _line(entry: Entry) -> bytes:
    seal, event = entry.seal, entry.event
    row: dict[str, Any] = {"position": seal.position, "digest": seal.digest.hex(), "hash": seal.hash.hex()}
    if event is None:
        row["id"] = seal.event_id
    else:
        row |= {"id": event.id, "at": _instant(event.at_microseconds)} | asdict(event)
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def _instant(microseconds: str) -> str | None:
    """For people; the seal is of the number."""
    try:
        return (EPOCH + timedelta(microseconds=int(microseconds))).isoformat()
    except (ValueError, OverflowError):
        return None


def verify_file(path: Path, anchor: Point | None = None) -> Verdict:
    """Check an exported file, line by line: that nothing in it was changed, removed, added or put in another order.

    Raises:
        ValidationProblem: it is no such file (the line is named), or the anchor is of a place that is not in it.
    """
    with path.open("rb") as file:
        lines = enumerate(file, start=1)
        before, first, last = _read_head(next(lines, (1, b""))[1])
        if anchor is not None and not first - 1 <= anchor.position <= last:
            text = Text(
                f"文件只含位置 {first} 至 {last}，锚点不在其中",
                f"The file holds positions {first} to {last}; the anchor is not among them",
            )
            raise ValidationProblem([FieldProblem("anchor", "in_file", text)])
        if before is None:
            return Verdict(first, last, 0, BEGINNING, Break(Fault.SEAL_MISSING, first - 1))
        point, broken = before, _differs(before, anchor)
        for number, line in lines:
            if broken is not None:
                break
            entry = _read_line(number, line)
            step = follow(point, entry.seal, entry.event)
            if isinstance(step, Break):
                broken = step
                break
            point = step
            broken = _differs(point, anchor)
        if broken is None and point.position < last:
            broken = Break(Fault.SEAL_MISSING, point.position + 1)
        # The place is not lost if it comes later.
        later = (_read_line(number, line).seal.position for number, line in lines)
        if broken is not None and broken.fault is Fault.SEAL_MISSING and broken.position in set(later):
            broken = replace(broken, fault=Fault.REORDERED)
    return Verdict(first, last, point.position - before.position, point, broken)


def _differs(point: Point, anchor: Point | None) -> Break | None:
    if anchor is None or anchor.position != point.position or anchor.hash == point.hash:
        return None
    return Break(Fault.ANCHOR_DIFFERS, point.position)


def _read_head(line: bytes) -> tuple[Point | None, int, int]:
    try:
        head = orjson.loads(line)
        if head["format"] != FORMAT:
            raise ValueError(head["format"])
        before = read_anchor(head["after"]) if head["after"] is not None else None
        return before, int(head["first"]), int(head["last"])
    except (ValueError, KeyError, TypeError, ValidationProblem) as error:
        raise _unreadable(1) from error


def _read_line(number: int, line: bytes) -> Entry:
    try:
        row = orjson.loads(line)
        seal = Seal(int(row["position"]), str(row["id"]), bytes.fromhex(row["digest"]), bytes.fromhex(row["hash"]))
        texts = {name: row[name] for name in NAMES} if "data" in row else None
        if texts is not None and not all(value is None or isinstance(value, str) for value in texts.values()):
            raise TypeError("every field is a text or null")
        return Entry(seal, Event(**texts) if texts is not None else None)
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(number) from error


def _unreadable(number: int) -> ValidationProblem:
    text = Text(
        f"第 {number} 行不是 duijie audit export 写出的内容", f"Line {number} is not what `duijie audit export` writes"
    )
    return ValidationProblem([FieldProblem("file", "audit_export", text)])
