"""How good the ranking is, on graded judgments, measured through the service's own index and pipeline."""

from matching.evaluation.dataset import Dataset, DatasetError, load
from matching.evaluation.run import Evaluation, Scores, evaluate
from matching.evaluation.systems import SYSTEMS

__all__ = ["SYSTEMS", "Dataset", "DatasetError", "Evaluation", "Scores", "evaluate", "load"]
