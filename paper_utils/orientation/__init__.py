"""What a ViT makes of the line images of arXiv 2504.09393: the released heads on a frozen one, and with real LoRA."""

from .angles import ErrorCurve, cardinal_and_oblique, error_near, minimum_from
from .colour import BLUISH, CATEGORIES, YELLOWISH, ColourErrors, adjusted_rand
from .conditions import CONDITIONS, ENCODINGS, TARGETS, Condition, Encoding, check_target, condition, targets_of
from .features import features_of
from .fits import ERRORS, Fits, Fitted
from .fitting import Fit, Split, fit_head
from .heads import INITIAL, LineHead, LineModel, cls_before_norm, losses, weighted
from .intervals import with_interval
from .measured import Orientation
from .phases import LossCurve, Transition, half_way, loss_curves, total_loss, transitions
from .similarity import CONTROLS, map_similarity
from .tuning import outputs_of, tune

__all__ = [
    "BLUISH",
    "CATEGORIES",
    "CONDITIONS",
    "CONTROLS",
    "ENCODINGS",
    "ERRORS",
    "INITIAL",
    "TARGETS",
    "YELLOWISH",
    "ColourErrors",
    "Condition",
    "Encoding",
    "ErrorCurve",
    "Fit",
    "Fits",
    "Fitted",
    "LineHead",
    "LineModel",
    "LossCurve",
    "Orientation",
    "Split",
    "Transition",
    "adjusted_rand",
    "cardinal_and_oblique",
    "check_target",
    "cls_before_norm",
    "condition",
    "error_near",
    "features_of",
    "fit_head",
    "half_way",
    "loss_curves",
    "losses",
    "map_similarity",
    "minimum_from",
    "outputs_of",
    "targets_of",
    "total_loss",
    "transitions",
    "tune",
    "weighted",
    "with_interval",
]
