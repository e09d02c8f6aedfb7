"""Figures: data in, a matplotlib Figure out (or a page of HTML); nothing here computes a result, loads a model or writes.

Each function makes one figure of the notebooks, in one style. A notebook calls `plots.ablation_heatmap(increase)`.
"""

from .ablation import (
    effect_intervals,
    effect_scatter,
    effects_by_target,
    shift_bounds,
    shift_maps,
    sweeps_side_by_side,
)
from .attention import (
    atlas,
    driven_heads,
    kinds_by_layer,
    recovered,
    region_matrix,
    score_and_effect,
    shifts,
)
from .effects import ablation_heatmap, prediction_distributions, removal_curves
from .explorer import Heads, explorer_page
from .heads import gallery, overlays
from .images import region_map, spectrogram_samples, variant_panel
from .language import clean_differences, edits, pair_maps, patching_protocol, recovered_by_layer, released_and_corrected
from .learning import (
    accuracy_by_group,
    learning_curves,
    predicted_against_true,
    pretraining_losses,
    stroke_samples,
    study_curves,
)
from .lines import colour_contrasts, error_by_angle, line_panel
from .method import flowchart
from .networks import attention_draws, correlations_by_score, eigenvalues, network_scores, signed_network
from .orientation import (
    colour_tree,
    error_by_colour,
    error_curves,
    head_similarity,
    line_architecture,
    loss_curves,
)

__all__ = [
    "Heads",
    "ablation_heatmap",
    "accuracy_by_group",
    "atlas",
    "attention_draws",
    "clean_differences",
    "edits",
    "colour_contrasts",
    "colour_tree",
    "correlations_by_score",
    "driven_heads",
    "effect_intervals",
    "effect_scatter",
    "effects_by_target",
    "eigenvalues",
    "error_by_angle",
    "error_by_colour",
    "error_curves",
    "explorer_page",
    "flowchart",
    "gallery",
    "head_similarity",
    "kinds_by_layer",
    "learning_curves",
    "line_architecture",
    "line_panel",
    "loss_curves",
    "network_scores",
    "overlays",
    "pair_maps",
    "patching_protocol",
    "predicted_against_true",
    "prediction_distributions",
    "pretraining_losses",
    "recovered",
    "recovered_by_layer",
    "region_map",
    "region_matrix",
    "released_and_corrected",
    "removal_curves",
    "score_and_effect",
    "shift_bounds",
    "shift_maps",
    "shifts",
    "signed_network",
    "spectrogram_samples",
    "stroke_samples",
    "study_curves",
    "sweeps_side_by_side",
    "variant_panel",
]
