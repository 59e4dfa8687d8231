"""Translations of terms as an auxiliary task: texts in other languages come to lie where their Chinese ones do."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from matching.learning.encoder_data import TooFewError

MAIN, OTHERS = "zh", ("en", "ar")
SEPARATORS = {"zh": "、", "en": ", ", "ar": "، "}
# Several terms make a text of the length of a sentence, which is nearer to what will be encoded than one word.
LEAST, MOST = 1, 10


@dataclass(frozen=True, slots=True)
class Translation:
    """The same words in Chinese and in another language."""

    main: str
    other: str


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms by language, every entry in all languages; each language's spellings of a term are alternatives."""

    entries: tuple[dict[str, tuple[str, ...]], ...]

    def draw(self, count: int, generator: np.random.Generator) -> list[Translation]:
        """Lists of terms with their translations, no term twice in all of them, the languages by turns."""
        order = iter(generator.permutation(len(self.entries)))
        drawn = []
        for number in range(count):
            length = int(generator.integers(LEAST, MOST + 1))
            chosen = [self.entries[place] for place in islice(order, length)]
            if not chosen:
                break
            other = OTHERS[number % len(OTHERS)]
            drawn.append(Translation(_list(chosen, MAIN, generator), _list(chosen, other, generator)))
        return drawn


def _list(chosen: Sequence[dict[str, tuple[str, ...]]], language: str, generator: np.random.Generator) -> str:
    words = [entry[language][int(generator.integers(len(entry[language])))] for entry in chosen]
    return SEPARATORS[language].join(words)


def read_terms(file: Path) -> Terms:
    """Read a file of tab-separated columns zh, en and ar, spellings parted by |; rows that lack a language are left out.

    Raises:
        TooFewError: the columns are not there, or fewer than a hundred rows are whole. OSError: the file cannot be read.
    """
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        if not {MAIN, *OTHERS} <= set(rows.fieldnames or ()):
            raise TooFewError(f"{file}: wanted tab-separated columns zh, en and ar with a heading")
        entries = [
            {
                language: tuple(word.strip() for word in (row[language] or "").split("|") if word.strip())
                for language in (MAIN, *OTHERS)
            }
            for row in rows
        ]
    whole = tuple(entry for entry in entries if all(entry.values()))
    if len(whole) < 100:
        raise TooFewError(f"{file}: {len(whole)} terms in all three languages; at least 100 are needed")
    return Terms(whole)
