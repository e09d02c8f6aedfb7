"""Fine-tuning: the recipe, its schedule and checkpoints, importance sampling of images, evaluation."""

from .comparison import StudyComparison, TrainingSummary
from .summaries import Accuracy, AccuracyByGroup, ErrorOnEdges, OracleLimits, StoredCheck

__all__ = [
    "Accuracy",
    "AccuracyByGroup",
    "ErrorOnEdges",
    "OracleLimits",
    "StoredCheck",
    "StudyComparison",
    "TrainingSummary",
]
