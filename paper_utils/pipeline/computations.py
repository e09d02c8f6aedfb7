"""What each stage after the fine-tuning computes, as arrays by name; sizes are the profile's."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ..interventions.ablation import ablate_every_head, squared_errors
from ..interventions.attribution import linearised
from ..interventions.engine import KINDS, Engine
from ..interventions.protocol_states import state_losses
from ..interventions.protocols import PROTOCOLS, SWEEPS, with_untuned_vit
from ..interventions.removing import by_image, by_order, orders, removed_errors
from ..models.parts import in_parts
from ..models.regressor import ChirpRegressor
from ..models.vit import shuffle_weights
from .distorted import PATCHED, patching, variant_predictions
from .predicted import chosen, evaluation, on_images, pool
from .selection import after_pool, other_images
from .work import Arrays, Work

__all__ = [
    "PATCHED",
    "ablate",
    "ablation",
    "attribution",
    "chosen",
    "controls",
    "evaluation",
    "linearise",
    "patching",
    "pool",
    "protocols",
    "removals",
    "remove",
    "replacements",
    "variant_predictions",
]

SHUFFLED = {"weights shuffled": "", "queries and keys shuffled": r"\.[qk]_proj\."}  # and which matrices, by name
DRAWS = 3
# computed and saved at once, and by one process: many enough to share out, few enough to lose
IMAGES_PER_PART = 512  # linearised; it bounds memory
IMAGES_PER_SWEEP = 32  # swept
IMAGES_PER_REMOVAL = 64  # predicted with every set of heads removed, after the means of heads
OTHER_KINDS = tuple(kind for kind in KINDS if kind != "zero_qkv")


def attribution(work: Work) -> Arrays:
    """Linearise the fine-tuned model on the many images: see `linearise`."""
    return linearise(work, work.model(), partial=work.unfinished("attribution"))


def linearise(
    work: Work, model: ChirpRegressor, *, kinds: Sequence[str] = KINDS, partial: Path | None = None
) -> Arrays:
    """Return what each head's replacement, by some kinds, changes to first order, on the many images.

    "baseline" and "labels" (many, 3), "label_std" (3,) and "weights" (many,); "zero_qkv", the change of the predictions
    (layers, heads, many, 3), and of every other kind the change of the squared error, (layers, heads, many).
    """
    some, others = chosen(work), other_images(work.profile)
    mean = work.images(after_pool(work.profile))[0]
    unit = model.label_std.cpu().numpy()

    def compute(part: slice) -> Arrays:
        images, labels = work.images(some.indices[part])
        sources = {"mean": lambda: mean, "resample": lambda: work.images(others[part])[0]}
        needed = {kind: draw() for kind, draw in sources.items() if kind in kinds}
        found = linearised(model, images, labels, kinds=kinds, sources=needed)
        error = (found.intact - labels) / unit
        kept = {"zero_qkv": found.changes["zero_qkv"]} | {
            kind: ((error + change / unit) ** 2 - error**2).mean(-1)
            for kind, change in found.changes.items()
            if kind != "zero_qkv"
        }
        first = {kind: np.moveaxis(change, 2, 0).astype(np.float16) for kind, change in kept.items()}
        return {"baseline": found.intact, "labels": labels} | first

    found = on_images(work, model, some.indices, compute, size=IMAGES_PER_PART, title="attribution", partial=partial)
    ordered = {kind: np.moveaxis(found[kind], 0, 2) for kind in kinds}
    return found | ordered | {"label_std": unit, "weights": some.weights}


def ablation(work: Work) -> Arrays:
    """Predict with each head's query, key and value weights zeroed in turn: see `ablate`."""
    return ablate(work, work.model(), partial=work.unfinished("ablation"))


def ablate(work: Work, model: ChirpRegressor, *, partial: Path | None = None) -> Arrays:
    """Return the fields of `Ablation` on the few images, their "positions" among the many, and the weights of that "choice"."""
    some = chosen(work)
    images, labels = work.images(some.few_indices)
    found = ablate_every_head(model, images, labels, weights=some.few_weights, partial=partial)
    return asdict(found) | {"positions": some.few.positions, "choice": some.few.weights}


