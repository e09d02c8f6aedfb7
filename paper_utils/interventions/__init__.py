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
from .equivalence import Equivalence, equivalence
from .estimated import EstimatedAblation
from .groups import compare_heads, group_metrics, largest_head
from .patching import recovery
from .protocol_effects import ProtocolEffects
from .protocol_states import protocol_losses, state_losses
from .protocols import (
    DESCRIBED,
    PROTOCOLS,
    RELEASED,
    SWEEPS,
    TO_SCALE,
    Protocol,
    continuity,
    lag_1_autocorrelation,
    with_untuned_vit,
)
from .pruning import Removals, orders, removal
from .recovered import PatchingRecovery, patching_recovery
from .redundancy import Redundancy, redundancy_table
from .replacements import ReplacementEffects
from .shifts import PredictionShift
from .stored import StoredAblationCheck
from .targets import TargetEffects
from .walk import MARKS, rank_autocorrelation, shuffled_rows, walk_metrics

__all__ = [
    "DESCRIBED",
    "KINDS",
    "MARKS",
    "PROTOCOLS",
    "RELEASED",
    "SWEEPS",
    "TO_SCALE",
    "Ablation",
    "AblationEffects",
    "AttributionEstimates",
    "Engine",
    "Equivalence",
    "EstimatedAblation",
    "PatchingRecovery",
    "PredictionShift",
    "Protocol",
    "ProtocolEffects",
    "Redundancy",
    "Removals",
    "ReplacementEffects",
    "StoredAblationCheck",
    "TargetEffects",
    "ablate_every_head",
    "compare_heads",
    "continuity",
    "effect_intervals_of",
    "equivalence",
    "effect_metrics",
    "group_metrics",
    "head_zeroed",
    "lag_1_autocorrelation",
    "largest_head",
    "layer_summary",
    "linearised",
    "orders",
    "patching_recovery",
    "plain_sweep",
    "protocol_losses",
    "rank_autocorrelation",
    "recovery",
    "redundancy_table",
    "removal",
    "shuffled_rows",
    "squared_errors",
    "state_losses",
    "target_errors",
    "walk_metrics",
    "with_untuned_vit",
]
