"""Per what a figure is meant, where the words around it say so and not its unit: 年产5万吨, 亩成本90元, daily yield 35 kg."""

import re

# A word at the beginning of a quantity's name, or one that says it anywhere in the clause before the figure.
_NAMED: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"^(?:.{0,6}[^\d十百千万亿0-9])?年(?!限|龄|份|度|轮|代|初|底|内|后|前|来)(?:均)?[\u3400-\u9fff]|每年"
            r"|一年可|年总"
        ),
        "year",
    ),
    (
        re.compile(
            r"(?:^|单线|单台|单机)日(?!本|常|照|期|晒|间|光|粮|历)[\u3400-\u9fff]|日(?:增重|均|产|处理|供水|消耗)|每天"
            r"|每日|每昼夜|单日"
        ),
        "day",
    ),
    (re.compile(r"^月(?:产|均|处理|加工|生产)|每月"), "month"),
    (re.compile(r"每小时|小时(?:产|处理)|时(?:产|处理)"), "hour"),
    (re.compile(r"每分钟"), "minute"),
    (re.compile(r"每亩|^亩(?!数)|亩(?:产|均|用|成本|利润|收益)"), "mu"),
    (re.compile(r"每公顷"), "hectare"),
    (re.compile(r"每吨|^吨[\u3400-\u9fff]"), "t"),
    (re.compile(r"每(?:公斤|千克)|^公斤[\u3400-\u9fff]"), "kg"),
    (re.compile(r"每立方米?|每方"), "m^3"),
    (re.compile(r"每平方米?|每平米"), "m^2"),
    (re.compile(r"每千瓦时|每度电?"), "kWh"),
    (re.compile(r"\b(?:daily|per day)\b|اليومي|يوميا"), "day"),
    (re.compile(r"\b(?:annual(?!ised| average| mean)|annually|yearly|per year|per annum)\b|السنوي|سنويا"), "year"),
)
_WITHOUT = frozenset(
    (
        "percent",
        "permille",
        "ppm",
        "ppb",
        "",
        "degC",
        "kelvin",
        "degree",
        "year",
        "month",
        "week",
        "day",
        "hour",
        "minute",
        "second",
    )
)


def is_rated(clause: str) -> bool:
    """Whether words say per what a figure is meant."""
    return any(pattern.search(clause) for pattern, _ in _NAMED)


def inherit_rate(unit: str, rate: str) -> str:
    """The unit per what the figure before it was, in a list that says so once."""
    return unit if unit in _WITHOUT or "/" in unit else f"{unit}/{rate}"


def with_rate(unit: str, quantity: str, clause: str) -> str:
    """The unit per what the words say.

    >>> with_rate("t", "年产", "年产"), with_rate("percent", "年产", "年产"), with_rate("CNY", "亩成本", "亩成本降至")
    ('t/year', 'percent', 'CNY/mu')
    """
    if unit in _WITHOUT or "/" in unit:
        return unit
    for words in (quantity, clause):
        for pattern, per in _NAMED:
            if pattern.search(words):
                return f"{unit}/{per}"
    return unit
