"""Numbers with their units, ranges and bounds: figures before it is known what they are figures of."""

import re
from dataclasses import dataclass, replace

from matching.indicators import comparators, names
from matching.indicators.changes import is_changing
from matching.indicators.folding import Folded
from matching.indicators.numbers import Number, find_numbers
from matching.indicators.types import Change, Comparator
from matching.indicators.units import Unit, conversion, dimension_of, read_unit


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure in a folded text.

    `start` is where its bound or number begins, `number` where the number does, `unit_end` what follows the unit and
    `end` what follows the bound after it. `stated` tells a written bound from the plain value, `times` a multiple (3倍),
    `weak` a count of things (3项), `fraction` a part written as such (三分之一). `follows` marks the value that a change
    ends at, of the same quantity as the one before (由46%提高到63%). `name` is the place of a quantity written inside the
    figure (180≤HB<240), and `scale` one of pure numbers, which belongs to the quantity's name (HRC).
    """

    start: int
    number: int
    unit_end: int
    end: int
    comparator: Comparator
    low: float | None
    high: float | None
    unit: str
    stated: bool = False
    times: bool = False
    weak: bool = False
    fraction: bool = False
    follows: bool = False
    change: Change | None = None
    scale: str = ""
    name: tuple[int, int] | None = None


# What may touch a number from the left though it is a letter: scales and signs that are written first.
_LEADING = re.compile(
    r"(?:(?P<currency>CNY|RMB|USD|US\$|EUR|¥|\$|€)|(?P<scale>HRC|HRB|HRA|HBW|HB|HV)"
    r"|(?P<name>pH值?|PH值?|[φΦ∅]|R[az]|PUE|WUE|AUC|COD|BOD5?|TDS|SS))\s?$"
)
_CURRENCIES = {"CNY": "CNY", "RMB": "CNY", "¥": "CNY", "USD": "USD", "US$": "USD", "$": "USD", "EUR": "EUR", "€": "EUR"}
_RANGE = re.compile(r"\s?(?:(?P<dash>~{1,2}|–{1,3}|-{1,3}|\.{3}|\.{6}|÷)|(?P<word>至|到|to\b|الي|حتي))\s?")
_AND = re.compile(r"\s?(?:和|与|and\b|و)\s?")
_BETWEEN = re.compile(r"(?:between|介于|介乎|بين|ما بين|在)\s?$")
_FROM = re.compile(
    r"(?:由|从|自|\bfrom|من)\s?(?:现有的?|目前的?|现在的?|原来的?|原先的?|当前的?|约|the present|about"
    r"|每[\u3400-\u9fff]{1,2})?\s?$"
)
# Between the value of before and the one reached: 由46%提高到63%, 从78%烘至12%.
_CHANGING = re.compile(r"\s?[\u3400-\u9fff]{1,4}?(?:到|至|为)了?\s?")
_TIMES = re.compile(
    r"\s?(?:倍(?!数|率|频|增)|-?fold\b|\s?times (?=(?:as|higher|longer|faster|more|the|that|of the|lower))|اضعاف)"
)
_SLASHED = re.compile(r"\s?/\s?(\d{1,2})(?![\d/])")
_CHAIN = re.compile(r"\s?[×x*]\s?")
_SIGNED = re.compile(r"(?P<minus>零下|负|minus |-|–)\s?$")
_PLUS = re.compile(r"\+\s?$")
_TOLERANCE = re.compile(r"(?:±|\+/-|\+-|正负)\s?$")
_PM_AFTER = re.compile(r"\s?(?:±|\+/-)\s?")
# A noun of the reader's own after per: no unit, but part of the figure.
_OTHER_PER = re.compile(r"\s(?:per|each)\s[a-z][a-z\-]*|\sلكل\s[\u0621-\u064a]+")
_PER = re.compile(r"\s?(?:/|per|a|每|لكل)\s?")
# 0.2≤t≤0.5: a quantity between two bounds.
_ENCLOSED = re.compile(r"\s?(?P<first>≤|<)\s?(?P<name>[^\d≤<>≥,;。]{1,24}?)\s?(?P<second>≤|<)\s?$")
# What may stand between the sign of a range and its second number.
_BEFORE_SECOND = frozenset(
    {"", "+", "-", "–", "零下", "HRC", "HV", "HB", "CNY", "USD", "¥", "$", "约", "φ", "Φ", "∅", "±"}
)


def measures(folded: Folded) -> list[Measure]:
    """All figures of a text, in order. Names, years, dates, versions and entries' numbers are none."""
    return _Reader(folded).read()


