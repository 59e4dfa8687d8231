"""Rows of a file, one at a time, with their line numbers. What a file is, its content says, not its name."""

import codecs
import csv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson
from python_calamine import CalamineWorkbook

from service.errors import ServiceError, TooLarge, UnsupportedMedia
from service.exchange.columns import ImportKind
from service.kit.language import Text

# What a spreadsheet may unpack to; a bomb of a few kilobytes unpacks to gigabytes.
MOST_UNPACKED = 256 * 1024 * 1024
MOST_RATIO = 200
MOST_MEMBERS = 2_000
MOST_COLUMNS = 200
MOST_CELL = 40_000
BEIR_FILES: dict[str, str] = {"needs": "queries.jsonl", "outcomes": "corpus.jsonl"}
EXAMPLE_MARKS = ("示例", "example:")

Format = Literal["csv", "xlsx", "jsonl"]


class UnreadableFile(ServiceError):
    """A file that holds no rows that can be read; nothing was imported."""

    status = 422
    code = "unreadable_file"
    title = Text("文件无法读取，未导入任何内容", "The file cannot be read; nothing was imported")


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
    if not first:
        raise UnreadableFile(Text("文件是空的", "The file is empty"))
    if first.lstrip().startswith("{"):
        return Table("jsonl", [], _json_rows(path, encoding))
    return _open_csv(path, encoding, first)


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
                    decoder.decode(piece)
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    raise UnreadableFile(
        Text("编码既不是 UTF-8 也不是 GB18030，请另存为 UTF-8", "Neither UTF-8 nor GB18030: save it as UTF-8")
    )


def _first_line(path: Path, encoding: str) -> str:
    with path.open(encoding=encoding) as file:
        for line in file:
            if line.strip():
                return line
    return ""


def _json_rows(path: Path, encoding: str) -> Iterator[RawRow]:
    with path.open(encoding=encoding) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = orjson.loads(line)
            except ValueError:
                row = None
            if isinstance(row, dict):
                yield RawRow(number, _from_beir(row) if "_id" in row else row)
            else:
                yield RawRow(number, {}, Text("这一行不是 JSON 对象", "This line is no JSON object"))


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
        raise UnreadableFile(Text("文件没有表头", "The file has no headings")) from None
    names = [str(cell) for cell in headings.cells.values()]
    return Table("csv", names, _with_headings(names, rows))


def _csv_rows(path: Path, encoding: str, delimiter: str) -> Iterator[RawRow]:
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, delimiter=delimiter)
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
            if any(cell.strip() for cell in row):
                yield RawRow(line, {str(number): unescape_formula(cell) for number, cell in enumerate(row)})
            line = reader.line_num + 1


def _with_headings(names: list[str], rows: Iterator[RawRow]) -> Iterator[RawRow]:
    """Cells under their headings. An example row of the template is passed over."""
    for row in rows:
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


FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def escape_formula(text: str) -> str:
    """A CSV cell that no spreadsheet program takes for a formula: one apostrophe in front where it could be.

    >>> escape_formula("=1+1"), escape_formula("'=x"), escape_formula("锂")
    ("'=1+1", "''=x", '锂')
    """
    return f"'{text}" if text.lstrip("'").startswith(FORMULA_STARTS) else text


def unescape_formula(text: str) -> str:
    """What `escape_formula` made, undone."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(FORMULA_STARTS) else text


def _open_spreadsheet(path: Path) -> Table:
    _check_archive(path)
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
        raise TooLarge(Text(f"最多 {MOST_COLUMNS} 列", f"At most {MOST_COLUMNS} columns"))
    names = [str(cell) for cell in first]
    while names and not names[-1].strip():
        names.pop()
    numbered = (
        RawRow(offset + number, {str(place): cell for place, cell in enumerate(row)})
        for number, row in enumerate(rows, start=1)
        if any(str(cell).strip() for cell in row)
    )
    return Table("xlsx", names, _with_headings(names, numbered))


def _check_archive(path: Path) -> None:
    """Refuse a bomb by its own table of contents, before anything is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise UnreadableFile(
            Text("压缩结构已损坏，请重新另存为 XLSX", "The archive is damaged: save it as XLSX again")
        ) from error
    unpacked = sum(member.file_size for member in members)
    if (
        len(members) > MOST_MEMBERS
        or unpacked > MOST_UNPACKED
        or unpacked > MOST_RATIO * max(path.stat().st_size, 50_000)
    ):
        raise TooLarge(
            Text("表格解压后过大，请拆分后再导入", "The spreadsheet unpacks to more than is taken: split it")
        )
    if not any(member.filename == "xl/workbook.xml" for member in members):
        raise UnsupportedMedia(
            Text(
                "不是 XLSX 表格；只支持 CSV、XLSX 和 JSON Lines",
                "Not an XLSX spreadsheet; CSV, XLSX and JSON Lines are read",
            )
        )
