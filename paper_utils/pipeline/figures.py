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
    "TRAINING_NOTEBOOK",
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
    "03_attention_maps",
    "04_head_ablation",
    "05_prediction_shift",
    "06_monosemantic_gallery",
    "07_claims_ledger",
)
_ONE, _TWO, _THREE, _FOUR, _FIVE, _SIX, _SEVEN = NOTEBOOKS
TRAINING_NOTEBOOK = _TWO
_MAPS = ("images", "maps", "fine_tuning")
FIGURES: dict[str, Source] = {
    "figure_1": Source(_THREE, "flowchart"),
    "figure_2": Source(_ONE, "spectrogram_samples", ("images",)),
    "figure_3": Source(_FIVE, "prediction_histograms", ("plain_ablation",)),
    "figure_4": Source(_FOUR, "ablation_heatmap", ("ablation", "attribution")),
    "figure_5": Source(_SIX, "gallery", _MAPS),
    "figure_6": Source(_THREE, "overlays", _MAPS),
    "figure_7": Source(_THREE, "overlays", _MAPS),
    "figure_8": Source(_SIX, "gallery", _MAPS),
    "variants": Source(_ONE, "variant_panel", ("images",)),
    "learning_curves": Source(_TWO, "learning_curves", ("fine_tuning",)),
    "residuals": Source(_TWO, "predicted_against_true", ("evaluation",)),
    "accuracy_by_group": Source(_TWO, "accuracy_by_group", ("evaluation",)),
    "study": Source(_TWO, "study_curves", ("fine_tuning",)),
    "effect_intervals": Source(_FOUR, "effect_intervals", ("ablation", "attribution")),
    "effects_by_target": Source(_FOUR, "effects_by_target", ("ablation", "attribution")),
    "replacements": Source(_FOUR, "effect_scatter", ("ablation", "attribution", "replacements")),
    "screening": Source(_FOUR, "effect_scatter", ("ablation", "attribution")),
    "removal": Source(_FOUR, "removal_curves", ("removals",)),
    "figure_4_three_times": Source(_FOUR, "sweeps_side_by_side", ("ablation", "attribution", "protocols")),
    "shift_bounds": Source(_FIVE, "shift_bounds", ("ablation", "attribution")),
    "shifts": Source(_FIVE, "shift_maps", ("plain_ablation", "ablation", "attribution")),
    "named_heads": Source(_SIX, "overlays", _MAPS),
    "atlas": Source(_SIX, "atlas", _MAPS),
    "kinds_by_layer": Source(_SIX, "kinds_by_layer", _MAPS),
    "region_matrix": Source(_SIX, "region_matrix", _MAPS),
    "region_matrix_cls": Source(_SIX, "region_matrix", _MAPS),
    "driven_heads": Source(_SIX, "driven_heads", _MAPS),
    "score_and_effect": Source(_SIX, "score_and_effect", (*_MAPS, "ablation", "attribution")),
    "variant_shifts": Source(_SIX, "shifts", ("variant_predictions",)),
    "recovered": Source(_SIX, "recovered", ("patching",)),
    "published_walk": Source(_SEVEN, "sweeps_side_by_side"),
}
PAPER_FIGURES = {  # by number: what the paper shows, and says of it
    1: "the method, as a flowchart",
    2: "fifteen images",
    3: "start times predicted with and without each head: alike",
    4: "increase of the loss without each head: at most 0.37 %",
    5: "heads that attend to the chirp alone: in layers 4 and 6 to 11",
    6: "layer 6 head 4: attends to the chirp alone",
    7: "layer 12 head 12: attends to several regions",
    8: "early heads that attend to something else alone: several",
}
# the paper's figures and what README shows
SHIP_TO = "PAPER_UTILS_SHIP_TO"  # environment variable: the folder that `tools.ship` has shipped figures drawn into
SHIPPED_FIGURES = (*(f"figure_{number}" for number in PAPER_FIGURES), "figure_4_three_times")


def save_figure(figure: Figure, stem: Path, *, pdf: bool = True) -> bool:
    """Write stem.png (and .pdf) unless a file of the same pixels is there; return whether anything was written.

    Neither holds a commit, a time or a machine: the same results give the same file.

    Raises:
        CompanionError: the folder cannot be written.
    """
    from ..plots.style import STYLE

    with mpl.style.context(STYLE):
        with atomic_path(stem.with_name(f"{stem.name}.new.png")) as path:
            figure.savefig(path, metadata={"Software": None})
        new = stem.with_name(f"{stem.name}.new.png")
        same = same_pixels(new, stem.with_suffix(".png"))
        if same:
            new.unlink()
        else:
            new.replace(stem.with_suffix(".png"))
        if pdf and not (same and stem.with_suffix(".pdf").is_file()):
            with atomic_path(stem.with_suffix(".pdf")) as path:
                figure.savefig(path, metadata={"CreationDate": None, "Creator": None, "Producer": None})
    return not same


def same_pixels(new: Path, old: Path) -> bool:
    """Return whether two images show the same; not where the second is missing or damaged."""
    if not old.is_file():
        return False
    try:
        with Image.open(new) as first, Image.open(old) as second:
            return first.size == second.size and np.array_equal(np.asarray(first), np.asarray(second))
    except OSError:  # a damaged file is written again
        return False


def check_figure(name: str, notebook: str) -> None:
    """Raise CompanionError where a notebook saves a figure that is not said to be its own."""
    if name not in FIGURES or FIGURES[name].notebook != notebook:
        raise CompanionError(
            f"{notebook} saves figure {name!r}, which paper_utils/pipeline/figures.py does not give it"
        )
