"""What each signal is worth: the ranking without it, and the ranking by it alone.

Candidates and readings are computed once a need; every variant weighs the same readings anew. So a variant loses what
the signal does in ordering, and none of the candidates.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

from matching.evaluation.comparison import NDCG, RECALL, Figures, differences_of, figures_of, intervals_of
from matching.evaluation.dataset import DatasetError
from matching.evaluation.scratch import Progress
from matching.evaluation.significance import Interval
from matching.evaluation.systems import DEPTH, Setting
from matching.fusion import RankingModel, Term
from matching.pipeline import rank
from matching.policy import arrange
from matching.signals import SIGNALS
from matching.types import EmbeddedProfile, Match, Reading

EVERY_CANDIDATE = 1_000_000
VariantKind = Literal["whole", "without", "alone"]
Variant = tuple[VariantKind, str]
WHOLE: Variant = ("whole", "")


@dataclass(frozen=True, slots=True)
class Ablated:
    """A variant's figures, and what sets it apart from the whole ranking."""

    kind: VariantKind
    signal: str
    ndcg: Interval
    recall: Interval | None
    ndcg_difference: Interval
    recall_difference: Interval | None

    def as_json(self) -> dict[str, Any]:
        """The variant under the names of the report file."""
        recall, difference = self.recall, self.recall_difference
        return {
            "variant": self.kind,
            "signal": self.signal or None,
            NDCG: self.ndcg.mean,
            RECALL: recall.mean if recall else None,
            "difference": {
                NDCG: self.ndcg_difference.as_json(),
                RECALL: difference.as_json() if difference else None,
            },
        }


@dataclass(frozen=True, slots=True)
class Ablation:
    """The whole ranking, then without each signal, then by each alone; `silent` signals state nothing in the data."""

    rows: tuple[Ablated, ...]
    silent: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The ablation under the names of the report file."""
        return {"rows": [row.as_json() for row in self.rows], "silent": list(self.silent)}


def without(ranking: RankingModel, signal: str) -> RankingModel:
    """The model with the signal's weight set to 0; the others keep theirs, they are not fitted anew."""
    changed = {name: replace(term, weight=0.0) if name == signal else term for name, term in ranking.terms.items()}
    return replace(ranking, terms=changed)


def alone(ranking: RankingModel, signal: str) -> RankingModel:
    """The model with this signal only. One that the model gives no weight counts as speaking for a pair."""
    term = ranking.terms.get(signal, Term(0.0, 0.0))
    return replace(ranking, terms={signal: term if term.weight else replace(term, weight=1.0)})


def rescored(matches: list[Match], ranking: RankingModel) -> list[Match]:
    """The same pairs with the same readings under another model, best first."""
    changed = []
    for match in matches:
        contributions = tuple(
            ranking.contribution(part.signal, Reading(part.raw, part.evidence)) for part in match.contributions
        )
        changed.append(replace(match, score=ranking.score(contributions), contributions=contributions))
    return arrange(changed, DEPTH)


async def ablate(
    setting: Setting,
    needs: Mapping[str, EmbeddedProfile],
    documents: Mapping[UUID, str],
    grades: Mapping[str, Mapping[str, int]],
    progress: Progress,
) -> Ablation:
    """Measure every variant over all needs. The signals are those that the pipeline reads.

    Raises:
        DatasetError: the ranking model is one of trees, which has no weight to take away.
    """
    ranking = setting.ranking
    if not isinstance(ranking, RankingModel):
        raise DatasetError("ablation takes weights away: it needs a logistic ranking model, not one of trees")
    figures: dict[Variant, dict[str, Figures]] = {}
    spoken = dict.fromkeys((signal.name for signal in SIGNALS), False)
    for number, (need, profile) in enumerate(needs.items(), start=1):
        async with setting.connection.transaction():
            matches = await rank(
                setting.connection,
                profile,
                setting.embedding,
                ranking,
                today=setting.today,
                limit=EVERY_CANDIDATE,
            )
        for match in matches:
            for part in match.contributions:
                spoken[part.signal] = spoken[part.signal] or part.raw is not None
        for variant, model in _variants(ranking, spoken).items():
            ranked = [documents[match.outcome_id] for match in rescored(matches, model)]
            measured = figures_of(ranked, grades[need])
            figures.setdefault(variant, {})[need] = {metric: measured[metric] for metric in (NDCG, RECALL)}
        progress("ablation", number, len(needs))
    telling = [(kind, signal) for kind, signal in figures if not signal or spoken[signal]]
    rows = (_row(variant, figures[variant], figures[WHOLE]) for variant in telling)
    return Ablation(tuple(rows), tuple(signal for signal, has in spoken.items() if not has))


def _variants(ranking: RankingModel, signals: Mapping[str, bool]) -> dict[Variant, RankingModel]:
    return (
        {WHOLE: ranking}
        | {("without", signal): without(ranking, signal) for signal in signals}
        | {("alone", signal): alone(ranking, signal) for signal in signals}
    )


def _row(variant: Variant, figures: dict[str, Figures], whole: dict[str, Figures]) -> Ablated:
    means, differences = intervals_of(figures), differences_of(figures, whole)
    return Ablated(*variant, means[NDCG], means.get(RECALL), differences[NDCG], differences.get(RECALL))
