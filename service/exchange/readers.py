"""Rows of a file, one at a time, with their line numbers. What a file is, its content says, not its name."""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import orjson
from python_calamine import CalamineWorkbook

from service.errors import TooLarge, UnsupportedMedia
from service.exchange.archives import check_archive
from service.exchange.columns import ImportKind
from service.exchange.faults import UnreadableFile
from service.kit.language import Text

MOST_COLUMNS = 200
MOST_CELL = 40_000
# Characters of one row: what a parser has in memory at once. 40 columns of the longest text would be 1.6 million.
MOST_ROW = 2_000_000
BEIR_FILES: dict[str, str] = {"needs": "queries.jsonl", "outcomes": "corpus.jsonl"}
TOO_WIDE = Text(f"最多 {MOST_COLUMNS} 列", f"At most {MOST_COLUMNS} columns")
EXAMPLE_MARKS = ("示例", "example:")

Format = Literal["csv", "xlsx", "jsonl"]


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as it stands in the file: its line, its cells by heading, and where it could not even be read so far, why."""

    line: int
    cells: dict[str, Any]
    fault: Text | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A file's headings (none for JSON Lines, whose rows carry them) and rows."""

    format: Format
    headings: list[str]
    rows: Iterator[RawRow]


def open_table(path: Path, kind: ImportKind) -> Table:
    """The rows of a CSV, XLSX or JSON Lines file, or of a BEIR folder.

    Raises:
        UnreadableFile, UnsupportedMedia, TooLarge: nothing can be read from it, and why.
    """
    if path.is_dir():
        return _open_folder(path, kind)
    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith(b"PK\x03\x04"):
        return _open_spreadsheet(path)
    if head.startswith((b"\xd0\xcf\x11\xe0", b"%PDF", b"\x1f\x8b", b"Rar!", b"7z")):
        raise UnsupportedMedia(
            Text(
                "只支持 CSV、XLSX 和 JSON Lines；旧版 .xls 请另存为 .xlsx",
                "CSV, XLSX and JSON Lines are read; save an old .xls as .xlsx",
            )
        )
    encoding = _encoding(path)
    first = _first_line(path, encoding)
    if first.lstrip().startswith("{"):
        return Table("jsonl", [], _json_rows(path, encoding))
    return _open_csv(path, encoding, first)


ENDINGS: dict[str, Format] = {".csv": "csv", ".txt": "csv", ".xlsx": "xlsx", ".jsonl": "jsonl", ".ndjson": "jsonl"}


def check_name(name: str, found: Format) -> None:
    """Refuse a file whose name says one kind of content and whose bytes are another: somebody is mistaken.

    Text is text: a .txt or .csv may hold either of the two kinds that are.

    Raises:
        UnsupportedMedia: a spreadsheet under the name of a text, or the other way round.
    """
    said = ENDINGS.get(PurePosixPath(name).suffix.lower())
    if said is not None and (said == "xlsx") != (found == "xlsx"):
        raise UnsupportedMedia(
            Text(
                f"文件名是 {PurePosixPath(name).suffix}，内容却是 {found}；请按实际格式命名",
                f"The name ends in {PurePosixPath(name).suffix} but the content is {found}: name it for what it is",
            )
        )


def _open_folder(path: Path, kind: ImportKind) -> Table:
    name = BEIR_FILES.get(kind)
    if name is None or not (path / name).is_file():
        raise UnreadableFile(
            Text(
                "文件夹应为 BEIR 格式：成果取 corpus.jsonl，需求取 queries.jsonl",
                "A folder is read in BEIR format: outcomes from corpus.jsonl, needs from queries.jsonl",
            )
        )
    return Table("jsonl", [], _json_rows(path / name, _encoding(path / name)))


def _encoding(path: Path) -> str:
    """utf-8-sig or gb18030, whichever the whole file is; decoded piece by piece, so that a large file costs no memory.

    Raises:
        UnreadableFile: neither.
    """
    for encoding in ("utf-8-sig", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)("strict")
        try:
            with path.open("rb") as file:
                while piece := file.read(1 << 20):
                    if b"\0" in piece:
                        raise UnreadableFile(
                            Text(
                                "文件含有空字节，不是 UTF-8 或 GB18030 文本；UTF-16 请另存为 UTF-8",
                                "The file holds NUL bytes and is no UTF-8 or GB18030 text: save UTF-16 as UTF-8",
                            )
                        )
                    decoder.decode(piece)
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    raise UnreadableFile(
        Text("编码既不是 UTF-8 也不是 GB18030，请另存为 UTF-8", "Neither UTF-8 nor GB18030: save it as UTF-8")
    )


def _lines(path: Path, encoding: str, budget: "_Budget") -> Iterator[str]:
    """Lines as they end in the file, charged to the row that they belong to; a row may span several lines of CSV."""
    with path.open(encoding=encoding, newline="") as file:
        while line := file.readline(MOST_ROW + 1):
            budget.charge(len(line))
            yield line


class _Budget:
    """Characters that the present row may still have."""

    def __init__(self) -> None:
        self.row = 1
        self._left = MOST_ROW

    def charge(self, characters: int) -> None:
        self._left -= characters
        if self._left < 0:
            raise TooLarge(
                Text(
                    f"第 {self.row} 行过长：一行最多 {MOST_ROW} 个字符，请检查引号和换行",
                    f"Line {self.row} is too long: at most {MOST_ROW} characters in a row; check quotes and line ends",
                )
            )

    def renew(self, row: int) -> None:
        self.row = row
        self._left = MOST_ROW


