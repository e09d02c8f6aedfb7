"""Which notebook makes which figure, with which function of `plots` and of which results: stated here alone."""

from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from ..errors import CompanionError
from ..files import atomic_path

__all__ = [
    "FIGURES",
    "NOTEBOOKS",
    "PAPER_FIGURES",
    "SHIPPED_FIGURES",
    "SHIP_TO",
    "TRAINING_NOTEBOOKS",
    "Source",
    "check_figure",
    "same_pixels",
    "save_figure",
]


@dataclass(frozen=True)
class Source:
    """What a figure comes from."""

    notebook: str
    plot: str  # function of `plots`
    stages: tuple[str, ...] = ()


NOTEBOOKS = (
    "01_generate_chirps",
    "02_finetune_vit",
    "02b_accuracy_and_controls",
    "03_attention_maps",
    "04_head_ablation",
    "04b_other_ablations",
    "04c_released_protocol",
    "05_prediction_shift",
    "06_monosemantic_gallery",
    "06b_named_heads",
    "06c_content_or_position",
    "06d_attention_and_effect",
    "08_orientation_and_colour",
    "08b_what_a_vit_makes_of_them",
    "08c_colour_and_transitions",
    "09_attention_and_stability",
    "10_clap",
    "10b_definitions_and_associations",
    "07_claims_ledger",
    "07b_another_backbone",
    "07c_published_numbers",
    "07d_other_papers",
)
TRAINING_NOTEBOOKS = ("02_finetune_vit", "02b_accuracy_and_controls")  # they need what became of the training
ORIENTATION = "08_orientation_and_colour"
VIT_ON_LINES, VIT_ON_COLOURS = "08b_what_a_vit_makes_of_them", "08c_colour_and_transitions"
STABILITY = "09_attention_and_stability"
CLAP, DEFINITIONS = "10_clap", "10b_definitions_and_associations"
_MAPS = ("images", "maps", "fine_tuning")
FIGURES: dict[str, Source] = {
    "figure_1": Source("03_attention_maps", "flowchart"),
    "figure_2": Source("01_generate_chirps", "spectrogram_samples", ("images",)),
    "figure_3": Source("05_prediction_shift", "prediction_distributions", ("ablation", "attribution")),
    "figure_4": Source("04_head_ablation", "ablation_heatmap", ("ablation", "attribution")),
    "figure_5": Source("06_monosemantic_gallery", "gallery", _MAPS),
    "figure_6": Source("03_attention_maps", "overlays", _MAPS),
    "figure_7": Source("03_attention_maps", "overlays", _MAPS),
    "figure_8": Source("06_monosemantic_gallery", "gallery", _MAPS),
    "variants": Source("01_generate_chirps", "variant_panel", ("images",)),
    "learning_curves": Source("02_finetune_vit", "learning_curves", ("fine_tuning",)),
    "residuals": Source("02_finetune_vit", "predicted_against_true", ("evaluation",)),
    "accuracy_by_group": Source("02b_accuracy_and_controls", "accuracy_by_group", ("evaluation",)),
    "study": Source("02b_accuracy_and_controls", "study_curves", ("fine_tuning",)),
    "effect_intervals": Source("04_head_ablation", "effect_intervals", ("ablation", "attribution")),
    "effects_by_target": Source("05_prediction_shift", "effects_by_target", ("ablation", "attribution")),
    "replacements": Source("04b_other_ablations", "effect_scatter", ("ablation", "attribution", "replacements")),
    "screening": Source("04b_other_ablations", "effect_scatter", ("ablation", "attribution")),
    "removal": Source("04b_other_ablations", "removal_curves", ("removals",)),
    "figure_4_three_times": Source(
        "04c_released_protocol", "sweeps_side_by_side", ("ablation", "attribution", "protocols")
    ),
    "shift_bounds": Source("05_prediction_shift", "shift_bounds", ("ablation", "attribution")),
    "shifts": Source("05_prediction_shift", "shift_maps", ("ablation", "attribution")),
    "named_heads": Source("06b_named_heads", "overlays", _MAPS),
    "atlas": Source("06b_named_heads", "atlas", _MAPS),
    "kinds_by_layer": Source("06_monosemantic_gallery", "kinds_by_layer", _MAPS),
    "region_matrix": Source("06b_named_heads", "region_matrix", _MAPS),
    "region_matrix_cls": Source("06b_named_heads", "region_matrix", _MAPS),
    "driven_heads": Source("06c_content_or_position", "driven_heads", _MAPS),
    "score_and_effect": Source("06d_attention_and_effect", "score_and_effect", (*_MAPS, "ablation", "attribution")),
    "variant_shifts": Source("06c_content_or_position", "shifts", ("variant_predictions",)),
    "recovered": Source("06d_attention_and_effect", "recovered", ("patching",)),
    "line_samples": Source(ORIENTATION, "line_panel"),
    "two_labels": Source(ORIENTATION, "line_panel"),
    "error_by_angle": Source(ORIENTATION, "error_by_angle"),
    "colour_contrasts": Source(ORIENTATION, "colour_contrasts"),
    "line_architecture": Source(VIT_ON_LINES, "line_architecture"),
    "vit_error_by_angle": Source(VIT_ON_LINES, "error_by_angle"),
    "vit_error_by_encoding": Source(VIT_ON_LINES, "error_curves"),
    "head_similarity": Source(VIT_ON_LINES, "head_similarity"),
    "vit_error_by_colour": Source(VIT_ON_COLOURS, "error_by_colour"),
    "vit_colour_tree": Source(VIT_ON_COLOURS, "colour_tree"),
    "head_similarity_photographs": Source(VIT_ON_COLOURS, "head_similarity"),
    "vit_losses": Source(VIT_ON_COLOURS, "loss_curves"),
    "signed_network": Source(STABILITY, "signed_network"),
    "eigenvalues": Source(STABILITY, "eigenvalues"),
    "network_scores": Source(STABILITY, "network_scores"),
    "attention_draws": Source(STABILITY, "attention_draws"),
    "random_networks": Source(STABILITY, "correlations_by_score"),
    "patching_protocol": Source(CLAP, "patching_protocol"),
    "released_and_corrected": Source(CLAP, "released_and_corrected"),
    "clean_differences": Source(DEFINITIONS, "clean_differences"),
    "recovered_by_layer": Source(DEFINITIONS, "recovered_by_layer"),
    "edits": Source(DEFINITIONS, "edits"),
    "pair_maps": Source(DEFINITIONS, "pair_maps"),
    "published_walk": Source("07c_published_numbers", "sweeps_side_by_side"),
}
PAPER_FIGURES = {  # by number: what the paper shows, and says of it
    1: "the method, as a flowchart",
    2: "fifteen images",
    3: "start times predicted without a head of layers 1 to 3: alike",
    4: "increase of the loss without each head: at most 0.37 %",
    5: "heads that attend to the chirp alone: in layers 4 and 6 to 11",
    6: "layer 6 head 4: attends to the chirp alone",
    7: "layer 12 head 12: attends to several regions",
    8: "early heads that attend to something else alone: several",
}
# the paper's figures and what README shows
SHIP_TO = "PAPER_UTILS_SHIP_TO"  # environment variable: the folder that `tools.ship` has shipped figures drawn into
SHIPPED_FIGURES = (*(f"figure_{number}" for number in PAPER_FIGURES), "figure_4_three_times")


