"""Training rows from what brokers decided.

The latest decision on a pair counts. Accept is label 1, decline label 0. A snooze says "not now" and makes no row, even
where an earlier decision on the pair was a label: the broker has taken that back.

Three decline codes are treated apart, since the label stands for "the broker would introduce this pair":

- `duplicate` (重复) and `already_solved` (已有方案) leave the fit of the two texts open, often they mean a good fit that came
  too late. They make no row.
- `other` (其他) may mean anything; it counts half.

The remaining codes name a want of fit (too early, indicators unmet, price, mode, region) or of substance (advantage,
path, vague) and count in full.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from matching.fusion.model import Matrix, Vector

Action = Literal["accept", "decline", "snooze"]
NOT_ABOUT_FIT = frozenset({"duplicate", "already_solved"})
HALF = frozenset({"other"})


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision as it was kept: the pair, what was decided, and what the broker had before the eyes.

    `rank` is the place in the need's list, 1 for the best; `raw` are the signals' raw readings of that moment, None for
    not stated.
    """

    need: UUID
    outcome: UUID
    action: Action
    code: str | None
    rank: int
    model_version: str
    raw: Mapping[str, float | None]


@dataclass(frozen=True, slots=True, eq=False)
class TrainingRows:
    """Labels with their readings: n rows, one a pair.

    `raw` is n x signals with NaN for not stated; `labels` are 0.0 and 1.0; `weights` are above 0; `ranks` begin at 1;
    `needs` numbers the needs from 0, so that rows of one need can be kept together.
    """

    signals: tuple[str, ...]
    raw: Matrix
    labels: Vector
    weights: Vector
    ranks: NDArray[np.int64]
    needs: NDArray[np.int64]
    model_versions: tuple[str, ...]
    need_ids: tuple[UUID, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def need_count(self) -> int:
        """How many needs have a row."""
        return len(np.unique(self.needs))

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "TrainingRows":
        """Some of the rows, by mask or by number; needs keep their numbers."""
        places = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        return TrainingRows(
            self.signals,
            self.raw[places],
            self.labels[places],
            self.weights[places],
            self.ranks[places],
            self.needs[places],
            tuple(self.model_versions[place] for place in places),
            self.need_ids,
        )


def training_rows(decisions: Iterable[Decided], signals: Sequence[str]) -> TrainingRows:
    """The rows of decisions given in the order in which they were made.

    A signal that a decision's model did not know yet was not stated then: NaN. Readings of signals that are not asked
    for are left out.
    """
    latest = {(decided.need, decided.outcome): decided for decided in decisions}
    kept = [decided for decided in latest.values() if weight_of(decided) > 0]
    numbers = {need: number for number, need in enumerate(dict.fromkeys(decided.need for decided in kept))}
    raw = np.array(
        [[_number(decided.raw.get(signal)) for signal in signals] for decided in kept], dtype=np.float64
    ).reshape(len(kept), len(signals))
    return TrainingRows(
        tuple(signals),
        raw,
        np.array([1.0 if decided.action == "accept" else 0.0 for decided in kept]),
        np.array([weight_of(decided) for decided in kept]),
        np.array([decided.rank for decided in kept], dtype=np.int64),
        np.array([numbers[decided.need] for decided in kept], dtype=np.int64),
        tuple(decided.model_version for decided in kept),
        tuple(numbers),
    )


def weight_of(decided: Decided) -> float:
    """How much a decision counts as a label: 1, a half, or 0 for none at all."""
    if decided.action == "snooze" or decided.code in NOT_ABOUT_FIT:
        return 0.0
    return 0.5 if decided.code in HALF else 1.0


def _number(raw: float | None) -> float:
    return np.nan if raw is None else float(raw)