def _first_line(path: Path, encoding: str) -> str:
    budget = _Budget()
    for number, line in enumerate(_lines(path, encoding, budget), start=1):
        if line.strip():
            return line
        budget.renew(number + 1)
    return ""


def _json_rows(path: Path, encoding: str) -> Iterator[RawRow]:
    budget = _Budget()
    for number, line in enumerate(_lines(path, encoding, budget), start=1):
        budget.renew(number + 1)
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            yield RawRow(number, {}, Text("这一行不是 JSON 对象", "This line is no JSON object"))
        elif len(row) > MOST_COLUMNS:
            yield RawRow(number, {}, TOO_WIDE)
        else:
            yield RawRow(number, _from_beir(row) if "_id" in row else row)


def _from_beir(row: dict[str, Any]) -> dict[str, Any]:
    """A row of corpus.jsonl or queries.jsonl under the names used here; what has no place is named for the notice."""
    metadata = row.get("metadata") if isinstance(row.get("metadata"), dict) else {}
    assert isinstance(metadata, dict)
    known = {"external_id": row.get("_id"), "title": row.get("title"), "description": row.get("text")}
    if "keywords" in metadata:
        known["keywords"] = metadata["keywords"]
    extra = {name: value for name, value in row.items() if name not in ("_id", "title", "text", "metadata")}
    return known | {f"metadata.{name}": value for name, value in metadata.items() if name != "keywords"} | extra


def _open_csv(path: Path, encoding: str, first: str) -> Table:
    delimiter = max("\t;,", key=first.count)
    # Longer cells than any text may be are cut off by the check of the text; beyond this the file is no table.
    csv.field_size_limit(1_000_000)
    rows = _csv_rows(path, encoding, delimiter)
    try:
        headings = next(rows)
    except StopIteration:
        raise UnreadableFile(Text("文件是空的，没有表头", "The file is empty: it has no headings")) from None
    names = [str(cell) for cell in headings.cells.values()]
    return Table("csv", names, _with_headings(names, rows))


def _csv_rows(path: Path, encoding: str, delimiter: str) -> Iterator[RawRow]:
    budget = _Budget()
    reader = csv.reader(_lines(path, encoding, budget), delimiter=delimiter)
    line = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableFile(
                Text(
                    f"第 {reader.line_num} 行附近不是有效的 CSV：{error}",
                    f"Not CSV near line {reader.line_num}: {error}",
                )
            ) from error
        if len(row) > MOST_COLUMNS:
            if line == 1:
                raise TooLarge(TOO_WIDE)
            yield RawRow(line, {"0": ""}, TOO_WIDE)
        elif any(cell.strip() for cell in row):
            yield RawRow(line, {str(number): unescape_formula(cell) for number, cell in enumerate(row)})
        line = reader.line_num + 1
        budget.renew(line)


def _with_headings(names: list[str], rows: Iterator[RawRow]) -> Iterator[RawRow]:
    """Cells under their headings. An example row of the template is passed over."""
    for row in rows:
        if row.fault is not None:
            yield row
            continue
        cells = list(row.cells.values())
        if str(cells[0]).strip().casefold().startswith(EXAMPLE_MARKS):
            continue
        extra = [cell for cell in cells[len(names) :] if str(cell).strip()]
        if extra:
            text = Text(
                f"这一行有 {len(cells)} 格，表头只有 {len(names)} 格；含分隔符的内容请加引号",
                f"{len(cells)} cells under {len(names)} headings: put text with a separator into quotes",
            )
            yield RawRow(row.line, {}, text)
        else:
            yield RawRow(row.line, dict(zip(names, cells, strict=False)))


# As OWASP lists them, the full-width forms too, which spreadsheet programs set for Chinese take for the same signs.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def escape_formula(text: str) -> str:
    """A CSV cell that no spreadsheet program takes for a formula: one apostrophe in front where it could be.

    >>> escape_formula("=1+1"), escape_formula("'=x"), escape_formula("锂")
    ("'=1+1", "''=x", '锂')
    """
    return f"'{text}" if text.lstrip("' ").startswith(FORMULA_STARTS) else text


def unescape_formula(text: str) -> str:
    """What `escape_formula` made, undone."""
    return text[1:] if text.startswith("'") and text.lstrip("' ").startswith(FORMULA_STARTS) else text


def _open_spreadsheet(path: Path) -> Table:
    check_archive(path)
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        sheet = workbook.get_sheet_by_index(0)
        rows = sheet.iter_rows()
        first = next(iter(rows), None)
    except Exception as error:
        raise UnreadableFile(Text("不是可读取的 XLSX 表格", "Not a spreadsheet that can be read")) from error
    offset = 1 + (sheet.start[0] if sheet.start else 0)
    if first is None:
        raise UnreadableFile(Text("第一个工作表是空的", "The first sheet is empty"))
    if len(first) > MOST_COLUMNS:
        raise TooLarge(TOO_WIDE)
    names = [str(cell) for cell in first]
    while names and not names[-1].strip():
        names.pop()
    numbered = (
        RawRow(offset + number, {str(place): cell for place, cell in enumerate(row)})
        for number, row in enumerate(rows, start=1)
        if any(str(cell).strip() for cell in row)
    )
    return Table("xlsx", names, _with_headings(names, numbered))
