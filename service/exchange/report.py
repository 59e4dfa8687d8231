"""A report for the eye: as a table on the screen, and as a spreadsheet."""

import io
from collections.abc import Iterable, Sequence

import xlsxwriter
from rich.console import Group, RenderableType
from rich.table import Table

from service.exchange.rows import RowProblem
from service.exchange.runs import ImportReport
from service.kit.language import Language, Text

SHOWN = 40
HEADINGS = (
    Text("行", "line"),
    Text("列", "column"),
    Text("现值", "value"),
    Text("问题与改法", "what is wrong, and what would be right"),
)


def as_table(report: ImportReport, language: Language) -> RenderableType:
    """Counts, notices and the first problems."""
    counts = Table(show_header=False, box=None)
    for label, count in (
        (Text("读取", "read"), report.total),
        (Text("新增", "created"), report.created),
        (Text("更新", "changed"), report.changed),
        (Text("未变", "unchanged"), report.unchanged),
        (Text("退回", "refused"), report.refused),
    ):
        counts.add_row(label.in_(language), str(count))
    parts: list[RenderableType] = [counts, *(f"• {notice.in_(language)}" for notice in report.notices)]
    if report.problems:
        parts.append(problems_table(report.problems, language))
        if len(report.problems) > SHOWN:
            more = len(report.problems) - SHOWN
            parts.append(
                Text(
                    f"……另有 {more} 处，见报告文件（--report）", f"… and {more} more, see the report file (--report)"
                ).in_(language)
            )
    return Group(*parts)


def problems_table(problems: Sequence[RowProblem], language: Language) -> Table:
    """The first problems, one a row."""
    table = Table(*(heading.in_(language) for heading in HEADINGS))
    for problem in problems[:SHOWN]:
        table.add_row(str(problem.line), problem.column, problem.value[:40], problem.message.in_(language))
    return table


def as_spreadsheet(problems: Sequence[RowProblem] | Iterable[RowProblem], language: Language) -> bytes:
    """Every problem, one a row."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(buffer, options)
    sheet = book.add_worksheet("report")
    bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    for place, (heading, width) in enumerate(zip(HEADINGS, (8, 20, 40, 60), strict=True)):
        sheet.set_column(place, place, width)
        sheet.write_string(0, place, heading.in_(language), bold)
    for row, problem in enumerate(problems, start=1):
        sheet.write_number(row, 0, problem.line)
        for place, text in enumerate((problem.column, problem.value, problem.message.in_(language)), start=1):
            sheet.write_string(row, place, text, wrap)
    sheet.freeze_panes(1, 0)
    book.close()
    return buffer.getvalue()