def replacements(work: Work) -> Arrays:
    """Return how the weighted squared errors of the few images change by what heads put out instead, (layers, heads, few)."""
    some = chosen(work)
    images, labels = work.images(some.few_indices)
    sources = {
        "mean": work.images(after_pool(work.profile))[0],
        "resample": work.images(other_images(work.profile)[some.few.positions])[0],
    }
    result: Arrays = {}
    for kind in OTHER_KINDS:
        found = ablate_every_head(
            work.model(),
            images,
            labels,
            kind=kind,
            source=sources.get(kind),
            weights=some.few_weights,
            partial=work.unfinished("replacements", kind),
        )
        result[kind] = squared_errors(found.ablated, found) - squared_errors(found.baseline, found)
    return result


def removals(work: Work) -> Arrays:
    """Return the weighted squared errors of the few images by the order in which heads are removed: see `remove`."""
    return remove(work, work.model(), work.arrays("attribution"), partial=work.unfinished("removals"))


def remove(
    work: Work,
    model: ChirpRegressor,
    linear: Arrays,
    *,
    names: Callable[[str], bool] = bool,
    partial: Path | None = None,
) -> Arrays:
    """Return what `removed_errors` does, in orders by first-order effects on the many images that are not the few.

    Args:
        work: whose images are taken.
        model: whose heads are removed.
        linear: of the same model, as `linearise` returns it.
        names: which orders, by name; all if left out.
        partial: as in `in_parts`.
    """
    some = chosen(work)
    apart = np.ones(len(some.indices), bool)
    apart[some.few.positions] = False
    apart = apart if apart.any() else ~apart  # where all images are exact there are no others
    weights, unit = linear["weights"][apart], linear["label_std"]
    error = ((linear["baseline"] - linear["labels"]) / unit)[apart]
    change = linear["zero_qkv"][:, :, apart].astype(float) / unit
    effects = (((error + change) ** 2 - error**2).mean(-1) * weights).mean(-1)
    mean_effects = (linear["mean"][:, :, apart].astype(float) * weights).mean(-1)
    every = orders(effects, mean_effects=mean_effects, seed=work.profile.seed)
    by_name = {name: order for name, order in every.items() if names(name)}
    mean = work.images(after_pool(work.profile))[0]

    def compute(part: slice) -> Arrays:
        images, labels = work.images(some.few_indices[part])
        return by_image(removed_errors(model, images, labels, by_name, source=mean, weights=some.few_weights[part]))

    found = on_images(
        work, model, some.few_indices, compute, size=IMAGES_PER_REMOVAL, title="removing heads", partial=partial
    )
    return by_order(found, by_name)


def protocols(work: Work) -> Arrays:
    """Return for every sweep of the protocols each image's loss in each state of the weights: see `state_losses`."""
    images, labels = work.images(np.arange(work.profile.common_images))
    tuned, untuned = Engine(work.model()), Engine(with_untuned_vit(work.model(), work.backbone()))

    def sweep(name: str) -> np.ndarray:
        protocol = PROTOCOLS[name]
        engine = tuned if protocol.fine_tuned else untuned
        found = in_parts(
            lambda part: {"losses": state_losses(engine, images[part], labels[part], protocol).T},
            len(images),
            size=IMAGES_PER_SWEEP,
            title=name,
            partial=work.unfinished("protocols", name),
            guard={"model": engine.predict(images[:1])},
        )
        return found["losses"].T

    return {name: sweep(name) for name in dict.fromkeys(SWEEPS.values())}


def controls(work: Work) -> dict[str, ChirpRegressor]:
    """Return models that this fine-tuning did not make: what they have, it did not put there.

    The model before fine-tuning, and, in three draws each, the fine-tuned one with the entries of every weight matrix
    shuffled, or of its queries and keys alone. Fresh random weights would be too easy: with their small scale every map
    is nearly uniform.
    """
    found = {"before fine-tuning": with_untuned_vit(work.model(), work.backbone())}
    for name, only in SHUFFLED.items():
        for draw in range(1, 1 + DRAWS):
            model = copy.deepcopy(work.model())
            shuffle_weights(model.vit, seed=work.profile.seed + draw, only=only)
            found[f"{name}, draw {draw}"] = model
    return found
