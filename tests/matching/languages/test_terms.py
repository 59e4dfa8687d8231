"""The list itself: its format, its extent, and that each of its entries is found."""

from pathlib import Path

import pytest

from matching.languages import gloss, listed_terms, read_terms
from matching.profiling import detect_language
from matching.types import Language

TERMS = Path(__file__).parents[3] / "matching" / "languages" / "terms.tsv"
LINES = TERMS.read_text(encoding="utf-8").splitlines()
ROWS = [line.split("\t") for line in LINES[1:]]
LONGEST_CELL = 60
# A word with more meanings than are told loses the rarest of them.
EXCEPTIONS = 0.03
COLUMNS: tuple[Language, ...] = ("zh", "en", "ar")


def test_the_list_is_a_table_of_three_columns_without_gaps_in_the_first_two() -> None:
    assert LINES[0] == "zh\ten\tar"
    assert all(len(row) == 3 and row[0] and row[1] for row in ROWS)


def test_the_list_is_long_and_nearly_every_row_has_arabic() -> None:
    assert len(ROWS) >= 3500
    assert sum(bool(row[2]) for row in ROWS) >= 0.95 * len(ROWS)


def test_cells_are_short_and_tidy() -> None:
    for row in ROWS:
        for cell in row:
            assert len(cell) <= LONGEST_CELL, cell
            assert cell == cell.strip(), cell
            assert "" not in cell.split("|")[1:], cell
            assert len(set(cell.split("|"))) == len(cell.split("|")), cell


def test_no_chinese_term_stands_twice_and_rows_are_in_order() -> None:
    alternatives = [alternative for row in ROWS for alternative in row[0].split("|")]
    assert len(alternatives) == len(set(alternatives))
    assert sorted(ROWS) == ROWS


@pytest.mark.parametrize(("column", "language"), list(enumerate(COLUMNS)))
def test_each_column_is_in_its_language(column: int, language: Language) -> None:
    text = " ".join(row[column] for row in ROWS)
    assert detect_language(text) == language
    strange = [row[column] for row in ROWS if language != "en" and row[column].isascii() and row[column]]
    assert [cell for cell in strange if cell not in {"5G"}] == []


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_listed_word_finds_its_chinese_term(language: Language) -> None:
    asked = [(word, term.zh[0]) for term in listed_terms() for word in getattr(term, language)]
    lost = [(word, term) for word, term in asked if term not in gloss(word, language)]
    assert len(lost) <= EXCEPTIONS * len(asked), lost


def test_a_listed_english_phrase_finds_its_chinese_term_within_a_sentence() -> None:
    asked = [(word, term.zh[0]) for term in listed_terms() for word in term.en if " " in word]
    lost = [(word, term) for word, term in asked if term not in gloss(f"To be, {word}: or not.", "en")]
    assert len(lost) <= EXCEPTIONS * len(asked), lost


def test_a_list_that_is_not_one_is_refused_with_its_line(tmp_path: Path) -> None:
    broken = tmp_path / "terms.tsv"
    broken.write_text("zh\ten\tar\n枸杞\tgoji\tغوجي\n奶牛\t\tبقرة\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"terms\.tsv, line 3"):
        read_terms(broken)
    broken.write_text("zh,en,ar\n", encoding="utf-8")
    with pytest.raises(ValueError, match="first line"):
        read_terms(broken)
