"""Repeats and controls of the fine-tuning, each a stage: other training seeds, other things trained, other images.

Two more training seeds say how far the paper's result is a matter of luck; the controls say what backbone, LoRA and the
other weights each contribute, and what the published binning costs. All see the same number of images and are judged
on the same held-out images.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..attention.mapped import map_images
from ..attention.scores import mean_scores
from ..attention.semantics import classify
from ..attention.summaries import attention_metrics
from ..data.chirps import Binning
from ..data.dataset import split_seed
from ..errors import CompanionError
from ..files import write_json
from ..interventions.ablation import Ablation, ablate_every_head, squared_errors
from ..interventions.effects import effect_intervals_of, effect_metrics
from ..interventions.pruning import removal
from ..interventions.shifts import shift_metrics
from ..interventions.walk import walk_metrics
from ..models.regressor import ChirpRegressor, merged
from ..training.evaluation import accuracy, evaluate_held_out
from ..training.fine_tuning import fine_tune
from .computations import increase
from .profiles import Profile
from .selection import choose, every
from .work import Work

__all__ = ["VARIANTS", "Variant", "maker", "variant_profile"]


@dataclass(frozen=True)
class Variant:
    """One way to fine-tune, where it differs from the profile's."""

    title: str
    trained: str = "lora"
    backbone: str | None = None
    learning_rate: float | None = None  # the profile's suits LoRA
    repeat: int = 0
    binning: Binning = "published"


VARIANTS = {
    "lora_2": Variant("LoRA, second training seed", repeat=1),
    "lora_3": Variant("LoRA, third training seed", repeat=2),
    "random_lora": Variant("LoRA on a random backbone", backbone="random"),
    "head_only": Variant("head alone, backbone frozen", trained="head"),
    "all_weights": Variant("all weights", trained="all", learning_rate=3e-4),
    "sound_edges": Variant("LoRA on images with sound binning", binning="sound"),
}


def variant_profile(profile: Profile, variant: Variant) -> Profile:
    """Return the profile with the variant's own settings in it."""
    return dataclasses.replace(
        profile,
        backbone=variant.backbone or profile.backbone,
        learning_rate=variant.learning_rate or profile.learning_rate,
        repeat=variant.repeat,
        binning=variant.binning,
    )


def maker(name: str) -> Callable[[Work, Path], None]:
    """Return what makes the result of one variant.

    Raises:
        CompanionError: no variant has that name.
    """
    if name not in VARIANTS:
        raise CompanionError(f"unknown variant {name!r}; choose from {', '.join(VARIANTS)}")

    def make(work: Work, path: Path) -> None:
        variant = VARIANTS[name]
        settings = variant_profile(work.profile, variant)
        checkpoint = work.unfinished(f"study/{name}") or path.with_suffix(".pt")
        model, history = fine_tune(settings, checkpoint, trained=variant.trained)
        evaluation = evaluate_held_out(model, settings, range(settings.test_images))
        content = {
            "index": list(VARIANTS).index(name),
            "title": variant.title,
            "trained_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
            "settings": settings.as_dict() | {"trained": variant.trained},
            "accuracy": accuracy(evaluation),
            "history": [dataclasses.asdict(epoch) for epoch in history],
        }
        if variant.repeat:
            content["metrics"] = metrics_of(work, merged(model))
        write_json(path, content)
        checkpoint.unlink()

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
