"""Changes that are said without a number: 减半, 翻番, doubled."""

import re

from matching.indicators.folding import Folded
from matching.indicators.measures import Measure
from matching.indicators.types import Change

# The part that a verb before it takes away or adds.
_PARTS = (
    (r"half|النصف", 50.0),
    (r"third|الثلث", 100 / 3),
    (r"two[ -]thirds|الثلثين", 200 / 3),
    (r"quarter|الربع", 25.0),
)
_WORDLESS: tuple[tuple[re.Pattern[str], Change | None, float], ...] = (
    (re.compile(r"减半|对半减少|\bhalved?s?\b|الي النصف"), "fall", 50.0),
    (re.compile(r"(?:降低|减少|下降|缩短|减小|降|减|节约|节省|缩小)了?(?:近|约|超过)?一半"), "fall", 50.0),
    (re.compile(r"翻了?一?番|\bdoubl(?:es|ed|e|ing)\b|الي الضعف"), "rise", 100.0),
    (re.compile(r"翻了?两番"), "rise", 300.0),
    (re.compile(r"\btripl(?:es|ed|e)\b"), "rise", 200.0),
    *(
        (re.compile(rf"(?:(?<=\bby )(?:a |one )?|(?<=بمقدار )|(?<=بنسبة ))(?:{words})\b"), None, value)
        for words, value in _PARTS
    ),
)


def with_wordless(folded: Folded, found: list[Measure]) -> list[Measure]:
    """Figures together with the changes that are said without a number: 减半, doubled."""
    made = [
        Measure(at.start(), at.start(), at.end(), at.end(), "eq", value, value, "percent", change=change)
        for pattern, change, value in _WORDLESS
        for at in pattern.finditer(folded.lower)
    ]
    kept = [each for each in made if not any(m.start < each.end and each.start < m.end for m in found)]
    return sorted([*found, *kept], key=lambda measure: measure.start)
