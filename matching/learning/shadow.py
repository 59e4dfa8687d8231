"""What another model would make of the lists that are stored: a look ahead that ranks nothing anew.

Only stored pairs are scored, so a pair that the active model left out cannot come in; the true change is no smaller.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from scipy.stats import kendalltau

from matching.fusion import Ranking

K = 10


@dataclass(frozen=True, slots=True)
class StoredPair:
    """An outcome of a need's stored list, with the raw readings that it was ranked by."""

    outcome: UUID
    raw: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Shadow:
    """Over the lists of two pairs and more: means of overlap@10 and Kendall's tau, and how many lists would change.

    `overlap` is the share of the first ten that stays among the first ten, `tau` runs from -1 (turned round) to 1.
    """

    lists: int
    changed_order: int
    changed_first: int
    changed_members: int
    overlap: float
    tau: float


def shadow(lists: Sequence[Sequence[StoredPair]], model: Ranking) -> Shadow:
    """Compare stored lists, best first, with the order that a model gives the same pairs. Equal scores keep their order."""
    overlaps, taus, orders, firsts, members = [], [], 0, 0, 0
    for pairs in lists:
        if len(pairs) < 2:
            continue
        names = sorted({name for pair in pairs for name in pair.raw})
        raw = np.array([[_number(pair.raw.get(name)) for name in names] for pair in pairs])
        order = np.argsort(-model.scores(names, raw), kind="stable")
        first = set(order[:K].tolist())
        overlap = len(first & set(range(min(K, len(pairs))))) / min(K, len(pairs))
        overlaps.append(overlap)
        taus.append(float(kendalltau(np.arange(len(pairs)), np.argsort(order)).statistic))
        orders += bool((order[:K] != np.arange(len(order[:K]))).any())
        firsts += bool(order[0] != 0)
        members += overlap < 1
    if not overlaps:
        return Shadow(0, 0, 0, 0, 1.0, 1.0)
    return Shadow(len(overlaps), orders, firsts, members, float(np.mean(overlaps)), float(np.mean(taus)))


def _number(raw: float | None) -> float:
    return np.nan if raw is None else float(raw)
