"""`make mutate`: run the mutants that have no result yet, print what became of each, exit with 1 where one survives."""

import asyncio
import random
import tempfile
from collections import deque
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import asyncpg
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from proof.mutation import database, guards, judged, probing, statements
from proof.mutation.covering import Traces
from proof.mutation.mutants import Mutant, in_a_room, numbered, sources
from proof.mutation.running import Result, Workshop, copy_project
from proof.mutation.suites import EVERYTHING, nearest
from proof.scratch import fast_folder
from service import (
    app,  # noqa: F401 - a fork starts with what it imports
    embedded,
)
from service.migrate import prepare_embedded

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / ".cache" / "mutation" / "results.jsonl"
console = Console(width=140)


async def all_mutants(server: embedded.EmbeddedServer) -> list[Mutant]:
    """Every mutant of the schema, then of the code."""
    connection = await asyncpg.connect(server.url("postgres", "duijie"))
    try:
        schema = [mutant async for mutant in database.find(connection)]
    finally:
        await connection.close()
    files = sources(ROOT)
    return numbered(filter(in_a_room, [*schema, *guards.find(files), *statements.find(files)]))


async def probe(mutants: list[Mutant], server: embedded.EmbeddedServer) -> None:
    """Judge what needs no test run, and keep what is caught."""
    if mutants:
        async for result in probing.judge(mutants, server):
            console.print(_line(result))
            if result.outcome == "caught":
                judged.keep(RESULTS, result)


async def run(mutants: list[Mutant], server: embedded.EmbeddedServer, folder: Path, workers: int, *, far: bool) -> None:
    """Judge the mutants by so many workers at once, and keep each result at once."""
    waiting = deque(mutants)
    traces = Traces()
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("mutants", total=len(mutants))

        def work(number: int) -> None:
            copy = folder / f"copy{number}"
            copy_project(ROOT, copy)
            workshop = Workshop(copy, server, traces)
            while waiting:
                mutant = waiting.popleft()
                suites = (*nearest(mutant), *(EVERYTHING if far else ()))
                result = workshop.judge(mutant, suites)
                judged.keep(RESULTS, result)
                progress.console.print(_line(result))
                progress.advance(task)

        await asyncio.gather(*(asyncio.to_thread(work, number) for number in range(workers)))


def _line(result: Result) -> str:
    color = {"caught": "green", "survived": "red"}.get(result.outcome, "yellow")
    return f"[{color}]{result.outcome:8}[/] {result.seconds:5.1f}s {result.name}  [dim]{escape(result.test[-160:])}[/]"


def main(
    only: Annotated[str, typer.Option(help="names to take, * stands for anything")] = "*",
    workers: Annotated[int, typer.Option(help="how many at once")] = 1,
    sample: Annotated[int, typer.Option(help="so many of them, drawn by chance; 0: all")] = 0,
    list_only: Annotated[bool, typer.Option("--list", help="print the names and stop")] = False,
    again: Annotated[bool, typer.Option(help="also those that have a result")] = False,
    survivors: Annotated[bool, typer.Option(help="only those that were not caught, again")] = False,
    far: Annotated[bool, typer.Option(help="after the nearest tests, every other suite")] = False,
    report: Annotated[Path | None, typer.Option(help="write the page here, from the results so far")] = None,
) -> None:
    """Remove each protection in turn and see which test notices."""
    reasons = judged.harmless()
    # Short, since the server's socket lies in it.
    with tempfile.TemporaryDirectory(prefix="duijie-mutate-", dir=fast_folder(), ignore_cleanup_errors=True) as made:
        folder = Path(made)
        folder.chmod(0o755)
        server = embedded.start(folder)
        try:
            asyncio.run(prepare_embedded(server.url("postgres", "postgres"), server.url(embedded.OWNER)))
            every = asyncio.run(all_mutants(server))
            chosen = [mutant for mutant in every if fnmatchcase(mutant.name, only)]
            if list_only:
                print("\n".join(mutant.name for mutant in chosen))
                return
            results = judged.kept_results(RESULTS)
            doubtful = {result.name for result in judged.open_questions(results.values(), reasons)}
            waiting = [
                mutant
                for mutant in chosen
                if (mutant.name in doubtful if survivors else again or mutant.name not in results)
                and judged.reason_of(mutant.name, reasons) is None
            ]
            if sample:
                waiting = random.sample(waiting, min(sample, len(waiting)))
            asyncio.run(probe([mutant for mutant in waiting if mutant.kind in probing.TESTS], server))
            caught = {result.name for result in judged.kept_results(RESULTS).values() if result.outcome == "caught"}
            waiting = [mutant for mutant in waiting if mutant.name not in caught]
            if waiting:
                asyncio.run(run(waiting, server, folder, workers, far=far))
        finally:
            embedded.stop(folder)
    results = judged.kept_results(RESULTS)
    if report is not None:
        report.write_text(judged.report(every, results, reasons), encoding="utf-8")
    names = {mutant.name for mutant in chosen}
    open_ones = [each for each in judged.open_questions(results.values(), reasons) if each.name in names]
    ran = [results[name] for name in names & set(results)]
    console.print(f"{len(names)} mutants, {len(ran)} with a result, {len(open_ones)} neither caught nor harmless")
    for each in open_ones:
        console.print(f"  {each.outcome}: {each.name}")
    raise typer.Exit(1 if open_ones else 0)


if __name__ == "__main__":
    typer.run(main)
