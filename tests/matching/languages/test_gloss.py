"""Which Chinese terms English and Arabic texts are found to mention."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.languages import coverage, gloss, listed_terms
from matching.languages.words import forms, key, tokens
from matching.types import Language

LANGUAGES: tuple[Language, ...] = ("zh", "en", "ar")
CHINESE = {term.zh[0] for term in listed_terms()}
text = st.text(max_size=200)
mixture = st.lists(
    st.sampled_from(
        ["goji ", "drying ", "الغوجي ", "تجفيف ", "بال", "و", "-", "'s ", "PEM ", "枸杞", "٣", "\u0640", ". "]
    )
).map("".join)


@pytest.mark.parametrize(
    ("english", "expected"),
    [
        ("Low-temperature drying of fresh goji", ("低温干燥", "枸杞鲜果")),
        ("the PEM electrolyser and its membrane electrode assembly", ("质子交换膜", "电解槽", "膜电极")),
        ("WASTE HEAT RECOVERY", ("余热回收",)),
        ("Waste-heat\nrecovery", ("余热",)),
        ("mastitis in dairy cows", ("乳腺炎", "奶牛")),
        ("batteries", ("电池",)),
        ("gangue-sorting", ("矸石分选",)),
        ("Young's modulus", ("弹性模量",)),
        ("E. coli in raw milk", ("大肠杆菌", "原料奶")),
        ("CO₂ capture", ("碳捕集",)),
    ],
)
def test_english_terms(english: str, expected: tuple[str, ...]) -> None:
    found = gloss(english, "en")
    assert [term for term in found if term in expected] == list(expected), found


@pytest.mark.parametrize(
    ("arabic", "expected"),
    [
        ("تجفيف ثمار الغوجي", ("干燥", "枸杞子")),
        ("بالمضخة الحرارية", ("热泵",)),
        ("وللألواح الكهروضوئية", ("光伏组件",)),
        ("التهاب الضرع لدى أبقار الحليب", ("乳腺炎", "奶牛")),
        ("استرجاع الحرارة المهدرة", ("余热回收",)),
        ("خَلَايَا الوَقُود", ("燃料电池",)),
        ("الآلات الزراعية", ("农业机械",)),
        ("جودتها", ("品质", "质量")),
        ("حماية البيئة", ("环境保护",)),
        ("اختبار PEM", ("质子交换膜",)),
        ("مـــكافحة التصحر", ("防沙治沙",)),
    ],
)
def test_arabic_terms(arabic: str, expected: tuple[str, ...]) -> None:
    found = gloss(arabic, "ar")
    assert [term for term in found if term in expected] == list(expected), found


def test_the_longest_term_wins_and_hides_what_it_is_made_of() -> None:
    assert "枸杞多糖" in gloss("goji polysaccharide", "en")
    assert not {"枸杞", "多糖"} & set(gloss("goji polysaccharide", "en"))
    assert {"枸杞", "多糖"} <= set(gloss("goji and its polysaccharide", "en"))


def test_a_phrase_does_not_reach_over_a_stop() -> None:
    assert gloss("flue gas", "en") != gloss("flue. gas", "en")


def test_an_inflected_word_finds_its_base_but_not_where_the_list_tells_them_apart() -> None:
    assert gloss("monitored", "en") == gloss("monitor", "en")
    assert "饲料" in gloss("feed", "en")
    assert "饲料" not in gloss("feeding", "en")


@pytest.mark.parametrize(("british", "american"), [("fibre", "fiber"), ("sulphur", "sulfur"), ("optimise", "optimize")])
def test_spellings_are_one_word(british: str, american: str) -> None:
    assert gloss(british, "en") == gloss(american, "en") != ()


def test_an_abbreviation_spelt_like_a_word_is_one_only_in_capitals() -> None:
    assert "气调包装" in gloss("stored in MAP", "en")
    assert "气调包装" not in gloss("a map of the mine", "en")
    assert "聚氯乙烯" in gloss("pvc pipe", "en")


def test_to_is_not_automatic_in_arabic() -> None:
    assert gloss("من الحليب إلى الجبن", "ar") == gloss("من الحليب الجبن", "ar")


def test_a_particle_is_no_form_of_a_listed_word() -> None:
    assert gloss("أيضا", "ar") == ()
    assert gloss("أيض", "ar") == ("代谢",)


def test_what_is_written_wins_over_another_word_of_the_same_stem() -> None:
    assert gloss("حماية", "ar") == ("保护",)
    assert gloss("الحمأة", "ar") == ("污泥",)


def test_a_term_comes_once_where_it_first_occurs() -> None:
    assert gloss("goji, wolfberry, GOJI; wine. Goji", "en") == ("枸杞", "葡萄酒")


def test_coverage_counts_content_words() -> None:
    # "of", "the" and "40" are none; of "zyzzyva", "drying", "goji" two are listed.
    assert coverage("40 of the zyzzyva drying goji") == pytest.approx(2 / 3)
    assert coverage("") == 0.0


@given(text)
def test_chinese_needs_no_gloss(given: str) -> None:
    assert gloss(given, "zh") == ()


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)), st.sampled_from(LANGUAGES))
def test_han_characters_mention_nothing(given: str, language: Language) -> None:
    assert gloss(given, language) == ()


@given(st.one_of(text, mixture), st.sampled_from(LANGUAGES))
def test_any_text_gives_listed_terms_each_once(given: str, language: Language) -> None:
    found = gloss(given, language)
    assert len(found) == len(set(found))
    assert set(found) <= CHINESE
    assert 0 <= coverage(given) <= 1


@given(st.one_of(text, mixture))
def test_every_token_has_forms_and_keys(given: str) -> None:
    for token in tokens(given):
        assert forms(token)
        assert key(token)
        assert set(key(token)) <= set(forms(token)), "what is listed as it is written is found"


@given(mixture)
def test_arabic_diacritics_do_not_matter(given: str) -> None:
    dressed = "".join(c + "\u064e" if "\u0621" <= c <= "\u064a" else c for c in given)
    assert gloss(dressed, "ar") == gloss(given, "ar")
