"""The draft of a registration as a spreadsheet and as a PDF, both made of the same lines."""

import io
import logging
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import xlsxwriter
from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import FontFace
from pylopdf_fonts_zh_cn import sans_path

from service.contracts.registration import Line, Missing
from service.kit.language import Language, Text

TITLE = Text("技术合同认定登记申报草稿", "Draft of the registration of a technology contract")
NOTE = Text(
    "由平台根据合同、需求与成果资料及单位资料预填，供申报前核对；以登记机构受理的材料为准。",
    "Filled in from the contract, the listings and the organizations, to be checked before it is filed; "
    "what counts is what the registering office accepts.",
)
STILL_MISSING = Text("尚缺内容", "Missing")
NOTHING_MISSING = Text("无，可以申报", "Nothing: it can be filed")
HEADINGS = (Text("部分", "section"), Text("项目", "item"), Text("内容", "content"))
MISSING_HEADINGS = (Text("字段", "field"), Text("依据", "rule"), Text("补充办法", "way out"))
FONT = "NotoSansSC"
# Taking a font apart keeps a processor busy for half a second; so many at a time, and the others wait in their thread.
AT_A_TIME = threading.Semaphore(2)
# The font library tells of each table that it drops from a font: nobody's business.
logging.getLogger("fontTools").setLevel(logging.ERROR)


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
        for row, cells in enumerate(rows, start=1):
            for place, cell in enumerate(cells):
                sheet.write_string(row, place, cell.in_(language), wrap)
        sheet.freeze_panes(1, 0)
    book.close()
    return buffer.getvalue()


class _Pages(FPDF):
    """Pages with their number at the foot."""

    def footer(self) -> None:
        """Write the number."""
        self.set_y(-12)
        self.set_font(FONT, size=8)
        self.cell(0, 6, f"{self.page_no()} / {{nb}}", align="C")


def as_pdf(lines: Sequence[Line], missing: Sequence[Missing], language: Language, made_at: datetime) -> bytes:
    """A4 pages: the lines by section, then what is missing. The font is embedded, so that every reader shows the text."""
    with AT_A_TIME:
        return _composed(lines, missing, language, made_at)


def _composed(lines: Sequence[Line], missing: Sequence[Missing], language: Language, made_at: datetime) -> bytes:
    pages = _Pages(format="A4")
    pages.set_creation_date(made_at.astimezone(UTC))
    pages.set_title(TITLE.in_(language))
    pages.set_lang("zh-CN" if language == "zh" else "en")
    pages.add_font(FONT, fname=sans_path())
    pages.set_auto_page_break(True, margin=18)
    pages.add_page()
    pages.set_font(FONT, size=16)
    pages.cell(0, 10, TITLE.in_(language), align="C", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pages.set_font(FONT, size=8)
    pages.multi_cell(0, 5, NOTE.in_(language), align="C", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    for section in dict.fromkeys(line.section for line in lines):
        rows = [(line.label, line.value) for line in lines if line.section == section]
        _table(pages, section.in_(language), [[cell.in_(language) or "—" for cell in row] for row in rows], (60, 130))
    lacking = [[each.field, each.rule.in_(language), each.way_out.in_(language)] for each in missing]
    _table(
        pages,
        STILL_MISSING.in_(language),
        lacking or [[NOTHING_MISSING.in_(language)]],
        (40, 60, 90) if lacking else (190,),
    )
    return bytes(pages.output())


def _table(pages: FPDF, heading: str, rows: Sequence[Sequence[str]], widths: tuple[int, ...]) -> None:
    pages.ln(3)
    pages.set_font(FONT, size=11)
    pages.cell(0, 8, heading, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pages.set_font(FONT, size=9)
    shaded = FontFace(fill_color=(238, 242, 247))
    with pages.table(
        first_row_as_headings=False, col_widths=widths, line_height=6, text_align="LEFT", padding=1
    ) as table:
        for cells in rows:
            row = table.row()
            for place, cell in enumerate(cells):
                row.cell(cell, style=shaded if place == 0 and len(cells) > 1 else None)
