"""Whether two phrases name one quantity: shared characters without what every name has, and names in three languages."""

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

from matching.indicators.folding import fold

TABLE = Path(__file__).with_name("quantities.tsv")
Wanted = Literal["more", "less", ""]


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


# What stands in many names and tells none from another; and words for the same thing.
_DROPPED = _listed(
    "平均 综合 总体 整体 整机 系统 产品 单台 单套 单炉 单条 单线 每台 最大 最小 最高 最低 额定 技术 设备 装置 本项目 项目 达到 要求 指标 "
    "出水 进水 产水 处理后 适应 控制 水平 相对 实际 设计 的 年均 典型 进行"
    " average median mean total overall annual maximum minimum rated measured the"
)
_SAME = dict(
    pair.split("=")
    for pair in _listed(
        "费用=成本 造价=成本 单价=成本 费=成本 噪音=噪声 含水量=含水率 水分含量=含水率 水分=含水率 敏感度=灵敏度 敏感性=灵敏度 "
        "特异性=特异度 使用寿命=寿命 正确率=准确率 时长=时间 抗拉强度=拉伸强度 耗电=电耗 用电=电耗 用水=水耗 耗水=水耗 透光率=透过率 "
        "保存期=保质期 货架期=保质期 存活率=成活率 得率=收率 产率=收率 虚警=误报"
    )
)
# The last word of a name says which kind of quantity it is, and is shared by quantities of many things.
_TAILS = _listed(
    "去除率 脱除率 回收率 转化率 保留率 保持率 利用率 合格率 成活率 检出率 识别率 准确率 提取率 含量 浓度 时间 温度 成本 强度 压力 厚度 "
    "密度 寿命 精度 误差 效率 电耗 水耗 能耗 周期 速度 直径 长度 重量 率 量 值 度 期 性"
)
# The loss of a quantity is another quantity.
LOSS = re.compile(r"降幅|减幅|下降率?|降低率|减少率|损失率?|衰减率?|\b(?:loss|degradation|fade|decline)\b|خسارة|فقد")
SAME_KIND_ONLY = 0.55
HALF = 0.5
# A likeness that is not enough by itself.
WEAK = 0.4
_TOKEN = re.compile(r"[a-z0-9]+|[^a-z0-9]")
_WORD = re.compile(r"[a-z0-9][a-z0-9\-]*")


@cache
def _table() -> tuple[tuple[str, int, Wanted], ...]:
    """Names with the number of their quantity, the longest first."""
    found: list[tuple[str, int, Wanted]] = []
    for number, line in enumerate(TABLE.read_text(encoding="utf-8").splitlines()):
        if not line.startswith("# "):
            names, _, want = line.partition("\t")
            direction: Wanted = "more" if want == "more" else "less" if want == "less" else ""
            found += [(fold(name).lower, number, direction) for name in names.split("|")]
    return tuple(sorted(found, key=lambda each: -len(each[0])))


@lru_cache(maxsize=65_536)
def _known(quantity: str) -> tuple[frozenset[int], Wanted]:
    """The numbers of the table's quantities in a phrase, each part of it read once, and which way the longest is wanted."""
    text, found, direction = fold(quantity).lower, [], ""
    for name, number, want in _table():
        at = text.find(name)
        if at >= 0 and _whole(text, at, name):
            found.append(number)
            direction = direction or want
            text = text[:at] + "\n" * len(name) + text[at + len(name) :]
    return frozenset(found), direction  # type: ignore[return-value]


def _whole(text: str, at: int, name: str) -> bool:
    """Latin and Arabic names are whole words; Arabic ones may carry و and ل."""
    if "\u3400" <= name[0] <= "\u9fff":
        return True
    before, after = text[at - 1 : at], text[at + len(name) : at + len(name) + 1]
    return not (before.isalpha() and before.isascii()) and not (
        after.isalpha() and name[-1].isascii() and after.isascii()
    )


def wanted(quantity: str) -> Wanted:
    """Whether more or less of a quantity is better; empty where that is not known.

    >>> wanted("单位能耗"), wanted("日处理能力"), wanted("环境温度")
    ('less', 'more', '')
    """
    return _known(quantity)[1]


