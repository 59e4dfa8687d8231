"""What the commands `duijie audit …` do, in the name of the service itself."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path

import asyncpg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from service.audit import exports, repository
from service.audit.messages import message_of
from service.audit.verification import Progress as Report
from service.audit.verification import Verdict, read_anchor, snapshot, verify
from service.errors import FieldProblem, Forbidden, ValidationProblem
from service.events import log
from service.kit.actor import SYSTEM
from service.kit.clock import MARKET_ZONE, today
from service.kit.db import Connection, prepare_connection, set_actor
from service.kit.language import Text
from service.resources import open_database, open_pool
from service.settings import Settings

# Chains shorter than this are checked in less time than a bar takes to read.
WORTH_A_BAR = 20_000


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[Connection]:
    urls = await open_database(settings, migrating=True)
    # A whole chain may take longer than a request's statement.
    patient = settings.model_copy(update={"statement_timeout_ms": 0})
    async with open_pool(patient, urls, "duijie audit") as pool, snapshot(pool, SYSTEM) as connection:
        yield connection


@contextmanager
def _bar(console: Console, what: Text, total: int) -> Iterator[Report]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=total < WORTH_A_BAR) as progress:
        task = progress.add_task(str(what), total=total)
        yield lambda count: progress.advance(task, count)


async def verify_database(
    settings: Settings, console: Console, errors: Console, first: int | None, last: int | None, anchor: str | None
) -> bool:
    """Check the chain in the database and say what was found; whether it holds."""
    expected = read_anchor(anchor) if anchor is not None else None
    async with _open(settings) as connection:
        head = await repository.head(connection)
        total = min(last or head.position, head.position) - (first or 1) + 1
        with _bar(errors, Text("核验审计链", "verifying"), total) as on_progress:
            verdict = await verify(connection, first=first, last=last, anchor=expected, on_progress=on_progress)
    return _say(console, verdict)


async def verify_export(console: Console, path: Path, anchor: str | None) -> bool:
    """Check an exported file and say what was found; whether it holds."""
    return _say(console, exports.verify_file(path, read_anchor(anchor) if anchor is not None else None))


def _say(console: Console, verdict: Verdict) -> bool:
    if verdict.broken is not None:
        message = message_of(verdict.broken)
        for line in (f"审计链断裂：{message.zh}", f"the chain is broken: {message.en}"):
            console.print(line, style="red", highlight=False, soft_wrap=True)
        return False
    span = f"{verdict.first}–{verdict.last}" if verdict.last >= verdict.first else "–"
    lines = (
        f"审计链完整：核验 {verdict.checked} 个事件（位置 {span}）",
        f"the chain holds: {verdict.checked} events checked (positions {span})",
    )
    for line in lines:
        console.print(line, style="green", highlight=False, soft_wrap=True)
    console.print(f"{verdict.head}", highlight=False, soft_wrap=True)
    return True


async def print_head(settings: Settings) -> str:
    """The end of the chain as an anchor."""
    async with _open(settings) as connection:
        return str(await repository.head(connection))


async def export_days(settings: Settings, console: Console, path: Path, first: date, last: date) -> None:
    """Write the events of some days to a file and say how many there are."""
    async with _open(settings) as connection:
        count = await exports.write(connection, path, first, last, lambda _: None)
    console.print(str(Text(f"已导出 {count} 个事件：{path}", f"wrote {count} events to {path}")), soft_wrap=True)


async def prune_old(settings: Settings, console: Console, before: date | None) -> None:
    """Remove events past their time, over the owner's connection; leaves a checkpoint and an event of its own.

    Raises:
        ValidationProblem: some of them must still be kept. Forbidden: the connection is not the owner's.
    """
    latest = today() - timedelta(days=settings.audit_days)
    if before is not None and before > latest:
        text = Text(
            f"{latest} 及以后的事件须继续留存（DUIJIE_AUDIT_DAYS={settings.audit_days}）",
            f"Events of {latest} and later are still to be kept (DUIJIE_AUDIT_DAYS={settings.audit_days})",
        )
        raise ValidationProblem([FieldProblem("before", "retention", text)])
    urls = await open_database(settings, migrating=True)
    owner = await asyncpg.connect(urls.owner, server_settings={"search_path": "public, matching"})
    try:
        await prepare_connection(owner)
        pruned = await prune(owner, datetime.combine(before or latest, time(), MARKET_ZONE))
    except asyncpg.InsufficientPrivilegeError as error:
        text = Text(
            f"数据库拒绝清理（{error}）：请在 DUIJIE_OWNER_DATABASE_URL 中使用表的属主",
            f"The database refuses ({error}): DUIJIE_OWNER_DATABASE_URL must connect as the owner of the tables",
        )
        raise Forbidden(text) from error
    finally:
        await owner.close()
    if pruned is None:
        console.print(str(Text("没有到期的事件", "no event is past its time")))
        return
    text = Text(
        f"已清理 {pruned.events} 个事件，至位置 {pruned.point.position}",
        f"removed {pruned.events} events, up to position {pruned.point.position}",
    )
    console.print(str(text), highlight=False)


async def prune(owner: Connection, before: datetime) -> repository.Pruned | None:
    """Remove the events from the beginning that are all older than `before`, and record it, in one transaction."""
    async with owner.transaction():
        await set_actor(owner, SYSTEM)
        pruned = await repository.prune(owner, before)
        if pruned is not None:
            data = {
                "position": pruned.point.position,
                "hash": pruned.point.hash.hex(),
                "events": pruned.events,
                "before": before.isoformat(),
            }
            await log.record(owner, SYSTEM, "event_chain", pruned.event_id, "prune", data=data)
    return pruned
