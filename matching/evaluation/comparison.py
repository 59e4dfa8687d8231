"""Systems beside each other: figures need by need, their means with intervals, and which needs each one wins."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from matching.evaluation import metrics
from matching.evaluation.significance import Interval, bootstrap, paired_bootstrap

# A need's figures by the metric's name; None where the metric says nothing of the need.
Figures = Mapping[str, float | None]
ByNeed = Mapping[str, Figures]
NDCG, RECALL = "ndcg@10", "recall@50"


def figures_of(ranked: list[str], grades: Mapping[str, int]) -> Figures:
    """Every metric of one ranked list."""
    return {
        NDCG: metrics.ndcg(ranked, grades),
        "ndcg@10_judged": metrics.ndcg_judged(ranked, grades),
        "judged@10": metrics.judged_share(ranked, grades),
        RECALL: metrics.recall(ranked, grades),
        "mrr": metrics.reciprocal_rank(ranked, grades),
    }


def means_of(figures: ByNeed) -> dict[str, float]:
    """Mean of every metric, over the needs that it says something of; a metric of no need is left out."""
    return {metric: fmean(values) for metric, values in _by_metric(figures).items()}


def intervals_of(figures: ByNeed) -> dict[str, Interval]:
    """As `means_of`, with the interval of each mean."""
    return {metric: bootstrap(values) for metric, values in _by_metric(figures).items()}


def _by_metric(figures: ByNeed) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for of_need in figures.values():
        for metric, value in of_need.items():
            if value is not None:
                found.setdefault(metric, []).append(value)
    return found


def differences_of(ours: ByNeed, baseline: ByNeed) -> dict[str, Interval]:
    """Mean difference and interval of every metric, over the needs of which it says something for both."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    for need, of_need in ours.items():
        for metric, value in of_need.items():
            other = baseline[need][metric]
            if value is not None and other is not None:
                pair = found.setdefault(metric, ([], []))
                pair[0].append(value)
                pair[1].append(other)
    return {metric: paired_bootstrap(*pair) for metric, pair in found.items()}


@dataclass(frozen=True, slots=True)
class NeedDifference:
    """One need's metric by two systems."""

    need: str
    title: str
    ours: float
    baseline: float

    @property
    def difference(self) -> float:
        """How much better ours is; negative where it loses."""
        return self.ours - self.baseline


@dataclass(frozen=True, slots=True)
class WinLoss:
    """Two systems need by need, the worst loss first."""

    system: str
    baseline: str
    metric: str
    needs: tuple[NeedDifference, ...]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Needs won, tied and lost."""
        signs = [(need.difference > 0) - (need.difference < 0) for need in self.needs]
        return signs.count(1), signs.count(0), signs.count(-1)

    def as_json(self) -> dict[str, Any]:
        """The list under the names of the report file."""
        won, tied, lost = self.counts
        rows = [
            {
                "id": need.need,
                "title": need.title,
                "system": need.ours,
                "baseline": need.baseline,
                "difference": need.difference,
            }
            for need in self.needs
        ]
        names = {"system": self.system, "baseline": self.baseline, "metric": self.metric}
        return names | {"won": won, "tied": tied, "lost": lost, "needs": rows}


def win_loss(
    figures: Mapping[str, ByNeed], system: str, baseline: str, titles: Mapping[str, str], metric: str = NDCG
) -> WinLoss:
    """Two systems need by need, the worst loss first; equal differences in the order of the needs' ids."""
    rows = [
        NeedDifference(need, titles.get(need, ""), ours, other)
        for need, of_need in figures[system].items()
        if (ours := of_need[metric]) is not None and (other := figures[baseline][need][metric]) is not None
    ]
    return WinLoss(system, baseline, metric, tuple(sorted(rows, key=lambda row: (row.difference, row.need))))
