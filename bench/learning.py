"""What learning from decisions makes of 200 of them: how much of a hidden taste it finds, and what chance may cost."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from bench.figures import Figure
from matching.fusion import RankingModel, default_model
from matching.learning.compare import Verdict
from matching.learning.logistic import recalibrate
from matching.learning.propose import propose
from matching.learning.simulate import Quality, centred, decide, draw_collection, gap_closed, hidden_model, quality

DECISIONS = 200
HELD_OUT = 60
CANDIDATES = 100


async def measure(home: Path) -> list[Figure]:
    """Shares of the gap closed on needs held out; SEEDS sets over how many hidden tastes (24)."""
    del home
    seeds = int(os.environ.get("SEEDS", "24"))
    return [figure for needs in (20, 40) for figure in figures_of(default_model(), needs, seeds)]


@dataclass(frozen=True, slots=True)
class Run:
    """Quality on needs held out: of the active model, of it recalibrated, of what learning leaves active, of the truth."""

    before: Quality
    recalibrated: Quality
    after: Quality
    best: Quality
    verdict: Verdict


def figures_of(active: RankingModel, needs: int, seeds: int) -> list[Figure]:
    """The figures for 200 decisions that are spread over so many needs."""
    learned = [run(active, needs, seed) for seed in range(seeds)]
    chance = [run(active, needs, seed, random_decisions=True) for seed in range(seeds)]
    ndcg, loss, calibrated = (100 * share for share in (ndcg_closed(learned), *losses_closed(learned)))
    what = f"{DECISIONS} decisions on {needs} needs, {seeds} tastes"
    return [
        Figure(
            f"nDCG@10, {what}", 100 * mean_ndcg(learned, "after"), "%", "before", 100 * mean_ndcg(learned, "before")
        ),
        Figure("gap in nDCG@10 closed", ndcg, "%"),
        Figure(
            "new weights activated", 100 * activated(learned), "%", "with random decisions", 100 * activated(chance)
        ),
        Figure("gap in log loss closed", loss, "%", "by recalibration alone", calibrated),
        Figure(
            "nDCG@10 with random decisions",
            100 * mean_ndcg(chance, "after"),
            "%",
            "before",
            100 * mean_ndcg(chance, "before"),
        ),
    ]


def mean_ndcg(runs: Sequence[Run], of: Literal["before", "after", "best"]) -> float:
    """Mean nDCG@10 over runs."""
    return float(np.mean([getattr(each, of).ndcg for each in runs]))


def activated(runs: Sequence[Run]) -> float:
    """The share of runs in which new weights were activated."""
    return float(np.mean([each.verdict == "weights" for each in runs]))


def ndcg_closed(runs: Sequence[Run]) -> float:
    """The share of the gap in nDCG@10 that learning closed."""
    return gap_closed(
        *([quality.ndcg for quality in part] for part in zip(*((r.before, r.after, r.best) for r in runs), strict=True))
    )


def losses_closed(runs: Sequence[Run]) -> tuple[float, float]:
    """The share of the gap in log loss that learning closed, and that recalibration alone would have."""
    before, calibrated, after, best = (
        [-getattr(r, of).loss for r in runs] for of in ("before", "recalibrated", "after", "best")
    )
    return gap_closed(before, after, best), gap_closed(before, calibrated, best)


def run(active: RankingModel, needs: int, seed: int, *, random_decisions: bool = False) -> Run:
    """One hidden taste: decisions on the active model's lists, learning from them, and quality on needs held out."""
    random = np.random.default_rng(seed)
    collection = draw_collection(active, needs, CANDIDATES, random)
    held_out = draw_collection(active, HELD_OUT, CANDIDATES, random)
    hidden = centred(hidden_model(active, random), collection, shown=20)
    rows = decide(collection, active, None if random_decisions else hidden, DECISIONS, random)
    proposal = propose(rows, active, "learned")
    after = active if proposal.verdict == "kept" else proposal.model
    models = (active, recalibrate(rows, active, "recalibrated"), after, hidden)
    return Run(*(quality(model, hidden, held_out) for model in models), proposal.verdict)
