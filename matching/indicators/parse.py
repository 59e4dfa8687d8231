"""From text to indicators: figures, then their circumstances, then what they are figures of, sentence by sentence."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from matching.indicators import changes, lists, naming
from matching.indicators.conditions import Condition, condition_for, find_conditions
from matching.indicators.folding import Folded, fold
from matching.indicators.measures import Measure, measures
from matching.indicators.rates import inherit_rate, with_rate
from matching.indicators.types import Change, Comparator, Indicator
from matching.indicators.units import conversion
from matching.indicators.wordless import with_wordless

# A sentence, or an entry of a list: a semicolon ends one too. A Latin full stop ends one before a capital or Arabic letter.
_END = re.compile(
    r"[。!?;\n\r\u2028\u2029]+|(?<=[^\W_]\.)\s+(?=[A-Z\u0621-\u064a])|(?<=[%)°]\.)\s+(?=[A-Z\u0621-\u064a])"
)
# What is read at once: time grows with the square of a sentence's figures, and each of them keeps the sentence. Where a
# longer text is cut: behind a sentence, else behind a part of one.
MOST_AT_ONCE = 1_000
_CUTS = (("。", "!", "?", "！", "？", ";", "；", "\n", "\r", ". "), ("，", ",", "、", " "))
# A text has figures if it has digits, or one of these.
_NUMERIC = frozenset("0123456789一二两三四五六七八九十百千半番نعخسثتا")
_NUMERIC_EN = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|half|double[sd]?"
    r"|halve[sd]?|triple[sd]?)\b"
)
# Quantities without a unit. Other bare numbers need a written bound to be figures.
_PURE = re.compile(
    r"(?:ph值?|[比值数]|因子|评分|得分|准确度|pue|wue|auc|f1|ratio|index|factor|coefficient|score|نسبة"
    r"|معامل|مؤشر|الهيدروجيني)\s*"
    r"(?:为|是|of|is|=|:|约|达|达到)*\s*$"
)
_MONEY = re.compile(
    r"预算|投资|成本|费|资金|售价|单价|产值|收入|利润|造价|价格|效益|利税|budget|cost|price|الميزانية|التكلفة|تكلفة"
)
# 优于 and "or better" mean less of these.
_LESS_IS_BETTER = re.compile(
    r"误差|偏差|精度|分辨|不确定度|能耗|损耗|噪|泄漏|延迟|时延|pue|wue|error|accuracy|uncertainty"
    r"|resolution|loss|deviation"
)
_BETTER = re.compile(r"优于|好于|better")
# 5项 is a count of things; 检测通量每天2000个 and 精子数200万个 are figures.
_COUNTING = re.compile(
    r"(?:数|数量|次数|量|通量|规模|能力|产能|容量|寿命|每天|每日|每年|每月|每小时|每亩)(?:为|是|达|达到|可达|约)*\s*$"
)
_NEGATED_AR = re.compile(
    r"(?<![\u0621-\u064a])[وفب]?(?:الا|لا|لم|لن|ان لا)\s[تي](?:(?P<most>زيد|تجاوز|تعدي|رتفع)|(?P<least>قل|نخفض|نقص))"
)


def parse(text: str) -> tuple[Indicator, ...]:
    """The indicators of a text in order of their figures. Never raises; a text without figures has none.

    >>> [(i.quantity, i.comparator, i.low, i.unit) for i in parse("转化率不低于95%，年产5万吨")]
    [('转化率', 'ge', 95.0, 'percent'), ('年产', 'eq', 50000.0, 't/year')]
    """
    return tuple(indicator for stretch in _stretches(text) for indicator in _read(stretch))


def _stretches(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > MOST_AT_ONCE:
        window = text[start : start + MOST_AT_ONCE]
        ends = (max((window.rfind(mark) + len(mark) for mark in marks if mark in window), default=0) for marks in _CUTS)
        length = next(filter(None, ends), MOST_AT_ONCE)
        yield window[:length]
        start += length
    yield text[start:]


def _read(text: str) -> tuple[Indicator, ...]:
    folded = fold(text)
    if not any(c in _NUMERIC for c in folded.text) and not _NUMERIC_EN.search(folded.lower):
        return ()
    found = with_wordless(folded, measures(folded))
    return tuple(
        indicator for start, end in _sentences(folded) for indicator in _Sentence(folded, start, end).read(found)
    )


def _sentences(folded: Folded) -> Iterator[tuple[int, int]]:
    start = 0
    for found in _END.finditer(folded.text):
        yield start, found.start()
        start = found.end()
    yield start, len(folded.text)


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence of a folded text, between two places."""

    folded: Folded
    start: int
    end: int

    def read(self, everything: Sequence[Measure]) -> Iterator[Indicator]:
        """The indicators of the sentence."""
        inside = [measure for measure in everything if self.start <= measure.start and measure.unit_end <= self.end]
        conditions, figures = find_conditions(self.folded, self.start, self.end, inside)
        if not figures and inside:
            # "التشغيل عند 50 °C": the circumstance is all that is asked for.
            figures = [m for m in inside if (m.unit or m.stated) and not m.weak and not _leads(conditions, m)]
            conditions = [condition for condition in conditions if condition.leading]
        named, figures = lists.distributed(self.folded, self.start, self.end, figures)
        text = self.folded.written(self.start, self.end)
        boundary, previous, rate = self.start, "", ""
        last: Indicator | None = None
        for place, measure in enumerate(figures):
            following = figures[place + 1].start if place + 1 < len(figures) else self.end
            reading = _Reading(self.folded, boundary, following, measure, conditions)
            is_past = place + 1 < len(figures) and figures[place + 1].follows
            made = reading.read(previous, named.get(place), rate, is_past=is_past)
            boundary = measure.end
            if made is None or (last is not None and _says_again(last, made)):
                continue
            last = made
            previous = made.quantity
            rate = made.unit.partition("/")[2] if "/" in made.unit and measure.unit != made.unit else ""
            condition = condition_for(conditions, measure, figures)
            written = self.folded.written(condition.start, condition.end) if condition else None
            for quantity in reading.members(made.quantity) or [made.quantity]:
                yield replace(made, quantity=quantity, condition=written, text=text)


