"""The figures of a text, as hints and comparisons of near-duplicates look at them."""

import re
from dataclasses import dataclass

from matching.indicators.parse import parse
from matching.profiling import fold

_NUMERALS = "一二两三四五六七八九十百千万亿半"
# The number of a list entry is no figure.
_ENTRY_NUMBER = re.compile(r"^\s*(?:[（(]?\d{1,2}[）)、.．]|[①-⑳]|\d{1,2}(?:\.\d){1,2}\s)")
# 一个 and the like are articles. A numeral's length is bounded, so that a row of them does not take long.
_IN_WORDS = re.compile(
    rf"百分之[{_NUMERALS}]|(?!一[个套次台])[{_NUMERALS}]{{1,12}}[多来几余]?(?:个|成|倍|天|日|周|月|年|小时|分钟|秒|元|块|吨|公斤|千克|克|亩|公里|米|毫米|微米|度|次|台|套|人|头|只|瓦|伏|兆)"
    r"|零(?:排放|污染|耗|误)|为零|\bzero\b|\bhalf\b|\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty)\b"
)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_BULLETS = " \t\u3000·•●■◆▪—"
_CLAUSE = re.compile(r"[，；;。！？!?\n]|,(?!\d)|\.(?!\d)")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: what it is of, its bound and unit in a form that can be compared, its condition, and the clause it is in."""

    quantity: str
    value: str
    condition: str | None
    text: str


def has_figure(text: str) -> bool:
    """Whether a text says how much, in digits or in words: any number counts, also one that is no indicator.

    >>> has_figure("含水率≤13%"), has_figure("耗时三十多个小时"), has_figure("1．大幅降低能耗")
    (True, True, False)
    """
    text = _ENTRY_NUMBER.sub("", fold(text))
    return bool(_NUMBER.search(text) or _IN_WORDS.search(text) or parse(text))


def numbers_of(text: str) -> tuple[str, ...]:
    """The numbers of a text as they are written, without the number of a list entry.

    >>> numbers_of("2．寿命不低于１５００ μs")
    ('1500',)
    """
    return tuple(_NUMBER.findall(_ENTRY_NUMBER.sub("", fold(text))))


def figures_of(text: str) -> tuple[Figure, ...]:
    """The indicators of a text in order, clause by clause.

    >>> [(f.quantity, f.value) for f in figures_of("含水率≤13%，成本不高于200元/吨")]
    [('含水率', 'level None..13.0 percent'), ('成本', 'level None..200.0 CNY/t')]
    """
    found = []
    for clause in _CLAUSE.split(text):
        entry = _ENTRY_NUMBER.sub("", clause).strip(_BULLETS)
        for indicator in parse(entry):
            value = f"{indicator.change} {indicator.low}..{indicator.high} {indicator.unit}"
            found.append(Figure(indicator.quantity, value, indicator.condition, entry))
    return tuple(found)
