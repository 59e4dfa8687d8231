"""Import and export over HTTP."""

import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, UploadFile
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask
from starlette.responses import FileResponse

from service.access.dependencies import CurrentActor, LateTx, OpenRead, Tx, pool_of
from service.access.routes import Route
from service.errors import NotFound
from service.exchange import codebook, repository
from service.exchange.columns import ImportKind
from service.exchange.exports import export_path
from service.exchange.report import as_spreadsheet
from service.exchange.rows import RowProblem
from service.exchange.runs import ImportReport, TargetState, import_path
from service.exchange.templates import template
from service.kit.actor import Actor, Role
from service.kit.db import Row
from service.kit.http import open_problems, problems
from service.kit.language import Text, current_language

router = APIRouter(tags=["exchange"], route_class=Route)

SHOWN = 1_000
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MEDIA = {"csv": "text/csv; charset=utf-8", "xlsx": SPREADSHEET, "jsonl": "application/jsonl"}
NO_RUN = Text("没有这次导入，或无权查看", "No such import, or none that you may see")


class ImportProblem(BaseModel):
    """What is wrong with one cell, and what would be right."""

    line: int
    column: str
    rule: str
    message: str
    value: str
    external_id: str | None


class Report(BaseModel):
    """What became of a file's rows."""

    id: UUID | None = Field(description="Null for a dry run / 试运行时为空")
    file_name: str
    dry_run: bool
    state: Literal["running", "finished", "failed"]
    total: int
    created: int
    changed: int
    unchanged: int
    refused: int
    notices: list[str] = Field(default_factory=list, description="Columns without a field, and the like / 提示")
    problems: list[ImportProblem] = Field(description=f"The first {SHOWN} / 前 {SHOWN} 处问题")
    started_at: datetime | None = None
    finished_at: datetime | None = None
    report: str | None = Field(default=None, description="Address of the whole report as a spreadsheet / 完整报告地址")


@router.post("/imports", summary="Import a file / 导入文件", responses=problems(403, 409, 413, 415, 503))
async def create_import(
    request: Request,
    actor: CurrentActor,
    begin: LateTx,
    file: UploadFile,
    kind: Annotated[ImportKind, Query(description="需求、成果或单位")],
    state: Annotated[TargetState, Query(description="State to bring rows to / 导入后的状态")] = "draft",
    dry_run: Annotated[bool, Query(description="Check everything, write nothing / 仅校验")] = False,
    organization: Annotated[
        str | None,
        Query(max_length=200, description="External id for rows that name none / 未填单位的行归属的单位编号"),
    ] = None,
) -> Report:
    """Import CSV, XLSX or JSON Lines. Good rows go in, bad rows go to the report, and a second run changes nothing."""
    async with request.app.state.resources.imports.place():
        await begin.hold()
        with tempfile.TemporaryDirectory(prefix="duijie-import-") as folder:
            # The name that was sent is for the report only; nothing on this machine is called by it.
            path = Path(folder) / "upload"
            with path.open("wb") as out:
                while piece := await file.read(1 << 20):
                    out.write(piece)
            report = await import_path(
                pool_of(request),
                actor,
                path,
                kind,
                organization=organization if _posts_for_others(actor) else None,
                state=state,
                dry_run=dry_run,
                file_name=_base_name(file.filename),
                most_rows=request.app.state.settings.max_import_rows,
            )
    return _present(report)


def _posts_for_others(actor: Actor) -> bool:
    return actor.has(Role.BROKER, Role.OPERATOR, Role.ADMINISTRATOR)


def _base_name(name: str | None) -> str:
    base = PurePosixPath((name or "upload").replace("\\", "/")).name
    return "".join(character for character in base if character.isprintable())[:200] or "upload"


def _present(report: ImportReport) -> Report:
    language = current_language.get()
    return Report(
        id=report.run_id,
        file_name=report.file_name,
        dry_run=report.dry_run,
        state="finished",
        total=report.total,
        created=report.created,
        changed=report.changed,
        unchanged=report.unchanged,
        refused=report.refused,
        notices=[notice.in_(language) for notice in report.notices],
        problems=[_problem(problem) for problem in report.problems[:SHOWN]],
        report=_address(report.run_id) if report.run_id else None,
    )


