"""合作方式: what has to be settled in each mode of cooperation before its contract. Rows of data, and two functions over them.

The modes are those of the code list `modes` (`service.taxonomy.schemas.Mode`). What each needs is this house's choice of
what a contract of the kind cannot do without; it replaces no lawyer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from service.errors import FieldProblem
from service.kit.language import Text
from service.kit.texts import clean_text
from service.taxonomy.schemas import Mode

MOST_CHARACTERS = 1_000


class Kind(StrEnum):
    """What a field holds: a text, an amount in CNY, percent, a count, a region of GB/T 2260, or a day."""

    TEXT = "text"
    AMOUNT = "amount"
    PERCENT = "percent"
    COUNT = "count"
    REGION = "region"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Needed:
    """One thing that a mode needs."""

    name: str
    kind: Kind
    label: Text


def _needed(name: str, kind: Kind, zh: str, en: str) -> Needed:
    return Needed(name, kind, Text(zh, en))


TASK = _needed("task", Kind.TEXT, "研发任务", "what is to be developed")
FEE = _needed("fee", Kind.AMOUNT, "费用（元）", "fee in CNY")
DELIVERED = _needed("delivered_on", Kind.DAY, "交付日期", "day of delivery")
ACCEPTANCE = _needed("acceptance", Kind.TEXT, "验收标准", "how it is accepted")
OWNERSHIP = _needed("ownership", Kind.TEXT, "成果归属", "who owns the result")
OBJECT = _needed("object", Kind.TEXT, "标的（专利号、技术名称）", "what it is about: patents, know-how")
PLACE = _needed("place", Kind.REGION, "所在地行政区划代码", "region where it is, GB/T 2260")
OPERATOR = _needed("operator", Kind.TEXT, "运营单位", "who operates it")
UNTIL = _needed("until", Kind.DAY, "期限", "last day")
INVESTMENT = _needed("investment", Kind.AMOUNT, "投入（元）", "investment in CNY")

MODES: Mapping[Mode, tuple[Needed, ...]] = {
    Mode.COMMISSIONED_RD: (TASK, FEE, DELIVERED, ACCEPTANCE, OWNERSHIP),
    Mode.JOINT_RD: (
        TASK,
        _needed("need_share", Kind.PERCENT, "企业投入占比（%）", "share that the enterprise puts in, percent"),
        _needed("outcome_share", Kind.PERCENT, "成果方投入占比（%）", "share that the provider puts in, percent"),
        OWNERSHIP,
        UNTIL,
    ),
    Mode.TRANSFER: (
        OBJECT,
        _needed("price", Kind.AMOUNT, "转让价款（元）", "price in CNY"),
        _needed("transferred_on", Kind.DAY, "权属变更日期", "day on which ownership passes"),
    ),
    Mode.LICENSE: (
        OBJECT,
        _needed("exclusivity", Kind.TEXT, "许可方式（独占、排他、普通）", "exclusive, sole or plain"),
        _needed("territory", Kind.TEXT, "许可地域", "where it holds"),
        UNTIL,
        FEE,
    ),
    Mode.EQUITY: (
        OBJECT,
        _needed("company", Kind.TEXT, "入股企业", "the company"),
        _needed("share", Kind.PERCENT, "技术股占比（%）", "share that the technology stands for, percent"),
        _needed("valuation", Kind.AMOUNT, "作价（元）", "valuation of the technology in CNY"),
        _needed("valued_on", Kind.DAY, "评估基准日", "day of the valuation"),
    ),
    Mode.JOINT_PLATFORM: (
        _needed("platform", Kind.TEXT, "平台名称与方向", "the platform and its field"),
        PLACE,
        INVESTMENT,
        OPERATOR,
        OWNERSHIP,
    ),
    Mode.ENCLAVE: (PLACE, OPERATOR, INVESTMENT, UNTIL),
    Mode.OFFSHORE_INCUBATION: (
        PLACE,
        OPERATOR,
        _needed("project", Kind.TEXT, "孵化项目", "what is incubated"),
        _needed("landing", Kind.REGION, "落地转化的行政区划代码", "region where it is to settle, GB/T 2260"),
        UNTIL,
    ),
    Mode.FLEXIBLE_TALENT: (
        _needed("expertise", Kind.TEXT, "所需专长", "the expertise"),
        _needed("people", Kind.COUNT, "人数", "how many people"),
        _needed("days_per_year", Kind.COUNT, "每年到岗天数", "days on site in a year"),
        FEE,
        UNTIL,
    ),
    Mode.CONSULTING: (
        _needed("question", Kind.TEXT, "咨询事项", "what is asked"),
        _needed("report", Kind.TEXT, "咨询报告要求", "what the report has to say"),
        FEE,
        DELIVERED,
    ),
    Mode.SERVICE: (_needed("service", Kind.TEXT, "服务内容", "what is done"), FEE, DELIVERED, ACCEPTANCE),
}


def missing(mode: Mode | None, terms: Mapping[str, Any]) -> list[Needed]:
    """What is still to be settled before a contract; where no mode is chosen, the mode itself. Does no I/O.

    >>> [each.name for each in missing(Mode.ENCLAVE, {"place": "640100", "operator": "甲", "until": "2030-12-31"})]
    ['investment']
    """
    if mode is None:
        return [_needed("mode", Kind.TEXT, "合作方式", "mode of cooperation")]
    return [needed for needed in MODES[mode] if terms.get(needed.name) in (None, "")]


def checked(mode: Mode, terms: Mapping[str, str | int | None]) -> tuple[dict[str, str | int], list[FieldProblem]]:
    """Terms as they are kept, and what is wrong with them. Empty ones are left out; amounts and percents stay texts."""
    known = {needed.name: needed for needed in MODES[mode]}
    kept: dict[str, str | int] = {}
    problems: list[FieldProblem] = []
    for name, value in terms.items():
        if name not in known:
            names = ", ".join(known)
            text = Text(f"该合作方式没有这一项；可填：{names}", f"The mode has no such field; it has: {names}")
            problems.append(FieldProblem(f"terms.{name}", "unknown", text))
        elif value not in (None, ""):
            read = _read(known[name].kind, str(value))
            if read is None:
                problems.append(FieldProblem(f"terms.{name}", known[name].kind, RULES[known[name].kind]))
            else:
                kept[name] = read
    return kept, problems


RULES: Mapping[Kind, Text] = {
    Kind.TEXT: Text(f"应为 1 至 {MOST_CHARACTERS} 字的文字", f"Must be a text of 1 to {MOST_CHARACTERS} characters"),
    Kind.AMOUNT: Text(
        "应为不小于 0 的金额，最多两位小数，例如 120000.50", "Must be an amount from 0, such as 120000.50"
    ),
    Kind.PERCENT: Text("应为 0 至 100 的百分数，最多两位小数", "Must be percent from 0 to 100, at most two decimals"),
    Kind.COUNT: Text("应为 1 至 100000 的整数", "Must be a whole number from 1 to 100000"),
    Kind.REGION: Text("应为六位行政区划代码，例如 640100", "Must be a six-digit code of GB/T 2260, such as 640100"),
    Kind.DAY: Text("应为日期，例如 2027-06-30", "Must be a date, such as 2027-06-30"),
}
LARGEST = {Kind.AMOUNT: Decimal("1e14"), Kind.PERCENT: Decimal(100)}


def _read(kind: Kind, value: str) -> str | int | None:
    text = clean_text(value)
    match kind:
        case Kind.TEXT:
            return text if 1 <= len(text) <= MOST_CHARACTERS else None
        case Kind.AMOUNT | Kind.PERCENT:
            return _decimal(text, LARGEST[kind])
        case Kind.COUNT:
            return (
                int(text)
                if text.isascii() and text.isdecimal() and len(text) <= 6 and 1 <= int(text) <= 100_000
                else None
            )
        case Kind.REGION:
            return text if text.isascii() and text.isdecimal() and len(text) == 6 else None
        case Kind.DAY:
            return _day(text)


def _decimal(text: str, largest: Decimal) -> str | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or not 0 <= number <= largest or number != round(number, 2):
        return None
    return f"{number:.2f}"


def _day(text: str) -> str | None:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None
