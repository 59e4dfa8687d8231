"""Measures of a ranked list against graded judgments. A list is document ids, best first; grades are by id."""

import math
from collections.abc import Mapping, Sequence

RELEVANT = 2


def _gain(grade: int) -> int:
    return int(2**grade - 1)


def dcg(grades: Sequence[int]) -> float:
    """Discounted cumulative gain: sum of (2^grade - 1) / log2(rank + 1) (Burges et al. 2005).

    >>> dcg([3, 0, 1]) == 7 / math.log2(2) + 1 / math.log2(4)
    True
    """
    return sum(_gain(grade) / math.log2(rank + 1) for rank, grade in enumerate(grades, start=1))


def ndcg(ranked: Sequence[str], grades: Mapping[str, int], k: int = 10) -> float:
    """DCG of the first k over that of the best possible order; what is unjudged counts as 0.

    >>> ndcg(["x", "a"], {"a": 3, "b": 0}) == (7 / math.log2(3)) / 7
    True
    """
    ideal = dcg(sorted(grades.values(), reverse=True)[:k])
    return dcg([grades.get(document, 0) for document in ranked[:k]]) / ideal if ideal else 0.0


def ndcg_judged(ranked: Sequence[str], grades: Mapping[str, int], k: int = 10) -> float:
    """nDCG after the unjudged documents are taken out of the list (Sakai 2007).

    >>> ndcg_judged(["x", "a"], {"a": 3, "b": 0})
    1.0
    """
    return ndcg([document for document in ranked if document in grades], grades, k)


def judged_share(ranked: Sequence[str], grades: Mapping[str, int], k: int = 10) -> float:
    """Share of the first k that somebody judged.

    >>> judged_share(["a", "x"], {"a": 0})
    0.5
    """
    first = ranked[:k]
    return sum(document in grades for document in first) / len(first) if first else 0.0


def recall(ranked: Sequence[str], grades: Mapping[str, int], k: int = 50) -> float | None:
    """Share of the documents of grade 2 and 3 among the first k; None where there is none to find.

    >>> recall(["a", "b"], {"a": 2, "c": 3, "b": 1})
    0.5
    """
    wanted = {document for document, grade in grades.items() if grade >= RELEVANT}
    return len(wanted & set(ranked[:k])) / len(wanted) if wanted else None


def reciprocal_rank(ranked: Sequence[str], grades: Mapping[str, int]) -> float:
    """One over the rank of the first document of grade 2 or 3; 0 where the list has none.

    >>> reciprocal_rank(["x", "a"], {"a": 2})
    0.5
    """
    for rank, document in enumerate(ranked, start=1):
        if grades.get(document, 0) >= RELEVANT:
            return 1 / rank
    return 0.0
