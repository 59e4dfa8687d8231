"""Reciprocal rank fusion (Cormack, Clarke and Büttcher 2009): ranked lists without comparable scores."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import TypeVar

Item = TypeVar("Item", bound=Hashable)
K = 60


def reciprocal_rank_fusion(lists: Sequence[Sequence[Item]]) -> list[tuple[Item, float]]:
    """Items by the sum of 1 / (60 + rank) over the lists that hold them, best first; ties in order of appearance.

    >>> reciprocal_rank_fusion([["a", "b"], ["b"]]) == [("b", 1 / 62 + 1 / 61), ("a", 1 / 61)]
    True
    """
    scores: dict[Item, float] = defaultdict(float)
    for ranked in lists:
        for rank, item in enumerate(ranked, start=1):
            scores[item] += 1 / (K + rank)
    return sorted(scores.items(), key=lambda pair: -pair[1])
