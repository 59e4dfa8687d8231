"""From many signals to one score."""

from matching.fusion.model import (
    DEFAULT,
    RankingModel,
    RankingModelError,
    Term,
    default_model,
    from_json,
    probability_of,
    to_json,
)
from matching.fusion.rrf import reciprocal_rank_fusion

__all__ = [
    "DEFAULT",
    "RankingModel",
    "RankingModelError",
    "Term",
    "default_model",
    "from_json",
    "probability_of",
    "reciprocal_rank_fusion",
    "to_json",
]
