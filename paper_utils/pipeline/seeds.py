"""What claims rest on for the models of other training seeds: does another training come to the same verdict?

All on the images that the run's own model is looked into on, so that only the training differs.
"""

from collections.abc import Callable
from pathlib import Path

from ..attention.classified import classify_heads
from ..attention.mapped import map_images
from ..data.dataset import split_seed
from ..files import write_json
from ..interventions.effects import AblationEffects
from ..interventions.estimated import EstimatedAblation
from ..interventions.pruning import Removals
from ..interventions.redundancy import Redundancy
from ..interventions.shifts import PredictionShift
from ..interventions.walk import walk_metrics
from ..models.regressor import ChirpRegressor
from ..training.evaluation import evaluate_held_out
from ..training.summaries import Accuracy
from .computations import ablate, linearise, remove
from .study import VARIANTS
from .work import Work

__all__ = ["SEEDS", "maker", "metrics_of"]

SEEDS = tuple(name for name, variant in VARIANTS.items() if variant.is_seed)  # of the study, whose models are kept


def maker(name: str) -> Callable[[Work, Path], None]:
    """Return what writes the metrics of one of SEEDS."""

    def make(work: Work, path: Path) -> None:
        write_json(path, metrics_of(work, work.other_model(name), stage=f"seeds/{name}"))
        work.finished(f"seeds/{name}")

    return make


def metrics_of(work: Work, model: ChirpRegressor, *, stage: str) -> dict[str, float | str]:
    """Return what claims rest on for the model of another training seed, as flat keys.

    Args:
        work: whose images and sizes are taken.
        model: of the other seed, LoRA merged.
        stage: names what an interrupted computation leaves.
    """
    profile = work.profile
    exact = ablate(work, model, partial=work.unfinished(stage, "exact"))
    linearised = linearise(work, model, kinds=("zero_qkv", "mean"), partial=work.unfinished(stage, "linearised"))
    early = remove(
        work,
        model,
        linearised,
        names=lambda name: name.startswith(("early", "layers", "random")),
        partial=work.unfinished(stage, "removals"),
    )
    ablation = EstimatedAblation.of(exact, linearised)
    effects = AblationEffects.of(ablation)
    first = profile.test_images  # as many images again, by which nothing was chosen
    unselected = evaluate_held_out(model, profile, range(first, min(2 * first, profile.ablation_pool)))
    mapped = map_images(
        model,
        split_seed(profile.seed, "test"),
        range(profile.map_images),
        binning=profile.binning,
        resizing=profile.resizing,
    )
    walk = {f"ablation.{name}": value for name, value in walk_metrics(effects.increase).items()}
    return (
        effects.metrics()
        | walk
        | PredictionShift.of(ablation).metrics()
        | classify_heads(mapped).metrics()
        | Removals.of(early).metrics(early=3 * effects.increase.shape[1])
        | Redundancy.of(early, ablation.exact).metrics()
        | Accuracy.of(unselected).metrics(of="accuracy.unselected")
    )
