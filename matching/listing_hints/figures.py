"""The figures of a text, as hints and comparisons of near-duplicates look at them."""

import re
from dataclasses import dataclass

from matching.profiling import fold

_NUMERALS = "一二两三四五六七八九十百千万亿半"
# The number of a list entry is no figure.
_ENTRY_NUMBER = re.compile(r"^\s*(?:[（(]?\d{1,2}[）)、.．]|[①-⑳]|\d{1,2}(?:\.\d){1,2}\s)")
# 一个 and the like are articles.
_IN_WORDS = re.compile(
    rf"百分之[{_NUMERALS}]|(?!一[个套次台])[{_NUMERALS}]+[多来几余]?(?:个|成|倍|天|日|周|月|年|小时|分钟|秒|元|块|吨|公斤|千克|克|亩|公里|米|毫米|微米|度|次|台|套|人|头|只|瓦|伏|兆)"
    r"|零(?:排放|污染|耗|误)|为零|\bzero\b|\bhalf\b|\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty)\b"
)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_CLAUSE = re.compile(r"[，；;。！？!?\n]|,(?!\d)|\.(?!\d)")
_BOUNDS = re.compile(
    r"(?:不[低高少多大小]于|不超过|[低高少多大小]于|超过|达到|控制在|约为?|为|以[内上下]|[≥≤<>=≈~～±+\-–—:]|at (?:least|most)|up to"
    r"|降[低至到]|提高|减少|增加|[（(][^（）()]*[）)]|\s)+"
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: what it is of, its value in a form that can be compared, and the words that state it."""

    quantity: str
    value: str
    text: str


def has_figure(text: str) -> bool:
    """Whether a text says how much, in digits or in words.

    >>> has_figure("含水率≤13%"), has_figure("耗时三十多个小时"), has_figure("1．大幅降低能耗")
    (True, True, False)
    """
    text = _ENTRY_NUMBER.sub("", fold(text))
    return bool(_NUMBER.search(text) or _IN_WORDS.search(text))


def numbers_of(text: str) -> tuple[str, ...]:
    """The numbers of a text as they are written, without the number of a list entry.

    >>> numbers_of("2．寿命不低于１５００ μs")
    ('1500',)
    """
    return tuple(_NUMBER.findall(_ENTRY_NUMBER.sub("", fold(text))))


def figures_of(text: str) -> tuple[Figure, ...]:
    """The figures of a text in order, one a clause.

    >>> [(f.quantity, f.value) for f in figures_of("含水率≤13%，成本不高于200元")]
    [('含水率', '≤13%'), ('成本', '不高于200元')]
    """
    found = []
    for clause in _CLAUSE.split(text):
        entry = _ENTRY_NUMBER.sub("", fold(clause)).strip()
        number = _NUMBER.search(entry)
        if number is None:
            continue
        bound = _BOUNDS.search(entry)
        start = min(number.start(), bound.start() if bound else number.start())
        found.append(Figure(entry[:start].strip(), re.sub(r"\s", "", entry[start:]), clause.strip()))
    return tuple(found)
