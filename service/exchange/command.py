"""Import, export and template from the command line, in the name of the service itself."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from service.exchange import codebook
from service.exchange.columns import ImportKind
from service.exchange.exports import export_path
from service.exchange.report import as_spreadsheet, as_table
from service.exchange.runs import TargetState, import_path
from service.exchange.templates import template
from service.kit.actor import SYSTEM
from service.kit.db import transaction
from service.kit.language import Text
from service.resources import open_database, open_pool
from service.settings import Settings


def _progress(console: Console) -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}"),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console)


async def import_command(
    settings: Settings,
    console: Console,
    path: Path,
    kind: ImportKind,
    organization: str | None,
    state: TargetState,
    dry_run: bool,
    report_file: Path | None,
) -> bool:
    """Import, print the report, and write it where a file is given; whether every row went in."""
    urls = await open_database(settings, migrating=True)
    async with open_pool(settings, urls, "duijie import") as pool:
        with _progress(console) as progress:
            task = progress.add_task(str(Text("导入", "import")), total=None)
            report = await import_path(
                pool,
                SYSTEM,
                path,
                kind,
                organization=organization,
                state=state,
                dry_run=dry_run,
                on_progress=lambda rows: progress.advance(task, rows),
            )
            progress.update(task, total=report.total, completed=report.total)
    console.print(as_table(report, settings.language))
    if dry_run:
        console.print(str(Text("试运行：未写入任何内容", "Dry run: nothing was written")))
    if report_file is not None:
        report_file.write_bytes(as_spreadsheet(report.problems, settings.language))
    return report.refused == 0


async def export_command(
    settings: Settings, console: Console, path: Path, kind: ImportKind, states: list[str] | None, language: str
) -> None:
    """Export to a file and say how much it holds."""
    urls = await open_database(settings, migrating=True)
    async with open_pool(settings, urls, "duijie export") as pool:
        with _progress(console) as progress:
            task = progress.add_task(str(Text("导出", "export")), total=None)
            count = await export_path(
                pool,
                SYSTEM,
                kind,
                path,
                states=states or None,
                language=language,
                on_progress=lambda rows: progress.advance(task, rows),
            )
    console.print(str(Text(f"已导出 {count} 条到 {path}", f"Exported {count} to {path}")), highlight=False)


async def template_command(settings: Settings, console: Console, path: Path, kind: ImportKind, language: str) -> None:
    """Write a template."""
    urls = await open_database(settings, migrating=True)
    async with open_pool(settings, urls, "duijie template") as pool, transaction(pool, SYSTEM) as connection:
        book = await codebook.load(connection)
    path.write_bytes(template(kind, "zh" if language == "zh" else "en", book.labels))
    console.print(str(Text(f"模板已写入 {path}", f"Wrote {path}")), highlight=False)
