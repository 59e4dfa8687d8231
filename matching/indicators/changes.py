"""Whether a figure is a level, or by how much something rises or falls."""

import re
from dataclasses import dataclass

from matching.indicators.types import Change

# 降低30% falls by it; 降至5% is a level. 节水, 增产 and the like name their quantity themselves.
_FALL_WORDS = (
    r"降低|下降|减少|减小|缩短|缩减|节约|节省|减轻|削减|消减|降耗|节能|节水|节电|节材|节煤|节气|节油|减排"
    r"|减重|减药|减肥|减施|减损|降本|降碳|减碳|轻量化|降幅|减幅|跌幅|回落"
)
_FALL_ZH = rf"(?:{_FALL_WORDS}|降|(?<![衰递])减(?!量))"
_RISE_WORDS = r"提高|提升|增加|增长|增大|延长|升高|上升|扩大|加快|增强|增产|增收|增效|提效|增幅|涨幅|提速|改善|新增"
_RISE_ZH = rf"(?:{_RISE_WORDS}|增(?!量|重)|提)"
_PADDING_ZH = (
    r"(?:了|约|率|幅度|幅|量|均|可达|达到|达|至少|近|超过|超|不少于|不低于|不超过|最多|最高|也|将|可|能|都"
    r"|为|在|平均|[ :])*"
)
_TO_ZH = re.compile(r"(?:到|至|为|成)(?:了|约|原来的|原有的|现有的|传统的|目前的|现在的|[ :])*$")
_ADJACENT_ZH = re.compile(rf"(?:(?P<fall>{_FALL_ZH})|(?P<rise>{_RISE_ZH})){_PADDING_ZH}$")
_ANY_ZH = re.compile(rf"(?P<fall>{_FALL_WORDS})|(?P<rise>{_RISE_WORDS})")
# 节水率40% and 衰减率 are levels of what the noun names.
_NOUN_ZH = re.compile(
    r"(?:降低|下降|减少|减小|缩短|削减|消减|衰减|递减|缩减|降解|减排|节能|节水|节电|节油|节气|节材|节约"
    r"|提高|提升|增长|增产|增加|增大"
    r"|改善|减)率[^\d]{0,6}$"
)
# 比人工低60%, 便宜15%: against something else.
_AGAINST_ZH = re.compile(
    r"(?:比|较|相比|相较于?|与)[^,;。]{1,14}?(?:相比)?(?:可|能|约|还|要|再|平均)?"
    r"(?:(?P<fall>低|少|轻|便宜|短|小|缩小|薄|窄|节省|省)|(?P<rise>高|多|长|快|大|重|贵|强|好|厚))了?(?:约"
    r"|近|至少|超过)?$"
)
_SHRINK_ZH = re.compile(r"(?:(?P<fall>便宜|缩小|节省)|(?P<rise>变快))了?约?$")
_MULTIPLE_OF = re.compile(
    r"(?:原来|原有|现有|传统|常规|普通|目前|现在|同类[^\d]{0,4}|对照|进口[^\d]{0,4}|国产[^\d]{0,4}|以前"
    r"|改造前|市售[^\d]{0,4})的?约?$|(?:到|至|达到?了?|为|是)[^\d,;。]{0,12}的约?$"
)

_FALL_EN = (
    r"(?:reduc\w*|decreas\w*|lower\w*|fell|falls?|falling|cuts?|cutting|drop\w*|sav(?:e|es|ed|ing|ings)"
    r"|declin\w*|shorten\w*|shrink\w*|less|down)"
)
_RISE_EN = (
    r"(?:increas\w*|rais\w*|rise[ns]?|rising|rose|grow\w*|grew|improv\w*|gain\w*|extend\w*|boost\w*"
    r"|enhanc\w*|higher|longer|up)"
)
_VERB_EN = re.compile(rf"\b(?:(?P<fall>{_FALL_EN})|(?P<rise>{_RISE_EN}))\b")
_BY_EN = re.compile(
    r"\bby(?: (?:about|at|least|more|than|over|up|to|nearly|some|approximately|around|not|less|a|further|roughly))*\s?$"
)
_TO_EN = re.compile(r"\b(?:to|from)(?: (?:about|at|least|most|below|above|under|more|than|less|or|around))*\s?$")
_AFTER_EN = re.compile(
    r"\s?(?:or more |or better |point |points )?(?:(?P<fall>lower|less|reduction|decrease|drop|savings?"
    r"|cut|shorter|fewer|cheaper|lighter|decline)"
    r"|(?P<rise>higher|increase|improvement|more|longer|gain|rise|greater|faster|growth))\b(?! than or equal)"
)
_ADJACENT_EN = re.compile(
    rf"\b(?:(?P<fall>{_FALL_EN})|(?P<rise>{_RISE_EN}))(?: (?:of|in|about|at|least|more|than|over|up|to"
    rf"|nearly|some|approximately|not|less|around))*\s?$"
)

