"""Cut a text into passages: sentences, list entries, and the sections that headings inside the text open.

People paste a whole form into one field: headings with and without a colon, entries numbered in six ways, full stops
of either width. Nothing here needs the text to be tidy, and no character that says something is lost.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Headings that people write into a long text, and the sections that they open. The longest reading wins, so that
# 需求内容及预期目标 opens a description and 预期目标 opens goals.
_QUALIFIER = (
    r"(?:主要|具体|项目|企业|公司|本项目|希望|预计|拟|需|解决|攻克|的|技术|研究|研发|预期|总体|阶段|考核|质量|合作)*"
)
_NOUNS = (
    (
        "foundation",
        r"(?:现有|已有|前期)?(?:的)?(?:工作|研究|技术|科研|实验|研发|产业)?基础(?:条件)?|(?:企业|公司|单位)(?:简介|概况|基本情况|介绍)|支撑平台|软硬件情况",
    ),
    ("partner_requirements", r"(?:资金|经费|投入)?预算|合作方式|对合作方的?要求|合作意向"),
    (
        "description",
        r"(?:需求)?内容及(?:预期|研究|合作)?目标|目标及内容|(?:难题|难点|问题|瓶颈)(?:及预算)?|存在的?问题|解决方向",
    ),
    ("description", r"(?:征集|引进)?需求(?:内容|描述|说明|情况|[一二三四五])?|内容|成果简介"),
    ("background", r"背景|(?:国内外|行业|发展)?现状|目前研究进展|研究进展|意义"),
    ("innovations", r"创新点?|特点|优势|关键技术|特色"),
    ("applications", r"应用(?:领域|范围|场景|前景)|适用范围"),
    ("prospects", r"(?:市场|推广)(?:前景|分析)|(?:经济|社会)*效益(?:分析)?|市场前景与效益"),
    ("goals", r"目标(?:成果)?|(?:经济)?指标|要求|成果|效果"),
)
_NUMBER = r"[（(]?(?P<number>[一二三四五六七八九十]{1,3}|\d{1,2})(?P<style>[）)、.．]|\s(?=\S))?[）)、.．]?\s*"
_HEADING = re.compile(
    rf"^[\s\"“”'【\[]*(?:{_NUMBER})?{_QUALIFIER}(?:"
    + "|".join(f"(?P<s{place}>{pattern})" for place, (_, pattern) in enumerate(_NOUNS))
    + r")(?:如下)?[】\]\"”]*\s*(?:[:：]|$)"
)
_NUMBERED = re.compile(rf"^[\s\"“]*{_NUMBER}")
_CHINESE_NUMERALS = {numeral: place for place, numeral in enumerate("一二三四五六七八九十", start=1)}

_HAN = r"\u3400-\u9fff"
# A stop of ASCII width ends a sentence after a Han character (numerals number entries), a bracket or a percentage, after
# a decimal figure that a Han character follows, and in other scripts before a space and a capital or Arabic letter.
_SENTENCE_END = re.compile(
    r"(?<=[。！？；;!?؟؛])(?![”\"」）)])|(?<=[。！？；;!?][”\"」）)])"
    rf"|(?<=[^\W\d_a-zA-Z一二三四五六七八九十]\.)(?=[^\s\d.])(?<=[{_HAN}]\.)"
    r"|(?<=[）)\]】”%％℃]\.)(?=[^\s\d.])"
    rf"|(?<=[a-zA-Z]\.)(?=[{_HAN}])|(?<=\.\d\.)(?=[{_HAN}])|(?<=\.\d\d\.)(?=[{_HAN}])|(?<=\.\d\d\d\.)(?=[{_HAN}])"
    r"|(?<=[^\d\W]\.)\s+(?=[A-Z\u0600-\u06ff])|[\r\n\u2028\u2029]+"
)
_ENTRY = re.compile(
    r"(?<=[^\d.．（(])(?=(?:[（(]\d{1,2}[）)]|\d{1,2}[、）]|[①-⑳])\s*\D)"
    r"|(?<=[。；;：:！!？?\s])(?=\d{1,2}[.．](?:[^\d\s]|\s+\D))"
    r"|(?=[•●■◆▪])"
)

# Shorter pieces say nothing by themselves and are joined to the one before.
LEAST_PASSAGE = 8


@dataclass(frozen=True, slots=True)
class Piece:
    """A passage before it is weighed."""

    section: str
    text: str


def split_text(text: str, section: str) -> list[Piece]:
    """The passages of a text in order. A heading inside it opens another section; the heading itself is no passage.

    >>> [(p.section, p.text) for p in split_text("需求内容：开发高韧性单晶。二、现有工作基础\\n厂房3栋，设备齐全。", "description")]
    [('description', '开发高韧性单晶。'), ('foundation', '厂房3栋，设备齐全。')]
    """
    pieces: list[Piece] = []
    current, opened_by = section, None
    for sentence in _sentences(text):
        number = _number(sentence)
        heading = _HEADING.match(sentence)
        if heading:
            current = _NOUNS[int((heading.lastgroup or "")[1:])][0]
            opened_by = number
            sentence = sentence[heading.end() :].strip()
        elif opened_by is not None and number == (opened_by[0] + 1, opened_by[1]):
            # The next entry of the list that the heading belongs to is not part of the heading's section.
            current, opened_by = section, None
        if not _says_something(sentence):
            continue
        if pieces and pieces[-1].section == current and len(pieces[-1].text) < LEAST_PASSAGE:
            pieces[-1] = Piece(current, pieces[-1].text + sentence)
        else:
            pieces.append(Piece(current, sentence))
    return pieces


def _sentences(text: str) -> Iterator[str]:
    for part in _SENTENCE_END.split(text):
        for entry in _ENTRY.split(part):
            if stripped := entry.strip():
                yield stripped


def _says_something(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _number(sentence: str) -> tuple[int, str] | None:
    """The place that a sentence's number gives it, and the way it is numbered."""
    found = _NUMBERED.match(sentence)
    if not found or not found["style"]:
        return None
    numeral = found["number"]
    if numeral.isdigit():
        return int(numeral), f"1{found['style']}"
    return _CHINESE_NUMERALS.get(numeral, 0), f"一{found['style']}"
