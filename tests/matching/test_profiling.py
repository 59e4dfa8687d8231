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


@given(st.text(max_size=200))
def test_terms_of_any_text_are_short_and_not_empty(text: str) -> None:
    assert all(0 < len(term) <= 64 for term in terms(text))


@given(st.lists(st.text(max_size=40), max_size=5))
def test_counts_add_up_over_texts(texts: list[str]) -> None:
    total = sum((count_terms([text]) for text in texts), start=count_terms([]))
    assert count_terms(texts) == total


def test_profiles_of_equal_text_are_equal() -> None:
    assert profile("need", "枸杞干燥", "能耗高") == profile("need", "枸杞干燥", "能耗高")
