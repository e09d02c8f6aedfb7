"""What claims rest on for the models of other training seeds: does another training come to the same verdict?"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ..attention.mapped import map_images
from ..attention.scores import mean_scores
from ..attention.semantics import classify
from ..attention.summaries import attention_metrics
from ..data.dataset import split_seed
from ..files import write_json
from ..interventions.ablation import Ablation, ablate_every_head, squared_errors
from ..interventions.effects import effect_intervals_of, effect_metrics
from ..interventions.pruning import removal
from ..interventions.shifts import shift_metrics
from ..interventions.walk import walk_metrics
from ..models.regressor import ChirpRegressor
from ..training.evaluation import accuracy, evaluate_held_out
from .computations import increase
from .selection import choose, every
from .study import VARIANTS
from .work import Work

__all__ = ["SEEDS", "maker", "metrics_of"]

SEEDS = tuple(name for name, variant in VARIANTS.items() if variant.repeat)  # of the study, whose models are kept


def maker(name: str) -> Callable[[Work, Path], None]:
    """Return what writes the metrics of one of SEEDS."""

    def make(work: Work, path: Path) -> None:
        write_json(path, metrics_of(work, work.other_model(name)))

    return make


def metrics_of(work: Work, model: ChirpRegressor) -> dict[str, float | str]:
    """Return what claims rest on for the model of another training seed, as flat keys.

    Half of the run's images serve: what counts is whether another training seed comes to the same verdict.
    """
    profile = work.profile
    evaluation = evaluate_held_out(model, profile, range(profile.ablation_pool))
    scores = accuracy(evaluation, chosen=slice(profile.test_images))
    indices, weights = choose(work, evaluation, unit=model.label_std.numpy())
    some = every(len(indices), profile.seed_every)
    images, labels = work.images(indices[some])
    result = ablate_every_head(model, images, labels, weights=weights[some])
    effects = increase(result)
    errors, intact = (squared_errors(part, result) for part in (result.ablated, result.baseline))
    mapped = map_images(model, split_seed(profile.seed, "test"), range(profile.map_images), binning=profile.binning)
    region_scores = mean_scores(mapped.maps.patches, mapped.coverage())
    return (
        {
            f"ablation.{name}": value
            for name, value in (effect_metrics(effects) | effect_intervals_of(errors, intact)).items()
        }
        | shift_metrics(result.baseline[:, 0], result.ablated[..., 0], result.weights)
        | attention_metrics(region_scores, *classify(region_scores))
        | {"ablation.removal.layers_1_to_3.loss_ratio": _early_loss_ratio(model, result, images)}
        | {f"accuracy.{target}.pearson_r": score["pearson_r"] for target, score in scores.items()}
        | {f"ablation.{name}": value for name, value in walk_metrics(effects).items()}
    )


def _early_loss_ratio(model: ChirpRegressor, result: Ablation, images: torch.Tensor) -> float:
    """Return the loss without all heads of layers 1 to 3 over the intact loss."""
    first = np.arange(3 * model.vit.config.num_attention_heads)
    intact, pruned = removal(model, images, first, [0, len(first)])
    return float(squared_errors(pruned, result).mean() / squared_errors(intact, result).mean())
