"""Profiles of any listing: nothing of it is lost, their size is bounded, and the same text gives the same profile."""

from collections import Counter
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.profiling import ListingText, compose, count_terms, detect_language, split_text, terms
from matching.profiling.compose import MOST_PASSAGES, SECTION_WEIGHTS

ID = UUID(int=1)
# Headings as people write them, and the section that each opens.
HEADINGS = {
    "需求内容：": "description",
    "二、现有工作基础：": "foundation",
    "预期目标:": "goals",
    "【技术难题】": "description",
    "3．背景：": "background",
    "（四）市场前景：": "prospects",
    "创新点：": "innovations",
    "资金预算：": "partner_requirements",
    "应用领域：": "applications",
}
# Sentences of at least eight characters, none of which begins like a heading.
SENTENCES = st.sampled_from(
    [
        "采用热泵除湿的方式干燥枸杞鲜果",
        "We dry goji berries at 55 °C in 8 hours",
        "نجفف ثمار الغوجي في ثماني ساعات",
        "型号C.I.B-19，孔径3.5mm，符合GB/T 22900",
        "电流密度达到2.0A/cm²且寿命8000小时",
    ]
)


def alphanumerics(texts: list[str]) -> Counter[str]:
    """How often each letter and digit occurs."""
    return Counter(character for text in texts for character in text if character.isalnum())


@given(st.lists(st.tuples(st.none() | st.sampled_from(list(HEADINGS)), st.lists(SENTENCES, max_size=3)), max_size=6))
def test_of_a_text_with_headings_only_the_headings_are_no_passage(
    blocks: list[tuple[str | None, list[str]]],
) -> None:
    lines: list[str] = []
    expected: list[tuple[str, str]] = []
    section = "description"
    for heading, sentences in blocks:
        if heading is not None:
            section = HEADINGS[heading]
            lines.append(heading)
        lines.extend(sentences)
        expected.extend((section, sentence) for sentence in sentences)
    assert [(piece.section, piece.text) for piece in split_text("\n".join(lines), "description")] == expected


SECTIONS = st.lists(st.tuples(st.sampled_from(sorted(SECTION_WEIGHTS)), st.text(max_size=80)), max_size=6)
# Anything may be typed here; no word of a heading comes of these letters, so that everything must come out again.
UNTIDY = st.text(alphabet="枸杞干燥能耗abXY0127。；;.．、,（）()①•! ?\n\t\u3000أبت%℃“”:：", max_size=120)


@given(st.lists(UNTIDY, max_size=4), st.lists(UNTIDY, max_size=3), st.lists(UNTIDY, max_size=3))
def test_nothing_of_a_listing_is_lost(sections: list[str], indicators: list[str], keywords: list[str]) -> None:
    listing = ListingText(
        ID, "need", "枸杞干燥", tuple(("goals", text) for text in sections), tuple(indicators), tuple(keywords)
    )
    kept = alphanumerics([passage.text for passage in compose(listing).passages])
    assert kept == alphanumerics(["枸杞干燥", *sections, *indicators, *keywords])


@given(st.integers(1, 3 * MOST_PASSAGES))
def test_a_profile_of_any_length_is_bounded_and_loses_nothing(count: int) -> None:
    lines = [f"第{number}号样品的干燥能耗" for number in range(count)]
    made = compose(ListingText(ID, "need", "枸杞干燥", (("description", "\n".join(lines)),)))
    assert len(made.passages) == min(count + 1, MOST_PASSAGES)
    assert alphanumerics(list(made.texts)) == alphanumerics(["枸杞干燥", *lines])


@given(st.text(min_size=1, max_size=40), SECTIONS, st.lists(st.text(max_size=20), max_size=3))
def test_any_listing_has_a_profile_and_always_the_same(
    title: str, sections: list[tuple[str, str]], keywords: list[str]
) -> None:
    listing = ListingText(ID, "outcome", title, tuple(sections), keywords=tuple(keywords))
    made = compose(listing)
    assert made == compose(listing)
    assert made.passages[0].section == "title"
    assert all(0 <= passage.weight <= 1 for passage in made.passages)
    # A weight goes through a column of single precision and comes back as it was.
    assert all((passage.weight * 4096).is_integer() for passage in made.passages)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Lycium barbarum L.", ["lycium", "barbarum", "l"]),
        ("CO₂", ["co2"]),
        ("Al₂O₃/SiO₂", ["al2o3/sio2", "al2o3", "sio2"]),
        ("Ｎｉ６０Ａ", ["ni60a"]),
        ("GB/T 22900-2022", ["gb/t", "gb", "t", "22900-2022", "22900", "2022"]),
        ("ISO 9001:2015", ["iso", "9001", "2015"]),
        ("C.I.B-19", ["c.i.b-19", "c", "i", "b", "19"]),
        ("PM2.5", ["pm2.5", "pm2", "5"]),
        ("β-胡萝卜素", ["β", "胡萝", "萝卜", "卜素", "胡萝卜素"]),
        ("㎏", ["kg"]),
        ("ﬁlter", ["filter"]),
        ("the drying of goji", ["drying", "goji"]),
        ("تجفيف من الغوجي", ["تجفيف", "الغوجي"]),
        ("铁", []),
    ],
)
def test_terms_of_names_formulas_and_standards(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@given(st.text(max_size=120))
def test_folding_twice_is_folding_once(text: str) -> None:
    upper = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    assert count_terms([upper]) == count_terms([text])


@given(st.text(max_size=200))
def test_every_text_has_one_of_three_languages(text: str) -> None:
    assert detect_language(text) in ("zh", "en", "ar")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        # One of five letters is Han; one of six is not.
        ("枸abcd", "zh"),
        ("枸abcde", "en"),
        ("ﻏﻮﺟﻲ", "ar"),
        ("Goji غوجي", "ar"),
        ("枸杞 غوجي", "zh"),
        ("①②③", "zh"),
    ],
)
def test_a_fifth_of_the_letters_decides_the_language(text: str, language: str) -> None:
    assert detect_language(text) == language
