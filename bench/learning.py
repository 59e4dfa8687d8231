"""What learning from decisions makes of 200 of them: how much of a hidden taste it finds, and what chance may cost."""

import os
from pathlib import Path

import numpy as np

from bench.figures import Figure
from matching.fusion import RankingModel, default_model
from matching.learning.propose import propose
from matching.learning.simulate import Quality, centred, decide, draw_collection, gap_closed, hidden_model, quality

DECISIONS = 200
HELD_OUT = 60
CANDIDATES = 100


async def measure(home: Path) -> list[Figure]:
    """Shares of the gap closed on needs held out; SEEDS sets over how many hidden tastes (20)."""
    del home
    seeds = int(os.environ.get("SEEDS", "20"))
    return [figure for needs in (20, 40) for figure in figures_of(default_model(), needs, seeds)]


def figures_of(active: RankingModel, needs: int, seeds: int) -> list[Figure]:
    """The figures for 200 decisions that are spread over so many needs."""
    learned = [run(active, needs, seed) for seed in range(seeds)]
    chance = [run(active, needs, seed, random_decisions=True) for seed in range(seeds)]
    before, after, best = zip(*learned, strict=True)
    what = f"{DECISIONS} decisions on {needs} needs, {seeds} tastes"
    lost = 100 * (1 - np.mean([end.ndcg for _, end, _ in chance]) / np.mean([start.ndcg for start, _, _ in chance]))
    return [
        Figure(f"nDCG@10, {what}", _mean(after), "nDCG", "the active model", _mean(before)),
        Figure(
            "gap in nDCG@10 closed", 100 * gap_closed(*([q.ndcg for q in each] for each in (before, after, best))), "%"
        ),
        Figure(
            "gap in log loss closed",
            100 * gap_closed(*([-q.loss for q in each] for each in (before, after, best))),
            "%",
        ),
        Figure("nDCG@10 lost to random decisions", lost, "%"),
    ]


def run(
    active: RankingModel, needs: int, seed: int, *, random_decisions: bool = False
) -> tuple[Quality, Quality, Quality]:
    """Quality of the active model, of what learning leaves active, and of the hidden one, on needs held out."""
    random = np.random.default_rng(seed)
    collection = draw_collection(active, needs, CANDIDATES, random)
    held_out = draw_collection(active, HELD_OUT, CANDIDATES, random)
    hidden = centred(hidden_model(active, random), collection, shown=20)
    rows = decide(collection, active, None if random_decisions else hidden, DECISIONS, random)
    proposal = propose(rows, active, "learned")
    after = active if proposal.verdict == "kept" else proposal.model
    return quality(active, hidden, held_out), quality(after, hidden, held_out), quality(hidden, hidden, held_out)


def _mean(qualities: tuple[Quality, ...]) -> float:
    return float(np.mean([each.ndcg for each in qualities]))
