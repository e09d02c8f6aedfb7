"""Repeats and controls of the fine-tuning, too long for every run: `python -m paper_utils.study --help`.

Two more starts of the paper's way say how far its result is a matter of luck; the controls say what the backbone,
LoRA and the other weights each contribute, and what the published edges cost. All see the same number of images at
most, stop by the same rule and are judged on the same held-out images.
"""

import argparse
import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..attention.scores import mean_scores
from ..attention.semantics import classify
from ..claims import metrics as findings
from ..errors import CompanionError, reported
from ..files import provenance, read_json, write_json
from ..interventions.ablation import ablate_every_head, squared_errors
from ..interventions.protocols import lag_1_autocorrelation
from ..interventions.pruning import removal
from ..models.regressor import load_regressor, merged, save_regressor
from ..training import fine_tuning as training
from ..training.evaluation import accuracy, evaluate_held_out
from . import experiments
from .profiles import PROFILES, Profile
from .run import ABLATING, LEARNING, Run
from .selection import choose

__all__ = ["VARIANTS", "Variant", "add_metrics", "run_variant", "variant_profile"]


@dataclass(frozen=True)
class Variant:
    """One way to fine-tune, where it differs from the profile's."""

    title: str
    trained: str = "lora"
    backbone: str | None = None
    learning_rate: float | None = None  # the profile's suits LoRA
    repeat: int = 0
    binning: str = "published"


VARIANTS = {
    "lora_2": Variant("LoRA, second start", repeat=1),
    "lora_3": Variant("LoRA, third start", repeat=2),
    "random_lora": Variant("LoRA on a random backbone", backbone="random"),
    "head_only": Variant("head alone, backbone frozen", trained="head"),
    "all_weights": Variant("all weights", trained="all", learning_rate=3e-4),
    "sound_edges": Variant("LoRA on images with sound edges", binning="sound"),
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


def run_variant(profile: Profile, name: str, folder: Path, *, key: str) -> dict:
    """Fine-tune and evaluate one variant, or return what an earlier call with the same key left in `folder`.

    Raises:
        CompanionError: no variant has that name.
    """
    if name not in VARIANTS:
        raise CompanionError(f"unknown variant {name!r}; choose from {', '.join(VARIANTS)}")
    path = folder / f"{name}.json"
    if path.is_file() and read_json(path)["fingerprint"] == key:
        return read_json(path)
    variant = VARIANTS[name]
    settings = variant_profile(profile, variant)
    checkpoint = folder / f"{name}-{key[:12]}.pt"
    model, history = training.fine_tune(settings, checkpoint, trained=variant.trained)
    evaluation = evaluate_held_out(model, settings, range(settings.test_images))
    content = {
        "place": list(VARIANTS).index(name),
        "title": variant.title,
        "trained_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "settings": settings.as_dict() | {"trained": variant.trained},
        "accuracy": accuracy(evaluation),
        "history": [dataclasses.asdict(epoch) for epoch in history],
        "fingerprint": key,
        "origin": provenance(settings.as_dict()),
    }
    if variant.repeat:
        save_regressor(model, path.with_suffix(".safetensors"), backbone=settings.backbone)  # its heads are studied too
    write_json(path, content)
    checkpoint.unlink()
    return content


def add_metrics(run: Run, name: str, folder: Path) -> dict:
    """Ablate and look at the heads of a repeat's model, and add what claims rest on to what `run_variant` left.

    Half of the run's images serve: what counts is whether another start comes to the same verdict.

    Raises:
        CompanionError: the repeat's model is missing.
    """
    path = folder / f"{name}.json"
    content = read_json(path)
    key = run.key((*LEARNING, *ABLATING, "selection", "metrics", "region_scores", "semantics"))
    if content.get("metrics_fingerprint") == key:
        return content
    weights = path.with_suffix(".safetensors")
    if not weights.is_file():
        raise CompanionError(f"the model {weights} is missing; remove {path.name} beside it and run `make study` again")
    model = merged(load_regressor(weights))
    evaluation = evaluate_held_out(model, run.profile, range(run.profile.ablation_pool))
    accuracy = accuracy(evaluation, chosen=slice(run.profile.test_images))
    chosen = choose(run, model, part=2, evaluation=evaluation)
    result = ablate_every_head(model, **chosen)
    errors, intact = (squared_errors(part, result) for part in (result.ablated, result.baseline))
    increase = experiments.increase(result)
    effects = findings.effect_metrics(increase) | findings.effect_intervals_of(errors, intact)
    mapped = experiments.mapped_images(run, model)
    scores = mean_scores(mapped.maps.patches, mapped.coverage())
    first = np.arange(3 * model.vit.config.num_attention_heads)
    whole, pruned = removal(model, chosen["images"], first, [0, len(first)])
    losses = [squared_errors(predictions, result).mean() for predictions in (whole, pruned)]
    content["metrics"] = (
        {f"ablation.{name}": value for name, value in effects.items()}
        | findings.shift_metrics(result.baseline[:, 0], result.ablated[..., 0], result.weights)
        | findings.attention_metrics(scores, *classify(scores))
        | {"ablation.removal.layers_1_to_3.loss_ratio": float(losses[1] / losses[0])}
        | {f"accuracy.{k}.pearson_r": score["pearson_r"] for k, score in accuracy.items()}
        | {"ablation.lag_1_autocorrelation": lag_1_autocorrelation(increase)}
    )
    content["metrics_fingerprint"] = key
    write_json(path, content)
    return content


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m paper_utils.study", description=__doc__.split("\n\n")[0])
    parser.add_argument("--profile", default="laptop", help=f"one of {', '.join(PROFILES)}")
    parser.add_argument("--backbone", help="a local folder or a Hugging Face name, instead of the profile's")
    parser.add_argument("--only", nargs="+", metavar="NAME", help=f"some of {', '.join(VARIANTS)}")
    options = parser.parse_args()
    with reported():
        run = Run(options.profile, "fresh", notebook="study", backbone=options.backbone)
        for name in options.only or VARIANTS:
            content = run_variant(run.profile, name, run.build / "study", key=run.key(LEARNING))
            if VARIANTS[name].repeat:
                content = add_metrics(run, name, run.build / "study")
            rates = ", ".join(f"{target} {score['pearson_r']:.3f}" for target, score in content["accuracy"].items())
            seen = content["history"][-1]["images_seen"]
            print(f"{content['title']}: r of {rates} after {seen:,} images", flush=True)


if __name__ == "__main__":
    main()
