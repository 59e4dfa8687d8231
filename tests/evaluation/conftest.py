"""A tiny BEIR folder, settings that reach the test's own database, and a console that keeps what it is told."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook
from rich.console import Console

from service.settings import Settings

CORPUS = {
    "o-1": ("枸杞热泵干燥装备", "热泵除湿干燥枸杞，干燥时间8小时。" * 60),
    "o-2": ("=枸杞多糖提取工艺", "+超声辅助提取枸杞多糖。"),
    "3": ("煤化工废水分盐结晶", "纳滤分盐与蒸发结晶。\n结晶盐纯度高于98%。"),
    "o-4": ("葡萄酒低温发酵", "本土酵母筛选。"),
}
QUERIES = {
    "n-1": ("枸杞干燥", "希望缩短枸杞干燥时间"),
    "n-2": ("", "废水分盐结晶成本高"),
    "n-3": ("葡萄酒酵母", "[bold] 低温发酵"),
}
QRELS = "query-id\tcorpus-id\tscore\nn-1\to-1\t3\nn-1\to-4\t0\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data set that is judged in part."""
    made = tmp_path / "set"
    (made / "qrels").mkdir(parents=True)
    for name, rows in (("corpus", CORPUS), ("queries", QUERIES)):
        lines = [json.dumps({"_id": key, "title": title, "text": text}) for key, (title, text) in rows.items()]
        (made / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (made / "qrels" / "test.tsv").write_text(QRELS, encoding="utf-8")
    return made


@pytest.fixture
def reached(settings: Settings, app_url: str, owner_url: str) -> Settings:
    """Settings of a command that works on the test's database."""
    return settings.model_copy(update={"database_url": app_url, "owner_database_url": owner_url})


@pytest.fixture
def console() -> Console:
    """A wide console whose text `said` gives."""
    return Console(file=io.StringIO(), width=400)


def said(console: Console) -> str:
    """What a command printed."""
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def cells(path: Path) -> list[list[object]]:
    """The first sheet's rows, headings first."""
    return CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()


def fill(path: Path, grades: Mapping[tuple[str, str], object]) -> Path:
    """A copy of a judging sheet with grades by need and outcome in its last column, as a person would save it."""
    headings, *rows = cells(path)
    copy = path.with_name("filled.xlsx")
    book = xlsxwriter.Workbook(str(copy), {"strings_to_formulas": False})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, headings)
    for number, row in enumerate(rows, start=1):
        for place, cell in enumerate(row[:-1]):
            sheet.write(number, place, cell)
        grade = grades.get((str(row[1]), str(row[4])))
        if grade is not None:
            sheet.write(number, len(row) - 1, grade)
    book.close()
    return copy


def written(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    """A spreadsheet of these cells, headings first."""
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    book.close()
    return path
