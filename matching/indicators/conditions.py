"""Under which circumstances a figure holds: 25℃条件下, at 300 °C, after 3,000 cycles. Their figures are no indicators."""

import re
from dataclasses import dataclass

from matching.indicators.folding import Folded
from matching.indicators.measures import Measure
from matching.indicators.naming import named_before
from matching.indicators.rates import is_rated
from matching.indicators.units import dimension_of

# What makes a condition of the figure before it. 以下 and 小时 are other words, which the figure itself has taken.
_AFTER_ZH = re.compile(
    r"\s?(?:的?[\u3400-\u9fff]{0,6}?(?:条件下?|工况下?|环境[下中]|状态下|情况下|温度下|压力下|浓度下"
    r"|湿度下|负荷下|载荷下|电压下|范围内|下(?![降限料游层面一])|时(?![间效长延段])"
    r"|(?:循环|老化|处理|浸泡|暴晒|储存|贮存|运行|保温|存放|照射|试验|冻融|反应|干燥|煅烧|烧结|退火"
    r"|连续运行)?(?:以后|之后|后)(?![续期])|处(?![理置]))|保温|烧结|焙烧)"
)
_BEFORE_EN = re.compile(
    r"\b(?:at(?! least| most)|under|after|during|every|when(?: \w+){0,3} (?:to|at|is)"
    r"|against)\s(?:(?!least|most|or|below|above)[a-z\-]+\s){0,4}$|\bunder\s$"
)
# "at a cost of", "keeping the yield at": quantities of their own.
_NAMED_EN = re.compile(r"^at an? (?:[a-z\-]+ )+")
_KEPT_EN = re.compile(r"\b(?:keep|kept|maintain|hold|held|stay|remain)[a-z]*\b[^,;]*$")
_BEFORE_AR = re.compile(r"(?<![\u0621-\u064a])(?:عند|تحت|بعد|في درجة|في ظل|لمدة)(?:\s[\u0621-\u064a]+){0,4}\s?$")
_FOR_EN = re.compile(r"\b(?:for|over)\s(?:(?:more than|at least|over|a|the|\w+ing)\s)?$")
# Circumstances without a figure: 额定工况下, at rated power.
_PHRASE_ZH = re.compile(
    r"(?:(?:^|(?<=[,;:。(]))|在)([^,;:。()\d]{1,16}?(?:条件下|工况下|环境下|状态下|情况下|负荷下|转速下|模式下))"
)
_PHRASE_EN = re.compile(
    r"\b(?:at|under) (?:rated|full|partial|ambient|room|normal|standard|dry|wet|field|cold|real|test"
    r"|laboratory|constant|continuous|saturated)(?: [a-z]+){1,2}"
)
_CONTINUED = re.compile(r"\s?(?:[,、/和及与]|and|و)?\s?(?:[a-zA-Z0-9/]{1,6}\s?=?\s?)?$")


@dataclass(frozen=True, slots=True)
class Condition:
    """A circumstance between two places of the folded text. `leading`: it stands before what it qualifies."""

    start: int
    end: int
    leading: bool
    bracket: bool = False


def find_conditions(
    folded: Folded, start: int, end: int, found: list[Measure]
) -> tuple[list[Condition], list[Measure]]:
    """The conditions of a sentence, and those of its figures that are none."""
    conditions: list[Condition] = []
    figures: list[Measure] = []
    boundary = start
    found = [
        measure
        for place, measure in enumerate(found)
        if not _is_attribute(folded, boundary_of(found, place, start), measure, end, found[place + 1 :])
    ]
    for place, measure in enumerate(found):
        following = found[place + 1].start if place + 1 < len(found) else end
        made = _condition(folded, boundary, following, measure, conditions, follows_figure=bool(figures))
        bracket = _bracket_around(folded.text, start, measure, figures, found[place + 1 :])
        follows = place + 1 < len(found) and found[place + 1].follows
        if follows:
            made = None
        elif (
            made is None and bracket is None and place + 1 < len(found) and _is_circumstance(folded, measure, following)
        ):
            made = Condition(_clause_start(folded.lower, boundary, measure.start), measure.end, leading=True)
        if made is not None:
            made = _with_listed(folded.text, made, figures)
            conditions.append(made)
        elif bracket is not None:
            if not any(c.start <= bracket.start and bracket.end <= c.end for c in conditions):
                conditions.append(bracket)
        else:
            figures.append(measure)
        boundary = measure.end
    conditions += _phrases(folded, start, end, conditions)
    conditions += _brackets(folded, figures, conditions, end)
    return conditions, figures