@lru_cache(maxsize=65_536)
def _parts(quantity: str) -> tuple[str, str]:
    """A name without its last word, and that word; folded, without what tells nothing."""
    text = "".join(c for c in fold(quantity).lower if c.isalnum())
    for word in _DROPPED:
        if text != word:
            text = text.replace(word, "")
    for word, same in _SAME.items():
        text = text.replace(word, same) if same not in text else text
    for tail in _TAILS:
        if text.endswith(tail):
            return text[: -len(tail)], tail
    return text, ""


@lru_cache(maxsize=262_144)
def likeness(one: str, other: str) -> float:
    """How alike two names of quantities are, 0 to 1. In two languages only the table can tell.

    >>> likeness("氨氮去除率", "COD去除率") < 0.5 <= likeness("直流电耗", "额定直流电耗")
    True
    """
    if not one or not other or (LOSS.search(one) is None) != (LOSS.search(other) is None):
        return 0.0
    if _script(one) != _script(other):
        return _across(one, other)
    if _script(one) == "latin":
        return _worded(one, other)
    (first, tail), (second, other_tail) = _parts(one), _parts(other)
    if first + tail == second + other_tail:
        return 1.0
    if not first and not second:
        return 1.0 if tail == other_tail else 0.0
    if not first or not second:
        # "回收率" may be any recovery; a longer name that holds the other as its end is of the same kind.
        whole, part = (second + other_tail, first + tail) if not first else (first + tail, second + other_tail)
        return SAME_KIND_ONLY if whole.endswith(part) or (len(part) > 2 and part in whole) else 0.0
    shared = _shared(first, second)
    if tail and tail == other_tail:
        return 0.85 * shared + 0.15 if shared > 0 else 0.0
    if not tail and not other_tail:
        return shared
    if not tail or not other_tail:
        return max(0.8 * shared, _shared(first + tail, second + other_tail) * 0.9)
    known = _known(one)[0] & _known(other)[0]
    return 0.9 * shared if known else 0.6 * shared


def _script(text: str) -> str:
    for character in text:
        if "\u3400" <= character <= "\u9fff":
            return "han"
        if "\u0600" <= character <= "\u06ff":
            return "arabic"
    return "latin"


def _across(one: str, other: str) -> float:
    first, second = _known(one)[0], _known(other)[0]
    if not first or not second:
        # PUE and COD are written alike in all scripts.
        return 0.9 if _latin(one) and _latin(one) == _latin(other) else 0.0
    alike = len(first & second) / len(first | second)
    return alike if alike > HALF else 0.0


def _latin(text: str) -> str:
    return "".join(c for c in text.lower() if c.isascii() and c.isalpha())


def _shared(one: str, other: str) -> float:
    """The share of the shorter name's character pairs that the other has; of single characters where it has no pair."""
    first, second = _pairs(one), _pairs(other)
    if len(first) > len(second):
        first, second = second, first
    if not first:
        return 0.0
    share = len(first & second) / len(first)
    if len(first) > 1:
        return share
    # A single pair or sign is enough only where the longer name ends with it: 失重 and 冲蚀失重, not 一次 and 一次充电续航.
    short, long = sorted((one, other), key=len)
    if len(_tokens(short)) == 1:
        return SAME_KIND_ONLY if long.endswith(short) else 0.0
    return share if long.endswith(short) else share * WEAK


@lru_cache(maxsize=65_536)
def _pairs(text: str) -> frozenset[str]:
    tokens = _tokens(text)
    return frozenset("".join(tokens[place : place + 2]) for place in range(len(tokens) - 1)) or frozenset(tokens)


def _tokens(text: str) -> list[str]:
    """Characters, and words of Latin letters or figures in one: COD is not half of BOD."""
    return _TOKEN.findall(text)


def _worded(one: str, other: str) -> float:
    """The share of the shorter name's words that the other has, where both end in the same word; else a weak likeness."""
    first, second = ([word for word in _WORD.findall(text.lower()) if word not in _DROPPED] for text in (one, other))
    if not first or not second:
        return 0.0
    shared = len(set(first) & set(second)) / min(len(set(first)), len(set(second)))
    known = _known(one)[0] & _known(other)[0]
    return shared if first[-1] == second[-1] or known else shared * WEAK
