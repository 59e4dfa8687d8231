"""An empty spreadsheet to fill in: headings, choices in the code columns, and an example that the import passes over."""

import io

import xlsxwriter
from pydantic import JsonValue

from service.exchange.cells import write
from service.exchange.columns import COLUMNS, Cell, Column, ImportKind
from service.exchange.writers import WIDTHS, Labels, add_code_sheet
from service.kit.language import Language
from service.needs.schemas import EXAMPLE as NEED_EXAMPLE
from service.outcomes.schemas import EXAMPLE as OUTCOME_EXAMPLE

EXAMPLES: dict[ImportKind, dict[str, JsonValue]] = {
    "needs": NEED_EXAMPLE,
    "outcomes": OUTCOME_EXAMPLE,
    "organizations": {"name": "沙泉演示硅材料有限公司", "kind": "enterprise", "region": "640200"},
}
# Drop-downs hold short lists only; the longer ones are on the sheet of codes.
MOST_CHOICES = 25
ROWS = 2_000


def template(kind: ImportKind, language: Language, labels: Labels) -> bytes:
    """The spreadsheet's bytes."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet(kind)
    heading = book.add_format({"bold": True, "bg_color": "#DCE6F1", "border": 1, "text_wrap": True})
    grey = book.add_format({"font_color": "#808080", "text_wrap": True, "valign": "top"})
    for place, column in enumerate(COLUMNS[kind]):
        mark = "*" if column.required else ""
        sheet.set_column(place, place, WIDTHS.get(column.name, 18))
        sheet.write_string(0, place, (column.zh if language == "zh" else column.name) + mark, heading)
        sheet.write_string(1, place, _example(column, kind, place, language), grey)
        choices = _choices(column, language, labels)
        if choices:
            sheet.data_validation(
                2, place, ROWS, place, {"validate": "list", "source": choices, "error_type": "warning"}
            )
    sheet.freeze_panes(1, 0)
    add_code_sheet(book, kind, labels)
    book.close()
    return buffer.getvalue()


def _example(column: Column, kind: ImportKind, place: int, language: Language) -> str:
    if place == 0:
        return "示例（本行不导入）" if language == "zh" else "Example: this row is not imported"
    value = EXAMPLES[kind].get(column.name)
    return "" if value is None else write(value, column).strip()


def _choices(column: Column, language: Language, labels: Labels) -> list[str]:
    if column.cell is Cell.BOOLEAN:
        return ["是", "否"] if language == "zh" else ["yes", "no"]
    if column.cell is not Cell.CODE:
        return []
    entries = labels.get(column.codes, [])
    found = [zh if language == "zh" else en for _, zh, en in entries]
    # Excel takes no more than 255 characters of choices.
    return found if len(found) <= MOST_CHOICES and sum(len(each) + 1 for each in found) < 255 else []
