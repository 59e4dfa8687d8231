"""An explanation is data; sentences in Chinese and English are made from it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from matching.indicators.types import Verdict
from matching.types import Contribution, Evidence, Match

Language = Literal["zh", "en"]
# Labels of codes by list ("fields", "field_groups", "modes", "regions"), in the reader's language; a code without one is shown itself.
Labels = Mapping[str, Mapping[str, str]]


def as_data(match: Match) -> dict[str, Any]:
    """Every signal's raw score, weight, part and evidence, as JSON values."""
    return {
        "score": round(match.score, 4),
        "signals": [
            {
                "signal": part.signal,
                "raw": None if part.raw is None else round(part.raw, 4),
                "weight": round(part.weight, 4),
                "part": round(part.part, 4),
                "evidence": [{"code": evidence.code, "values": list(evidence.values)} for evidence in part.evidence],
            }
            for part in match.contributions
        ],
        "conflicts": list(match.conflicts),
    }


def contributions_of(data: Mapping[str, Any]) -> tuple[Contribution, ...]:
    """The contributions of an explanation that was stored."""
    return tuple(
        Contribution(
            part["signal"],
            part["raw"],
            part["weight"],
            part["part"],
            tuple(Evidence(each["code"], tuple(each["values"])) for each in part["evidence"]),
        )
        for part in data["signals"]
    )


def sentence(data: Mapping[str, Any], language: Language, labels: Labels) -> str:
    """The explanation in one sentence: what the texts share, then what else fits, then what stands against it."""
    found = {evidence.code: evidence for part in contributions_of(data) for evidence in reversed(part.evidence)}
    order = (*TEXT_CODES, *FOR_CODES, *AGAINST_CODES)
    parts = [_phrase(found[code], language, labels) for code in order if code in found]
    if rows := indicator_rows(data):
        parts.insert(sum(code in found for code in TEXT_CODES), _figures(rows, language))
    if not parts:
        return (
            "仅整体语义接近，没有更具体的依据"
            if language == "zh"
            else "Near in meaning only; nothing more specific was found"
        )
    return ("；" if language == "zh" else "; ").join(parts)


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    """A figure that the need asks for, what the outcome says to it, and both sentences; "" where it says nothing."""

    verdict: Verdict
    need_sentence: str
    outcome_sentence: str
    quantity: str
    asked: str
    answered: str


def indicator_rows(data: Mapping[str, Any]) -> tuple[IndicatorRow, ...]:
    """The table of figures in an explanation, in the need's order; empty where the need asks for none."""
    return tuple(
        IndicatorRow(*each["values"])
        for part in data["signals"]
        for each in part["evidence"]
        if each["code"] == INDICATOR_CODE
    )


def _figures(rows: Sequence[IndicatorRow], language: Language) -> str:
    """How many figures are met: 指标：3 项中 2 项满足，1 项未说明."""
    counts = Counter(row.verdict for row in rows)
    words: dict[Verdict, tuple[str, str]] = {
        "met": ("满足", "met"),
        "close": ("接近", "close"),
        "not_met": ("不满足", "not met"),
        "not_stated": ("未说明", "not stated"),
    }
    if language == "zh":
        said = [f"{counts[verdict]} 项{zh}" for verdict, (zh, _) in words.items() if counts[verdict]]
        return f"指标：{len(rows)} 项中 " + "，".join(said)
    said = [f"{counts[verdict]} {en}" for verdict, (_, en) in words.items() if counts[verdict]]
    said[0] = f"{said[0].split(' ', 1)[0]} of {len(rows)} {said[0].split(' ', 1)[1]}"
    return "figures: " + ", ".join(said)


TEXT_CODES = ("passages", "terms")
INDICATOR_CODE = "indicator"
# Their values are quotes, and no codes that have labels.
QUOTING_CODES = (*TEXT_CODES, INDICATOR_CODE)
FOR_CODES = (
    "same_field",
    "same_group",
    "same_section",
    "shared_modes",
    "maturity_reached",
    "in_time",
    "within_budget",
    "partner_region",
    "same_province",
    "east_to_west",
    "prompt_answers",
)
AGAINST_CODES = (
    "other_field",
    "no_shared_mode",
    "maturity_short",
    "deadline_passed",
    "too_late",
    "above_budget",
    "slow_answers",
)
MOST_QUOTED = 40


