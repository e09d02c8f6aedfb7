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
from .groups import compare_heads, group_metrics, largest_head
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
from .walk import MARKS, rank_autocorrelation, shuffled_rows, walk_metrics

__all__ = [
    "DESCRIBED",
    "KINDS",
    "MARKS",
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
    "compare_heads",
    "continuity",
    "effect_intervals_of",
    "effect_metrics",
    "group_metrics",
    "head_shifts",
    "head_zeroed",
    "intact_losses",
    "lag_1_autocorrelation",
    "largest_head",
    "layer_summary",
    "linearised",
    "loss_sweep",
    "orders",
    "patching_recovery",
    "plain_sweep",
    "rank_autocorrelation",
    "recovery",
    "removal",
    "shift_metrics",
    "shuffled_rows",
    "squared_errors",
    "target_errors",
    "two_halves",
    "walk_metrics",
    "with_untuned_vit",
]
