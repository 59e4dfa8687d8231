"""Run the comparison: index a data set in a scratch schema, ask every system, measure."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from matching.embedding.protocol import Encoder
from matching.evaluation.ablation import Ablation, ablate
from matching.evaluation.comparison import (
    NDCG,
    RECALL,
    ByNeed,
    WinLoss,
    differences_of,
    figures_of,
    intervals_of,
    means_of,
    win_loss,
)
from matching.evaluation.dataset import Dataset, DatasetError, Document
from matching.evaluation.scratch import Progress, fill, identifier_of, profile_of, scratch_schema
from matching.evaluation.significance import CONFIDENCE, RESAMPLES, SEED, Interval
from matching.evaluation.systems import SYSTEMS, Setting
from matching.fusion import RankingModel
from matching.index import Connection
from matching.pipeline import embedded_ad_hoc
from matching.types import EmbeddedProfile

BASELINE = "bm25"


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
            NDCG: self.ndcg,
            "ndcg@10_judged": self.ndcg_judged,
            "judged@10": self.judged,
            RECALL: self.recall,
            "mrr": self.mrr,
            "ms": self.ms,
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came out: scores, ranked lists and figures need by need of every system, and what sets systems apart."""

    queries: int
    ranking: str
    titles: dict[str, str]
    systems: dict[str, Scores]
    runs: dict[str, dict[str, list[str]]]
    figures: dict[str, ByNeed]
    baseline: str
    ablation: Ablation | None = None

    def intervals(self, system: str) -> dict[str, Interval]:
        """A system's means with their intervals, by metric."""
        return intervals_of(self.figures[system])

    def comparisons(self) -> dict[str, dict[str, Interval]]:
        """Every other system against the baseline, by metric."""
        base = self.figures[self.baseline]
        return {name: differences_of(figures, base) for name, figures in self.figures.items() if name != self.baseline}

    def win_loss(self) -> WinLoss | None:
        """The last system named against the baseline, need by need; None where there is no other system."""
        others = [name for name in self.systems if name != self.baseline]
        return win_loss(self.figures, others[-1], self.baseline, self.titles) if others else None

    def as_json(self) -> dict[str, Any]:
        """The report file."""
        needs = self.win_loss()
        return {
            "queries": self.queries,
            "ranking_model": self.ranking,
            "systems": {name: scores.as_json() for name, scores in self.systems.items()},
            "bootstrap": {"resamples": RESAMPLES, "confidence": CONFIDENCE, "seed": SEED},
            "intervals": {name: _json_of(self.intervals(name)) for name in self.systems},
            "baseline": self.baseline,
            "differences": {name: _json_of(found) for name, found in self.comparisons().items()},
            "win_loss": needs.as_json() if needs else None,
            "needs": [
                {
                    "id": need,
                    "title": title,
                    "systems": {name: dict(figures[need]) for name, figures in self.figures.items()},
                }
                for need, title in self.titles.items()
            ],
            "ablation": self.ablation.as_json() if self.ablation else None,
        }


def _json_of(found: Mapping[str, Interval]) -> dict[str, dict[str, float]]:
    return {metric: interval.as_json() for metric, interval in found.items()}


def check_names(names: Sequence[str], baseline: str | None = None) -> str:
    """The system that the others are compared with: the one chosen, else bm25 if it is there, else the first.

    Raises:
        DatasetError: no system is named, a name is unknown, or the baseline is not among them.
    """
    if unknown := [name for name in names if name not in SYSTEMS]:
        raise DatasetError(f"no system {unknown[0]!r}: choose from {', '.join(SYSTEMS)} / 没有这个系统，请从中选择")
    if not names:
        raise DatasetError(f"no system named: choose from {', '.join(SYSTEMS)} / 请至少选择一个系统")
    if baseline is not None and baseline not in names:
        raise DatasetError(
            f"the baseline {baseline!r} is not among the systems compared: {', '.join(names)} / 基线不在所比较的系统中"
        )
    return baseline or (BASELINE if BASELINE in names else names[0])


async def evaluate(
    owner: Connection,
    encoder: Encoder,
    ranking: RankingModel,
    dataset: Dataset,
    names: Sequence[str],
    progress: Progress = lambda *_: None,
    *,
    baseline: str | None = None,
    ablation: bool = False,
) -> Evaluation:
    """Compare systems on a data set, and the ranking's signals where `ablation`.

    `owner` may create a schema; it is dropped at the end.

    Raises:
        DatasetError: as `check_names`.
    """
    chosen = check_names(names, baseline)
    systems: dict[str, Scores] = {}
    runs: dict[str, dict[str, list[str]]] = {}
    figures: dict[str, ByNeed] = {}
    async with _prepared(owner, encoder, ranking, dataset, progress) as prepared:
        for name in names:
            runs[name], times = await _ask(prepared, name, progress)
            figures[name] = {need: figures_of(ranked, dataset.grades[need]) for need, ranked in runs[name].items()}
            systems[name] = _scores(figures[name], times)
        ablated = (
            await ablate(prepared.setting, prepared.needs, prepared.documents, dataset.grades, progress)
            if ablation
            else None
        )
    titles = {query.id: title_of(query) for query in dataset.queries}
    return Evaluation(len(dataset.queries), ranking.version, titles, systems, runs, figures, chosen, ablated)


async def ranked_lists(
    owner: Connection,
    encoder: Encoder,
    ranking: RankingModel,
    dataset: Dataset,
    names: Sequence[str],
    progress: Progress = lambda *_: None,
) -> dict[str, dict[str, list[str]]]:
    """Document ids by system and query, best first, without measuring: what is pooled for judging.

    Raises:
        DatasetError: as `check_names`.
    """
    check_names(names)
    async with _prepared(owner, encoder, ranking, dataset, progress) as prepared:
        return {name: (await _ask(prepared, name, progress))[0] for name in names}


def title_of(document: Document) -> str:
    """A title for the eye: the text's beginning where there is none."""
    return document.title.strip() or document.text.strip()[:60]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A data set in its scratch schema: embedded needs by query, and documents by profile."""

    setting: Setting
    needs: dict[str, EmbeddedProfile]
    documents: dict[UUID, str]


@asynccontextmanager
async def _prepared(
    owner: Connection, encoder: Encoder, ranking: RankingModel, dataset: Dataset, progress: Progress
) -> AsyncIterator[_Prepared]:
    async with scratch_schema(owner):
        embedding = await fill(owner, encoder, dataset.documents, progress)
        documents = {identifier_of("outcome", document.id): document.id for document in dataset.documents}
        needs = await _needs(owner, encoder, dataset, progress)
        yield _Prepared(Setting(owner, embedding, ranking), needs, documents)


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


async def _ask(prepared: _Prepared, name: str, progress: Progress) -> tuple[dict[str, list[str]], list[float]]:
    runs: dict[str, list[str]] = {}
    times: list[float] = []
    for number, (query, need) in enumerate(prepared.needs.items(), start=1):
        begun = time.perf_counter()
        async with prepared.setting.connection.transaction():
            found = await SYSTEMS[name](prepared.setting, need)
        times.append((time.perf_counter() - begun) * 1000)
        runs[query] = [prepared.documents[identifier] for identifier in found]
        progress(name, number, len(prepared.needs))
    return runs, times


def _scores(figures: ByNeed, times: list[float]) -> Scores:
    means = means_of(figures)
    return Scores(
        ndcg=means[NDCG],
        ndcg_judged=means["ndcg@10_judged"],
        judged=means["judged@10"],
        recall=means.get(RECALL, 0.0),
        mrr=means["mrr"],
        ms=sorted(times)[len(times) // 2],
    )