def _phrase(evidence: Evidence, language: Language, labels: Labels) -> str:
    values = evidence.values
    chinese = language == "zh"

    def named(kind: str, codes: tuple[str, ...]) -> str:
        return ("、" if chinese else ", ").join(labels.get(kind, {}).get(code, code) for code in codes)

    match evidence.code:
        case "passages":
            need, outcome = (_quoted(text) for text in values[:2])
            return f"需求“{need}”对应成果“{outcome}”" if chinese else f"the need's “{need}” is met by “{outcome}”"
        case "terms":
            return ("共同术语：" if chinese else "shared terms: ") + ("、" if chinese else ", ").join(values)
        case "same_field":
            return f"同属{named('fields', values)}" if chinese else f"same field: {named('fields', values)}"
        case "same_group":
            return (
                f"领域相近，同属{named('field_groups', values)}"
                if chinese
                else f"neighbouring fields, both of {named('field_groups', values)}"
            )
        case "same_section":
            return f"同属行业门类 {values[0]}" if chinese else f"same industry section {values[0]}"
        case "other_field":
            return (
                f"领域不同（{named('fields', values)}）" if chinese else f"different fields ({named('fields', values)})"
            )
        case "shared_modes":
            return f"合作方式一致（{named('modes', values)}）" if chinese else f"shared mode: {named('modes', values)}"
        case "no_shared_mode":
            return "合作方式没有交集" if chinese else "no mode in common"
        case "maturity_reached":
            return (
                f"成熟度 TRL {values[0]}，满足 ≥{values[1]}"
                if chinese
                else f"TRL {values[0]} reaches the {values[1]} asked for"
            )
        case "maturity_short":
            return (
                f"成熟度 TRL {values[0]}，低于所需 {values[1]}"
                if chinese
                else f"TRL {values[0]} falls short of {values[1]}"
            )
        case "in_time":
            return (
                f"成熟度 TRL {values[1]}，预计可在 {values[0]} 前投入使用"
                if chinese
                else f"at TRL {values[1]} it can be in use by {values[0]}"
            )
        case "too_late":
            return (
                f"成熟度 TRL {values[1]}，估计还需 {values[2]} 个月才能使用，赶不上需求期限 {values[0]}"
                if chinese
                else f"at TRL {values[1]} it takes some {values[2]} months to be usable, too long for {values[0]}"
            )
        case "deadline_passed":
            return f"需求期限 {values[0]} 已过" if chinese else f"the need's deadline {values[0]} has passed"
        case "within_budget":
            return (
                f"报价 {money(values[0], language)} 在预算 {money(values[1], language)} 之内"
                if chinese
                else (f"price {money(values[0], language)} is within the budget {money(values[1], language)}")
            )
        case "above_budget":
            return (
                f"报价 {money(values[0], language)} 高于预算 {money(values[1], language)}"
                if chinese
                else (f"price {money(values[0], language)} is above the budget {money(values[1], language)}")
            )
        case "partner_region":
            return (
                f"来自意向或结对地区{named('regions', values)}"
                if chinese
                else f"from a partner region: {named('regions', values)}"
            )
        case "same_province":
            return f"同在{named('regions', values)}" if chinese else f"in the same province: {named('regions', values)}"
        case "east_to_west":
            return (
                f"东部{named('regions', values)}支援西部"
                if chinese
                else f"from the east ({named('regions', values)}) to the west"
            )
        case "prompt_answers" | "slow_answers":
            return _answers(*values, language=language)
        case _:
            return f"{evidence.code} {' '.join(values)}".strip()


def _answers(days: str, answered: str, overdue: str, *, language: Language) -> str:
    """How soon the provider answers: 对退回修改的答复中位时间 2 天（5 次）.

    >>> _answers("0.5", "3", "0", language="en")
    'returned listings are answered within a day at the median (3 times)'
    >>> _answers("21", "0", "4", language="zh")
    '对退回修改的答复中位时间至少 21 天（答复 0 次，逾期未答 4 次）'
    """
    # What was never answered counts with the time that it was open, so that the median is the least that it can be.
    none, within = overdue == "0", float(days) < 1
    if language == "zh":
        time = "不到 1 天" if within else f"{'' if none else '至少'} {days} 天"
        count = f"{answered} 次" if none else f"答复 {answered} 次，逾期未答 {overdue} 次"
        return f"对退回修改的答复中位时间{time}（{count}）"
    time = "within a day" if within else f"in {'' if none else 'at least '}{days} {'day' if days == '1' else 'days'}"
    count = f"{answered} {'time' if answered == '1' else 'times'}{'' if none else f', {overdue} overdue'}"
    return f"returned listings are answered {time} at the median ({count})"


def _quoted(text: str) -> str:
    return text if len(text) <= MOST_QUOTED else text[:MOST_QUOTED] + "…"


def money(amount: str, language: Language) -> str:
    """An amount as people say it.

    >>> money("800000", "zh"), money("1250000", "en"), money("900", "zh")
    ('80万元', '1.25 million', '900元')
    """
    value = float(amount)
    if language == "zh":
        if value >= 1e8:
            return f"{value / 1e8:g}亿元"
        return f"{value / 1e4:g}万元" if value >= 1e4 else f"{value:g}元"
    return f"{value / 1e6:g} million" if value >= 1e6 else f"{value:,.0f}"
