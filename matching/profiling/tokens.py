"""Lexical terms: words and character pairs, folded so that full width, case and script variants meet."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

import rjieba

# Raised when the same text gives other terms, so that an index of older code can be told.
TOKENIZER = 2
RUN = re.compile(
    r"[a-z0-9]+(?:[.\-/+][a-z0-9]+)*|[\u3400-\u9fff]+|[\u0600-\u06ff]+|[^\W\d_a-z\u3400-\u9fff\u0600-\u06ff]+"
)
LEAST_WORD = 3
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


def fold(text: str) -> str:
    """Compatible forms united (NFKC) and lower case."""
    return unicodedata.normalize("NFKC", text).lower()


def terms(text: str) -> list[str]:
    """The terms of a text, repeated as often as they occur.

    Runs of Han characters give their overlapping pairs, and the words of three and more characters that a segmenter
    finds; words of two are pairs already. Latin, digit and other runs are kept whole, and their parts too.

    >>> terms("耐温≥300℃的PEM-20电解槽")
    ['耐温', '300', 'c', 'pem-20', 'pem', '20', '电解', '解槽', '电解槽']
    """
    found: list[str] = []
    for run in RUN.findall(fold(text)):
        if run in FUNCTION_WORDS:
            continue
        if "\u3400" <= run[0] <= "\u9fff":
            found.extend(_han_terms(run))
        else:
            found.append(run[:MOST_TERM])
            parts = re.split(r"[.\-/+]", run)
            if len(parts) > 1:
                found.extend(part[:MOST_TERM] for part in parts if part)
    return found


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

    >>> is_word("磁场"), is_word("部氧"), is_word("pem")
    (True, False, True)
    """
    return len(term) > 1 and (not "\u3400" <= term[0] <= "\u9fff" or len(rjieba.cut(term, False)) == 1)
