"""Words and signs that bound a number, before it and after it, in three languages."""

import re
from functools import cache
from pathlib import Path
from typing import Literal, cast

from matching.indicators.types import Comparator

TABLE = Path(__file__).with_name("comparators.tsv")
Side = Literal["before", "after"]

# What may stand between a comparator and its number: 不低于：95, at least a 5.
_FILL = re.compile(r"(?:[ :]|的|到|至|在|为|了|\ba|\ban|\bthe)*$")
_ASCII_WORD = re.compile(r"[a-z]")
_ARABIC = re.compile(r"[\u0621-\u064a]")


@cache
def words(side: Side) -> tuple[tuple[str, Comparator], ...]:
    """The words of a side with their comparators, the longest first."""
    found: list[tuple[str, Comparator]] = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("# "):
            comparator, where, entries = line.split("\t")
            if where == side:
                # Arabic spellings are folded as the text is.
                found += [(word.replace("ى", "ي"), cast(Comparator, comparator)) for word in entries.split("|")]
    return tuple(sorted(set(found), key=lambda each: (-len(each[0]), each[0])))


@cache
def _by_last() -> dict[str, tuple[tuple[str, Comparator], ...]]:
    found: dict[str, list[tuple[str, Comparator]]] = {}
    for word, comparator in words("before"):
        found.setdefault(word[-1], []).append((word, comparator))
    return {last: tuple(entries) for last, entries in found.items()}


def before(lower: str, place: int) -> tuple[Comparator, int] | None:
    """The comparator that ends at a place, fill words left out, and where it begins."""
    left = lower[max(0, place - 48) : place]
    offset = place - len(left)
    stripped = left[: _filled(left)]
    for text in dict.fromkeys((left.rstrip(), stripped)):
        for word, comparator in _by_last().get(text[-1:], ()):
            if text.endswith(word) and _separate(text, len(text) - len(word), word):
                return comparator, offset + len(text) - len(word)
    return None


def _filled(left: str) -> int:
    found = _FILL.search(left)
    return found.start() if found else len(left)


def _separate(text: str, start: int, word: str) -> bool:
    """Words of letters begin where no letter precedes; Arabic ones may carry و and ف."""
    if start == 0:
        return True
    if word == "约":
        # 节约 and 集约 are other words.
        return text[start - 1] not in "节集制契简"
    if _ASCII_WORD.match(word[0]):
        return not text[start - 1].isalnum() or "\u3400" <= text[start - 1] <= "\u9fff"
    if _ARABIC.match(word[0]):
        return not _ARABIC.match(text[start - 1]) or (
            text[start - 1] in "وفب" and (start == 1 or not _ARABIC.match(text[start - 2]))
        )
    return True


def after(lower: str, place: int) -> tuple[Comparator, int] | None:
    """The comparator that begins at a place, spaces skipped, and where it ends."""
    if bracket := _BRACKET.match(lower, place):
        # 300kN(锚固长度1.0m)以上
        return ("about" if bracket[1] == "左右" else "ge" if bracket[1] == "以上" else "le"), bracket.end()
    while place < len(lower) and lower[place] in " ,(":
        if lower[place] in ",(" and not _follows_bracket(lower, place):
            return None
        place += 1
    for word, comparator in words("after"):
        if lower.startswith(word, place):
            end = place + len(word)
            following = lower[end : end + 1]
            if word == "内" and following and following in "部径壁存容置外孔蒙腔衬燃膜网":
                continue
            if (_ASCII_WORD.match(word[-1]) and following.isalpha()) or (
                _ARABIC.match(word[-1]) and following and _ARABIC.match(following)
            ):
                continue
            return comparator, end
    return None


_BRACKET = re.compile(r"\s?\([^()]{1,24}\)\s?(以上|以下|以内|左右)")


def _follows_bracket(lower: str, place: int) -> bool:
    """(含)以上 stands in brackets of its own; any other bracket or comma ends the figure."""
    return lower.startswith("(含", place)
