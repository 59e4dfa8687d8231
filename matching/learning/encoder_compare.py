"""Whether a fine-tuned encoder is better than the one in use, on needs that training did not see."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import numpy as np

from matching.embedding.protocol import Encoder, Role, Vector
from matching.evaluation import Dataset, evaluate
from matching.evaluation.comparison import NDCG
from matching.evaluation.scratch import Progress
from matching.evaluation.significance import Interval, paired_bootstrap
from matching.fusion import RankingModel
from matching.index import Connection
from matching.learning.encoder import dense_figures
from matching.learning.encoder_data import JudgedTexts, TooFewError

DENSE, WHOLE = "dense nDCG@10", "whole ranking nDCG@10"


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure of both encoders, means over the same needs, and the difference with its 95 % interval."""

    name: str
    present: float
    candidate: float
    gain: Interval

    def as_json(self) -> dict[str, Any]:
        """The figure under the names of the report."""
        return {"present": self.present, "candidate": self.candidate, "gain": self.gain.as_json()}


@dataclass(frozen=True, slots=True)
class Comparison:
    """The figures, the one that decides last."""

    figures: tuple[Measured, ...]

    @property
    def deciding(self) -> Measured:
        """The figure that decides: of the whole ranking where that was measured."""
        return self.figures[-1]

    @property
    def is_better(self) -> bool:
        """Whether the interval of the deciding gain lies above 0."""
        return self.deciding.gain.low > 0

    def as_json(self) -> dict[str, Any]:
        """The report."""
        return {"needs": self.deciding.gain.needs, "better": self.is_better} | {
            figure.name: figure.as_json() for figure in self.figures
        }


async def compare_rankings(
    owner: Connection,
    present: Encoder,
    candidate: Encoder,
    ranking: RankingModel,
    dataset: Dataset,
    needs: Sequence[str],
    progress: Progress = lambda *_: None,
) -> Comparison:
    """Both encoders in the service's own index and pipeline, over `needs` and every outcome of a graded data set.

    `owner` may create a schema; it is dropped at the end. The ranking model is the same for both; its weights were
    fitted to the present encoder, so that a candidate is judged the harder.
    """
    wanted = set(needs)
    held = replace(
        dataset,
        queries=tuple(query for query in dataset.queries if query.id in wanted),
        grades={need: grades for need, grades in dataset.grades.items() if need in wanted},
    )
    systems = {"dense": DENSE, "duijie": WHOLE}
    before = await evaluate(owner, present, ranking, held, list(systems), _named(progress, "present"))
    after = await evaluate(owner, candidate, ranking, held, list(systems), _named(progress, "candidate"))
    figures = []
    for system, name in systems.items():
        old = {need: found[NDCG] for need, found in before.figures[system].items()}
        new = {need: found[NDCG] for need, found in after.figures[system].items()}
        figures.append(_measured(name, old, new))
    return Comparison(tuple(figures))


def compare_decisions(present: Encoder, candidate: Encoder, texts: JudgedTexts, needs: Sequence[str]) -> Comparison:
    """Both encoders by how often an accepted outcome of a need lies nearer to it than a declined one (AUC)."""
    return Comparison((_measured("AUC", _dense(present, texts, needs), _dense(candidate, texts, needs)),))


def _dense(encoder: Encoder, texts: JudgedTexts, needs: Sequence[str]) -> dict[str, float | None]:
    outcomes = sorted({outcome for need in needs for outcome in texts.grades[need]})

    def vectors(of: Sequence[Sequence[str]], role: Role) -> Vector:
        return np.stack([encoder.encode([passages], role)[0].vector for passages in of])

    asked = vectors([texts.needs[need] for need in needs], "query")
    return dense_figures(
        asked, vectors([texts.outcomes[each] for each in outcomes], "document"), texts, needs, outcomes
    )


def _measured(name: str, old: dict[str, float | None], new: dict[str, float | None]) -> Measured:
    pairs = [(was, now) for need, was in old.items() if was is not None and (now := new[need]) is not None]
    if not pairs:
        raise TooFewError("no need is left to compare the encoders on")
    before, after = [was for was, _ in pairs], [now for _, now in pairs]
    return Measured(name, fmean(before), fmean(after), paired_bootstrap(after, before))


def _named(progress: Progress, name: str) -> Progress:
    return lambda stage, done, total: progress(f"{name}: {stage}", done, total)
