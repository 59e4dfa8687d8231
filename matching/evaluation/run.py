"""Run the comparison: index a data set in a scratch schema, ask every system, measure."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any
from uuid import UUID

from matching.embedding.protocol import Encoder
from matching.evaluation import metrics
from matching.evaluation.dataset import Dataset, DatasetError
from matching.evaluation.scratch import Progress, fill, identifier_of, profile_of, scratch_schema
from matching.evaluation.systems import SYSTEMS, Setting
from matching.fusion import RankingModel
from matching.index import Connection
from matching.pipeline import embedded_ad_hoc
from matching.types import EmbeddedProfile


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over the queries; `ms` is the median time of a query besides embedding it."""

    ndcg: float
    ndcg_judged: float
    judged: float
    recall: float
    mrr: float
    ms: float

    def as_json(self) -> dict[str, float]:
        """The scores under the names of the report file."""
        return {
            "ndcg@10": self.ndcg,
            "ndcg@10_judged": self.ndcg_judged,
            "judged@10": self.judged,
            "recall@50": self.recall,
            "mrr": self.mrr,
            "ms": self.ms,
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came out: scores by system, and each system's ranked lists by query."""

    queries: int
    systems: dict[str, Scores]
    runs: dict[str, dict[str, list[str]]]

    def as_json(self) -> dict[str, Any]:
        """The report file."""
        return {"queries": self.queries, "systems": {name: scores.as_json() for name, scores in self.systems.items()}}


async def evaluate(
    owner: Connection,
    encoder: Encoder,
    ranking: RankingModel,
    dataset: Dataset,
    names: Sequence[str],
    progress: Progress = lambda *_: None,
) -> Evaluation:
    """Compare systems on a data set. `owner` may create a schema; it is dropped at the end.

    Raises:
        DatasetError: a system's name is unknown.
    """
    if unknown := [name for name in names if name not in SYSTEMS]:
        raise DatasetError(f"no system {unknown[0]!r}: choose from {', '.join(SYSTEMS)}")
    if not names:
        raise DatasetError(f"no system named: choose from {', '.join(SYSTEMS)}")
    async with scratch_schema(owner):
        embedding = await fill(owner, encoder, dataset.documents, progress)
        documents = {identifier_of("outcome", document.id): document.id for document in dataset.documents}
        setting = Setting(owner, embedding, ranking)
        needs = await _needs(owner, encoder, dataset, progress)
        systems: dict[str, Scores] = {}
        runs: dict[str, dict[str, list[str]]] = {}
        for name in names:
            runs[name], times = await _ask(setting, name, needs, documents, progress)
            systems[name] = _measure(runs[name], dataset.grades, times)
    return Evaluation(len(dataset.queries), systems, runs)


async def _needs(
    owner: Connection, encoder: Encoder, dataset: Dataset, progress: Progress
) -> dict[str, EmbeddedProfile]:
    needs = {}
    for number, query in enumerate(dataset.queries, start=1):
        profile = profile_of("need", query)
        (encoded,) = encoder.encode([profile.texts], "query")
        needs[query.id] = await embedded_ad_hoc(owner, profile, encoded)
        progress("embed", number, len(dataset.queries))
    return needs


async def _ask(
    setting: Setting, name: str, needs: dict[str, EmbeddedProfile], documents: dict[UUID, str], progress: Progress
) -> tuple[dict[str, list[str]], list[float]]:
    runs: dict[str, list[str]] = {}
    times: list[float] = []
    for number, (query, need) in enumerate(needs.items(), start=1):
        begun = time.perf_counter()
        async with setting.connection.transaction():
            found = await SYSTEMS[name](setting, need)
        times.append((time.perf_counter() - begun) * 1000)
        runs[query] = [documents[identifier] for identifier in found]
        progress(name, number, len(needs))
    return runs, times


def _measure(runs: dict[str, list[str]], grades: dict[str, dict[str, int]], times: list[float]) -> Scores:
    recalls = [found for query, ranked in runs.items() if (found := metrics.recall(ranked, grades[query])) is not None]
    return Scores(
        ndcg=fmean(metrics.ndcg(ranked, grades[query]) for query, ranked in runs.items()),
        ndcg_judged=fmean(metrics.ndcg_judged(ranked, grades[query]) for query, ranked in runs.items()),
        judged=fmean(metrics.judged_share(ranked, grades[query]) for query, ranked in runs.items()),
        recall=fmean(recalls) if recalls else 0.0,
        mrr=fmean(metrics.reciprocal_rank(ranked, grades[query]) for query, ranked in runs.items()),
        ms=sorted(times)[len(times) // 2],
    )
