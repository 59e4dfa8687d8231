"""Which figures of a listing count: what a need asks for, and what an outcome states."""

import re
from collections.abc import Iterable

from matching.indicators.parse import parse
from matching.indicators.quantities import likeness
from matching.indicators.types import Indicator

# A need's other sections tell of the company and of today.
_ORDER = ("indicators", "title", "goals", "description")
ASKING = frozenset(_ORDER)
STATING = frozenset(
    {"title", "description", "goals", "indicators", "innovations", "applications", "prospects", "keywords"}
)
# In a description, figures of today stand beside those that are wanted.
_TODAY = re.compile(
    r"目前|现在|现有|现用|当前|如今|去年|今年|以前|过去|一直|每年约|我厂|我司|我公司|公司|已经"
    r"|\b(?:at present|currently|today|now|present|last year|we run|our)\b|حالي|الان"
)
_WANTED = re.compile(
    r"要求|需要|希望|达到|目标|指标|不低于|不高于|不超过|不少于|以上|以内|以下|想|求|must|need|want|should"
    r"|at least|at most|المطلوب|يجب|الا "
)
# So many figures in a need's list make a summary.
ENOUGH = 2
SAME_NAME = 0.6
MOST = 60


def asked_of(passages: Iterable[tuple[str, str]]) -> tuple[Indicator, ...]:
    """What a need asks for, from its passages as (section, text); what is asked twice counts once.

    The list of indicators is the need's own summary: where it holds some figures, those of the description are left out. From
    prose only bounds, changes and ranges count, and none of what is told of today.

    >>> [i.quantity for i in asked_of([("description", "目前能耗1200 kWh/t。要求能耗≤900 kWh/t。"), ("indicators", "能耗≤900 kWh/t")])]
    ['能耗']
    """
    ordered = sorted(
        ((section, text) for section, text in passages if section in ASKING), key=lambda each: _ORDER.index(each[0])
    )
    found: list[Indicator] = []
    for section, text in ordered:
        if section == "description" and len(found) >= ENOUGH:
            continue
        read = _without_past(parse(text))
        found += read if section == "indicators" else [each for each in read if _is_asked(each)]
    return _distinct(found)


def stated_of(passages: Iterable[tuple[str, str]]) -> tuple[Indicator, ...]:
    """What an outcome states, from its passages as (section, text); what is stated twice counts once."""
    ordered = sorted(
        ((section, text) for section, text in passages if section in STATING), key=lambda each: each[0] != "indicators"
    )
    return _distinct(indicator for _, text in ordered for indicator in parse(text))


def _without_past(read: tuple[Indicator, ...]) -> list[Indicator]:
    """由46%提高到63%: the first of two levels of one quantity in a sentence is today's, and nobody asks for it."""
    kept = []
    for place, each in enumerate(read):
        following = read[place + 1] if place + 1 < len(read) else None
        past = (
            following is not None
            and each.comparator == "eq"
            and (each.quantity, each.unit, each.change, each.text)
            == (following.quantity, following.unit, following.change, following.text)
        )
        if not past:
            kept.append(each)
    return kept


def _is_asked(indicator: Indicator) -> bool:
    if not indicator.quantity or indicator.comparator == "about" or indicator.unit in ("CNY", "USD", "EUR"):
        # Budgets are facets of a need, and no figure of merit.
        return False
    clause = indicator.text
    if indicator.comparator == "eq" and indicator.change == "level":
        return _WANTED.search(clause) is not None and _TODAY.search(clause) is None
    return _TODAY.search(clause) is None or _WANTED.search(clause) is not None


def _distinct(found: Iterable[Indicator]) -> tuple[Indicator, ...]:
    kept: list[Indicator] = []
    for each in found:
        if len(kept) == MOST:
            break
        if not any(_same(each, other) for other in kept):
            kept.append(each)
    return tuple(kept)


def _same(one: Indicator, other: Indicator) -> bool:
    # 低于5% and 不超过5% are one demand.
    figures = [(each.low, each.high, each.unit, each.change) for each in (one, other)]
    return figures[0] == figures[1] and likeness(one.quantity, other.quantity) >= SAME_NAME
