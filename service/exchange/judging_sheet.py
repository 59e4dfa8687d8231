"""The spreadsheet that people judge pairs in: written with an empty column of grades, and read again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unicodedata import normalize

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from service.errors import FieldProblem, ValidationProblem
from service.exchange.cells import as_text
from service.exchange.columns import fold_heading
from service.exchange.faults import UnreadableFile
from service.exchange.readers import RawRow, open_table
from service.exchange.rows import RowProblem
from service.kit.language import Language, Text

# Enough to judge by; whole texts would make rows that nobody reads to the end.
SHORT = 600
MOST_ROWS = 1_048_575
GRADES = {"0": 0, "1": 1, "2": 2, "3": 3}
# Name, Chinese heading, width. The first column is no id: a first cell that begins like an example is passed over.
COLUMNS = (
    ("number", "序号", 8),
    ("need_id", "需求编号", 16),
    ("need_title", "需求名称", 28),
    ("need_text", "需求内容", 50),
    ("outcome_id", "成果编号", 16),
    ("outcome_title", "成果名称", 28),
    ("outcome_text", "成果内容", 50),
    ("existing_grade", "已有等级", 10),
    ("grade", "等级", 10),
)
NEEDED = ("need_id", "outcome_id", "grade")
INSTRUCTIONS = (
    Text("怎样评判", "How to judge"),
    Text(
        "每行是一项需求和一项成果。请在“等级”（grade）一列选 0、1、2 或 3；没有把握或未评的留空。",
        "Each row is a need and an outcome. Choose 0, 1, 2 or 3 in the column grade; leave it empty where you did not judge.",
    ),
    Text(
        "3 强相关：成果直接解决需求的主要问题，可以马上引荐双方。",
        "3 strongly relevant: the outcome solves the need's main problem; one would introduce the two at once.",
    ),
    Text(
        "2 较强相关：成果解决需求的一部分，或稍加改进、换一个场景即可使用，值得引荐。",
        "2 fairly relevant: it solves a part, or would after some adaptation; worth an introduction.",
    ),
    Text(
        "1 弱相关：同一领域，可供参考，但解决不了这项需求。",
        "1 weakly relevant: of the same field and worth reading, but it does not answer the need.",
    ),
    Text("0 无相关：与需求无关，或只是用词相同。", "0 not relevant: of something else, or merely the same words."),
    Text(
        "候选来自多个排序系统，已打乱次序：先后和出现与否都不代表任何系统的看法。",
        "The candidates come from several systems and are shuffled: their order says nothing of what any system thinks.",
    ),
    Text(
        "请只填等级一列，不要改动编号。填好后用 duijie judge import 读回。",
        "Fill in the grades only and leave the ids as they are; then read the file back with duijie judge import.",
    ),
)


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A pair to judge."""

    need_id: str
    need_title: str
    need_text: str
    outcome_id: str
    outcome_title: str
    outcome_text: str
    existing: int | None = None


@dataclass(frozen=True, slots=True)
class Grade:
    """A grade and the line that it stands in."""

    line: int
    need: str
    outcome: str
    grade: int


@dataclass(frozen=True, slots=True)
class Judged:
    """What a sheet says: its grades in order, how many rows are left empty, and every cell that cannot be taken."""

    grades: tuple[Grade, ...]
    empty: int
    problems: tuple[RowProblem, ...]


def shorten(text: str) -> str:
    """A text's beginning on one stretch of lines, as much as a cell shows well.

    >>> shorten(" 枸杞  干燥 "), len(shorten("枸" * 1000))
    ('枸杞 干燥', 601)
    """
    lines = [" ".join(line.split()) for line in text.splitlines()]
    # Half a surrogate pair, which JSON can hold, is no text that a spreadsheet can.
    whole = "\n".join(line for line in lines if line).encode("utf-8", "replace").decode()
    return whole if len(whole) <= SHORT else whole[:SHORT] + "…"