def _with_listed(text: str, condition: Condition, figures: list[Measure]) -> Condition:
    """在pH 3~11、温度≤60℃的条件下: what 在 and a list mark join to a circumstance belongs to it."""
    while condition.leading and figures and text[figures[-1].end : condition.start].strip() == "、":
        clause = max(text.rfind(stop, 0, figures[-1].start) for stop in ",;。\n") + 1
        at = text.find("在", clause, figures[-1].start)
        if at < 0:
            break
        figures.pop()
        condition = Condition(at + 1, condition.end, leading=True)
    return condition


def _condition(
    folded: Folded, boundary: int, following: int, measure: Measure, before: list[Condition], *, follows_figure: bool
) -> Condition | None:
    lower = folded.lower
    after = _AFTER_ZH.match(lower[:following] if following > measure.end else lower, measure.end)
    begins = measure.start
    if after:
        named = folded.text[after.end() : following].strip(" 的,")
        # "屏蔽效能30MHz~1GHz范围内≥60dB": the name before is that of the next figure.
        begin = _clause_start(lower, boundary, begins) if named else begins
        return Condition(begin, after.end(), leading=True)
    left = lower[boundary:begins]
    found = _BEFORE_EN.search(left) or _BEFORE_AR.search(left)
    if found and (_NAMED_EN.search(found[0]) or _KEPT_EN.search(left[: found.start()])):
        found = None
    if found and not (left[: found.start()].strip() and _is_alone(lower, boundary, measure, following)):
        return Condition(boundary + found.start(), measure.unit_end, leading=False)
    over = measure.comparator == "between" and lower[measure.start : measure.number].strip() == "over"
    if over and follows_figure:
        return Condition(measure.start, measure.unit_end, leading=False)
    if dimension_of(measure.unit) in ("[time]", "[length]") and (
        found := _FOR_EN.search(lower[boundary : measure.number])
    ):
        return Condition(boundary + found.start(), measure.unit_end, leading=False)
    if (
        before
        and not measure.stated
        and before[-1].end >= boundary
        and not before[-1].leading
        and _CONTINUED.fullmatch(lower[before[-1].end : measure.start])
    ):
        # "at 240 °C, 5 MPa": one circumstance of two figures.
        joined = before.pop()
        return Condition(joined.start, measure.unit_end, leading=joined.leading)
    return None


# What follows a figure and makes it no attribute: an end, a joint, or a statement about it.
_NOT_ATTRIBUTE = re.compile(r"[^\u3400-\u9fff]|$|[无不未且并和与及或的以左上至到后时内仍即可均都能达提降增减]")
# What a figure is held against is none of the thing's own.
_COMPARED_WITH = re.compile(
    r"(?:instead of|rather than|compared (?:with|to)|versus|vs\.?|as against|بدلا من|مقارنة ب)\s?(?:the |a )?$"
)
_STOP = re.compile(r"[,;。:、()\n]")


def boundary_of(found: list[Measure], place: int, start: int) -> int:
    """Where the words before a figure begin."""
    return found[place - 1].end if place else start


def _is_circumstance(folded: Folded, measure: Measure, following: int) -> bool:
    """7天内发情率85%, 2h抗折强度≥6MPa: a figure that runs into the name of the next one tells when or of what."""
    inside = measure.comparator not in ("eq", "between") and folded.text[measure.unit_end : measure.end] not in (
        "内",
        "之内",
        "以内",
    )
    if inside or measure.unit in ("percent", "") or measure.times or measure.change or following >= len(folded.text):
        return False
    between = folded.text[measure.end : following]
    if (
        dimension_of(measure.unit) == "[time]"
        and between.startswith(("达", "可达", "不低", "不小", "≥"))
        and _STOP.search(between) is None
    ):
        # 28d达到70MPa
        return True
    return len(between) > 1 and _NOT_ATTRIBUTE.match(between) is None and _STOP.search(between) is None