@dataclass(frozen=True, slots=True)
class _Reading:
    """One figure with the words around it: from the figure before to the one that follows."""

    folded: Folded
    boundary: int
    following: int
    measure: Measure
    conditions: Sequence[Condition]

    def read(self, previous: str, named: tuple[int, int] | None, rate: str, *, is_past: bool) -> Indicator | None:
        """The indicator without condition and text; None where the figure is a bare number or a count of things.

        Args:
            previous: the quantity of the figure before. named: the place of the quantity where a list gave it.
            rate: per what the figure before was meant, where its words said so.
            is_past: whether the next figure tells what became of this one, so that both are levels.
        """
        measure, lower = self.measure, self.folded.lower
        begin = self._begin()
        left = _clause(lower[begin : measure.start])
        bounded = _clause(lower[begin : measure.number])
        right = lower[measure.end : self.following]
        kind = "times" if measure.times else measure.unit
        found = changes.change_of(left, bounded, right, kind, lower[max(0, begin - 160) : begin])
        if measure.change:
            found = replace(found, change=measure.change)
        if is_past and found.change != "level":
            found = changes.LEVEL
        if self._says_nothing(left, found.change) and not named:
            return None
        comparator, low, high = self._bounds(left, lower[measure.start : measure.end])
        change, low, high, unit = _as_change(measure, found.change, bounded, low, high)
        quantity = self._quantity(begin, found, previous, named)
        if measure.scale in ("HRC", "HRB", "HRA", "HB", "HV") and measure.scale not in quantity:
            quantity = f"{quantity}{measure.scale}"
        if not unit and max(abs(low or 0), abs(high or 0)) >= 1e4 and _MONEY.search(left):
            unit = "CNY"
        unit = _of_degrees(
            unit, lower[measure.number : measure.unit_end], lower[max(0, measure.start - 30) : measure.start]
        )
        rated = with_rate(unit, quantity, bounded)
        if rated == unit and rate and (measure.follows or lower.startswith("、", self.boundary)):
            rated = inherit_rate(unit, rate)
        return Indicator(quantity, comparator, low, high, rated, change, None, "")

    def members(self, quantity: str) -> list[str]:
        """The names of a list that shares the figure, where `quantity` is such a list."""
        if not _LISTED.search(quantity):
            return []
        at = self.folded.text.rfind(fold(quantity).text, self.boundary, self.measure.start)
        if at < 0:
            return []
        place = (at, at + len(fold(quantity).text))
        return [self.folded.written(*each) for each in lists.members(self.folded, place, self.measure.start)]

    def _begin(self) -> int:
        """Where the words that may name the quantity begin: behind a condition that leads to it."""
        inside = [c for c in self.conditions if self.boundary <= c.start and c.end <= self.measure.start]
        return max([self.boundary, *(c.end for c in inside if c.leading and not c.bracket)])

    def _says_nothing(self, left: str, change: Change) -> bool:
        measure = self.measure
        if measure.weak and not measure.stated:
            return change == "level" and not _COUNTING.search(left)
        bare = not measure.unit and not measure.scale and not measure.times and not measure.stated
        if self.folded.text.startswith("(无量纲", measure.end):
            return False
        return bare and not _PURE.search(left) and not (measure.comparator == "between" and bool(left.strip()))

    def _bounds(self, left: str, written: str) -> tuple[Comparator, float | None, float | None]:
        measure = self.measure
        value = measure.low if measure.low is not None else measure.high
        if measure.comparator in ("ge", "gt") and _BETTER.search(written) and _LESS_IS_BETTER.search(left):
            return ("lt" if measure.comparator == "gt" else "le"), None, value
        if measure.comparator in ("eq", "about") and (found := _NEGATED_AR.search(left)):
            return ("le", None, value) if found["most"] else ("ge", value, None)
        return measure.comparator, measure.low, measure.high

    def _quantity(self, begin: int, found: changes.Found, previous: str, named: tuple[int, int] | None) -> str:
        measure = self.measure
        if named:
            return self.folded.written(*named)
        if measure.follows and previous:
            return previous
        place = self._place(begin, found) or measure.name or self._before_condition(begin)
        if place is None and not previous:
            # "降低耗能,由600度降至450度": what it is was named in the clause before.
            comma = max(self.folded.text.rfind(stop, self.boundary, measure.start) for stop in ",:")
            place = naming.named_before(self.folded, self.boundary, comma) if comma > self.boundary else None
            if place:
                return self.folded.written(*place)
        if place is None:
            return previous or self.folded.written(
                *(naming.named_after(self.folded, measure.end, self.following) or (0, 0))
            )
        return self.folded.written(*place)

    def _place(self, begin: int, found: changes.Found) -> tuple[int, int] | None:
        """Where the name of the quantity stands: before the figure, before or behind its verb, or after the figure."""
        folded, measure, stop = self.folded, self.measure, self.measure.start
        clause = stop - len(_clause(folded.lower[begin:stop]))
        if found.verb is not None:
            first, last = clause + found.verb[0], clause + found.verb[1]
            return naming.around_verb(
                folded, clause, first, last, stop, adjacent=found.adjacent, following=self.following, end=measure.end
            )
        for condition in self.conditions:
            if not condition.leading and begin <= condition.start and condition.end <= stop:
                if re.search(r"[,;:]", folded.text[condition.end : stop]):
                    begin = condition.end
                    continue
                # "Degradation after 1000 h of damp heat is ...": the name stands before the circumstance.
                if before := naming.named_before(folded, begin, condition.start):
                    return before
                begin = condition.end
        place = naming.named_before(folded, begin, stop)
        if found.after and (behind := naming.named_after(folded, measure.end + found.after, self.following)):
            # "20 % lower energy use"
            return behind
        if place is None:
            after = measure.end + found.after
            return naming.named_after(folded, after, self.following) if self._may_follow() else None
        return lists.joined(folded, begin, place)

    def _before_condition(self, begin: int) -> tuple[int, int] | None:
        """氧中氢在40%负荷时1.6%: the name stands before the circumstance that leads to the figure."""
        for condition in self.conditions:
            if condition.end == begin and self.boundary <= condition.start:
                return naming.named_before(self.folded, self.boundary, condition.start)
        return None

    def _may_follow(self) -> bool:
        """Whether the name may stand behind the figure: not where another clause or the sentence's next figure begins."""
        return self.folded.text[self.measure.end : self.measure.end + 1] not in (",", "、", ";", "。", "")


