"""From a listing to its profile, and from text to terms."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.profiling import ListingText, compose, count_terms, detect_language, terms
from matching.profiling.compose import MOST_PASSAGES, SECTION_WEIGHTS
from tests.matching.conftest import profile


def listing(**values: object) -> ListingText:
    """A need with a title, and whatever else is given."""
    given_values: dict[str, object] = {"id": uuid4(), "kind": "need", "title": "枸杞鲜果低温快速脱水", "sections": ()}
    return ListingText(**(given_values | values))  # type: ignore[arg-type]


def test_the_title_comes_first_and_counts_in_full_though_it_is_short() -> None:
    first = compose(listing(sections=(("description", "干燥时间过长"),))).passages[0]
    assert (first.section, first.text, first.weight) == ("title", "枸杞鲜果低温快速脱水", 1.0)


def test_a_passage_counts_by_its_section_and_by_its_length_up_to_sixty_characters() -> None:
    made = compose(listing(sections=(("goals", "能" * 30), ("foundation", "厂" * 120))))
    expected = [30 / 60 * SECTION_WEIGHTS["goals"], 1.0 * SECTION_WEIGHTS["foundation"]]
    assert [p.weight for p in made.passages[1:]] == pytest.approx(expected, abs=1 / 4096)


def test_what_a_company_has_counts_less_than_what_it_wants() -> None:
    want, have = compose(
        listing(sections=(("description", "需求：" + "甲" * 40 + "。现有工作基础：" + "乙" * 40),))
    ).passages[1:]
    assert want.weight > 4 * have.weight


def test_keywords_and_indicators_are_passages() -> None:
    made = compose(listing(indicators=("含水率≤13%", " "), keywords=("枸杞", "热泵")))
    assert [(p.section, p.text) for p in made.passages[1:]] == [
        ("indicators", "含水率≤13%"),
        ("keywords", "枸杞、热泵"),
    ]


def test_a_figure_cut_off_at_the_end_of_a_stand_in_title_is_not_asked_for() -> None:
    text = "Fast, low-energy drying of goji berries, moisture at most 13 %"
    found = compose(ListingText(uuid4(), "need", text[:60], (("description", text),))).indicators
    assert [indicator.text for indicator in found] == [text]


def test_a_text_of_endless_short_lines_keeps_its_last_line() -> None:
    lines = "\n".join(f"第{number}项检测数据的采集" for number in range(MOST_PASSAGES * 2))
    made = compose(listing(sections=(("description", lines),)))
    assert len(made.passages) == MOST_PASSAGES
    assert made.passages[-1].text.endswith(f"第{MOST_PASSAGES * 2 - 1}项检测数据的采集")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("PEM电解槽膜电极MEA寿命", "zh"),
        ("low temperature drying", "en"),
        ("تجفيف الغوجي", "ar"),
        ("12345", "zh"),
        ("", "zh"),
    ],
)
def test_language_follows_the_script(text: str, language: str) -> None:
    assert detect_language(text) == language


def test_full_width_and_case_make_no_difference() -> None:
    assert terms("ＰＥＭ电解槽　ＴＲＬ６") == terms("pem电解槽 trl6")


def test_terms_are_pairs_and_longer_words() -> None:
    assert terms("电解槽") == ["电解", "解槽", "电解槽"]


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("按GB/T 22900-2022评价", "符合 GB／T22900", "gb22900"),
        ("GBT22900", "GB 22900-2009", "gb22900"),
        ("ISO 9001:2015", "ISO9001", "iso9001"),
        ("DB64/T 1234-2021", "DB64/T1234", "db641234"),
        ("GB 4806.7", "GB4806.7-2016", "gb4806.7"),
        ("浓H₂SO₄", "H2SO4", "h2so4"),
        ("α-Al₂O₃载体", "Al2O3", "al2o3"),
        ("LiFePO4正极", "LIFEPO₄", "lifepo4"),
        ("CO₂/H₂分离", "CO2捕集", "co2"),
        ("C8烯烃", "Ｃ8", "c8"),
        ("TOPCon210", "TOPCon电池", "topcon"),
        ("PEM-20", "PEM20", "pem"),
        ("PEM‑20", "PEM-20", "pem-20"),
        ("micro-channel", "microchannel", "microchannel"),
        ("粒径5μm", "5 µm", "μm"),
        ("0.5mm", "0.5 mm", "0.5"),
        ("N型硅片", "n型", "n型"),
        ("X射线", "X-射线", "x射"),
        ("β-胡萝卜素", "β胡萝卜素", "β胡"),
        ("维生素C含量", "维生素 C、维生素C", "素c"),
        ("辅酶Q10", "辅酶q10", "酶q10"),
        ("Ningxia\u00ad", "ning\u200bxia", "ningxia"),
    ],
)
def test_names_formulas_and_standards_meet_however_they_are_written(one: str, other: str, shared: str) -> None:
    assert shared in terms(one)
    assert shared in terms(other)


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("H2SO4", "so"),  # a function word, and of a formula's single letters nothing is kept
        ("耐温300℃的", "c的"),
        ("0.5mm", "0"),
        ("GB/T 22900-2022", "gb2022"),
        ("1GB 8 GB 内存", "gb内"),
        ("合金A356.0铸造", "a铸"),
    ],
)
def test_what_only_looks_like_a_name_gives_none(text: str, absent: str) -> None:
    assert absent not in terms(text)


@given(st.text(max_size=200))
def test_terms_of_any_text_are_short_and_not_empty(text: str) -> None:
    assert all(0 < len(term) <= 64 for term in terms(text))


@given(st.lists(st.text(max_size=40), max_size=5))
def test_counts_add_up_over_texts(texts: list[str]) -> None:
    total = sum((count_terms([text]) for text in texts), start=count_terms([]))
    assert count_terms(texts) == total


def test_profiles_of_equal_text_are_equal() -> None:
    assert profile("need", "枸杞干燥", "能耗高") == profile("need", "枸杞干燥", "能耗高")
