"""Numbers in figures and in words of three languages, with the multipliers that follow them."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from matching.indicators.folding import Folded

# Groups of three are joined by a comma; by a space only after one to three digits, and if nothing but groups follows.
PLAIN = r"(?:\d{1,3}(?:,\d{3})+(?![\d])(?:\.\d+)?|\d{1,3}(?: \d{3})+(?![\d.])|\d+(?:\.\d+)?)"
# A power of ten needs a sign that it is one: a raised figure, a minus, or a multiplication before a bare 10.
POWER = r"10(?:\^\(?([+-]?\d{1,3})\)?|(-\d{1,2})(?!\d)|([3-9]|1\d)(?!\d))"
SCIENTIFIC = re.compile(rf"({PLAIN})\s*[×x*·]\s*{POWER}")
BARE_POWER = re.compile(r"10(?:\^\(?([+-]?\d{1,3})\)?(?!\d)|的([+-]?|负)(\d{1,2})次方)")
EXPONENT = re.compile(r"\d+(?:\.\d+)?[eE][+-]?\d{1,2}(?![\w.])")
PLAIN_NUMBER = re.compile(PLAIN)

MULTIPLIERS = {
    "万亿": 1e12, "千亿": 1e11, "百亿": 1e10, "十亿": 1e9, "亿": 1e8, "千万": 1e7, "百万": 1e6, "十万": 1e5, "万": 1e4, "千": 1e3,
    "thousand": 1e3, "million": 1e6, "billion": 1e9, "الف": 1e3, "الاف": 1e3, "مليون": 1e6, "ملايين": 1e6, "مليار": 1e9,
    "مليارات": 1e9,
}  # fmt: skip
# A word of letters ends where no letter follows; 万m2 is written without a space.
MULTIPLIER = re.compile(
    r" ?(" + "|".join(word if "\u3400" <= word[0] <= "\u9fff" else word + r"(?![a-z\u0621-\u064a])"
    for word in sorted(MULTIPLIERS, key=len, reverse=True)) + ")"
)  # fmt: skip

# A number of hundreds of digits is none that anybody measured; what matters is that it stays finite, in other units too.
GREATEST = 1e200

HAN_DIGITS = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
HAN_POWERS = {"十": 10, "百": 100, "千": 1000}
HAN_SECTIONS = {"万": 10**4, "亿": 10**8}
HAN = "".join([*HAN_DIGITS, *HAN_POWERS, *HAN_SECTIONS])
HAN_NUMBER = re.compile(rf"[{HAN}]+(?:点[{''.join(HAN_DIGITS)}]+)?|半")

WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11,
    "twelve": 12, "fifteen": 15, "eighteen": 18, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
    "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100, "half": 0.5,
    "واحد": 1, "واحدة": 1, "اثنان": 2, "اثنين": 2, "ثلاث": 3, "ثلاثة": 3, "اربع": 4, "اربعة": 4, "خمس": 5, "خمسة": 5, "ست": 6, "ستة": 6,
    "سبع": 7, "سبعة": 7, "ثماني": 8, "ثمانية": 8, "تسع": 9, "تسعة": 9, "عشر": 10, "عشرة": 10, "عشرون": 20, "عشرين": 20, "ثلاثون": 30,
    "ثلاثين": 30, "اربعون": 40, "اربعين": 40, "خمسون": 50, "خمسين": 50, "ستون": 60, "ستين": 60, "سبعون": 70, "سبعين": 70, "ثمانون": 80,
    "ثمانين": 80, "تسعون": 90, "تسعين": 90, "مئة": 100, "مائة": 100, "نصف": 0.5,
}  # fmt: skip
WORD_NUMBER = re.compile(
    r"(?<![a-z\u0621-\u064a])(?:اثنا عشر|اثني عشر|(?:"
    + "|".join(sorted(WORDS, key=len, reverse=True))
    + r")(?:(?: و|-| )(?:عشر|عشرين|عشرون|ثلاثين|ثلاثون|اربعين|اربعون|خمسين|خمسون|one|two|three|four|five|six|seven|eight|nine))?)"
    r"(?![a-z\u0621-\u064a])"
)
# Arabic has a form of its own for two of a thing.
DUALS = {
    "سنتان": "year", "سنتين": "year", "عامان": "year", "عامين": "year", "شهران": "month", "شهرين": "month", "اسبوعان": "week",
    "اسبوعين": "week", "يومان": "day", "يومين": "day", "ساعتان": "hour", "ساعتين": "hour", "دقيقتان": "minute",
    "دقيقتين": "minute", "مرتان": "count", "مرتين": "count",
}  # fmt: skip
DUAL = re.compile(r"(?<![\u0621-\u064a])(?:" + "|".join(DUALS) + r")(?![\u0621-\u064a])")
# 九成五 is 95 %, 三成 30 %; 成本 and 成分 are other words.
TENTHS = re.compile(
    rf"([{''.join(HAN_DIGITS)}]|\d(?:\.\d)?)成([{''.join(HAN_DIGITS)}])?(?=以上|左右|以内|以下|的|多|提"
    rf"|上升|升|降|增|减|到|至|[,。;、)(\s]|$)"
)
# 百分之九十五 names the unit before the number.
PARTS = {"百分之": "percent", "千分之": "permille", "万分之": "basis"}
FRACTION = re.compile(rf"([{HAN}]+)分之([{HAN}]+)")
PART_NUMBER = re.compile(rf"(百|千|万)分之(?:({PLAIN})|([{HAN}]+(?:点[{''.join(HAN_DIGITS)}]+)?))")


@dataclass(frozen=True, slots=True)
class Number:
    """A number between two places of the folded text. `unit` is set where the number's own words name it.

    `words` is true where it was written in words, which need a unit after them to be a figure. `scaled` is true where a
    multiplier such as 万 was applied, which a range shares with the number before.
    """

    value: float
    start: int
    end: int
    unit: str = ""
    words: bool = False
    factor: float = 1.0


def han_value(text: str) -> float:
    """The value of a Chinese numeral.

    >>> han_value("九十五"), han_value("三千二百"), han_value("十万"), han_value("二点五"), han_value("一二〇"), han_value("半")
    (95.0, 3200.0, 100000.0, 2.5, 120.0, 0.5)
    """
    if text == "半":
        return 0.5
    whole, _, decimals = text.partition("点")
    if not any(c in HAN_POWERS or c in HAN_SECTIONS for c in whole):
        total = min(float("".join(str(HAN_DIGITS[c]) for c in whole)), GREATEST)
    else:
        total, section, digit = 0.0, 0.0, 0.0
        for character in whole:
            if character in HAN_DIGITS:
                digit = HAN_DIGITS[character]
            elif character in HAN_POWERS:
                section += (digit or 1) * HAN_POWERS[character]
                digit = 0
            else:
                # 亿 multiplies all before it, 万 only what stands between: 一亿二千万.
                above = total if character == "亿" else 0.0
                total = min(total - above + (above + section + digit or 1) * HAN_SECTIONS[character], GREATEST)
                section = digit = 0
        total += section + digit
    return total + (float("0." + "".join(str(HAN_DIGITS[c]) for c in decimals)) if decimals else 0.0)


def find_numbers(folded: Folded, starts_unit: Callable[[int], bool]) -> list[Number]:
    """All numbers in order, without overlap. `starts_unit` says whether a unit begins at a place: 5千瓦 is 5 kW, not 5,000 of 瓦."""
    text, found, place = folded.lower, [], 0
    while place < len(text):
        number = _number_at(text, place, starts_unit)
        if number is None:
            place += 1
        else:
            found.append(number)
            place = max(number.end, place + 1)
    return found


def _number_at(text: str, place: int, starts_unit: Callable[[int], bool]) -> Number | None:
    character = text[place]
    if (tenths := TENTHS.match(text, place)) and not (place and text[place - 1] in HAN + ".0123456789"):
        value = (
            float(HAN_DIGITS.get(tenths[1], 0)) or _plain(tenths[1])
            if tenths[1][0] in HAN_DIGITS
            else _plain(tenths[1])
        ) * 10
        return Number(value + (HAN_DIGITS[tenths[2]] if tenths[2] else 0), place, tenths.end(), "percent")
    if "0" <= character <= "9":
        # A digit inside a word, a version or a longer number was looked at before.
        if place and (
            text[place - 1].isdigit() or (text[place - 1] == "." and place > 1 and text[place - 2].isdigit())
        ):
            return None
        return _with_multiplier(text, _digits(text, place), starts_unit)
    if character in HAN or character == "半":
        return _han(text, place, starts_unit)
    if dual := DUAL.match(text, place):
        return Number(2.0, place, dual.end(), DUALS[dual[0]], words=True)
    if character.isalpha() and (found := WORD_NUMBER.match(text, place)):
        return _with_multiplier(text, Number(_words_value(found[0]), place, found.end(), words=True), starts_unit)
    return None


def _digits(text: str, place: int) -> Number:
    if found := SCIENTIFIC.match(text, place):
        power = int(next(group for group in found.groups()[1:] if group))
        factor = 10.0 ** _bounded(power)
        return Number(min(_plain(found[1]) * factor, GREATEST), place, found.end(), factor=factor)
    if found := BARE_POWER.match(text, place):
        power = int(found[1]) if found[1] else int(found[3]) * (-1 if found[2] in ("-", "负") else 1)
        return Number(10.0 ** _bounded(power), place, found.end())
    if found := EXPONENT.match(text, place):
        return Number(float(found[0]), place, found.end())
    plain = PLAIN_NUMBER.match(text, place)
    assert plain is not None
    return Number(_plain(plain[0]), place, plain.end())


def _plain(written: str) -> float:
    return min(float(written.replace(",", "").replace(" ", "")), GREATEST)


def _bounded(power: int) -> int:
    return max(-100, min(100, power))


def _with_multiplier(text: str, number: Number, starts_unit: Callable[[int], bool]) -> Number:
    factor, end = number.factor, number.end
    # 5百万 and 3万亿 are one entry of the table; two loops allow 十 before 万 as in 5千万.
    while (found := MULTIPLIER.match(text, end)) and not starts_unit(found.start(1)) and factor < 1e12:
        factor *= MULTIPLIERS[found[1]]
        end = found.end()
    return Number(
        min(number.value * factor / number.factor, GREATEST), number.start, end, number.unit, number.words, factor
    )


def _han(text: str, place: int, starts_unit: Callable[[int], bool]) -> Number | None:
    if found := PART_NUMBER.match(text, place):
        value = _plain(found[2]) if found[2] else han_value(found[3])
        unit, scale = {"百": ("percent", 1.0), "千": ("permille", 1.0), "万": ("percent", 0.01)}[found[1]]
        return Number(value * scale, place, found.end(), unit)
    if found := FRACTION.match(text, place):
        whole = han_value(found[1])
        return Number(100 * han_value(found[2]) / whole, place, found.end(), "percent") if whole else None
    if place and (text[place - 1] in HAN + "第几数多若点" or text[place - 1].isdigit()):
        return None
    found = HAN_NUMBER.match(text, place)
    assert found is not None
    end = found.end()
    # 三千瓦 is three kilowatts and 百分 begins something else: the longest numeral that a unit follows is meant.
    for stop in range(end, place, -1):
        if starts_unit(stop) and (text[place:stop] == "半" or text[stop - 1] != "点"):
            written = text[place:stop]
            if written[0] in HAN_SECTIONS or written in ("零",):
                return None
            return Number(han_value(written), place, stop, words=True)
    return None


def _words_value(written: str) -> float:
    if written in ("اثنا عشر", "اثني عشر"):
        return 12.0
    first, _, second = written.replace("-", " ").partition(" ")
    # "خمسة وعشرين" is five and twenty.
    return float(WORDS[first] + WORDS.get(second, WORDS.get(second.removeprefix("و"), 0)))
