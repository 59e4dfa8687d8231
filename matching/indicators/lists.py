"""Lists that share a bound or a unit: 长、宽误差均≤0.1mm and COD、氨氮分别不高于50、5mg/L state two figures each."""

import re
from collections.abc import Sequence
from dataclasses import replace

from matching.indicators.folding import Folded
from matching.indicators.measures import Measure

_EACH_OWN = re.compile(r"分别|依次|各自|\brespectively\b|علي التوالي")
_JOINTS = re.compile(r"\s*(?:、|,|和|与|及|以及|/|\band\b|و(?=[\u0621-\u064a]))\s*")
_BETWEEN_FIGURES = re.compile(r"\s*(?:、|,|,\s?and|和|与|及|/|and|و)\s*")
# Members of a list before the last one: 长、 in 长、宽误差.
_JOINED = re.compile(r"(?:^|(?<=[,;:。\s(]))((?:[^\s,;:。、()≥≤<>=]{1,8}、\s?)+)$")
_ALL = re.compile(r"均|都|各|分别|\b(?:both|all|each)\b")


def joined(folded: Folded, begin: int, place: tuple[int, int]) -> tuple[int, int]:
    """A name with the one that a list mark joins before it: 长、宽误差."""
    found = _JOINED.search(folded.text[begin : place[0]])
    if found and re.search(r"满足|要求|具有|具备|等", found[1]):
        return place
    return (begin + found.start(1), place[1]) if found else place


def members(folded: Folded, place: tuple[int, int], stop: int) -> list[tuple[int, int]]:
    """The names that a figure belongs to: a list's members where each has it, else the one name."""
    text = folded.text[place[0] : place[1]]
    everyone = _ALL.search(folded.lower[place[0] : stop]) is not None
    joints = _JOINTS if everyone and "之和" not in text and "之间" not in text else _MARK
    found, begin = [], place[0]
    for joint in joints.finditer(folded.text, place[0], place[1]):
        found.append((begin, joint.start()))
        begin = joint.end()
    found.append((begin, place[1]))
    named = [(first, last) for first, last in found if folded.text[first:last].strip()]
    return named if len(named) > 1 else [place]


_MARK = re.compile(r"、\s?")


def distributed(
    folded: Folded, start: int, end: int, figures: Sequence[Measure]
) -> tuple[dict[int, tuple[int, int]], list[Measure]]:
    """Names by position for figures that a word such as 分别 gives one each, and all figures, with shared bound and unit."""
    result = list(figures)
    word = _EACH_OWN.search(folded.lower, start, end)
    if word is None:
        return {}, result
    first = next((n for n, figure in enumerate(result) if figure.start >= word.start()), None)
    if word[0] in ("respectively", "علي التوالي"):
        # The word stands behind; the row of figures that ends before it is meant.
        last = max((n for n, figure in enumerate(result) if figure.end <= word.start()), default=None)
        first = None if last is None else _row_start(folded, result, last)
    if first is None:
        return {}, result
    row = [first]
    while row[-1] + 1 < len(result) and _BETWEEN_FIGURES.fullmatch(
        folded.lower[result[row[-1]].end : result[row[-1] + 1].start]
    ):
        row.append(row[-1] + 1)
    before = result[first - 1].end if first else start
    stop = min(word.start(), result[first].start)
    listed = _names(folded, before, stop)[-len(row) :]
    if len(row) < 2 or len(listed) != len(row):
        return {}, result
    head, tail = result[row[0]], result[row[-1]]
    for position in row:
        figure = result[position]
        if not figure.unit:
            figure = replace(figure, unit=tail.unit, scale=tail.scale, stated=True)
        if figure.comparator == "eq" and head.comparator in ("ge", "gt"):
            figure = replace(figure, comparator=head.comparator, high=None)
        elif figure.comparator == "eq" and head.comparator in ("le", "lt"):
            figure = replace(figure, comparator=head.comparator, low=None)
        elif tail.comparator in ("ge", "le") and figure.comparator == "eq":
            figure = replace(
                figure, comparator=tail.comparator,
                low=figure.low if tail.comparator == "ge" else None, high=figure.high if tail.comparator == "le" else None,
            )  # fmt: skip
        result[position] = figure
    return dict(zip(row, listed, strict=True)), result


def _row_start(folded: Folded, figures: Sequence[Measure], last: int) -> int:
    while last and _BETWEEN_FIGURES.fullmatch(folded.lower[figures[last - 1].end : figures[last].start]):
        last -= 1
    return last


def _names(folded: Folded, start: int, stop: int) -> list[tuple[int, int]]:
    """The names of a list in the clause that ends at a place."""
    text = folded.text[start:stop]
    begin = start + max((text.rfind(mark) + 1 for mark in "。;:"), default=0)
    pieces: list[tuple[int, int]] = []
    place = begin
    for joint in _JOINTS.finditer(folded.text, begin, stop):
        pieces.append((place, joint.start()))
        place = joint.end()
    pieces.append((place, stop))
    named = []
    for first, last in pieces:
        piece = folded.text[first:last]
        trimmed = re.sub(r"\s*(?:分别|均|的|为|应|可|达到?|是|reach(?:es)?|are|were|is|بلغت?)?\s*$", "", piece)
        if trimmed.strip():
            named.append((first, first + len(trimmed)))
    return named
