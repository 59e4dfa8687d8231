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


def auc(ranked: Sequence[str], grades: Mapping[str, int]) -> float | None:
    """How often a judged document of grade 2 or 3 stands before one of a lower grade (Hanley and McNeil 1982).

    None where the list does not hold both.

    >>> auc(["a", "x", "b", "c"], {"a": 3, "b": 0, "c": 3})
    0.5
    """
    before, right, wrong = 0, 0, 0
    for document in ranked:
        if document not in grades:
            continue
        if grades[document] >= RELEVANT:
            right += 1
        else:
            wrong += 1
            before += right
    return before / (right * wrong) if right and wrong else None


def relevant_at(ranked: Sequence[str], grades: Mapping[str, int], place: int) -> float | None:
    """Whether the judged document at a place (1 is the first judged one) is of grade 2 or 3: 1 or 0.

    None where fewer are judged.

    >>> relevant_at(["x", "a", "b"], {"a": 3, "b": 0}, 1), relevant_at(["a"], {"a": 3}, 2)
    (1.0, None)
    """
    judged = [document for document in ranked if document in grades]
    return float(grades[judged[place - 1]] >= RELEVANT) if len(judged) >= place else None
