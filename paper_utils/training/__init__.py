"""Fine-tuning: the recipe, its schedule and checkpoints, importance sampling of images, evaluation."""

from .bias import Bias, selected_and_untouched
from .comparison import StudyComparison, TrainingSummary
from .evaluation import Evaluation, accuracy, concatenate, evaluate, evaluate_held_out, held_out, in_batches, loader
from .fine_tuning import fine_tune
from .history import Epoch, images_to_reach, steepest_fall
from .recipe import Recipe
from .sampling import importance_sample, sampling_probability
from .summaries import Accuracy, AccuracyByGroup, ErrorOnEdges, OracleLimits, StoredCheck

__all__ = [
    "Accuracy",
    "AccuracyByGroup",
    "Bias",
    "Epoch",
    "ErrorOnEdges",
    "Evaluation",
    "OracleLimits",
    "Recipe",
    "StoredCheck",
    "StudyComparison",
    "TrainingSummary",
    "accuracy",
    "concatenate",
    "evaluate",
    "evaluate_held_out",
    "fine_tune",
    "held_out",
    "images_to_reach",
    "importance_sample",
    "in_batches",
    "loader",
    "sampling_probability",
    "selected_and_untouched",
    "steepest_fall",
]
