"""Listings and organizations as files that import back identically."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import orjson
import xlsxwriter

from service.exchange.cells import write
from service.exchange.columns import COLUMNS, Column, ImportKind
from service.exchange.readers import Format, escape_formula

# More characters than this a spreadsheet cell cannot hold; such a text needs another format.
MOST_SPREADSHEET_CELL = 32_767
WIDTHS = {"title": 40, "name": 36, "description": 60, "indicators": 40, "organization": 28}
CODE_LISTS: dict[ImportKind, tuple[str, ...]] = {
    "needs": ("fields", "industries", "modes", "maturity", "regions"),
    "outcomes": (
        "fields", "industries", "modes", "maturity", "outcome_types", "stages", "funding_sources", "ip_kinds", "ip_statuses", "regions",
    ),
    "organizations": ("organization_kinds", "regions"),
}  # fmt: skip
Labels = dict[str, list[tuple[str, str, str]]]


class CellTooLongError(ValueError):
    """A text that a spreadsheet cell cannot hold."""


class Writer(Protocol):
    """Takes records one by one."""

    def add(self, record: dict[str, Any]) -> None:
        """Write one record: JSON values by column name."""
        ...

    def close(self) -> None:
        """Finish the file."""
        ...


class JsonLinesWriter:
    """One JSON object a line, without the columns that say nothing."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def add(self, record: dict[str, Any]) -> None:
        """Write one line."""
        told = {name: value for name, value in record.items() if value not in (None, "", [])}
        self._file.write(orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class CsvWriter:
    """CSV with a byte order mark, which is how Excel knows UTF-8, and no cell that begins a formula."""

    def __init__(self, path: Path, columns: Sequence[Column], headings: Sequence[str]) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._columns = columns
        self._writer = csv.writer(self._file)
        self._writer.writerow(headings)

    def add(self, record: dict[str, Any]) -> None:
        """Write one row."""
        self._writer.writerow([escape_formula(write(record.get(column.name), column)) for column in self._columns])

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class SpreadsheetWriter:
    """XLSX: texts stay texts, the first row stays in sight, a second sheet explains the codes."""

    def __init__(
        self, path: Path, columns: Sequence[Column], headings: Sequence[str], kind: ImportKind, labels: Labels
    ) -> None:
        options = {
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "constant_memory": True,
        }
        self._book = xlsxwriter.Workbook(str(path), options)
        self._sheet = self._book.add_worksheet(kind)
        self._columns = columns
        self._wrap = self._book.add_format({"text_wrap": True, "valign": "top"})
        heading = self._book.add_format({"bold": True, "bg_color": "#DCE6F1", "border": 1})
        for place, column in enumerate(columns):
            self._sheet.set_column(place, place, WIDTHS.get(column.name, 18))
            self._sheet.write_string(0, place, headings[place], heading)
        self._sheet.freeze_panes(1, 0)
        self._kind: ImportKind = kind
        self._labels = labels
        self._row = 0

    def add(self, record: dict[str, Any]) -> None:
        """Write one row.

        Raises:
            CellTooLongError: a text does not fit into a cell.
        """
        self._row += 1
        for place, column in enumerate(self._columns):
            text = write(record.get(column.name), column)
            if len(text) > MOST_SPREADSHEET_CELL:
                raise CellTooLongError(f"{column.name}: {len(text)} characters; export this as CSV or JSON Lines")
            if text:
                self._sheet.write_string(self._row, place, text, self._wrap)

    def close(self) -> None:
        """Add the sheet of codes and close the file."""
        add_code_sheet(self._book, self._kind, self._labels)
        self._book.close()


def add_code_sheet(book: Any, kind: ImportKind, labels: Labels) -> None:
    """A sheet that lists every code with its labels."""
    sheet = book.add_worksheet("codes")
    bold = book.add_format({"bold": True})
    sheet.set_column(0, 3, 24)
    for place, title in enumerate(("list", "code", "中文", "English")):
        sheet.write_string(0, place, title, bold)
    for row, entry in enumerate(_code_rows(kind, labels), start=1):
        for place, text in enumerate(entry):
            sheet.write_string(row, place, text)


def _code_rows(kind: ImportKind, labels: Labels) -> Iterator[tuple[str, str, str, str]]:
    for name in CODE_LISTS[kind]:
        for code, zh, en in labels.get(name, []):
            yield name, code, zh, en


def open_writer(path: Path, form: Format, kind: ImportKind, language: str, labels: Labels) -> Writer:
    """A writer of a format. Headings are names in English and labels in Chinese."""
    columns = COLUMNS[kind]
    headings = [column.zh if language == "zh" else column.name for column in columns]
    match form:
        case "jsonl":
            return JsonLinesWriter(path)
        case "csv":
            return CsvWriter(path, columns, headings)
        case "xlsx":
            return SpreadsheetWriter(path, columns, headings, kind, labels)


def example_of(column: Column, example: dict[str, Any]) -> str:
    """A column's cell in the example row of a template."""
    value = example.get(column.name)
    return "" if value is None else write(value, column)