def _is_attribute(folded: Folded, boundary: int, measure: Measure, end: int, later: list[Measure]) -> bool:
    """某酒庄3000亩葡萄园: a figure between two words of a name describes a thing and states no merit."""
    if _COMPARED_WITH.search(folded.lower[boundary : measure.start]):
        return True
    if (
        measure.stated
        or measure.comparator != "eq"
        or is_rated(folded.text[boundary : measure.start])
        or measure.unit in ("percent", "", "permille")
        or measure.times
        or measure.change
    ):
        return False
    after = folded.text[measure.end : end]
    stop = _STOP.search(after)
    noun = after[: stop.start() if stop else len(after)]
    if later and measure.end + len(noun) > later[0].start:
        return False
    if len(noun) < 2 or _NOT_ATTRIBUTE.match(noun):
        return False
    return named_before(folded, boundary, measure.start) is not None


def _is_alone(lower: str, boundary: int, measure: Measure, following: int) -> bool:
    """Whether a clause has no other figure, so that "operation at −25 °C to 35 °C" is what is asked for."""
    begun = (
        boundary == 0
        or re.search(r"[,;:。\n]\s?[a-z]|^[^\d]*$", lower[max(0, boundary - 2) : boundary + 2]) is not None
    )
    stop = re.search(r"[,;。\n]", lower[measure.end :])
    return (
        begun
        and stop is not None
        and measure.end + stop.start() < following
        and not re.search(r"\d", lower[boundary : measure.start])
    )


def _clause_start(lower: str, boundary: int, place: int) -> int:
    """Where the words before a condition's figure begin: behind 在, or behind the last stop."""
    left = lower[boundary:place]
    cut = max((left.rfind(stop) + 1 for stop in ",;:。()、"), default=0)
    words = left[cut:]
    if (at := max(words.rfind("在"), words.rfind("经"), words.rfind("当"))) >= 0:
        return boundary + cut + at + 1
    return boundary + cut


def _bracket_around(
    text: str, start: int, measure: Measure, figures: list[Measure], later: list[Measure]
) -> Condition | None:
    """A bracket that follows a figure, or stands between a name and its figure, says under which circumstances."""
    opened = text.rfind("(", start, measure.start)
    if opened < 0 or ")" in text[opened : measure.start]:
        return None
    closed = text.find(")", measure.end)
    if closed >= 0 and any(each.start > closed and not text[closed + 1 : each.start].strip() for each in later):
        return Condition(opened + 1, closed, leading=True, bracket=True)
    owner = next((figure for figure in reversed(figures) if figure.end <= opened), None)
    if owner is None or text[owner.end : opened].strip():
        return None
    return Condition(opened + 1, closed if closed >= 0 else measure.end, leading=False)


def _phrases(folded: Folded, start: int, end: int, before: list[Condition]) -> list[Condition]:
    found = [
        Condition(start + match.start(group), start + match.end(group), leading)
        for pattern, group, leading in ((_PHRASE_ZH, 1, True), (_PHRASE_EN, 0, False))
        for match in pattern.finditer(folded.lower[start:end])
    ]
    return [each for each in found if not any(c.start < each.end and each.start < c.end for c in before)]


def _brackets(folded: Folded, figures: list[Measure], before: list[Condition], end: int) -> list[Condition]:
    """Brackets without figures that follow a figure: (室温红外法)."""
    found = []
    for figure in figures:
        opened = re.search(r"\(([^()]{1,40})\)\s?$", folded.text[: figure.start])
        if opened and not any(c.start < opened.end(1) and opened.start(1) < c.end for c in before):
            found.append(Condition(opened.start(1), opened.end(1), leading=True, bracket=True))
        match = re.match(r"\s?\(([^()]{1,40})\)", folded.text[figure.end : end])
        if match and not any(
            c.start < figure.end + match.end() and figure.end + match.start(1) < c.end for c in before
        ):
            found.append(Condition(figure.end + match.start(1), figure.end + match.end(1), leading=False))
    return found


def condition_for(conditions: list[Condition], measure: Measure, figures: list[Measure]) -> Condition | None:
    """The condition that a figure stands under: the last leading one before it, else one right after it."""
    following = next((figure.start for figure in figures if figure.start > measure.start), None)
    after = [
        c for c in conditions if not c.leading and c.start >= measure.end and (following is None or c.start < following)
    ]
    if after:
        return after[0]
    leading = [
        c for c in conditions if c.end <= measure.start and (c.leading or not any(f.end <= c.start for f in figures))
    ]
    if leading:
        return leading[-1]
    trailing = [
        c for c in conditions if c.leading and c.start >= measure.end and (following is None or c.start < following)
    ]
    return trailing[0] if trailing and following is None else None