_LISTED = re.compile(r"、|和|与|及|\band\b|,")


def _clause(text: str) -> str:
    return re.split(r"[,;。]", text)[-1]


def _leads(conditions: Sequence[Condition], measure: Measure) -> bool:
    return any(each.leading and each.start <= measure.start < each.end for each in conditions)


def _says_again(before: Indicator, after: Indicator) -> bool:
    """4500 kcal/kg, about 18.8 MJ/kg: the same figure in another unit, to 2 %."""
    if before.unit == after.unit or not before.unit or not after.unit or before.quantity != after.quantity:
        return False
    found = conversion(after.unit, before.unit, difference=after.change != "level")
    one, other = (each.low if each.low is not None else each.high for each in (before, after))
    if found is None or one is None or other is None:
        return False
    return abs(other * found[0] + found[1] - one) <= 0.02 * abs(one)


def _of_degrees(unit: str, written: str, left: str) -> str:
    """度 counts angles, temperatures, alcohol by volume and kilowatt-hours alike; the words before tell which."""
    if unit != "degree" or not written.endswith("度"):
        return unit
    for words, meant in (
        ("电", "kWh"),
        ("酒", "percent"),
        ("温", "degC"),
        ("热", "degC"),
        ("冷", "degC"),
        ("零下", "degC"),
    ):
        if words in left:
            return meant
    return unit


def _as_change(
    measure: Measure, change: Change, bounded: str, low: float | None, high: float | None
) -> tuple[Change, float | None, float | None, str]:
    """Multiples and parts of what was before, as rises and falls in percent.

    提高3倍 adds 300 %, 提高到3倍 adds 200 %, 降至三分之一 takes two thirds away; a multiple of nothing in particular is a
    pure number.
    """
    of_before = changes.is_multiple_of_before(bounded)
    if measure.fraction and change == "level" and of_before:
        value = 100 - (low if low is not None else high or 0.0)
        return "fall", (value if low is not None else None), (value if high is not None else None), "percent"
    if not measure.times:
        return change, low, high, measure.unit
    if change == "level" and not of_before:
        return "level", low, high, ""
    less = 1.0 if of_before else 0.0
    scaled = [None if bound is None else (bound - less) * 100 for bound in (low, high)]
    return ("rise" if change == "level" else change), scaled[0], scaled[1], "percent"