_FALL_AR = (
    r"(?:خفض|يخفض|تخفض|خفضت|انخفض|انخفضت|انخفاض|ينخفض|تنخفض|تخفيض|تقليل|قلل|يقلل|تقلل|تقليص|تراجع|توفير"
    r"|يوفر|توفر|وفر|وفرت|خفضا|انخفاضا|تقصير)"
)
_RISE_AR = (
    r"(?:زيادة|زاد|زادت|ازداد|ازدادت|ارتفع|ارتفعت|ارتفاع|رفع|رفعت|يرفع|ترفع|تحسين|تحسن|تحسنت|نمو|زيادتها"
    r"|اطالة|(?<!لا )(?<!الا )[يت]زيد)"
)
_VERB_AR = re.compile(
    rf"(?<![\u0621-\u064a])[وفب]?(?:ال)?(?:(?P<fall>{_FALL_AR})|(?P<rise>{_RISE_AR}))(?![\u0621-\u064a])"
)
_TO_AR = re.compile(r"(?<![\u0621-\u064a])(?:الي|من)(?: (?:اقل من|اكثر من|نحو|ما دون|حوالي))?\s?$")


@dataclass(frozen=True, slots=True)
class Found:
    """A change and, where a verb told it, the place in the clause where the verb stands."""

    change: Change
    verb: tuple[int, int] | None = None
    adjacent: bool = False
    # How far a word right behind the figure reaches that told it: 20 % lower.
    after: int = 0


LEVEL = Found("level")


def change_of(left: str, bounded: str, right: str, unit: str, earlier: str = "") -> Found:
    """What the words around a figure say of it.

    Args:
        left: the clause before the figure's bound; `bounded`: the same up to the number; right: what follows the unit
            and its bound. All folded and in lower case.
        earlier: the sentence before that clause, which may hold the verb.
        unit: the figure's unit; a rise of a temperature is told from a temperature by its verb alone.
    """
    for words in (left, bounded):
        if reaching := _REACHING_ZH.search(words):
            return (
                Found("level", (reaching.start(), len(left)), adjacent=True) if reaching.start() < len(left) else LEVEL
            )
    if found := _ADJACENT_ZH.search(left):
        if _NOUN_ZH.search(left):
            return LEVEL
        return Found(_which(found), (found.start(), found.end()), adjacent=True)
    if found := _AGAINST_ZH.search(left) or _SHRINK_ZH.search(left):
        return Found(_which(found), (found.start(), found.end()), adjacent=True)
    if found := re.match(
        r"的(?:(?P<fall>降幅|下降|降低|减少|节能|节约)|(?P<rise>增幅|提升|提高|增长|增产|增加))", right
    ):
        return Found(_which(found))
    if (found := _first(_ANY_ZH, left)) and re.search(r"[\u3400-\u9fff]", left) and unit in ("percent", "times"):
        # 降低成本30%: the verb stands before what it changes.
        return Found(_which(found), (found.start(), found.end()))
    return _english(left, bounded, right, unit, earlier)


_REACHING_ZH = re.compile(
    rf"(?:{_FALL_ZH}|{_RISE_ZH}|升|缩|控制|压|放宽|恢复|保持|稳定|维持|做|拉|干燥|烘干?|浓缩|稀释|加热|冷却"
    rf"|冷冻|预热|脱水|处理)"
    r"(?:到|至|为|成|在)(?:了|约|原来的|原有的|现有的|传统的|目前的|现在的|[ :])*$"
)
_ANY_OR_SHORT = re.compile(rf"{_FALL_ZH}|{_RISE_ZH}|升|缩|控制")


def _english(left: str, bounded: str, right: str, unit: str, earlier: str) -> Found:
    if (_TO_EN.search(bounded) and not re.search(r"\bup to\s?$", bounded)) or _TO_AR.search(bounded):
        return LEVEL
    verb = _last(_VERB_EN, left)
    if verb is None and earlier and _BY_EN.search(bounded) and (elliptic := _last(_VERB_EN, earlier)):
        # "... is reduced to 6 hours, and consumption by 35 %"
        return Found(_which(elliptic))
    if verb and _BY_EN.search(bounded):
        return Found(_which(verb), (verb.start(), verb.end()))
    adjacent = _ADJACENT_EN.search(left)
    # "up 12 %" rises, while "up to" and "less than" have become bounds.
    if adjacent and adjacent[0].split()[0] not in ("less", "higher", "longer", "lower"):
        return Found(_which(adjacent), (adjacent.start(), adjacent.end()), adjacent=True)
    if after := _AFTER_EN.match(right):
        return Found(_which(after), after=after.end())
    if unit in ("percent", "times", "permille") and (verb := _last(_VERB_AR, left)):
        return Found(_which(verb), (verb.start(), verb.end()))
    return LEVEL


def _which(found: "re.Match[str]") -> Change:
    return "fall" if found["fall"] else "rise"


def _first(pattern: "re.Pattern[str]", text: str) -> "re.Match[str] | None":
    return pattern.search(text)


def _last(pattern: "re.Pattern[str]", text: str) -> "re.Match[str] | None":
    found = None
    for found in pattern.finditer(text):  # noqa: B007
        pass
    return found


def is_changing(clause: str) -> bool:
    """Whether a clause holds a verb of rising or falling, so that "from A to B" in it is no range."""
    return any(pattern.search(clause) for pattern in (_ANY_OR_SHORT, _VERB_EN, _VERB_AR))


def is_multiple_of_before(left: str) -> bool:
    """Whether a multiple is of what was before (提高到原来的2倍, three times the present), so that it is one less as a rise."""
    if _TO_ZH.search(left) or _MULTIPLE_OF.search(left):
        return True
    return re.search(r"[\u3400-\u9fff]", left) is None