STEP = 1  # of 255: what a colour may differ by


def save_figure(figure: Figure, stem: Path, *, pdf: bool = True) -> bool:
    """Write stem.png (and .pdf) unless a file of the same pixels is there; return whether the PNG was written.

    Neither holds a commit, a time or a machine: the same results give the same file. A PDF may differ where no pixel
    does (its fonts), and a run that is killed must not leave an older one: it is drawn each time, and first.

    Raises:
        CompanionError: the folder cannot be written.
    """
    from ..plots.style import STYLE

    with mpl.style.context(STYLE):
        if pdf:
            with atomic_path(stem.with_suffix(".pdf")) as path:
                figure.savefig(path, metadata={"CreationDate": None, "Creator": None, "Producer": None})
        with atomic_path(stem.with_name(f"{stem.name}.new.png")) as path:
            figure.savefig(path, metadata={"Software": None})
        new = stem.with_name(f"{stem.name}.new.png")
        same = same_pixels(new, stem.with_suffix(".png"))
        if same:
            new.unlink()
        else:
            new.replace(stem.with_suffix(".png"))
    return not same


def same_pixels(new: Path, old: Path) -> bool:
    """Return whether two images show the same; not where the second is missing or damaged.

    Processors differ in the last digit of what is drawn, which may move a colour by a step.
    """
    if not old.is_file():
        return False
    try:
        with Image.open(new) as first, Image.open(old) as second:
            if first.size != second.size:
                return False
            pixels = [np.asarray(image.convert("RGBA"), np.int16) for image in (first, second)]
            return int(np.abs(pixels[0] - pixels[1]).max()) <= STEP
    except (OSError, SyntaxError, ValueError):  # as Pillow says it; a damaged file is written again
        return False


def check_figure(name: str, notebook: str) -> None:
    """Raise CompanionError where a notebook saves a figure that is not said to be its own."""
    if name not in FIGURES or FIGURES[name].notebook != notebook:
        raise CompanionError(
            f"{notebook} saves figure {name!r}, which paper_utils/pipeline/figures.py does not give it"
        )
