"""The draft of a registration as a spreadsheet and as a PDF, both made of the same lines."""

import io
from collections.abc import Sequence
from pathlib import Path

import orjson
import typst
import xlsxwriter
from pylopdf_fonts_zh_cn import sans_path

from service.contracts.registration import Line, Missing
from service.kit.language import Language, Text

TEMPLATE = Path(__file__).with_name("registration.typ")
TITLE = Text("技术合同认定登记申报草稿", "Draft of the registration of a technology contract")
NOTE = Text(
    "由平台根据合同、需求与成果资料及单位资料预填，供申报前核对；以登记机构受理的材料为准。",
    "Filled in from the contract, the listings and the organizations, to be checked before it is filed; "
    "what counts is what the registering office accepts.",
)
STILL_MISSING = Text("尚缺内容", "Missing")
NOTHING_MISSING = Text("无，可以申报", "Nothing: it can be filed")
# A cell holds 32,767 units of UTF-16, and what is beyond would be left out without a word; a character may take two.
LONGEST_CELL = 16_000
HEADINGS = (Text("部分", "section"), Text("项目", "item"), Text("内容", "content"))
MISSING_HEADINGS = (Text("字段", "field"), Text("依据", "rule"), Text("补充办法", "way out"))


def as_spreadsheet(lines: Sequence[Line], missing: Sequence[Missing], language: Language) -> bytes:
    """Two sheets: the lines, and what is missing."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(buffer, options)
    bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    told = [(each.section, each.label, each.value) for each in lines]
    lacking = [(Text(each.field, each.field), each.rule, each.way_out) for each in missing]
    for name, headings, rows, widths in (
        (Text("认定登记", "registration"), HEADINGS, told, (20, 36, 80)),
        (STILL_MISSING, MISSING_HEADINGS, lacking, (28, 50, 80)),
    ):
        sheet = book.add_worksheet(name.in_(language))
        for place, (heading, width) in enumerate(zip(headings, widths, strict=True)):
            sheet.set_column(place, place, width)
            sheet.write_string(0, place, heading.in_(language), bold)
        texts = (pieces for cells in rows for pieces in _pieces([cell.in_(language) for cell in cells]))
        for row, cells in enumerate(texts, start=1):
            for place, cell in enumerate(cells):
                sheet.write_string(row, place, cell, wrap)
        sheet.freeze_panes(1, 0)
    book.close()
    return buffer.getvalue()


def _pieces(cells: Sequence[str]) -> list[list[str]]:
    """A row, or where its last cell holds more than a cell may, several with the parts of it.

    >>> [[label, len(text)] for label, text in _pieces(["权利", "字" * 16_001])]
    [['权利', 16000], ['权利', 1]]
    """
    *head, last = cells
    parts = [last[begin : begin + LONGEST_CELL] for begin in range(0, len(last), LONGEST_CELL)] or [""]
    return [[*head, part] for part in parts]


def as_pdf(lines: Sequence[Line], missing: Sequence[Missing], language: Language) -> bytes:
    """A4 pages: the lines by section, then what is missing. The font is embedded, so that every reader shows the text."""
    sections = [
        _section(section, [(line.label, line.value) for line in lines if line.section == section], (1, 2), language)
        for section in dict.fromkeys(line.section for line in lines)
    ]
    lacking = [(Text(each.field, each.field), each.rule, each.way_out) for each in missing]
    sections.append(_section(STILL_MISSING, lacking or [(NOTHING_MISSING,)], (2, 3, 4) if lacking else (1,), language))
    told = {
        "title": TITLE.in_(language),
        "note": NOTE.in_(language),
        "language": language,
        "region": "cn" if language == "zh" else None,
        "sections": sections,
    }
    made: bytes = typst.compile(
        str(TEMPLATE),
        font_paths=[str(sans_path().parent)],
        # Those of the machine would make the pages look different from one to the next.
        ignore_system_fonts=True,
        sys_inputs={"told": orjson.dumps(told).decode()},
    )
    return made


def _section(
    heading: Text, rows: Sequence[Sequence[Text]], widths: tuple[int, ...], language: Language
) -> dict[str, object]:
    cells = [[cell.in_(language) or "—" for cell in row] for row in rows]
    return {"heading": heading.in_(language), "widths": widths, "rows": cells}
