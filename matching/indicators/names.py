"""Numbers that measure nothing: years and dates, standards and grades, telephones, versions, entries of a list."""

import re

from matching.indicators.units import Unit

# Documents, grades and other names that end in a number, with or without a space or hyphen before it.
_NAMED = re.compile(
    r"(?:\b(?:gb(?:[/ ]?[tz])?|gjb(?:/?z)?|iso(?:/iec)?|iec|astm|din|en|jis|nb/?t|hj|hg/?t|db\d*/?t?|dl/?t"
    r"|jb/?t|yb/?t|sn/?t|yy/?t|ny/?t"
    r"|qb/?t|t/[a-z]+|trl|ip|no\.?|type|figure|fig\.?|table|section|phase|step|class|zone|level|grade"
    r"|model|mark|version|ul|rfc|ieee"
    r"|stage|size|patent|cas|building|street|road|tel\.?|fax)|成熟度(?:等级)?|第|专利号|申请号|编号|型号"
    r"|图|表|电话|手机|传真|邮编|公式|牌号"
    r"|等级|版本|رقم|المرحلة|المستوي|الفئة|شارع|مبني|هاتف|الفاكس|القسم)[ .:\-]?$"
)
# A number that touches letters, or a hyphen or slash after letters, is the end of a name: CO2, TOPCon-210.
_JOINED = re.compile(r"[A-Za-z\u0370-\u03ff\d)][-/._]$|[A-Za-z_^\u0370-\u03ff]$")
_YEAR_AFTER = re.compile(r"\s?(?:年(?!限|度?产|期|以上|以下|以内|内|的?寿|左右|质保)|年度)")
_YEAR_BEFORE = re.compile(
    r"(?:\b(?:between|and|in|by|since|until|from|of|year|during|before|after|mid|end|early|late|summer|spring|autumn"
    r"|winter|may|june|july|march"
    r"|april|august|january|february|september|october|november|december|to|the)|عام|سنة|في|منذ|خطة|–|-|自|截至|到)\s?$"
)
_YEARS = re.compile(r"\s?[-–~至到]\s?(?:19|20)\d\d")
_DATE = re.compile(
    r"\s?月(?:\d|份|底|初|中|上|下|前|末|至|到|-|~|–|,|。|$|[^\d内龄]{0,2}\d{1,2}日)|\s?日(?!处理|内|龄"
    r"|产)|\s?号(?!机)|\s?#"
    r"|\s?[:.]\d\d(?!\d)\s?(?:am|pm)?"
)
# Steel grades; and rows of digits joined by dashes or dots.
_GRADE = re.compile(
    r"(?:20[124]|30[1-9]|31[0-7]|321|347|410|430|904|2205|2507)(?:L|H|N|S|Ti)?(?=不锈钢|、\d{3})|(?:304"
    r"|316|317|904)L(?![A-Za-z\d])"
    r"|\d{3,4}-\d{4,}|\d+-\d+-\d|\d+(?:\.\d+){2,}"
)
_LEVELS = re.compile(r"\s?(?:级|号|型|代|层楼|期|强企业|强)")
# 400MPa级 is a class, 50年以来 and 3年前 tell a time.
_SINCE = re.compile(r"级(?!别)|(?:多|余)?(?:以来|来(?!自|水)|前(?!景|期)|之前|历史|的?经验)")
_COUNTED_BEFORE = "第每这那某同进唯统之"


def is_name(text: str, behind: int, start: int, end: int, value: float, unit: Unit | None, *, leading: bool) -> bool:
    """Whether the digits from `start` to `end` of a folded text are part of a name.

    Args:
        behind: where the figure before ends. unit: what follows the number, a multiple (倍) counting as one.
        leading: whether what touches the number from the left is a sign, a scale or a currency.
    """
    left = text[max(behind, start - 16) : start]
    if (
        _NAMED.search(left.lower())
        or _DATE.match(text, end)
        or (_GRADE.match(text, start) and not (unit and unit.end - end > 1))
    ):
        return True
    if not leading and _JOINED.search(left) and not left.endswith((" -", "(-")):
        return True
    if unit is None and _LEVELS.match(text, end):
        return True
    if unit is not None and _SINCE.match(text, unit.end):
        return True
    if _is_year(text, left, start, end, value, unit):
        return True
    if unit is not None:
        return False
    following = text[end : end + 1]
    if following.isascii() and following.isalpha():
        return True
    if re.match(r":\s?\d|\s?-\s?[A-Za-z]|\.\d", text[end : end + 3]) or re.search(r"\d\s?[:/]$", left):
        return True
    return end - start >= 7 and text[start:end].isdigit()


def _is_year(text: str, left: str, start: int, end: int, value: float, unit: Unit | None) -> bool:
    if not text[start:end].isdigit() or end - start != 4 or not 1900 <= value <= 2100:
        return False
    if _YEAR_AFTER.match(text, end):
        return True
    return unit is None and (_YEAR_BEFORE.search(left.lower()) is not None or _YEARS.match(text, end) is not None)


def is_ordinal(text: str, start: int, unit: Unit | None) -> bool:
    """第三, 每一: a numeral in words that counts a place; 三年前 and 一年来 tell a time."""
    if text.startswith(("千粒重", "百粒重"), start) or (start and text[start - 1] in _COUNTED_BEFORE):
        return True
    if unit is None:
        return False
    return text[unit.end : unit.end + 1] in ("前", "来") or text[unit.end : unit.end + 2] in ("以来", "之前")