def write_sheet(path: Path, rows: Sequence[SheetRow], language: Language) -> None:
    """Write the spreadsheet whole or not at all.

    Raises:
        ValidationProblem: the name does not end in .xlsx, or there are more pairs than a sheet has rows.
    """
    check_name(path)
    if len(rows) > MOST_ROWS:
        text = Text(
            f"共 {len(rows)} 对，一个表格最多 {MOST_ROWS} 行：请减少 --depth 或 --needs",
            f"{len(rows)} pairs, and a sheet has {MOST_ROWS} rows: lower --depth or --needs",
        )
        raise ValidationProblem([FieldProblem("depth", "too_many_rows", text)])
    scratch = path.with_name(f".{path.name}.part")
    try:
        book = xlsxwriter.Workbook(
            str(scratch), {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        )
        _write_pairs(book, rows, language)
        _write_instructions(book)
        try:
            book.close()
        except FileCreateError as error:
            raise OSError(f"{path}: cannot be written ({error})") from error
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def check_name(path: Path) -> None:
    """Whether a spreadsheet can be written under this name.

    Raises:
        ValidationProblem: the name does not end in .xlsx, or its folder is not there.
    """
    if path.suffix.lower() != ".xlsx":
        text = Text("文件名应以 .xlsx 结尾", "The file's name must end in .xlsx")
        raise ValidationProblem([FieldProblem("path", "known_format", text)])
    if path.is_dir() or not path.parent.is_dir():
        text = Text(
            f"{path} 无法写入：应为已有文件夹中的文件",
            f"{path} cannot be written: name a file in a folder that is there",
        )
        raise ValidationProblem([FieldProblem("path", "writable", text)])


def _write_pairs(book: Any, rows: Sequence[SheetRow], language: Language) -> None:
    sheet = book.add_worksheet("pairs")
    heading = book.add_format({"bold": True, "bg_color": "#DCE6F1", "border": 1})
    # Needs take turns in shade, so that the eye sees where the next one begins.
    plain = {"text_wrap": True, "valign": "top"}
    shades = [book.add_format(plain), book.add_format(plain | {"bg_color": "#F5F5F5"})]
    for place, (name, zh, width) in enumerate(COLUMNS):
        sheet.set_column(place, place, width)
        sheet.write_string(0, place, zh if language == "zh" else name, heading)
    needs = {need: number for number, need in enumerate(dict.fromkeys(row.need_id for row in rows))}
    grade = len(COLUMNS) - 1
    for number, row in enumerate(rows, start=1):
        shade = shades[needs[row.need_id] % 2]
        sheet.write_number(number, 0, number, shade)
        texts = (row.need_id, row.need_title, row.need_text, row.outcome_id, row.outcome_title, row.outcome_text)
        for place, text in enumerate(texts, start=1):
            sheet.write_string(number, place, text, shade)
        if row.existing is not None:
            sheet.write_number(number, grade - 1, row.existing, shade)
        sheet.write_blank(number, grade, None, shade)
    if rows:
        message = Text("请填 0、1、2 或 3", "0, 1, 2 or 3")
        sheet.data_validation(
            1, grade, len(rows), grade,
            {
                "validate": "list", "source": list(GRADES), "error_type": "stop",
                "error_title": "0–3", "error_message": f"{message.zh} / {message.en}",
            },
        )  # fmt: skip
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, len(rows)), len(COLUMNS) - 1)


def _write_instructions(book: Any) -> None:
    sheet = book.add_worksheet("说明 instructions")
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 1, 60)
    for line, text in enumerate(INSTRUCTIONS):
        sheet.write_string(line, 0, text.zh, wrap if line else bold)
        sheet.write_string(line, 1, text.en, wrap if line else bold)


def read_sheet(path: Path) -> Judged:
    """The grades of a sheet that was filled in. A row whose grade is empty is not judged.

    Raises:
        UnreadableFile: it is no spreadsheet, or lacks a column. TooLarge, UnsupportedMedia: as in an import.
    """
    if path.is_dir():
        raise UnreadableFile(Text("应为评判表格，不是文件夹", "Must be a judging spreadsheet, not a folder"))
    # The kind matters for folders alone.
    table = open_table(path, "needs")
    names = _names(table.headings)
    sorter = _Sorter()
    for row in table.rows:
        sorter.take(row, names)
    return Judged(tuple(sorter.grades.values()), sorter.empty, tuple(sorter.problems))


def _names(headings: Sequence[str]) -> dict[str, str]:
    """The columns that are read, by name: the heading under which each stands."""
    known = {fold_heading(heading): heading for heading in headings}
    labels = {name: zh for name, zh, _ in COLUMNS}
    found = {
        name: heading
        for name in NEEDED
        if (heading := known.get(fold_heading(name)) or known.get(fold_heading(labels[name])))
    }
    if missing := [name for name in NEEDED if name not in found]:
        both = "、".join(f"{name}（{labels[name]}）" for name in missing)
        raise UnreadableFile(
            Text(
                f"缺少列 {both}：请使用 duijie judge export 生成的表格",
                f"No column {', '.join(missing)}: use a spreadsheet made by duijie judge export",
            )
        )
    return found


class _Sorter:
    """Sorts rows into grades and problems, remembering what earlier lines said of a pair."""

    def __init__(self) -> None:
        self.grades: dict[tuple[str, str], Grade] = {}
        self.problems: list[RowProblem] = []
        self.empty = 0

    def take(self, row: RawRow, names: dict[str, str]) -> None:
        """One row of the sheet."""
        if row.fault is not None:
            self.problems.append(RowProblem(row.line, "", "unreadable_row", row.fault))
            return
        need, outcome, written = (as_text(row.cells.get(names[name])) for name in NEEDED)
        if not written.strip():
            self.empty += 1
            return
        found = list(self._problems(row.line, need, outcome, written))
        if found:
            self.problems += found
            return
        self.grades.setdefault((need, outcome), Grade(row.line, need, outcome, _grade(written)))

    def _problems(self, line: int, need: str, outcome: str, written: str) -> Iterator[RowProblem]:
        for name, value in (("need_id", need), ("outcome_id", outcome)):
            if not value.strip():
                text = Text(
                    "有等级而没有编号：请补上编号或清空等级", "A grade without an id: fill in the id or clear it"
                )
                yield RowProblem(line, name, "missing", text)
        if _folded(written) not in GRADES:
            text = Text("应为 0、1、2 或 3，未评的留空", "Must be 0, 1, 2 or 3; leave it empty where not judged")
            yield RowProblem(line, "grade", "grade_0_to_3", text, written[:200])
            return
        earlier = self.grades.get((need, outcome))
        if earlier is not None and earlier.grade != _grade(written):
            text = Text(
                f"同一对在第 {earlier.line} 行为 {earlier.grade}：请留一个",
                f"Line {earlier.line} gives the same pair {earlier.grade}: keep one of them",
            )
            yield RowProblem(line, "grade", "contradicts_line", text, written[:200])


def _folded(written: str) -> str:
    return normalize("NFKC", written).strip()


def _grade(written: str) -> int:
    return GRADES[_folded(written)]