def _problem(problem: RowProblem) -> ImportProblem:
    return ImportProblem(
        line=problem.line,
        column=problem.column,
        rule=problem.rule,
        message=problem.message.in_(current_language.get()),
        value=problem.value,
        external_id=problem.external_id,
    )


def _address(run_id: UUID) -> str:
    return f"/v1/imports/{run_id}/report.xlsx"


@router.get(
    "/imports/template.xlsx",
    summary="Empty spreadsheet / 下载导入模板",
    response_class=Response,
    responses=open_problems(),
)
async def read_template(connection: OpenRead, kind: ImportKind, lang: Literal["zh", "en"] = "zh") -> Response:
    """A spreadsheet with headings, choices and an example row that the import passes over."""
    book = await codebook.load(connection)
    return _spreadsheet(template(kind, lang, book.labels), f"duijie-{kind}.xlsx")


@router.get("/imports/{import_id}", summary="Report of an import / 导入报告", responses=problems(404))
async def read_import(tx: Tx, import_id: UUID) -> Report:
    """What became of a file's rows, for the organization that imported it."""
    run = await _run(tx, import_id)
    rows = await repository.list_problems(tx.connection, import_id, SHOWN)
    return Report(
        id=run["id"],
        file_name=run["file_name"],
        dry_run=run["dry_run"],
        state=run["state"],
        total=run["rows_total"],
        created=run["rows_created"],
        changed=run["rows_changed"],
        unchanged=run["rows_unchanged"],
        refused=run["rows_refused"],
        problems=[_problem(problem) for problem in _row_problems(rows)],
        started_at=run["started_at"],
        finished_at=run["finished_at"],
        report=_address(import_id),
    )


@router.get(
    "/imports/{import_id}/report.xlsx",
    summary="Report as a spreadsheet / 下载导入报告",
    response_class=Response,
    responses=problems(404),
)
async def read_report(tx: Tx, import_id: UUID) -> Response:
    """Every problem of an import, one a row."""
    await _run(tx, import_id)
    rows = await repository.list_problems(tx.connection, import_id, 1_000_000)
    return _spreadsheet(as_spreadsheet(_row_problems(rows), current_language.get()), "report.xlsx")


async def _run(tx: Tx, import_id: UUID) -> Row:
    run = await repository.get_run(tx.connection, import_id)
    own = run is not None and run["organization_id"] is not None and tx.actor.owns(run["organization_id"])
    if run is None or not (own or tx.actor.has(Role.OPERATOR, Role.ADMINISTRATOR)):
        raise NotFound(NO_RUN)
    return run


def _row_problems(rows: list[Row]) -> Iterator[RowProblem]:
    for row in rows:
        message = Text(row["message_zh"], row["message_en"])
        yield RowProblem(row["line"], row["field"], row["rule"], message, row["value"], row["external_id"])


def _spreadsheet(content: bytes, name: str) -> Response:
    return Response(content, media_type=SPREADSHEET, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@router.get("/exports", summary="Export / 导出", response_class=FileResponse, responses=problems(403))
async def create_export(
    request: Request,
    actor: CurrentActor,
    kind: ImportKind,
    format: Annotated[Literal["xlsx", "csv", "jsonl"], Query(description="文件格式")] = "xlsx",
    state: Annotated[list[str] | None, Query(description="Only these states / 仅限这些状态")] = None,
    lang: Literal["zh", "en"] = "en",
) -> FileResponse:
    """What you may see, as a file that imports back identically. Contact data of your own organization only."""
    folder = tempfile.TemporaryDirectory(prefix="duijie-export-")
    path = Path(folder.name) / f"duijie-{kind}.{format}"
    try:
        await export_path(pool_of(request), actor, kind, path, form=format, states=state, language=lang)
    except BaseException:
        folder.cleanup()
        raise
    return FileResponse(path, media_type=MEDIA[format], filename=path.name, background=BackgroundTask(folder.cleanup))
