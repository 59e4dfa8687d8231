"""Lexical terms: words and character pairs, folded so that full width, case and script variants meet."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

import rjieba

# Raised when the same text gives other terms, so that an index of older code can be told.
TOKENIZER = 3
# Greek letters belong to the names of phases, rays and units: α-Al2O3, γ射线, μm.
_NAME = "a-z0-9α-ω"
_HAN = r"\u3400-\u9fff"
RUN = re.compile(rf"[{_NAME}]+(?:[.\-/+_][{_NAME}]+)*|[{_HAN}]+|[\u0600-\u06ff]+|[^\W\d_{_NAME}{_HAN}\u0600-\u06ff]+")
# A point between figures joins nothing: 0.5mm is no 0.
_SEPARATOR = re.compile(r"[\-/+_]|(?<!\d)\.|\.(?!\d)")
# Where letters and figures meet: TOPCon210, 300mm.
_PIECE = re.compile(r"\d+(?:\.\d+)*|[^\W\d_]+")
_HYPHENATED = re.compile(r"[a-z]+(?:-[a-z]+)+")
# A standard's number however it is written: GB/T 22900-2022, GBT22900, ISO 9001:2015. The year is left out, since who
# names a standard without one means every edition.
_STANDARD = re.compile(
    r"(?<![a-z])(gbz?|gjb|db\d{2}|[hjns]g|[cdhjlnqsty]b|hj|sh|sy|ys|dl|ly|sl|cj|jc|j[gt]|yy|yd|sn|sc|gy"
    r"|iso|iec|ieee|astm|asme|ansi|api|din|jis|bs|en)"
    r"(?:\s?/\s?[tz]|[tz])?[\s-]{0,2}([a-z]?(?:\d{2,6}(?:\.\d{1,3})?|\d\.\d{1,3}))(?!\d)"
)
# A letter that makes a name together with the character next to it: N型, X射线, A级, and of Greek ones any: β-胡萝卜素.
_LETTER_FIRST = re.compile(
    rf"(?<![{_NAME}.\-/+_°])(?:([a-z])-?(?=([型形类级相射光波线族系态区面轴位式晶]))|([α-ω])-?(?=([{_HAN}])))"
)
# The same the other way round: 维生素C, 辅酶Q10, 双酚A.
_LETTER_LAST = re.compile(rf"([素酶酚类型级][a-z]\d{{0,2}})(?![{_NAME}])")
LEAST_WORD = 3
LEAST_PART = 2
# Words that say nothing of a topic. Where few texts are English or Arabic they are rare, and would count for much.
FUNCTION_WORDS = frozenset(
    """a an and any are as at be been both but by can could do does for from had has have he her his how if in into is it its
    less like may more most must no nor not of on one only or other our out over per shall she should so some such than that
    the their them then there these they this those through to two under up upon us used uses using very was we were what
    when where whether which while who will with within without would you your
    في من على إلى عن مع أو و ثم لا لم لن ما هذا هذه ذلك تلك التي الذي كل بعد قبل عند بين حتى قد كان كانت يكون تكون هو هي أن إن
    كما أي غير دون خلال أكثر أقل""".split()  # noqa: SIM905
)
MOST_TERM = 64
_HYPHENS = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-") | dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff")
)


def fold(text: str) -> str:
    """Compatible forms united (NFKC) and lower case; one kind of hyphen, and no mark that nobody sees.

    >>> fold("ＣＯ₂"), fold("α‑Al\u200b2O3")
    ('co2', 'α-al2o3')
    """
    return unicodedata.normalize("NFKC", text).lower().translate(_HYPHENS)


def terms(text: str) -> list[str]:
    """The terms of a text, repeated as often as they occur.

    Runs of Han characters give their overlapping pairs, and the words of three and more characters that a segmenter
    finds; words of two are pairs already. Names of Latin and Greek letters and figures are kept whole, and their parts
    too; standards' numbers and short names that stand before a Han character give a term of their own.

    >>> terms("耐温≥300℃的PEM-20电解槽")
    ['耐温', '300', 'c', 'pem-20', 'pem', '20', '电解', '解槽', '电解槽']
    >>> terms("N型TOPCon210"), terms("H₂SO₄"), terms("GB/T 22900-2022")
    (['n', 'topcon210', 'topcon', '210', 'n型'], ['h2so4'], ['gb/t', 'gb', '22900-2022', '22900', '2022', 'gb22900'])
    """
    folded = fold(text)
    found: list[str] = []
    for run in RUN.findall(folded):
        if run in FUNCTION_WORDS:
            continue
        if "\u3400" <= run[0] <= "\u9fff":
            found.extend(_han_terms(run))
        else:
            found.append(run[:MOST_TERM])
            found.extend(_parts(run))
    found.extend(body + number for body, number in _STANDARD.findall(folded) if body + number not in found)
    found.extend("".join(parts) for parts in _LETTER_FIRST.findall(folded))
    found.extend(_LETTER_LAST.findall(folded))
    return found


def _parts(run: str) -> Iterable[str]:
    """The parts of a name. Single characters say nothing by themselves, as in h2so4 or 5nm."""
    joined = _SEPARATOR.split(run)
    parts = [*joined, *(piece for part in joined for piece in _PIECE.findall(part))]
    for part in dict.fromkeys(parts):
        if part != run and len(part) >= LEAST_PART and part not in FUNCTION_WORDS:
            yield part[:MOST_TERM]
    if _HYPHENATED.fullmatch(run):
        yield run.replace("-", "")[:MOST_TERM]


def _han_terms(run: str) -> Iterable[str]:
    if len(run) == 1:
        return []
    pairs = [run[start : start + 2] for start in range(len(run) - 1)]
    return pairs + [word for word in rjieba.cut(run) if LEAST_WORD <= len(word) <= MOST_TERM]


def count_terms(texts: Iterable[str]) -> Counter[str]:
    """How often each term occurs in some texts."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(terms(text))
    return counts


def is_word(term: str) -> bool:
    """Whether a term can be shown to a reader: pairs of characters that are no word are for counting only.

    >>> is_word("磁场"), is_word("部氧"), is_word("pem"), is_word("n型"), is_word("x射")
    (True, False, True, True, False)
    """
    if len(term) < LEAST_PART:
        return False
    if not "\u3400" <= term[0] <= "\u9fff":
        return not "\u3400" <= term[-1] <= "\u9fff" or term[-1] in "型级类族相"
    return len(rjieba.cut(term, False)) == 1


def is_foreign(term: str) -> bool:
    """Whether a term is a word of Latin or Arabic letters alone, as names with figures are not.

    >>> is_foreign("drying"), is_foreign("تجفيف"), is_foreign("干燥"), is_foreign("topcon210")
    (True, True, False, False)
    """
    return term.isalpha() and not any("\u3400" <= character <= "\u9fff" for character in term)
