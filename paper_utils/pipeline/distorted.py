"""What the model predicts for counterfactual variants of the same images, and with heads' outputs from one to another."""

from collections.abc import Callable

import numpy as np

from ..data.counterfactuals import VARIANTS
from ..interventions.engine import Engine
from .predicted import on_images
from .work import Arrays, Work

__all__ = ["PATCHED", "patching", "variant_predictions"]

PATCHED = {  # clean and distorted variant
    "the chirp": ("published", "no_chirp"),
    "without the rest": ("bare", "published"),
}
IMAGES_PER_PART = 32  # predicted and saved at once, and by one process


def variant_predictions(work: Work) -> Arrays:
    """Return predictions (images, 3) of the same test images in every counterfactual variant, and "labels"."""
    engine = Engine(work.model())

    def compute(indices: np.ndarray) -> Arrays:
        sets = {name: work.images(indices, variant=name) for name in VARIANTS}
        labels = {"labels": sets["published"][1]}
        return labels | {name: engine.predict(images) for name, (images, _) in sets.items()}

    return _on_common_images(work, compute, "variant_predictions")


def patching(work: Work) -> Arrays:
    """Return predictions with what heads put out for a clean image patched into a distorted one.

    For each of `PATCHED`, by its name with a prefix: "clean" and "distorted" (images, 3), "heads" (layers, heads,
    images, 3) and "layers" (layers, images, 3), of which all heads are patched at once.
    """
    engine = Engine(work.model())
    layers = [[(layer, head) for head in range(engine.heads)] for layer in range(len(engine.layers))]

    def compute(indices: np.ndarray) -> Arrays:
        result: Arrays = {}
        for name, (clean, distorted) in PATCHED.items():
            source, images = (work.images(indices, variant=variant)[0] for variant in (clean, distorted))
            result[f"{name} clean"] = engine.predict(source)
            result[f"{name} distorted"], heads = engine.sweep(images, kind="resample", source=source)
            patched = [engine.predict(images, layer, kind="resample", source=source) for layer in layers]
            result |= {f"{name} heads": np.moveaxis(heads, 2, 0), f"{name} layers": np.stack(patched, axis=1)}
        return result

    found = _on_common_images(work, compute, "patching")
    for name in PATCHED:
        found[f"{name} heads"] = np.moveaxis(found[f"{name} heads"], 0, 2)
        found[f"{name} layers"] = np.moveaxis(found[f"{name} layers"], 0, 1)
    return found


def _on_common_images(work: Work, compute: Callable[[np.ndarray], Arrays], stage: str) -> Arrays:
    """Return what `compute` returns for indices of the common images, (images, ...) each, some of them at a time."""
    indices = np.arange(work.profile.common_images)
    return on_images(
        work,
        work.model(),
        indices,
        lambda part: compute(indices[part]),
        size=IMAGES_PER_PART,
        title=stage.replace("_", " "),
        partial=work.unfinished(stage),
    )
