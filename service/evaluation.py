"""`duijie evaluate`: systems, signals and models compared on graded data or on the market's own decisions."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from matching.evaluation import check_names, evaluate, load
from matching.evaluation.decisions import DecisionEvaluation, evaluate_decisions
from matching.evaluation.scratch import Progress as Show
from matching.fusion import default_model
from service import evaluation_tables as tables
from service.encoders import load_encoder_in_use
from service.errors import FieldProblem, NotFound, ValidationProblem
from service.kit.actor import SYSTEM
from service.kit.db import Pool, prepare_connection, transaction
from service.kit.language import Text
from service.matches import samples
from service.matches.models import KeptRanking, active_ranking, ranking_of_version, ranking_versions
from service.matches.samples import Decided
from service.resources import open_database, open_pool
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked for besides the comparison itself."""

    baseline: str | None = None
    ablation: bool = False
    needs: bool = False
    file: Path | None = None


def names_of(systems: str) -> list[str]:
    """Names from a comma-separated list, each once.

    >>> names_of("bm25, duijie,bm25,")
    ['bm25', 'duijie']
    """
    return list(dict.fromkeys(name.strip() for name in systems.split(",") if name.strip()))


@contextmanager
def stages(console: Console) -> Iterator[Show]:
    """A bar for each stage that reports how far it is."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        tasks: dict[str, TaskID] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done)

        yield show


async def run(settings: Settings, console: Console, folder: Path, systems: str, options: Options) -> None:
    """Compare the systems named on graded judgments, print the tables, and write the report where a file is given.

    Raises:
        DatasetError: the data set cannot be read, or a system is unknown.
        ValidationProblem: a list need by need is asked for, and there is one system.
    """
    names = names_of(systems)
    check_names(names, options.baseline)
    if options.needs and len(names) < 2:
        text = Text("逐需求对比至少需要两个系统", "A list need by need takes two systems at least")
        raise ValidationProblem([FieldProblem("systems", "too_few", text)])
    _check_writable(options.file)
    dataset = load(folder)
    urls = await open_database(settings, migrating=True)
    owner = await asyncpg.connect(urls.owner)
    try:
        await prepare_connection(owner)
        encoder = await load_encoder_in_use(settings, owner)
        with stages(console) as show:
            result = await evaluate(
                owner,
                encoder,
                default_model(),
                dataset,
                names,
                show,
                baseline=options.baseline,
                ablation=options.ablation,
            )
    finally:
        await owner.close()
    for table in tables.of_evaluation(result, settings.language):
        console.print(table)
    needs = result.win_loss()
    if options.needs and needs is not None:
        console.print(tables.of_needs(needs, settings.language))
    _write(options.file, result.as_json())


async def run_decisions(settings: Settings, console: Console, against: str | None, options: Options) -> None:
    """Measure the active ranking model on the market's own decisions, against another version where there is one.

    Raises:
        NotFound: nobody decided anything yet, or there is no such version.
    """
    _check_writable(options.file)
    urls = await open_database(settings, migrating=True)
    async with open_pool(settings, urls, "duijie evaluate") as pool:
        judged = await judge_models(pool, against)
    result = judged.result
    for table in tables.of_decisions(result, settings.language):
        console.print(table)
    needs = result.win_loss()
    if options.needs and needs is not None:
        console.print(tables.of_needs(needs, settings.language))
    for warning in judged.warnings:
        console.print(f"[yellow]•[/] {warning.in_(settings.language)}", highlight=False)
    report = result.as_json() | {"warnings": [{"zh": each.zh, "en": each.en} for each in judged.warnings]}
    _write(options.file, report)


@dataclass(frozen=True, slots=True)
class JudgedModels:
    """Figures on decisions, and what to bear in mind with them."""

    result: DecisionEvaluation
    warnings: tuple[Text, ...]


async def judge_models(pool: Pool, against: str | None) -> JudgedModels:
    """The active model on every decision, beside `against`, or beside the code's own model where another is active.

    Raises:
        NotFound: no pair is accepted or declined, or there is no such version.
    """
    async with transaction(pool, SYSTEM) as connection:
        active = await active_ranking(connection)
        other = against or default_model().version
        versions = dict.fromkeys((active.version, other))
        found = {version: await ranking_of_version(connection, version) for version in versions}
        known = await ranking_versions(connection)
        decided = await samples.decided_pairs(connection)
    # The active model is at hand, whatever the table of versions says.
    kept = {active.version: found[active.version] or KeptRanking(active, None)}
    if other not in kept:
        kept[other] = _must_exist(found[other], other, known)
    result = evaluate_decisions([each.pair for each in decided], [each.model for each in kept.values()])
    if not result.titles:
        raise NotFound(
            Text(
                "还没有接受或否决的推荐：由技术经理人处理推荐之后再评测",
                "No recommendation was accepted or declined yet: evaluate after brokers have decided",
            )
        )
    return JudgedModels(result, tuple(_warnings(result, list(kept.values()), decided)))


def _must_exist(found: KeptRanking | None, version: str, known: list[str]) -> KeptRanking:
    if found is None:
        raise NotFound(
            Text(
                f"没有版本为 {version} 的排序模型，现有：{'、'.join(known)}",
                f"No ranking model {version}; there are: {', '.join(known)}",
            )
        )
    return found


def _warnings(result: DecisionEvaluation, models: list[KeptRanking], decided: list[Decided]) -> Iterator[Text]:
    if result.is_few:
        yield Text(
            f"只有 {result.telling} 项需求既有接受又有否决：区间很宽，不足以下结论",
            f"Only {result.telling} needs hold both an accepted and a declined pair: too few to conclude from",
        )
    for kept in models:
        # The code's own models saw no market's decisions.
        if kept.created_at is None or kept.model.version.startswith("default-"):
            continue
        older = sum(each.decided_at < kept.created_at for each in decided)
        if older:
            yield Text(
                f"{older} 个决定早于模型 {kept.model.version}，它可能由这些决定训练而来：对它的评价会偏高",
                f"{older} decisions are older than the model {kept.model.version}, which may have learned from them "
                "and then looks better than it is",
            )


def _check_writable(file: Path | None) -> None:
    # Before the work, which may take an hour, and not after it.
    if file is not None and (file.is_dir() or not file.parent.is_dir()):
        text = Text(
            f"{file} 无法写入：应为已有文件夹中的文件",
            f"{file} cannot be written: name a file in a folder that is there",
        )
        raise ValidationProblem([FieldProblem("json", "writable", text)])


def _write(file: Path | None, report: dict[str, Any]) -> None:
    if file is not None:
        file.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
