"""What each stage after the fine-tuning computes, as arrays by name; sizes are the profile's."""

from dataclasses import asdict

import numpy as np
import torch
from transformers import ViTModel

from ..data.counterfactuals import VARIANTS
from ..interventions.ablation import Ablation, ablate_every_head, squared_errors
from ..interventions.attribution import linearised
from ..interventions.engine import KINDS, Engine
from ..interventions.protocols import PROTOCOLS, RELEASED, intact_losses, loss_sweep, with_untuned_vit
from ..interventions.pruning import orders, removal
from ..models.regressor import ChirpRegressor
from ..statistics import percent_increase
from ..training.evaluation import Evaluation, concatenate, evaluate_held_out
from .selection import every, select
from .work import Arrays, Work

__all__ = [
    "PATCHED",
    "ablation",
    "attribution",
    "controls",
    "evaluation",
    "increase",
    "patching",
    "pool",
    "protocols",
    "released_losses",
    "removals",
    "replacements",
    "variant_predictions",
]

PATCHED = {  # clean and distorted variant
    "the chirp": ("published", "no_chirp"),
    "without the rest": ("bare", "published"),
}


def evaluation(work: Work) -> Arrays:
    """Predict the test images: predictions and labels (images, 3), and the seconds the model took."""
    return asdict(evaluate_held_out(work.model(), work.profile, range(work.profile.test_images)))


def pool(work: Work) -> Arrays:
    """Predict all images that those for ablation are chosen from, the test images first."""
    found = _evaluation(work, "evaluation")
    if rest := range(work.profile.test_images, work.profile.ablation_pool):
        found = concatenate([found, evaluate_held_out(work.model(), work.profile, rest)])
    return asdict(found)


def ablation(work: Work) -> Arrays:
    """Predict with each head's query, key and value weights zeroed in turn: the fields of `Ablation`."""
    chosen = select(work, _evaluation(work, "pool"))
    return asdict(ablate_every_head(work.model(), **chosen, partial=work.unfinished("ablation")))


def replacements(work: Work) -> Arrays:
    """Return the increase of the loss in percent, (layers, heads), by what heads put out instead."""
    few = select(work, _evaluation(work, "pool"), step=work.profile.replacement_every)
    whole = Ablation(**work.arrays("ablation"))
    some = every(len(whole.labels), work.profile.replacement_every)
    zeroed = Ablation(
        whole.baseline[some], whole.ablated[:, :, some], whole.labels[some], whole.label_std, whole.weights[some]
    )
    others = [kind for kind in KINDS if kind != "zero_qkv"]
    return {"zero_qkv": increase(zeroed)} | {
        kind: increase(ablate_every_head(work.model(), **few, kind=kind)) for kind in others
    }


def attribution(work: Work) -> Arrays:
    """Return the linearised model's predictions on the images of `ablation`: the fields of `Ablation`."""
    return asdict(linearised(work.model(), **select(work, _evaluation(work, "pool"))))


def removals(work: Work) -> Arrays:
    """Return the loss (counts,) by the order in which heads are removed, and "counts" themselves."""
    model = work.model()
    heads = len(model.layers) * model.vit.config.num_attention_heads
    images, labels = work.images(work.profile.ablation_pool + np.arange(work.profile.removal_images))
    counts = np.unique(np.linspace(0, heads, 13).round().astype(int))
    result: Arrays = {"counts": counts}
    for name, order in orders(increase(Ablation(**work.arrays("ablation"))), seed=work.profile.seed).items():
        errors = (removal(model, images, order, counts) - labels) / model.label_std.numpy()
        result[name] = (errors**2).mean((1, 2))
    return result


def protocols(work: Work) -> Arrays:
    """Return for every protocol the loss after each head's ablation in row order, and the intact loss as the last."""
    images, labels = work.images(np.arange(work.profile.protocol_images))
    batch = -(-len(labels) // 4)
    tuned, untuned = work.model(), with_untuned_vit(work.model(), work.backbone())
    result: Arrays = {}
    for name, protocol in PROTOCOLS.items():
        model = tuned if protocol.fine_tuned else untuned
        intact, losses = loss_sweep(model, images, torch.from_numpy(labels), protocol, batch=batch)
        result[name] = np.append(losses.ravel(), intact)
    return result


def released_losses(work: Work) -> Arrays:
    """Return "losses" (images,) of the intact model under the released protocol, on test images in their order."""
    images, labels = work.images(np.arange(work.profile.ablation_images))
    untuned = with_untuned_vit(work.model(), work.backbone())
    return {"losses": intact_losses(untuned, images, torch.from_numpy(labels), RELEASED)}


def variant_predictions(work: Work) -> Arrays:
    """Return predictions (images, 3) of the same held-out images in every counterfactual variant, and "labels"."""
    engine, indices = Engine(work.model()), np.arange(work.profile.variant_images)
    sets = {name: work.images(indices, variant=name) for name in VARIANTS}
    return {"labels": sets["published"][1]} | {name: engine.predict(images) for name, (images, _) in sets.items()}


def patching(work: Work) -> Arrays:
    """Return predictions with what heads put out for a clean image patched into a distorted one.

    For each of `PATCHED`, by its name with a prefix: "clean" and "distorted" (images, 3), "heads" (layers, heads,
    images, 3) and "layers" (layers, images, 3), of which all heads are patched at once.
    """
    engine, indices = Engine(work.model()), np.arange(work.profile.patching_images)
    result: Arrays = {}
    for name, (clean, distorted) in PATCHED.items():
        source, images = (work.images(indices, variant=variant)[0] for variant in (clean, distorted))
        result[f"{name} clean"] = engine.predict(source)
        result[f"{name} distorted"], result[f"{name} heads"] = engine.sweep(images, kind="resample", source=source)
        layers = [[(layer, head) for head in range(engine.heads)] for layer in range(len(engine.layers))]
        patched = [engine.predict(images, layer, kind="resample", source=source) for layer in layers]
        result[f"{name} layers"] = np.stack(patched)
    return result


def controls(work: Work) -> dict[str, ChirpRegressor]:
    """Return the model before fine-tuning, and with random weights: what they have, fine-tuning did not put there."""
    torch.manual_seed(work.profile.seed)
    random = ViTModel(work.model().vit.config, add_pooling_layer=False)
    return {
        "before fine-tuning": with_untuned_vit(work.model(), work.backbone()),
        "random weights": with_untuned_vit(work.model(), random),
    }


def increase(result: Ablation) -> np.ndarray:
    """Return the increase of the loss in percent, (layers, heads)."""
    return percent_increase(squared_errors(result.ablated, result), squared_errors(result.baseline, result))


def _evaluation(work: Work, stage: str) -> Evaluation:
    arrays = work.arrays(stage)
    return Evaluation(arrays["predictions"], arrays["labels"], float(arrays["seconds"]))
