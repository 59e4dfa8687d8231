"""`duijie evaluate`: the comparison table on the screen and in a file."""

import asyncio
from pathlib import Path

import asyncpg
import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from matching.evaluation import Evaluation, evaluate, load
from matching.fusion import default_model
from service.kit.db import prepare_connection
from service.resources import load_configured_encoder, open_database
from service.settings import Settings


async def run(settings: Settings, console: Console, folder: Path, systems: str, file: Path | None) -> None:
    """Compare the systems named, print the table, and write the figures where a file is given."""
    dataset = load(folder)
    names = list(dict.fromkeys(name.strip() for name in systems.split(",") if name.strip()))
    urls = await open_database(settings, migrating=True)
    encoder = await asyncio.to_thread(load_configured_encoder, settings)
    owner = await asyncpg.connect(urls.owner)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        await prepare_connection(owner)
        with Progress(*columns, console=console) as bar:
            tasks: dict[str, TaskID] = {}

            def show(stage: str, done: int, total: int) -> None:
                if stage not in tasks:
                    tasks[stage] = bar.add_task(stage, total=total)
                bar.update(tasks[stage], completed=done)

            result = await evaluate(owner, encoder, default_model(), dataset, names, show)
    finally:
        await owner.close()
    console.print(table_of(result))
    if file is not None:
        file.write_bytes(orjson.dumps(result.as_json(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def table_of(result: Evaluation) -> Table:
    """The comparison as a table, one system a row."""
    table = Table(title=f"{result.queries} needs")
    for heading in ("system", "nDCG@10", "nDCG@10 judged", "judged@10", "recall@50 (≥2)", "MRR", "ms/query"):
        table.add_column(heading, justify="left" if heading == "system" else "right")
    for name, scores in result.systems.items():
        figures = (scores.ndcg, scores.ndcg_judged, scores.judged, scores.recall, scores.mrr)
        table.add_row(name, *(f"{figure:.3f}" for figure in figures), f"{scores.ms:.1f}")
    return table
