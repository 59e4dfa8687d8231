"""The translated listings beside this file say what the demo data's Chinese originals say, as far as form can tell.

30 needs in English and Arabic each, 6 outcomes in English and 6 others in Arabic, to measure matching across languages.
They were translated without looking at a list of terms, so that a list of terms can be judged by them.
"""

import json
import re
from collections import Counter
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from matching.profiling.compose import SECTION_WEIGHTS
from matching.profiling.language import detect_language

HERE = Path(__file__).parent
DEMO = HERE.parents[2] / "seeds" / "demo"
TEXT_FIELDS = frozenset(SECTION_WEIGHTS)
FILES = ("needs-en", "needs-ar", "outcomes-en", "outcomes-ar")
HAN = re.compile(r"[\u2e80-\u2fdf\u3001-\u303f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef]")
"""Ideographs, and the punctuation and wide forms that come with them."""
FIGURE = re.compile(r"(\d+(?:[,٬]\d{3})*)(?:[.٫](\d+))?\s*(万|million|مليون)?")
MULTIPLIERS = {"": 1, "万": 10_000, "million": 1_000_000, "مليون": 1_000_000}
ARABIC_INDIC = re.compile(r"[٠-٩]")
WESTERN_FIGURE = re.compile(r"(?<![A-Za-z\d.])[0-9]")


def figures(line: str) -> Counter[Decimal]:
    """The figures of a line as plain numbers, whatever their digits, separators and multiplier.

    >>> figures("≤3.5万元") == figures("≤ 35,000 yuan") == figures("≤ ٣٥٬٠٠٠ يوان") == figures("≤ 0.035 million")
    True
    """
    found = Counter[Decimal]()
    for whole, fraction, multiplier in FIGURE.findall(line):
        found[Decimal(re.sub("[,٬]", "", whole) + "." + (fraction or "0")) * MULTIPLIERS[multiplier]] += 1
    return found


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


@cache
def _demo(kind: str) -> dict[str, dict[str, Any]]:
    return {row["external_id"]: row for path in sorted(DEMO.glob(f"{kind}-*.jsonl")) for row in _read(path)}


@cache
def _translated(name: str) -> dict[str, dict[str, Any]]:
    rows = _read(HERE / f"{name}.jsonl")
    by_id = {row["external_id"]: row for row in rows}
    assert len(by_id) == len(rows)
    return by_id


def _pairs(name: str) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    originals = _demo(name.split("-")[0])
    return [(external_id, originals[external_id], row) for external_id, row in _translated(name).items()]


def _texts(row: dict[str, Any]) -> list[str]:
    values = [value for field, value in row.items() if field in TEXT_FIELDS]
    return [text for value in values for text in (value if isinstance(value, list) else [value])]


@pytest.mark.parametrize(
    ("name", "count"), [("needs-en", 30), ("needs-ar", 30), ("outcomes-en", 6), ("outcomes-ar", 6)]
)
def test_every_row_translates_a_chinese_listing_of_the_demo_data(name: str, count: int) -> None:
    assert len(_translated(name)) == count
    assert set(_translated(name)) <= set(_demo(name.split("-")[0]))
    for external_id, original, _ in _pairs(name):
        assert detect_language("\n".join(_texts(original))) == "zh", external_id


def test_the_same_needs_are_in_both_languages_and_spread_over_all_fields() -> None:
    assert set(_translated("needs-en")) == set(_translated("needs-ar"))
    fields = {row["field"] for row in _demo("needs").values()}
    assert {original["field"] for _, original, _ in _pairs("needs-en")} == fields


def test_each_outcome_is_translated_into_one_language() -> None:
    assert not set(_translated("outcomes-en")) & set(_translated("outcomes-ar"))


@pytest.mark.parametrize("name", FILES)
def test_a_translation_has_the_text_fields_of_its_original(name: str) -> None:
    for external_id, original, row in _pairs(name):
        assert set(row) - {"external_id"} == set(original) & TEXT_FIELDS, external_id
        assert all(text == text.strip() and text for text in _texts(row)), external_id
        assert len(row["keywords"]) == len(original["keywords"]), external_id


@pytest.mark.parametrize("name", FILES)
def test_no_chinese_writing_is_left(name: str) -> None:
    left = [(external_id, text) for external_id, _, row in _pairs(name) for text in _texts(row) if HAN.search(text)]
    assert left == []


@pytest.mark.parametrize("name", FILES)
def test_title_description_and_whole_are_in_the_language_of_the_file(name: str) -> None:
    for external_id, _, row in _pairs(name):
        for text in (row["title"], row["description"], "\n".join(_texts(row))):
            assert detect_language(text) == name.split("-")[1], external_id


@pytest.mark.parametrize("name", FILES)
def test_each_indicator_keeps_its_figures(name: str) -> None:
    for external_id, original, row in _pairs(name):
        assert len(row["indicators"]) == len(original["indicators"]), external_id
        for line, translated in zip(original["indicators"], row["indicators"], strict=True):
            assert figures(translated) == figures(line), (external_id, line, translated)


def test_about_a_third_of_the_arabic_needs_write_arabic_indic_digits_and_none_mixes_them_within_indicators() -> None:
    indic = {
        external_id for external_id, row in _translated("needs-ar").items() if ARABIC_INDIC.search("".join(_texts(row)))
    }
    assert 0.25 <= len(indic) / len(_translated("needs-ar")) <= 0.4
    for external_id in indic:
        lines = _translated("needs-ar")[external_id]["indicators"]
        assert not [line for line in lines if WESTERN_FIGURE.search(line)], external_id
