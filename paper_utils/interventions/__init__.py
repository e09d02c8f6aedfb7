"""Changing the outputs of heads: ablation, attribution patching, pruning, activation patching, protocols."""

from .ablation import (
    Ablation,
    ablate_every_head,
    head_zeroed,
    layer_summary,
    plain_sweep,
    squared_errors,
    target_errors,
)
from .attribution import AttributionEstimates, linearised
from .effects import AblationEffects, effect_intervals_of, effect_metrics
from .engine import KINDS, Engine
from .patching import recovery
from .protocol_effects import ProtocolEffects
from .protocols import (
    DESCRIBED,
    PROTOCOLS,
    RELEASED,
    Protocol,
    continuity,
    intact_losses,
    lag_1_autocorrelation,
    loss_sweep,
    with_untuned_vit,
)
from .pruning import Removals, orders, removal
from .recovered import PatchingRecovery, patching_recovery
from .replacements import ReplacementEffects
from .shifts import PredictionShift, head_shifts, shift_metrics, two_halves
from .stored import StoredAblationCheck
from .targets import TargetEffects

__all__ = [
    "DESCRIBED",
    "KINDS",
    "PROTOCOLS",
    "RELEASED",
    "Ablation",
    "AblationEffects",
    "AttributionEstimates",
    "Engine",
    "PatchingRecovery",
    "PredictionShift",
    "Protocol",
    "ProtocolEffects",
    "Removals",
    "ReplacementEffects",
    "StoredAblationCheck",
    "TargetEffects",
    "ablate_every_head",
    "continuity",
    "effect_intervals_of",
    "effect_metrics",
    "head_shifts",
    "head_zeroed",
    "intact_losses",
    "lag_1_autocorrelation",
    "layer_summary",
    "linearised",
    "loss_sweep",
    "orders",
    "patching_recovery",
    "plain_sweep",
    "recovery",
    "removal",
    "shift_metrics",
    "squared_errors",
    "target_errors",
    "two_halves",
    "with_untuned_vit",
]
