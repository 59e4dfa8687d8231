"""Cells: what people type is read, and what is written is read back as it was."""

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.exchange import cells
from service.exchange.cells import CellError, fold
from service.exchange.columns import COLUMNS, Cell, Column, fold_heading, headings, nearest_heading
from service.exchange.readers import escape_formula, unescape_formula
from service.kit.texts import clean_line

CODES = {
    "modes": {fold(label): code for code, label in {"license": "许可", "transfer": "转让"}.items()}
    | {"license": "license"},
    "ip_kinds": {"invention_patent": "invention_patent", "发明专利": "invention_patent"},
    "ip_statuses": {"granted": "granted", "已授权": "granted"},
}


def column(kind: Cell, codes: str = "") -> Column:
    return Column("x", "列", cell=kind, codes=codes)


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        (Cell.MONEY, "80万元", "800000"),
        (Cell.MONEY, "1.2亿", "120000000.0"),
        (Cell.MONEY, "￥1,200.50", "1200.50"),
        (Cell.MONEY, 800000.0, "800000"),
        (Cell.TRL, "TRL 6", 6),
        (Cell.TRL, "７级", 7),
        (Cell.TRL, 8.0, 8),
        (Cell.BOOLEAN, "是", True),
        (Cell.BOOLEAN, "No", False),
        (Cell.DATE, "2027年6月3日", "2027-06-03"),
        (Cell.DATE, "2027/6/3", "2027-06-03"),
        (Cell.DATE, date(2027, 6, 3), "2027-06-03"),
        (Cell.DATE, datetime(2027, 6, 3, 0, 0), "2027-06-03"),
        (Cell.LINES, "≤12 h；≤13%", ["≤12 h", "≤13%"]),
        (Cell.LINES, "a；b\nc", ["a；b", "c"]),
        (Cell.WORDS, "枸杞、干燥, 节能", ["枸杞", "干燥", "节能"]),
        (Cell.TEXT, "", None),
        (Cell.MONEY, "  ", None),
    ],
)
def test_cells_as_people_write_them(kind: Cell, cell: object, value: object) -> None:
    assert cells.read(cell, column(kind), CODES) == value


@pytest.mark.parametrize(
    ("kind", "cell", "rule"),
    [
        (Cell.MONEY, "很多", "money"),
        (Cell.TRL, "10", "trl"),
        (Cell.BOOLEAN, "也许", "boolean"),
        (Cell.DATE, "2027-02-30", "date"),
        (Cell.DATE, "明年", "date"),
        (Cell.CODES, "许可、赠送", "known_modes"),
        (Cell.RIGHTS, "发明专利 | 1 | 名称 | 已授权 | 多余", "ip_rights"),
    ],
)
def test_cells_that_cannot_be_read_say_what_would_be_right(kind: Cell, cell: str, rule: str) -> None:
    with pytest.raises(CellError) as refused:
        cells.read(cell, column(kind, "modes"), CODES)
    assert refused.value.rule == rule
    assert refused.value.message.zh
    assert refused.value.message.en


def test_codes_are_known_by_code_and_label() -> None:
    assert cells.read("许可；license", column(Cell.CODES, "modes"), CODES) == ["license", "license"]


LINE = st.text(min_size=1, max_size=30).map(clean_line).filter(bool)


@given(st.lists(LINE, max_size=6))
def test_lists_come_back(entries: list[str]) -> None:
    for kind in (Cell.LINES, Cell.WORDS):
        assert (cells.read(cells.write(entries, column(kind)), column(kind), CODES) or []) == entries


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "kind": st.just("invention_patent"),
                "number": st.none() | LINE,
                "title": st.none() | LINE,
                "status": st.none() | st.just("granted"),
            }
        ),
        max_size=4,
    )
)
def test_rights_come_back(rights: list[dict[str, Any]]) -> None:
    read = cells.read(cells.write(rights, column(Cell.RIGHTS)), column(Cell.RIGHTS), CODES) or []
    assert [{name: right.get(name) for name in ("kind", "number", "title", "status")} for right in read] == rights


@given(st.text(max_size=40))
def test_no_csv_cell_begins_a_formula_and_none_is_lost(text: str) -> None:
    written = escape_formula(text)
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unescape_formula(written) == text


def test_headings_are_known_however_they_are_written() -> None:
    known = headings("needs")
    for heading in ("需求名称", " 需求名称 *", "需求名称（必填）", "Title", "TITLE", "title"):
        assert known[fold_heading(heading)].name == "title"
    assert nearest_heading("技术指标们", "needs") == "技术指标"
    assert nearest_heading("zzzz", "needs") is None


@pytest.mark.parametrize("kind", COLUMNS)
def test_every_field_of_the_schema_has_a_column(kind: Any) -> None:
    from service.exchange.rows import CONTENTS

    names = {each.name for each in COLUMNS[kind]} - {"organization"}
    assert names == set(CONTENTS[kind].model_fields)