class _Reader:
    """One pass over the numbers of a text; a figure may take several of them."""

    def __init__(self, folded: Folded) -> None:
        self.text, self.lower = folded.text, folded.lower
        self.numbers = find_numbers(folded, self._starts_unit)
        self.taken = 0

    def _starts_unit(self, place: int) -> bool:
        return read_unit(self.text, place) is not None or _TIMES.match(self.lower, place) is not None

    def read(self) -> list[Measure]:
        """The figures in order."""
        found: list[Measure] = []
        while self.taken < len(self.numbers):
            number = self.numbers[self.taken]
            self.taken += 1
            if found and number.start < found[-1].unit_end:
                # Part of a unit: g/100 mL.
                continue
            if self._is_chain(number) or self._is_name(number, found[-1].end if found else 0):
                continue
            if made := self._measure(number):
                found += made[:-1]
                self._add(found, made[-1])
        return found

    def _is_chain(self, number: Number) -> bool:
        """Dimensions such as 2500×1500×1000 mm have no single value; all of their numbers are left out."""
        place, chained = self._unit_end(number), False
        while self.taken < len(self.numbers) and (found := _CHAIN.match(self.lower, place)):
            following = self.numbers[self.taken]
            if following.start != found.end():
                break
            self.taken, place, chained = self.taken + 1, self._unit_end(following), True
        return chained

    def _unit_end(self, number: Number) -> int:
        unit = read_unit(self.text, number.end)
        return unit.end if unit else number.end

    def _is_name(self, number: Number, behind: int) -> bool:
        unit = read_unit(self.text, number.end)
        if number.words:
            # Words are figures only where a unit follows.
            if not (number.unit or self._starts_unit(number.end)) or names.is_ordinal(self.text, number.start, unit):
                return True
            if _TIMES.match(self.lower, number.end):
                return False
            if self.text.startswith("个点", number.end):
                return True
            return unit is not None and number.value < 100 and self._is_loose_count(number, unit)
        if unit is None and (number.unit or self._starts_unit(number.end)):
            unit = Unit(number.unit, number.end)
        left = self.text[max(behind, number.start - 8) : number.start]
        leading = _LEADING.search(left) or _TOLERANCE.search(left)
        return names.is_name(
            self.text, behind, number.start, number.end, number.value, unit, leading=leading is not None
        )

    def _is_loose_count(self, number: Number, unit: Unit) -> bool:
        """一次, 两种, 一台, 一天: a small count in words is a figure only where it is bounded."""
        bounded = comparators.before(self.lower, number.start) or comparators.after(self.lower, unit.end)
        single = number.value == 1 and dimension_of(unit.notation) == "[time]"
        return (unit.weak or unit.notation == "count" or single) and (bounded is None or bounded[0] == "eq")

    def _measure(self, number: Number) -> list[Measure]:
        value, start, unit = self._value(number)
        end = max(number.end, unit.end if unit else 0)
        if tolerance := _TOLERANCE.search(self.text[:start]):
            made = self._bounded(tolerance.start(), end, "between", -abs(value), abs(value), unit)
            return [replace(made, comparator="between", low=-abs(value), high=abs(value))]
        pm = _PM_AFTER.match(self.text, end)
        if pm and (second := self._next_at(pm.end())):
            self.taken += 1
            spread, _, other = self._value(second)
            end_of_second = other.end if other else 0
            if other is not None and other.notation == "percent" and unit is not None and unit.notation != "percent":
                # 220V±10%: the tolerance is a part of the value.
                spread, other = abs(value) * spread / 100, unit
            else:
                value = _converted(value, unit, other)
            if number.factor == 1.0 and second.factor != 1.0 and unit is None and number.value < second.value * 1000:
                value *= second.factor
            stop = max(second.end, end_of_second)
            start, stop, unit = self._outside(start, stop, other or unit)
            return [self._bounded(start, stop, "between", value - spread, value + spread, unit)]
        if ranged := self._range(number, value, start, unit, end):
            return ranged
        if times := _TIMES.match(self.lower, number.end):
            return [replace(self._bounded(start, times.end(), "eq", value, value, None), times=True)]
        if slashed := _SLASHED.match(self.text, number.end):
            return self._fraction(number, start, int(slashed[1]), slashed.end())
        if unit is not None and (extra := self._smaller_part(unit, end)):
            value, end = value + extra[0], extra[1]
        made = self._bounded(start, end, "eq", value, value, unit)
        written = self.text[number.start : number.end]
        return [replace(made, fraction="分之" in written and written[0] not in "百千万")]

    def _fraction(self, number: Number, start: int, below: int, end: int) -> list[Measure]:
        """1/4 is a part of what was before, if it is alone; other slashes join names and dates."""
        if self.taken < len(self.numbers) and self.numbers[self.taken].start < end:
            self.taken += 1
        if not 0 < number.value < below or read_unit(self.text, end):
            return []
        share = 100 * number.value / below
        return [replace(self._bounded(start, end, "eq", share, share, Unit("percent", end)), fraction=True)]

    def _value(self, number: Number) -> tuple[float, int, Unit | None]:
        """Value with its sign, where it begins with sign and currency, and its unit."""
        value, start = number.value, number.start
        unit = Unit(number.unit, number.end) if number.unit else read_unit(self.text, number.end)
        left = self.text[max(0, start - 8) : start]
        offset = start - len(left)
        if (sign := _SIGNED.search(left)) and _is_sign(left, sign.start(), sign["minus"]):
            value, start = -value, offset + sign.start()
        elif sign := _PLUS.search(left):
            start = offset + sign.start()
        leading = _LEADING.search(self.text[max(0, start - 6) : start])
        if unit is not None and unit.notation.startswith("1/") and leading and leading["currency"]:
            # USD 500/kW
            unit = None
        if unit is None and leading and (leading["currency"] or leading["scale"]):
            place = start - len(leading[0])
            if leading["scale"]:
                return value, place, Unit("", number.end, scale=leading["scale"][:3])
            rate = _per(self.text, number.end)
            notation = _CURRENCIES[leading["currency"]] + (f"/{rate.notation}" if rate else "")
            return value, place, Unit(notation, rate.end if rate else number.end)
        if unit is not None and unit.notation == "degree" and value < 0:
            unit = replace(unit, notation="degC")
        return (value * unit.factor if unit else value), start, unit

    def _next_at(self, place: int) -> Number | None:
        """The next number, if it begins at a place, its sign left out."""
        while self.taken < len(self.numbers) and self.numbers[self.taken].start < place:
            # The 3 of m^3: part of the unit that was just read.
            self.taken += 1
        if self.taken >= len(self.numbers):
            return None
        number = self.numbers[self.taken]
        return number if number.start >= place and self.text[place : number.start].strip() in _BEFORE_SECOND else None

    def _range(self, number: Number, value: float, start: int, unit: Unit | None, end: int) -> list[Measure]:
        left = self.text[max(0, start - 14) : start].lower()
        origin = _FROM.search(left)
        mark = _RANGE.match(self.lower, end)
        if mark is None and _BETWEEN.search(left):
            mark = _AND.match(self.lower, end)
        if mark is None and origin:
            mark = _CHANGING.match(self.lower, end)
        second = self._next_at(mark.end()) if mark else None
        if mark is None or second is None or (second.words and not (second.unit or self._starts_unit(second.end))):
            return []
        other, second_start, second_unit = self._value(second)
        if self.text[second_start : second_start + 1] in ("-", "–") and second_start < mark.end():
            # The dash that joins is not the second number's minus.
            other = abs(other)
        dashed = mark.re is _RANGE and mark["dash"] is not None and mark["dash"].startswith("-")
        if dashed and value > other and unit is None and second.factor == 1.0:
            return []
        self.taken += 1
        both = second_unit or unit
        if (
            unit is None
            and second.factor != 1.0
            and number.factor == 1.0
            and value < second.value / second.factor * 1000
        ):
            # 5~10万 and 8~10×10⁻⁶ share what follows the second number.
            value *= second.factor
        if unit is None and second_unit is not None and second_unit.factor != 1.0:
            value *= second_unit.factor
        value = _converted(value, unit, second_unit)
        stop = max(second.end, second_unit.end if second_unit else 0)
        if times := _TIMES.match(self.lower, second.end):
            made = self._bounded(start, times.end(), "between", min(value, other), max(value, other), None)
            return [replace(made, times=True)]
        if origin and (
            mark.re is _CHANGING or (mark.re is _RANGE and mark["word"] and is_changing(self._clause(start)))
        ):
            # "from 7 to 2.5" with a verb of changing is no range: the first value is today's, the second is reached.
            since = start - len(left) + origin.start()
            first = Measure(since, start, end, end, "eq", value, value, both.notation if both else "")
            return [first, replace(self._bounded(second_start, stop, "eq", other, other, both), follows=True)]
        start, stop, both = self._outside(start, stop, both)
        return [self._bounded(start, stop, "between", min(value, other), max(value, other), both)]

    def _outside(self, start: int, stop: int, unit: Unit | None) -> tuple[int, int, Unit | None]:
        """(2.4~2.9)Ω: a range in brackets with its unit behind them."""
        if unit is not None or not self.text.startswith(")", stop) or self.text[start - 1 : start] != "(":
            return start, stop, unit
        outside = read_unit(self.text, stop + 1)
        return (start - 1, outside.end, outside) if outside else (start, stop, None)

    def _clause(self, place: int) -> str:
        """The words before a place back to the last stop."""
        return re.split(r"[,;。!?\n]", self.lower[max(0, place - 80) : place])[-1]

    def _smaller_part(self, unit: Unit, end: int) -> tuple[float, int] | None:
        """3 h 20 min and 两年半: the smaller part in the larger unit, and where it ends."""
        if dimension_of(unit.notation) != "[time]":
            return None
        if self.text.startswith("半", end):
            return 0.5, end + 1
        following = self._next_at(end) or self._next_at(end + 1)
        smaller = read_unit(self.text, following.end) if following else None
        if following is None or smaller is None or dimension_of(smaller.notation) != "[time]":
            return None
        factor = conversion(smaller.notation, unit.notation)
        if factor is None or factor[0] >= 1:
            return None
        self.taken += 1
        return following.value * factor[0], smaller.end

    def _bounded(
        self, start: int, end: int, comparator: Comparator, low: float, high: float, unit: Unit | None
    ) -> Measure:
        """A figure with the bounds that stand before and after it.

        Any other bound says more than 约 or 为, and what follows the number more than what precedes it.
        """
        if (unit is None or "/" not in unit.notation) and (other := _OTHER_PER.match(self.lower, end)):
            end = other.end()
        first = comparators.before(self.lower, start)
        last = comparators.after(self.lower, end)
        begin, stop = first[1] if first else start, last[1] if last else end
        bounds = [each[0] for each in (last, first) if each is not None]
        sharp = [bound for bound in bounds if bound not in ("about", "eq")]
        bound = sharp[0] if sharp else "about" if "about" in bounds else None
        if (
            comparator == "between"
            and last is None
            and self.lower[begin:start].strip().endswith(("达到", "达", "达了", "reach", "reaches"))
        ):
            # 达到2-3米: the range says more.
            bound = None
        if comparator == "between" and self.lower[end:stop].strip() in ("内", "之内", "以内"):
            # 在2.4～2.9Ω内
            bound = None
        if comparator == "between" and last is None and self.lower[begin:start].strip() == "over":
            bound = None
        if bound in ("ge", "gt"):
            comparator, high_or_none, low_or_none = bound, None, low
        elif bound in ("le", "lt"):
            comparator, high_or_none, low_or_none = bound, high, None
        else:
            high_or_none, low_or_none = high, low
            if comparator == "eq" and bound == "about":
                comparator = "about"
        return Measure(
            begin, start, end, stop, comparator, low_or_none, high_or_none, unit.notation if unit else "",
            stated=bool(sharp) or self.lower[begin:start].strip() in ("为", "=", "等于"),
            weak=bool(unit and unit.weak), scale=unit.scale if unit else "",
        )  # fmt: skip

    def _add(self, found: list[Measure], measure: Measure) -> None:
        """Append a figure; 180≤HB<240 takes up the 180 that was read as a value of its own."""
        previous = found[-1] if found else None
        if previous and measure.comparator in ("le", "lt") and previous.comparator == "eq":
            between = _ENCLOSED.fullmatch(self.text[previous.unit_end : measure.number])
            if between:
                place = (previous.unit_end + between.start("name"), previous.unit_end + between.end("name"))
                found[-1] = replace(
                    measure, start=previous.start, number=previous.number, comparator="between", low=previous.low,
                    unit=measure.unit or previous.unit, name=place,
                )  # fmt: skip
                return
        found.append(measure)


def _is_sign(left: str, place: int, minus: str) -> bool:
    """A dash is a minus where nothing stands before it that it could join."""
    if minus not in "-–":
        return True
    before = left[:place]
    if not before or "\u3400" <= before[-1] <= "\u9fff":
        return True
    return before[-1] in " (,:;~≤≥<>=–至到[" and not re.search(r"[\d%] $", before)


def _converted(value: float, source: Unit | None, target: Unit | None) -> float:
    if source is None or target is None or source.notation == target.notation:
        return value
    found = conversion(source.notation, target.notation)
    return value * found[0] + found[1] if found else value


def _per(text: str, place: int) -> Unit | None:
    """The denominator that follows an amount whose currency stands before it: CNY 9 per m³."""
    found = _PER.match(text, place)
    return read_unit(text, found.end()) if found else None
