"""How good the ranking is, on graded judgments, measured through the service's own index and pipeline."""

from matching.evaluation.dataset import Dataset, DatasetError, load, load_unjudged
from matching.evaluation.run import Evaluation, Scores, check_names, evaluate, ranked_lists, title_of
from matching.evaluation.systems import SYSTEMS

__all__ = [
    "SYSTEMS",
    "Dataset",
    "DatasetError",
    "Evaluation",
    "Scores",
    "check_names",
    "evaluate",
    "load",
    "load_unjudged",
    "ranked_lists",
    "title_of",
]
