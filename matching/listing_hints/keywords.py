"""Keywords to confirm: what a text is about in the words that few other listings have.

Candidates are the nouns of a segmenter, two of them in a row where they stand in the title or are repeated, and names in
Latin letters. They are weighed by how often and where they stand and by how rare they are (tf · idf; Spärck Jones 1972),
with the document frequencies of the matching index. Of the keywords that the demonstration's listings carry, a third are
among the eight suggested when they are taken away, and three of five are part of one or have one in them
(`tests/matching/listing_hints/test_accuracy.py`).
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import rjieba

from matching.listing_hints import words
from matching.profiling import fold, terms
from matching.profiling.tokens import FUNCTION_WORDS
from matching.types import Profile

MOST_KEYWORDS = 8
LONGEST = 8
MOST_LENGTH = 40
# Said twice, or once in the title.
LEAST_PHRASE = 2.0
# Of a title every word is chosen.
PLACES = {"title": 3.0, "background": 0.5}
SECTIONS = frozenset({"title", "description", "goals", "innovations", "applications", "background", "indicators"})
# Tags of the segmenter's dictionary: nouns, names of things, nouns of verbs, set expressions, abbreviations.
_NOUNS = frozenset({"n", "nz", "vn", "l", "j", "nt", "an"})
_HAN = re.compile(r"[\u3400-\u9fff]")
_NAME = re.compile(r"(?<![\w.%/])[A-Za-z][A-Za-z0-9]*(?:[\-+][A-Za-z0-9]+)*(?![\w/])")
_WORD = re.compile(r"[^\W\d_]{3,}(?:-[^\W\d_]+)*")
# Nouns of every technical text, and of every form.
_COMMON = frozenset(
    """技术 系统 设备 装置 方法 工艺 研究 开发 项目 产品 企业 公司 我厂 我们 要求 指标 问题 方案 现场 情况 条件 能力 水平 成本
    质量 时间 以上 以下 以内 左右 单位 数据 过程 结果 材料 厂家 用户 客户 人员 技术员 专家 团队 课题组 合作 需求 成果 目标 内容
    需要 希望 整体 成套 部分 国内 联系 电话 以前 目前 现在 今年 去年
    technology system device method process research project product company requirements problem solution data result
    need needs wanted develop based using look looking keep keeps new says own every each""".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Words of a text with their weighted frequencies, as they are written."""

    weights: Mapping[str, float]

    def terms(self) -> list[str]:
        """The terms whose document frequencies weigh them."""
        return sorted({term for word in self.weights for term in _terms(word)})


def candidates_of(profile: Profile, established: Iterable[str] = ()) -> Candidates:
    """What could be keywords of a listing.

    `established` are keywords of the taxonomy and of similar listings: where the text has them they are candidates that
    count double, since keywords that others use are found.
    """
    counts: defaultdict[str, float] = defaultdict(float)
    phrases: defaultdict[str, float] = defaultdict(float)
    written: dict[str, str] = {}
    for passage in profile.passages:
        if passage.section not in SECTIONS:
            continue
        place = PLACES.get(passage.section, 1.0)
        found = _words(passage.text) if profile.language == "zh" else _other_words(passage.text)
        for word, is_phrase in found:
            key = fold(word)
            if key in FUNCTION_WORDS or key in _COMMON or len(key) > MOST_LENGTH or _is_of_form(key):
                continue
            written.setdefault(key, word)
            (phrases if is_phrase else counts)[key] += place
    whole = {place: fold(text) for place, text in _by_place(profile).items()}
    for word in established:
        key = fold(word).strip()
        count = sum(place * text.count(key) for place, text in whole.items()) if len(key) > 1 else 0.0
        if count:
            counts[key] = 2 * count
            written.setdefault(key, word.strip())
    # A phrase that is said once in passing may be two words that happen to meet.
    for phrase, count in phrases.items():
        if count >= LEAST_PHRASE:
            counts[phrase] += count
    return Candidates({written[key]: weight for key, weight in counts.items()})


def _is_of_form(word: str) -> bool:
    """Whether a word is one that any listing may have: of praise, of asking, of change."""
    return any(pattern.fullmatch(word) for pattern in (words.VAGUE, words.DEMAND, words.CHANGE))


def _by_place(profile: Profile) -> dict[float, str]:
    """The text by how much its place counts."""
    texts: dict[float, str] = {}
    for passage in profile.passages:
        if passage.section in SECTIONS:
            place = PLACES.get(passage.section, 1.0)
            texts[place] = texts.get(place, "") + "\n" + passage.text
    return texts


def suggest_keywords(
    candidates: Candidates, documents: Mapping[str, int], collection: int, given: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """The best keywords that are not given already, at most eight, best first.

    `documents` has the document frequency of each of the candidates' terms, `collection` the number of documents; where
    nothing is indexed, frequency alone decides.
    """
    known = [fold(word) for word in given]
    scored = {word: _score(word, weight, documents, collection) for word, weight in candidates.weights.items()}
    chosen: list[str] = []
    for word in sorted(scored, key=lambda word: (-scored[word], word)):
        key = fold(word)
        if not any(key in other or other in key for other in known):
            chosen.append(word)
            known.append(key)
        if len(chosen) == MOST_KEYWORDS:
            break
    return tuple(chosen)


def _score(word: str, weight: float, documents: Mapping[str, int], collection: int) -> float:
    rarities = [
        math.log(1 + (max(collection - n, 0) + 0.5) / (n + 0.5))
        for n in (max(documents.get(term, 0), 0) for term in _terms(word))
    ]
    return weight / (weight + 1) * sum(rarities) / len(rarities)


def _terms(word: str) -> list[str]:
    """A word's terms in the index; a longer word is one itself, or its pairs stand for it."""
    return terms(word) or [fold(word)]


def _words(text: str) -> Iterator[tuple[str, bool]]:
    before = ""
    for word, tag in rjieba.tag(text):
        if _HAN.match(word) and tag in _NOUNS:
            if len(word) > 1:
                yield word, False
            if before and len(before + word) <= LONGEST:
                yield before + word, True
            before = word
        else:
            before = ""
    for name in _NAME.findall(text):
        if len(name) > 1:
            yield name, False


def _other_words(text: str) -> Iterator[tuple[str, bool]]:
    before, end = "", -1
    for match in _WORD.finditer(text):
        word = match.group()
        if fold(word) in FUNCTION_WORDS:
            continue
        yield word, False
        if before and text[end : match.start()] == " ":
            yield f"{before} {word}", True
        before, end = word, match.end()
