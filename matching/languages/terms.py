"""The list of technical terms in Chinese, English and Arabic: terms.tsv."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

TERMS = Path(__file__).with_name("terms.tsv")
HEADER = ("zh", "en", "ar")
BETWEEN_ALTERNATIVES = "|"


@dataclass(frozen=True, slots=True)
class Term:
    """A term by its alternatives in each language, the usual one first. Only `ar` may be empty."""

    zh: tuple[str, ...]
    en: tuple[str, ...]
    ar: tuple[str, ...]


@cache
def listed_terms() -> tuple[Term, ...]:
    """The list that ships with the code, in the file's order."""
    return read_terms(TERMS)


def read_terms(path: Path) -> tuple[Term, ...]:
    """A list of terms: a line each, with a cell of alternatives, parted by |, for each of the languages in the header.

    Raises ValueError, which names the line, where the file isn't one.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    if tuple("".join(lines[:1]).split("\t")) != HEADER:
        raise ValueError(f"{path.name}: the first line must be {' '.join(HEADER)}, parted by tabulators")
    found = []
    for number, line in enumerate(lines[1:], start=2):
        cells = [tuple(filter(None, cell.split(BETWEEN_ALTERNATIVES))) for cell in line.split("\t")]
        if len(cells) != len(HEADER) or not cells[0] or not cells[1]:
            raise ValueError(f"{path.name}, line {number}: it needs three cells, of which the first two say something")
        found.append(Term(*cells))
    return tuple(found)
