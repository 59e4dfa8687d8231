"""From many signals to one score."""

from matching.fusion.definition import DEFAULT, Ranking, default_model, from_json, to_json
from matching.fusion.model import RankingModel, RankingModelError, Term, probability_of
from matching.fusion.rrf import reciprocal_rank_fusion
from matching.fusion.trees import TreeModel, TreesUnavailableError

__all__ = [
    "DEFAULT",
    "Ranking",
    "RankingModel",
    "RankingModelError",
    "Term",
    "TreeModel",
    "TreesUnavailableError",
    "default_model",
    "from_json",
    "probability_of",
    "reciprocal_rank_fusion",
    "to_json",
]
