"""How well a ranking model orders what people decided: accepted pairs before declined ones.

Only decided pairs count, since of the others nobody said anything (condensed lists, Sakai 2007). Decisions were made
on lists that some model had ordered, and what it put low was rarely seen: a comparison favours the model that ranked at
the time, and says nothing of pairs that no list held.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from matching.evaluation import metrics
from matching.evaluation.comparison import (
    ByNeed,
    Figures,
    WinLoss,
    differences_of,
    intervals_of,
    win_loss,
)
from matching.evaluation.significance import CONFIDENCE, RESAMPLES, SEED, Interval
from matching.fusion import Ranking

Action = Literal["accept", "decline", "snooze"]
# A snoozed pair is not judged: it is neither wanted nor refused yet.
GRADES: dict[Action, int] = {"accept": 3, "decline": 0}
JUDGED = "ndcg@10_judged"
PLACES = (1, 2, 3)
# Below this many needs that hold both answers, an interval is wide and its ends are unsure themselves.
FEW_NEEDS = 30


@dataclass(frozen=True, slots=True)
class DecidedPair:
    """A pair with the last decision on it and what the signals read: raw values by signal, None where not stated."""

    need: str
    title: str
    outcome: str
    action: Action
    readings: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class DecisionEvaluation:
    """Figures by model version; the first model is the one in question, the second what it is compared with."""

    accepted: int
    declined: int
    snoozed: int
    titles: Mapping[str, str]
    figures: Mapping[str, ByNeed]
    # Needs with both an accepted and a declined pair: only these tell one order from another.
    telling: int = field(default=0)

    @property
    def versions(self) -> list[str]:
        """The models compared."""
        return list(self.figures)

    @property
    def is_few(self) -> bool:
        """Whether there are too few needs to conclude much."""
        return self.telling < FEW_NEEDS

    def intervals(self, version: str) -> dict[str, Interval]:
        """A model's means with their intervals, by metric."""
        return intervals_of(self.figures[version])

    def differences(self) -> dict[str, Interval]:
        """The first model against the second, by metric; empty where there is one model."""
        if len(self.figures) < 2:
            return {}
        ours, other = self.versions[:2]
        return differences_of(self.figures[ours], self.figures[other])

    def win_loss(self) -> WinLoss | None:
        """The first model against the second, need by need; None where there is one model."""
        if len(self.figures) < 2:
            return None
        ours, other = self.versions[:2]
        return win_loss(self.figures, ours, other, self.titles, JUDGED)

    def as_json(self) -> dict[str, Any]:
        """The report file."""
        needs = self.win_loss()
        return {
            "decisions": {"accepted": self.accepted, "declined": self.declined, "snoozed": self.snoozed},
            "needs": len(self.titles),
            "needs_with_both": self.telling,
            "few": self.is_few,
            "bootstrap": {"resamples": RESAMPLES, "confidence": CONFIDENCE, "seed": SEED},
            "models": {
                version: {metric: interval.as_json() for metric, interval in self.intervals(version).items()}
                for version in self.versions
            },
            "differences": {metric: interval.as_json() for metric, interval in self.differences().items()},
            "win_loss": needs.as_json() if needs else None,
            "figures": {
                version: {need: dict(found) for need, found in by_need.items()}
                for version, by_need in self.figures.items()
            },
        }


def evaluate_decisions(pairs: Sequence[DecidedPair], models: Sequence[Ranking]) -> DecisionEvaluation:
    """Order each need's decided pairs by every model, and measure the orders.

    Metrics: nDCG@10 over judged pairs and AUC, both only of needs that hold an accepted and a declined pair; and
    whether the pair at each of the first three places was accepted.
    """
    by_need: dict[str, list[DecidedPair]] = {}
    for pair in pairs:
        by_need.setdefault(pair.need, []).append(pair)
    titles = {need: found[0].title for need, found in by_need.items() if any(p.action in GRADES for p in found)}
    figures: dict[str, ByNeed] = {
        model.version: {need: _figures(by_need[need], model) for need in titles} for model in models
    }
    first = figures[models[0].version]
    actions = [pair.action for pair in pairs]
    return DecisionEvaluation(
        accepted=actions.count("accept"),
        declined=actions.count("decline"),
        snoozed=actions.count("snooze"),
        titles=titles,
        figures=figures,
        telling=sum(found["auc"] is not None for found in first.values()),
    )


def score_of(pair: DecidedPair, model: Ranking) -> float:
    """The pair's score under a model, from its readings; a signal that was not read then states nothing."""
    raw = [np.nan if reading is None else reading for reading in pair.readings.values()]
    return float(model.scores(tuple(pair.readings), np.array([raw], dtype=np.float64))[0])


def _figures(pairs: list[DecidedPair], model: Ranking) -> Figures:
    ordered = sorted(pairs, key=lambda pair: (-score_of(pair, model), pair.outcome))
    ranked = [pair.outcome for pair in ordered]
    grades = {pair.outcome: GRADES[pair.action] for pair in pairs if pair.action in GRADES}
    auc = metrics.auc(ranked, grades)
    return {
        JUDGED: None if auc is None else metrics.ndcg_judged(ranked, grades),
        "auc": auc,
    } | {f"accepted@{place}": metrics.relevant_at(ranked, grades, place) for place in PLACES}
