"""From the text of a listing to its profile: sections, passages, and how much each of them matters."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from matching.profiling.language import detect_language
from matching.types import Facets, Kind, Passage, Profile

# How much a section says about what is wanted or offered. What a company has done so far and how big it is says little.
SECTION_WEIGHTS = {
    "title": 1.0,
    "description": 1.0,
    "goals": 1.0,
    "indicators": 1.0,
    "innovations": 1.0,
    "applications": 0.8,
    "keywords": 0.8,
    "background": 0.5,
    "prospects": 0.4,
    "partner_requirements": 0.3,
    "foundation": 0.2,
}
# Headings that people write into one long text, and the sections that they open.
HEADINGS = (
    (
        "foundation",
        r"现有(?:工作|研究|技术)?基础|(?:前期)?(?:工作|研究|技术)基础|企业(?:简介|基本情况)|公司简介|实验基础",
    ),
    ("goals", r"(?:预期|研究|主要|阶段|技术)?目标|(?:主要|技术|考核)?指标(?:要求)?|质量要求|预期(?:成果|效果)"),
    ("background", r"(?:项目)?背景|(?:国内外)?现状|存在(?:的)?问题|行业现状|目前研究进展"),
    (
        "description",
        r"(?:技术)?需求(?:内容|描述|说明)?|(?:主要|研究|项目|技术)内容|(?:需求|内容)(?:内容)?及(?:预期|合作)?目标|成果简介|技术难题",
    ),
    ("innovations", r"(?:主要)?创新点|技术(?:特点|优势|创新)|关键技术"),
    ("applications", r"应用(?:领域|范围|场景|前景)"),
    ("prospects", r"(?:市场|推广)(?:前景|分析)|经济(?:社会)?效益|(?:市场前景与)?效益(?:分析)?"),
)
NUMBERING = r"(?:[（(]?[一二三四五六七八九十\d]{1,2}[）)、.．]\s*)?"
HEADING = re.compile(
    rf"^\s*[\"“【]?{NUMBERING}(?:"
    + "|".join(f"(?P<{name}>{pattern})" for name, pattern in HEADINGS)
    + r")[】]?\s*[:：]\s*"
)
# A full stop ends a sentence unless it stands in a figure; a numbered entry begins one.
SENTENCE_END = re.compile(r"(?<=[。！？；;!?؟؛])|(?<=[^\d\W]\.)\s+(?=[A-Z\u0600-\u06ff])|\n+")
ENTRY = re.compile(r"(?<=[^\d.．（(])(?=(?:[（(]\d{1,2}[）)]|\d{1,2}[、）]|[①-⑳])\s*\D)")
# Shorter pieces say nothing by themselves and are joined to the one before.
LEAST_PASSAGE = 8
MOST_PASSAGES = 200
# A passage counts by its length up to here: a long sentence is not a more important one.
FULL_LENGTH = 60


NOTHING_STATED = Facets()


@dataclass(frozen=True, slots=True)
class ListingText:
    """What the service hands over of a listing: texts by section name (see `SECTION_WEIGHTS`), and facets."""

    id: UUID
    kind: Kind
    title: str
    sections: tuple[tuple[str, str], ...]
    indicators: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    facets: Facets = NOTHING_STATED
    organization: UUID | None = None


def compose(listing: ListingText) -> Profile:
    """The profile of a listing. Its first passage is the title."""
    passages = [_passage("title", listing.title)]
    for name, text in listing.sections:
        passages.extend(split_text(text, name))
    passages.extend(_passage("indicators", line) for line in listing.indicators if line.strip())
    if listing.keywords:
        passages.append(_passage("keywords", "、".join(listing.keywords)))
    whole = "\n".join([listing.title, *(text for _, text in listing.sections)])
    return Profile(
        id=listing.id,
        kind=listing.kind,
        title=listing.title,
        keywords=listing.keywords,
        passages=tuple(passages[:MOST_PASSAGES]) if len(passages) <= MOST_PASSAGES else _bounded(passages),
        facets=listing.facets,
        language=detect_language(whole),
        organization=listing.organization,
    )


def split_text(text: str, section: str) -> list[Passage]:
    """The passages of a text. A heading inside it opens another section.

    >>> [(p.section, p.text) for p in split_text("需求内容：开发高韧性单晶。现有工作基础：厂房3栋，设备齐全。", "description")]
    [('description', '开发高韧性单晶。'), ('foundation', '厂房3栋，设备齐全。')]
    """
    pieces: list[tuple[str, str]] = []
    for sentence in _sentences(text):
        heading = HEADING.match(sentence)
        if heading:
            section = heading.lastgroup or section
            sentence = sentence[heading.end() :].strip()
        if not sentence:
            continue
        if pieces and pieces[-1][0] == section and len(pieces[-1][1]) < LEAST_PASSAGE:
            pieces[-1] = (section, pieces[-1][1] + sentence)
        else:
            pieces.append((section, sentence))
    return [_passage(name, piece) for name, piece in pieces]


def _sentences(text: str) -> Iterable[str]:
    for part in SENTENCE_END.split(text):
        for entry in ENTRY.split(part):
            stripped = entry.strip()
            if any(character.isalnum() for character in stripped):
                yield stripped


def _passage(section: str, text: str) -> Passage:
    length = min(len(text), FULL_LENGTH) / FULL_LENGTH
    return Passage(section, text.strip(), round(SECTION_WEIGHTS.get(section, 1.0) * length, 4))


def _bounded(passages: list[Passage]) -> tuple[Passage, ...]:
    """The last place takes the rest of a text of endless short lines, so that nothing of it is lost."""
    kept, rest = passages[: MOST_PASSAGES - 1], passages[MOST_PASSAGES - 1 :]
    return (*kept, Passage("description", " ".join(passage.text for passage in rest), 1.0))
