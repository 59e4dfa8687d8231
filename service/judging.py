"""`duijie judge export` and `duijie judge import`: pairs go out to be judged, and come back as graded judgments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import asyncpg
import orjson
from rich.console import Console

from matching.evaluation import Dataset, check_names, load_unjudged, ranked_lists, title_of
from matching.evaluation.dataset import CORPUS, QRELS, QUERIES, Document, grade_lines
from matching.evaluation.pool import pooled, pools
from matching.evaluation.scratch import Progress
from matching.fusion import default_model
from service.encoders import load_encoder_in_use
from service.evaluation import names_of, stages
from service.exchange.judging_sheet import Grade, Judged, SheetRow, check_name, read_sheet, shorten, write_sheet
from service.exchange.report import SHOWN, problems_table
from service.exchange.rows import RowProblem
from service.kit.actor import SYSTEM
from service.kit.db import Pool, prepare_connection, transaction
from service.kit.language import Language, Text
from service.matches import samples
from service.resources import open_database, open_pool
from service.settings import Settings

Policy = Literal["refuse", "keep", "replace"]
Grades = dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Pooling:
    """How a pool is made: the systems asked, how deep into each list, and the seed of order and sample."""

    systems: str
    depth: int
    seed: int


async def export_dataset(
    settings: Settings, console: Console, path: Path, folder: Path, pooling: Pooling, language: Language
) -> None:
    """Pool the candidates of a BEIR folder's queries, judged or not, and write the sheet.

    Raises:
        DatasetError: the folder cannot be read, or a system is unknown. ValidationProblem: the file's name.
    """
    check_name(path)
    names = names_of(pooling.systems)
    check_names(names)
    dataset = load_unjudged(folder)
    urls = await open_database(settings, migrating=True)
    owner = await asyncpg.connect(urls.owner)
    try:
        await prepare_connection(owner)
        encoder = await load_encoder_in_use(settings, owner)
        with stages(console) as show:
            runs = await ranked_lists(owner, encoder, default_model(), dataset, names, show)
    finally:
        await owner.close()
    found = pools(runs, [query.id for query in dataset.queries], pooling.depth, pooling.seed)
    queries = {query.id: query for query in dataset.queries}
    documents = {document.id: document for document in dataset.documents}
    rows = sheet_rows(found, queries, documents, dataset.grades)
    write_sheet(path, rows, language)
    _say_exported(console, settings.language, path, len(rows), len(found))


async def export_published(
    settings: Settings, console: Console, path: Path, needs: int, pooling: Pooling, language: Language
) -> None:
    """Pool the candidates of some published needs of this market, and write the sheet.

    Raises:
        DatasetError: a system is unknown. NotFound, Unavailable: nothing is published and indexed yet.
        ValidationProblem: the file's name.
    """
    check_name(path)
    names = names_of(pooling.systems)
    check_names(names)
    urls = await open_database(settings, migrating=True)
    async with open_pool(settings, urls, "duijie judge") as pool:
        with stages(console) as show:
            rows, count = await published_rows(pool, names, needs, pooling, show)
    write_sheet(path, rows, language)
    _say_exported(console, settings.language, path, len(rows), count)


async def published_rows(
    pool: Pool, names: Sequence[str], needs: int, pooling: Pooling, show: Progress
) -> tuple[list[SheetRow], int]:
    """The pairs to judge of published needs, and how many needs they belong to."""
    async with transaction(pool, SYSTEM) as connection:
        await samples.setting_of(connection)
        chosen = await samples.sample_of_needs(connection, pooling.seed, needs)
    found: dict[str, list[str]] = {}
    for number, need_id in enumerate(chosen, start=1):
        async with transaction(pool, SYSTEM) as connection:
            lists = await samples.ranked_lists(await samples.setting_of(connection), need_id, names)
        found[str(need_id)] = pooled(list(lists.values()), pooling.depth, pooling.seed, str(need_id))
        show("pool", number, len(chosen))
    async with transaction(pool, SYSTEM) as connection:
        queries = await samples.texts_of(connection, "need", list(found))
        wanted = sorted({outcome for outcomes in found.values() for outcome in outcomes})
        documents = await samples.texts_of(connection, "outcome", wanted)
    rows = sheet_rows(found, queries, documents, {})
    return rows, len({row.need_id for row in rows})


def sheet_rows(
    found: Mapping[str, Sequence[str]],
    queries: Mapping[str, Document],
    documents: Mapping[str, Document],
    grades: Mapping[str, Mapping[str, int]],
) -> list[SheetRow]:
    """One row a pair, need by need; what is gone meanwhile is left out."""
    return [
        SheetRow(
            need,
            shorten(title_of(queries[need])),
            shorten(queries[need].text),
            outcome,
            shorten(title_of(documents[outcome])),
            shorten(documents[outcome].text),
            grades.get(need, {}).get(outcome),
        )
        for need, outcomes in found.items()
        for outcome in outcomes
        if need in queries and outcome in documents
    ]


def _say_exported(console: Console, language: Language, path: Path, pairs: int, needs: int) -> None:
    text = Text(f"已将 {needs} 项需求的 {pairs} 对写入 {path}", f"Wrote {pairs} pairs of {needs} needs to {path}")
    console.print(text.in_(language), highlight=False)


@dataclass(slots=True)
class Merged:
    """Judgments after a sheet went in: grades by need and outcome, and what the sheet did to them."""

    grades: Grades
    added: int = 0
    same: int = 0
    replaced: int = 0
    kept: int = 0
    conflicts: list[RowProblem] = field(default_factory=list)


def merge(existing: Mapping[str, Mapping[str, int]], sheet: Iterable[Grade], policy: Policy) -> Merged:
    """Existing judgments with those of a sheet. Where the two differ, the policy says whose grade stays."""
    merged = Merged({need: dict(found) for need, found in existing.items()})
    for row in sheet:
        found = merged.grades.setdefault(row.need, {})
        before = found.get(row.outcome)
        if before is None:
            merged.added += 1
        elif before == row.grade:
            merged.same += 1
            continue
        else:
            merged.conflicts.append(_conflict(row, before))
            if policy != "replace":
                merged.kept += 1
                continue
            merged.replaced += 1
        found[row.outcome] = row.grade
    return merged


def _conflict(row: Grade, before: int) -> RowProblem:
    text = Text(
        f"{row.need} 与 {row.outcome} 已评为 {before}：用 --conflicts replace 采用表格的等级，或 --conflicts keep 保留原等级",
        f"{row.need} and {row.outcome} were graded {before}: --conflicts replace takes the sheet's grade, "
        "--conflicts keep the earlier one",
    )
    return RowProblem(row.line, "grade", "conflicting_grade", text, str(row.grade))


def unknown_ids(
    sheet: Iterable[Grade], needs: Mapping[str, object], outcomes: Mapping[str, object]
) -> list[RowProblem]:
    """Rows whose need or outcome is not there."""
    problems = []
    for row in sheet:
        for name, value, known in (("need_id", row.need, needs), ("outcome_id", row.outcome, outcomes)):
            if value not in known:
                text = Text(
                    "没有这个编号：请从导出的表格恢复编号，或删除这一行",
                    "No such id: restore it from the exported sheet, or delete the row",
                )
                problems.append(RowProblem(row.line, name, f"known_{name}", text, value[:200]))
    return problems


async def import_dataset(settings: Settings, console: Console, path: Path, folder: Path, policy: Policy) -> bool:
    """Read a sheet's grades into a BEIR folder's judgments; whether they went in.

    Raises:
        DatasetError: the folder cannot be read. UnreadableFile, TooLarge, UnsupportedMedia: the sheet cannot.
    """
    judged = read_sheet(path)
    dataset = load_unjudged(folder)
    needs = {query.id: query for query in dataset.queries}
    outcomes = {document.id: document for document in dataset.documents}
    return _store(console, settings.language, judged, folder, needs, outcomes, dataset, policy)


async def import_published(settings: Settings, console: Console, path: Path, folder: Path, policy: Policy) -> bool:
    """Read the grades of this market's own listings into a whole BEIR folder; whether they went in.

    The folder's corpus is everything published now, so that systems have to find what was judged among all the rest.
    A folder that is there already is added to.

    Raises:
        DatasetError: the folder is there and cannot be read. UnreadableFile, TooLarge, UnsupportedMedia: the sheet.
    """
    judged = read_sheet(path)
    dataset = load_unjudged(folder) if (folder / QUERIES).exists() or (folder / CORPUS).exists() else None
    urls = await open_database(settings, migrating=True)
    async with open_pool(settings, urls, "duijie judge") as pool, transaction(pool, SYSTEM) as connection:
        needs = await samples.texts_of(connection, "need", [row.need for row in judged.grades])
        outcomes = {document.id: document async for document in samples.published_texts(connection, "outcome")}
        outcomes |= await samples.texts_of(connection, "outcome", [row.outcome for row in judged.grades])
    before = dataset or Dataset((), (), {})
    # What was judged earlier stays, under today's text where there is one.
    needs = {query.id: query for query in before.queries} | needs
    outcomes = {document.id: document for document in before.documents} | outcomes
    return _store(console, settings.language, judged, folder, needs, outcomes, before, policy, texts=True)


def _store(
    console: Console,
    language: Language,
    judged: Judged,
    folder: Path,
    needs: Mapping[str, Document],
    outcomes: Mapping[str, Document],
    before: Dataset,
    policy: Policy,
    *,
    texts: bool = False,
) -> bool:
    """Write everything if nothing stands against it, else report and write nothing; whether it was written."""
    problems = [*judged.problems, *unknown_ids(judged.grades, needs, outcomes)]
    merged = merge(before.grades, judged.grades, policy)
    if policy == "refuse":
        problems += merged.conflicts
    if problems or not judged.grades:
        _say_refused(console, language, problems)
        return False
    files = {QRELS: grade_lines(merged.grades)}
    if texts:
        files = {CORPUS: document_lines(outcomes.values()), QUERIES: document_lines(needs.values())} | files
    replace_files(folder, files)
    _say_imported(console, language, judged, merged, folder)
    return True


def document_lines(documents: Iterable[Document]) -> str:
    """The content of corpus.jsonl or queries.jsonl."""
    return "".join(
        orjson.dumps(
            {"_id": each.id, "title": each.title, "text": each.text, "metadata": {"keywords": list(each.keywords)}},
            option=orjson.OPT_APPEND_NEWLINE,
        ).decode()
        for each in documents
    )


def replace_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write files beside their places, then move them there in the order given: no reader meets half a file.

    The judgments come last. Texts only ever grow, so that a stop in between leaves a folder that can be read.

    Raises:
        OSError: one cannot be written; none was moved then.
    """
    scratch = {folder / name: (folder / name).with_name(f".{Path(name).name}.part") for name in files}
    try:
        for (path, beside), content in zip(scratch.items(), files.values(), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(content, encoding="utf-8", newline="\n")
        for path, beside in scratch.items():
            beside.replace(path)
    finally:
        for beside in scratch.values():
            beside.unlink(missing_ok=True)


def _say_refused(console: Console, language: Language, problems: Sequence[RowProblem]) -> None:
    if not problems:
        console.print(
            Text("表格中没有填写等级，未写入任何内容", "No grade is filled in; nothing was written").in_(language)
        )
        return
    console.print(problems_table(problems, language))
    if len(problems) > SHOWN:
        more = len(problems) - SHOWN
        console.print(Text(f"……另有 {more} 处", f"… and {more} more").in_(language))
    text = Text(f"共 {len(problems)} 处需要处理，未写入任何内容", f"{len(problems)} to settle; nothing was written")
    console.print(text.in_(language))


def _say_imported(console: Console, language: Language, judged: Judged, merged: Merged, folder: Path) -> None:
    if merged.conflicts:
        console.print(problems_table(merged.conflicts, language))
    text = Text(
        f"新增 {merged.added}、相同 {merged.same}、改动 {merged.replaced}、保留原等级 {merged.kept}、未评 {judged.empty}，写入 {folder}",
        f"{merged.added} added, {merged.same} the same, {merged.replaced} replaced, {merged.kept} kept as before, "
        f"{judged.empty} not judged; wrote {folder}",
    )
    console.print(text.in_(language), highlight=False)
