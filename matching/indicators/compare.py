"""How an outcome's figures answer those that a need asks for: met, close, not met or not stated, each with its figure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from matching.indicators.quantities import LOSS, likeness, wanted
from matching.indicators.types import Indicator, IndicatorVerdict, Verdict
from matching.indicators.units import conversion, dimension_of

# A figure that misses what is asked for by a tenth of it is worth a talk.
CLOSE_SHARE = 0.1
# Names less alike than this are of different quantities.
LEAST_LIKENESS = 0.5
# Of two answers, the one whose name is nearer by this much is meant, whatever it says.
LIKENESS_STEP = 0.15
# An exact value asked for is met within rounding.
EQUAL_SHARE = 0.02
_WORTH: dict[Verdict, int] = {"met": 3, "close": 2, "not_met": 1, "not_stated": 0}


def compare(asked: Iterable[Indicator], stated: Sequence[Indicator]) -> tuple[IndicatorVerdict, ...]:
    """A verdict for every figure asked for, against all figures of an outcome.

    Comparable is what converts into the asked unit, changes in the same way (a fall of 30 % against a fall), and names the
    same quantity. Of several such figures the one that is named most alike answers; among equals, the one that agrees best.

    >>> from matching.indicators.parse import parse
    >>> [(v.verdict, v.asked.quantity) for v in compare(parse("转化率≥95%，能耗降低30%"), parse("转化率96.5%，能耗12 kWh/t"))]
    [('met', '转化率'), ('not_stated', '能耗')]
    """
    kinds = [(figure, _kind(figure)) for figure in stated]
    return tuple(_answer(figure, kinds) for figure in asked)


def _kind(figure: Indicator) -> str | None:
    return dimension_of(figure.unit)


def _answer(asked: Indicator, stated: Sequence[tuple[Indicator, str | None]]) -> IndicatorVerdict:
    kind = _kind(asked)
    best: tuple[float, int] = (0.0, 0)
    found: Indicator | None = None
    verdict: Verdict = "not_stated"
    for figure, other in stated:
        if other != kind and not _both_counts(asked.unit, figure.unit):
            continue
        wish, answer = (asked, figure) if asked.change == figure.change else (_as_fall(asked), _as_fall(figure))
        if wish.change != answer.change and not _opposite_meets(asked, figure):
            continue
        alike = likeness(wish.quantity, answer.quantity)
        if alike < LEAST_LIKENESS:
            continue
        judged = judge(wish, answer)
        if judged == "not_stated":
            continue
        rank = (alike // LIKENESS_STEP, _WORTH[judged])
        if rank > best:
            best, found, verdict = rank, figure, judged
    return IndicatorVerdict(asked, verdict, found)


def _both_counts(one: str, other: str) -> bool:
    """A count is a pure number: 3000次 answers 3000."""
    return {one, other} == {"", "count"}


@lru_cache(maxsize=65_536)
def _as_fall(figure: Indicator) -> Indicator:
    """强度损失12% says what 强度下降12% says: a level of a loss is a fall of what is lost."""
    if figure.change != "level" or figure.unit != "percent" or not LOSS.search(figure.quantity):
        return figure
    return replace(figure, change="fall", quantity=LOSS.sub("", figure.quantity).strip())


def _opposite_meets(asked: Indicator, stated: Indicator) -> bool:
    """A fall of at most 3 % is met by what does not fall at all."""
    return asked.change == "fall" and stated.change == "rise" and asked.comparator in ("le", "lt")


@lru_cache(maxsize=65_536)
def judge(asked: Indicator, stated: Indicator) -> Verdict:
    """Whether one figure fulfils another of the same quantity, by its worst bound; `not_stated` where units do not convert."""
    if asked.change != stated.change:
        return "met"
    if _both_counts(asked.unit, stated.unit):
        found: tuple[float, float] | None = (1.0, 0.0)
    else:
        found = conversion(stated.unit, asked.unit, difference=asked.change != "level")
    if found is None:
        return "not_stated"
    low, high = (None if bound is None else bound * found[0] + found[1] for bound in (stated.low, stated.high))
    if asked.comparator == "between":
        return _judge_range(asked, low, high)
    bound = asked.low if asked.low is not None else asked.high
    assert bound is not None
    direction = asked.comparator
    if direction in ("eq", "about"):
        preferred = wanted(asked.quantity)
        if asked.change != "level" or preferred == "more":
            direction = "ge"
        elif preferred == "less":
            direction = "le"
        else:
            return _judge_value(bound, low, high)
    if direction in ("ge", "gt"):
        # The worst of "at least 5" is 5; a plain upper limit (up to 20°) tells how far it goes.
        value = low if low is not None else high
        strict = direction == "gt" and stated.comparator != "gt"
        return _verdict(bound - _known(value), bound, strict)
    value = high if high is not None else low
    if _is_tolerance(stated) and low is not None:
        value = max(abs(low), abs(_known(high)))
    strict = direction == "lt" and stated.comparator != "lt"
    made = _verdict(_known(value) - bound, bound, strict)
    # "At least 3" leaves open how much more it is.
    return "close" if made == "met" and high is None else made


def _known(value: float | None) -> float:
    assert value is not None
    return value


def _is_tolerance(figure: Indicator) -> bool:
    return figure.comparator == "between" and figure.low is not None and figure.high == -figure.low


def _verdict(missing: float, asked: float, strict: bool) -> Verdict:
    """By how much a bound is missed, in its own unit; at zero it is met unless it must be passed."""
    slack = 1e-9 * max(1.0, abs(asked))
    if missing < -slack or (missing <= slack and not strict):
        return "met"
    return "close" if missing <= CLOSE_SHARE * abs(asked) + slack else "not_met"


def _judge_value(asked: float, low: float | None, high: float | None) -> Verdict:
    worst = max(abs(asked - bound) for bound in (low, high) if bound is not None)
    if worst <= EQUAL_SHARE * abs(asked):
        return "met"
    return "close" if worst <= CLOSE_SHARE * abs(asked) else "not_met"


_SPANS = (
    "范围",
    "区间",
    "可调",
    "适应",
    "适用",
    "工作",
    "运行",
    "环境",
    "负荷",
    "range",
    "ambient",
    "operating",
    "نطاق",
    "التشغيل",
)


def _judge_range(asked: Indicator, low: float | None, high: float | None) -> Verdict:
    """A span of circumstances must be covered; a value must lie within."""
    first, last = _known(asked.low), _known(asked.high)
    if _is_tolerance(asked):
        # An error of ±0.5 is met by any smaller one.
        return _verdict(max(abs(bound) for bound in (low, high) if bound is not None) - last, last, False)
    if any(word in asked.quantity.lower() for word in _SPANS) and low is not None and high is not None and low < high:
        ends = (_verdict(low - first, first, False), _verdict(last - high, last, False))
    else:
        ends = (
            _verdict(first - (low if low is not None else _known(high)), first, False),
            _verdict((high if high is not None else _known(low)) - last, last, False),
        )
    return min(ends, key=_WORTH.__getitem__)
