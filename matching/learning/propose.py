"""From decisions to what may be activated: weights always, trees where labels are many, and the verdict on the better."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from matching.fusion import Ranking, RankingModel, TreesUnavailableError, default_model
from matching.learning.compare import PARTITIONS, Comparison, Verdict, compare, verdict_on
from matching.learning.examples import TrainingRows
from matching.learning.logistic import learn_weights, recalibrate
from matching.learning.trees import enough_for_trees, learn_trees

Progress = Callable[[str, int, int], None]
TREE_PARTITIONS = 1


@dataclass(frozen=True, slots=True)
class Proposal:
    """What learning came to.

    `model` is what the verdict is about: the candidate, the active model recalibrated, or, where the active one is kept,
    the candidate that did not prove better. `trees` says why there are none, or how they did against the weights.
    """

    verdict: Verdict
    model: Ranking
    candidate: Ranking
    comparison: Comparison
    reach: float
    eta: float
    trees: str

    def figures(self) -> dict[str, Any]:
        """The report's figures as JSON values."""
        return {
            "verdict": self.verdict,
            "kind": "logistic" if isinstance(self.model, RankingModel) else "trees",
            "reach": self.reach,
            "eta": self.eta,
            "trees": self.trees,
            **asdict(self.comparison),
        }


def propose(rows: TrainingRows, active: Ranking, version: str, *, progress: Progress = lambda *_: None) -> Proposal:
    """Learn a candidate from decisions, judge it on decisions held back, and say which model may be activated.

    Weights are drawn to those of the active model; where that is one of trees, to those of the model that ships.

    Raises:
        ValueError: there are rows of fewer than five needs.
    """
    centre = active if isinstance(active, RankingModel) else default_model()
    comparison = compare(
        rows,
        active,
        lambda part: learn_weights(part, centre, version).model,
        partitions=PARTITIONS,
        progress=partial(progress, "weights"),
    )
    fit = learn_weights(rows, centre, version)
    candidate, trees = _with_trees(rows, active, version, fit.model, comparison, progress)
    verdict = verdict_on(candidate[1])
    model = recalibrate(rows, active, version) if verdict == "calibration" else candidate[0]
    return Proposal(verdict, model, candidate[0], candidate[1], fit.reach, fit.eta, trees)


def _with_trees(
    rows: TrainingRows, active: Ranking, version: str, weights: Ranking, by_weights: Comparison, progress: Progress
) -> tuple[tuple[Ranking, Comparison], str]:
    """The better of weights and trees by log loss on rows held back, and a word on the trees."""
    if not enough_for_trees(rows):
        return (weights, by_weights), "few"
    try:
        by_trees = compare(
            rows,
            active,
            lambda part: learn_trees(part, active, version),
            partitions=TREE_PARTITIONS,
            progress=partial(progress, "trees"),
        )
        if by_trees.candidate.log_loss >= by_weights.candidate.log_loss:
            return (weights, by_weights), "worse"
        return (learn_trees(rows, active, version), by_trees), "better"
    except TreesUnavailableError as error:
        return (weights, by_weights), str(error)
