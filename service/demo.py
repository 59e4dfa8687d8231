"""The demonstration: load it, rank it with progress, print matches with reasons, serve. Safe to kill and run again."""

import asyncio
from functools import partial
from pathlib import Path

from rich.console import Console, Group
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text as Line

from service import demo_chain, demo_keys, serving, worker
from service.exchange.columns import ImportKind
from service.exchange.runs import import_path
from service.kit import queue
from service.kit.actor import SYSTEM, Role
from service.kit.db import Pool, transaction
from service.kit.language import Text
from service.listings import service as listings
from service.listings.schemas import Kind, Listing
from service.matches import lists
from service.matches import repository as pairs
from service.matches.schemas import MatchLevel, StoredMatch
from service.resources import Resources, open_resources
from service.settings import SEEDS, Settings

FOLDER = SEEDS / "demo"
# Needs that show what ranking does: long and short, figures that decide, other languages, and one without an answer.
SHOWN = ("need-e-01", "need-a-01", "need-e-13", "need-a-17", "need-e-26", "need-e-25")
MATCHES_SHOWN = 4
LEVELS = {
    MatchLevel.STRONG: (Text("强相关", "strong"), "bold green"),
    MatchLevel.FAIR: (Text("较强相关", "fair"), "cyan"),
    MatchLevel.WEAK: (Text("弱相关", "weak"), "yellow"),
    MatchLevel.NONE: (Text("无相关", "none"), "dim"),
}


async def run(settings: Settings, *, once: bool, console: Console) -> None:
    """Load, rank, print; then serve until told to stop, unless `once`."""
    console.print(Text("准备数据库与模型……", "Preparing the database and the model …").in_(settings.language))
    async with open_resources(settings) as resources:
        with _progress(console) as progress:
            await _load(resources.pool, progress)
            await _rank(resources, settings, progress)
        await demo_chain.run(resources.pool, settings)
        keys = await demo_keys.make(resources.pool, settings.home)
        for external_id in SHOWN:
            console.print(await _ranked(resources.pool, external_id))
        console.print(await demo_chain.summary(resources.pool), highlight=False)
        console.print(_addresses(settings, keys))
        if not once:
            await serving.serve_with(settings, resources)


def _progress(console: Console) -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console)


async def _load(pool: Pool, progress: Progress) -> None:
    """Import organizations first, then what they post; rows that are there already are left as they are."""
    steps: tuple[tuple[ImportKind, Text], ...] = (
        ("organizations", Text("导入单位", "organizations")),
        ("outcomes", Text("导入成果", "outcomes")),
        ("needs", Text("导入需求", "needs")),
    )
    for kind, label in steps:
        task = progress.add_task(str(label), total=None)
        files = sorted(FOLDER.glob(f"{kind}-*.jsonl"))
        progress.update(task, total=sum(_lines(file) for file in files))
        advance = partial(progress.advance, task)
        for file in files:
            report = await import_path(
                pool,
                SYSTEM,
                file,
                kind,
                state="published",
                on_progress=advance,
            )
            if report.refused:
                raise RuntimeError(f"{file.name}: {report.problems[0]}")


def _lines(file: Path) -> int:
    with file.open("rb") as lines:
        return sum(1 for line in lines if line.strip())


async def _rank(resources: Resources, settings: Settings, progress: Progress) -> None:
    """Run the jobs that publication left, with a bar that counts them down."""
    async with transaction(resources.pool, SYSTEM) as connection:
        unfinished = await pairs.unindexed(connection, 1) or await pairs.unranked(connection, 1)
        if not unfinished and not await queue.waiting(connection):
            # Everything is ranked already: the worker that serving starts does the rest, while the encoder loads.
            return
    working = asyncio.create_task(worker.drain(resources, concurrency=settings.worker_concurrency))
    task = progress.add_task(Text("编码与排序", "embed and rank").in_(settings.language), total=None)
    most = 0
    while not working.done():
        async with resources.pool.acquire() as connection:
            left = await queue.waiting(connection)
        most = max(most, left)
        progress.update(task, total=most or None, completed=most - left)
        await asyncio.wait({working}, timeout=0.3)
    await working
    progress.update(task, total=most or 1, completed=most or 1)


async def _ranked(pool: Pool, external_id: str) -> Panel:
    async with transaction(pool, SYSTEM) as connection:
        need_id = await listings.find_anywhere(connection, Kind.NEED, external_id)
        assert need_id is not None
        need = await listings.stored(connection, Kind.NEED, need_id)
        assert need is not None
        page = await lists.ranked_page(connection, SYSTEM, Kind.NEED, need_id, limit=MATCHES_SHOWN)
    table = Table(expand=True, show_edge=False, pad_edge=False)
    for heading, ratio in (
        ("#", 1),
        (Text("成果", "outcome"), 12),
        (Text("相关度", "fit"), 4),
        (Text("理由", "why"), 22),
    ):
        table.add_column(str(heading), ratio=ratio, overflow="fold")
    for match in page.items:
        table.add_row(str(match.rank), _outcome_cell(match), _fit_cell(match), match.reason)
    return Panel(Group(_need_lines(need), table), title=f"{Text('需求', 'need')} {external_id}", title_align="left")


def _need_lines(need: Listing) -> Line:
    head = Line(need.title, style="bold")
    if need.indicators:
        head.append("\n" + "；".join(need.indicators[:4]), style="not bold")
    return head


def _outcome_cell(match: StoredMatch) -> str:
    by = match.counterpart.organization.name if match.counterpart.organization else ""
    return f"{match.counterpart.title}\n[dim]{by}[/]"


def _fit_cell(match: StoredMatch) -> str:
    label, style = LEVELS[match.level]
    share = ">99%" if match.probability > 0.99 else f"{match.probability:.0%}"
    return f"[{style}]{label}[/]\n{share}"


def _addresses(settings: Settings, keys: dict[Role, str]) -> Panel:
    base = f"http://{settings.host}:{settings.port}"
    table = Table(show_header=False, show_edge=False)
    for role, key in keys.items():
        table.add_row(role.value, key)
    first = f"curl -H 'Authorization: Bearer {keys[Role.BROKER]}' {base}/v1/needs"
    heading = Text(
        f"接口文档 {base}/docs    各角色演示密钥：", f"Interactive documentation {base}/docs    one key a role:"
    )
    return Panel(Group(str(heading), table, first), title="API", title_align="left")
