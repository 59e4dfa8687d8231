"""From a raw row to the content that the API would take, or to what is wrong with it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from service.access.schemas import OrganizationContent
from service.errors import FieldProblem
from service.exchange import cells
from service.exchange.cells import CellError, CodesByLabel
from service.exchange.columns import COLUMNS, Cell, Column, ImportKind, fold_heading, headings, nearest_heading
from service.exchange.faults import UnreadableFile
from service.exchange.readers import MOST_CELL, RawRow, Table
from service.kit.language import Text
from service.kit.validation import problems_of
from service.needs.schemas import NeedContent
from service.outcomes.schemas import OutcomeContent

CONTENTS: dict[ImportKind, type[BaseModel]] = {
    "needs": NeedContent,
    "outcomes": OutcomeContent,
    "organizations": OrganizationContent,
}


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with one cell of one line, and what would be right."""

    line: int
    column: str
    rule: str
    message: Text
    value: str = ""
    external_id: str | None = None


@dataclass(slots=True)
class GoodRow:
    """A row that may go in: its content, and the organization that it names."""

    line: int
    content: Any
    organization: str | None
    external_id: str


@dataclass(slots=True)
class Sorter:
    """Sorts the rows of one file into good ones and problems, remembering what the file has said before."""

    kind: ImportKind
    codes: CodesByLabel
    known: dict[str, Column] = field(init=False)
    seen: dict[tuple[str, str], int] = field(default_factory=dict)
    unknown: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.known = headings(self.kind)

    def sort(self, row: RawRow) -> GoodRow | list[RowProblem]:
        """One row as content, or all that is wrong with it."""
        if row.fault is not None:
            return [RowProblem(row.line, "", "unreadable_row", row.fault)]
        values, problems = self._values(row)
        organization = values.pop("organization", None) if self.kind != "organizations" else None
        external_id = str(values.get("external_id") or "") or _stable_id(values)
        values["external_id"] = external_id
        wrong = {problem.column for problem in problems}
        try:
            content = CONTENTS[self.kind].model_validate(
                {k: v for k, v in values.items() if v is not None and k not in wrong}
            )
        except ValidationError as error:
            problems += [
                self._problem(row, found, external_id)
                for found in problems_of(error.errors())
                if found.field.partition(".")[0] not in wrong
            ]
        if problems:
            return problems
        key = (organization or "", external_id)
        if key in self.seen:
            text = Text(
                f"编号 {external_id} 与第 {self.seen[key]} 行重复，保留先出现的一行",
                f"The number {external_id} stands in line {self.seen[key]} already; that line is kept",
            )
            return [RowProblem(row.line, "external_id", "duplicate", text, external_id, external_id)]
        self.seen[key] = row.line
        return GoodRow(row.line, content, organization, external_id)

    def _values(self, row: RawRow) -> tuple[dict[str, Any], list[RowProblem]]:
        values: dict[str, Any] = {}
        problems: list[RowProblem] = []
        for heading, cell in row.cells.items():
            column = self.known.get(fold_heading(heading))
            if column is None:
                if heading.strip():
                    self.unknown[heading] = None
                continue
            if column.name in values:
                text = Text(f"字段 {column.name} 给出了两次", f"The field {column.name} is given twice")
                problems.append(RowProblem(row.line, column.name, "twice", text))
                continue
            if isinstance(cell, str) and len(cell) > MOST_CELL:
                text = Text(f"单元格最多 {MOST_CELL} 个字符", f"At most {MOST_CELL} characters in a cell")
                problems.append(RowProblem(row.line, column.name, "cell_too_long", text, cell[:60]))
                continue
            try:
                values[column.name] = cells.read(cell, column, self.codes)
            except CellError as error:
                problems.append(RowProblem(row.line, column.name, error.rule, error.message, cells.as_text(cell)[:200]))
            if column.cell is Cell.TEXT and values.get(column.name) is not None:
                values[column.name] = cells.as_text(values[column.name])
        return values, problems

    def _problem(self, row: RawRow, found: FieldProblem, external_id: str) -> RowProblem:
        name = found.field.partition(".")[0]
        shown = next((c for h, c in row.cells.items() if (k := self.known.get(fold_heading(h))) and k.name == name), "")
        return RowProblem(row.line, name, found.rule, found.message, cells.as_text(shown)[:200], external_id)

    def notices(self) -> list[Text]:
        """Headings that nothing was made of, each with the nearest that there is."""
        made = []
        for heading in self.unknown:
            near = nearest_heading(heading, self.kind)
            hint = (f"，是否指“{near}”？", f"; did you mean “{near}”?") if near else ("", "")
            made.append(
                Text(
                    f"“{heading}”列没有对应字段，未导入{hint[0]}",
                    f"The column “{heading}” has no field and was not used{hint[1]}",
                )
            )
        return made


def _stable_id(values: dict[str, Any]) -> str:
    """A number for a row that names none: the same content gets the same one, so that a second run finds it."""
    told = {name: value for name, value in values.items() if value not in (None, "", [])}
    return "sha256:" + hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def check_headings(table: Table, kind: ImportKind) -> None:
    """Refuse a table whose headings leave open what is meant.

    Raises:
        UnreadableFile: a column is there twice, or a required one is missing.
    """
    if table.format == "jsonl":
        return
    known = headings(kind)
    columns = [known.get(fold_heading(name)) for name in table.headings]
    names = [column.name for column in columns if column is not None]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        same = "、".join(
            f"“{h}”" for h, c in zip(table.headings, columns, strict=True) if c is not None and c.name == twice[0]
        )
        raise UnreadableFile(
            Text(
                f"表头 {same} 指同一字段 {twice[0]}，请只保留一列",
                f"The headings {same} mean the same field {twice[0]}: keep one",
            )
        )
    missing = [column for column in COLUMNS[kind] if column.required and column.name not in names]
    if missing:
        raise UnreadableFile(
            Text(
                f"缺少必需的列“{missing[0].zh}”（{missing[0].name}）；表头应在第一行，可下载模板对照",
                f"The required column “{missing[0].name}” is missing; headings stand in the first row, see the template",
            )
        )


def batches(rows: Iterator[RawRow], size: int) -> Iterator[list[RawRow]]:
    """Rows in groups, so that no more than one group is in memory."""
    group: list[RawRow] = []
    for row in rows:
        group.append(row)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
