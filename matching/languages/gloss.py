"""The Chinese terms that an English or Arabic text mentions, by a list of terms in the three languages.

Words of one language find no words of another, and a small multilingual encoder knows few technical terms. The terms
that a text mentions, appended in Chinese, let it meet Chinese texts in both (query translation by a bilingual term list:
Ballesteros and Croft 1997, "Phrasal translation and query expansion techniques for cross-language information
retrieval", whose phrases before words are the longest matches here).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from matching.languages.terms import listed_terms
from matching.languages.words import forms, key, spellings, tokens
from matching.profiling.tokens import FUNCTION_WORDS
from matching.types import Language

# An abbreviation of so few letters with a vowel among them is spelt like a word (MAP, HIP, PAN).
MOST_LIKE_A_WORD = 4
CAPITALS = "^"
# A word of many meanings says little; of a field's words few have more.
MOST_MEANINGS = 3
VOWELS = frozenset("aeiou")
# Arabic words of any text that would be forms of listed ones: أيضا (also) of أيض (metabolism).
ARABIC_PARTICLES = (
    "أيضا",
    "بدون",
    "نظرا",
    "وجود",
    "ذات",
    "ذاته",
    "خلف",
    "نفس",
    "تامة",
    "تاما",
    "اسم",
    "عمل",
    "كلا",
    "حالات",
)
NO_CONTENT = frozenset(token for word in (*FUNCTION_WORDS, *ARABIC_PARTICLES) for token in tokens(word))


@dataclass(frozen=True, slots=True)
class _Entry:
    """A way to say a term: the Chinese for it, and its words as they are listed."""

    term: str
    words: tuple[str, ...]


@dataclass(slots=True)
class _Node:
    """What follows after some words of listed terms; and those that end here."""

    following: dict[str, "_Node"] = field(default_factory=dict)
    ends: tuple[_Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class _Mention:
    """A term in a text, by its places among the text's tokens."""

    start: int
    end: int
    terms: tuple[str, ...]


def gloss(text: str, language: Language) -> tuple[str, ...]:
    """The Chinese terms that a text mentions, each once, in the order of their first mention.

    The longest term at a place wins, and what lies within it is not looked for. Where the list gives a word in several
    rows, up to three of them are meant: those that it is the usual word of come first. Latin words within an Arabic text
    count too. A Chinese text needs no gloss.

    >>> gloss("Heat-pump drying of goji berries, its energy consumption and the breakage rate", "en")
    ('热泵干燥', '枸杞', '能耗', '破损率')
    >>> gloss("تجفيف ثمار الغوجي بالمضخة الحرارية", "ar")
    ('干燥', '烘干', '枸杞子', '热泵')
    """
    if language == "zh":
        return ()
    return tuple(dict.fromkeys(term for mention in _mentions(tokens(text)) for term in mention.terms))


def coverage(text: str) -> float:
    """The share of a text's content words, 0 to 1, that belong to a listed term; 0 for a text without any.

    Numbers, single letters, marks and function words are no content words.

    >>> coverage("the drying of goji"), coverage("3 – 5"), coverage("zyzzyva drying")
    (1.0, 0.0, 0.5)
    """
    words = tokens(text)
    content = {place for place, word in enumerate(words) if _says_something(word)}
    covered = {place for mention in _mentions(words) for place in range(mention.start, mention.end)}
    return len(content & covered) / len(content) if content else 0.0


def _says_something(word: str) -> bool:
    return len(word) > 1 and not word[0].isdigit() and word.casefold() not in NO_CONTENT


def _mentions(words: list[str]) -> Iterator[_Mention]:
    place = 0
    root = _tree()
    while place < len(words):
        end, entries = _longest(root, words, place)
        if entries and not (end == place + 1 and words[place].casefold() in NO_CONTENT):
            yield _Mention(place, end, _meant(entries, words[place:end]))
        place = max(end, place + 1)


def _longest(node: _Node, words: list[str], place: int) -> tuple[int, tuple[_Entry, ...]]:
    """Where the longest term that begins here ends, and how it is listed. Of equally long ones the nearest to the words."""
    best = (place, node.ends)
    if place == len(words):
        return best
    for form in _forms_with_case(words[place]):
        following = node.following.get(form)
        if following is not None:
            found = _longest(following, words, place + 1)
            if found[1] and (found[0] > best[0] or not best[1]):
                best = found
    return best


def _meant(entries: tuple[_Entry, ...], words: list[str]) -> tuple[str, ...]:
    """The terms of the entries that are written as in the text; of all where none is, since stems of two words may meet
    (حماية, protection, and حمأة, sludge)."""
    written = [entry for entry in entries if all(map(_is_written, entry.words, words))]
    return tuple(dict.fromkeys(entry.term for entry in written or entries))[:MOST_MEANINGS]


def _is_written(listed: str, word: str) -> bool:
    return listed in spellings(word)


def _forms_with_case(word: str) -> tuple[str, ...]:
    singular = word.removesuffix("s")
    if len(singular) > 1 and singular.isascii() and singular.isupper():
        return (CAPITALS + singular.casefold(), *forms(word))
    return forms(word)


@cache
def _tree() -> _Node:
    root = _Node()
    # The usual words first, so that they come first where a word stands in several rows.
    for usual in (True, False):
        for term in listed_terms():
            for alternatives in (term.en, term.ar):
                for alternative in alternatives[:1] if usual else alternatives[1:]:
                    _insert(root, alternative, term.zh[0])
    return root


def _insert(root: _Node, alternative: str, term: str) -> None:
    words = _words_of(alternative)
    nodes = [root]
    for place, word in enumerate(words):
        keys = (word,) if word.startswith(CAPITALS) else key(word, follows=place > 0)
        nodes = [node.following.setdefault(each, _Node()) for node in nodes for each in keys]
    for node in nodes:
        node.ends = (*node.ends, _Entry(term, tuple(word.casefold() for word in words)))


def _words_of(alternative: str) -> list[str]:
    """The words of a listed term. An abbreviation that is spelt like a word is one only where it stands in capitals."""
    words = [word for word in tokens(alternative) if word[0].isalnum()]
    short = len(words) == 1 and words[0].isascii() and words[0].isupper() and len(words[0]) <= MOST_LIKE_A_WORD
    if short and words[0].isalpha() and VOWELS & set(words[0].casefold()):
        return [CAPITALS + words[0].casefold()]
    return words
