"""What the intact model predicts for held-out images, and which of them heads are ablated on therefore."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ..interventions.engine import Engine
from ..models.parts import in_parts
from ..models.regressor import ChirpRegressor
from ..training.evaluation import Evaluation, concatenate, evaluate_held_out
from .selection import Chosen, choose
from .work import Arrays, Work

__all__ = ["chosen", "evaluation", "on_images", "pool"]

IMAGES_PER_PART = 512  # predicted and saved at once, and by one process


def evaluation(work: Work) -> Arrays:
    """Predict the test images: predictions and labels (images, 3), and the seconds the model took."""
    return asdict(_predicted(work, range(work.profile.test_images), "evaluation"))


def pool(work: Work) -> Arrays:
    """Predict all images that those for ablation are chosen from, the test images first."""
    found = _stored(work, "evaluation")
    if rest := range(work.profile.test_images, work.profile.ablation_pool):
        found = concatenate([found, _predicted(work, rest, "pool")])
    return asdict(found)


def _predicted(work: Work, indices: range, stage: str) -> Evaluation:
    """Predict held-out images; the seconds are those of all processes together."""
    model = work.model()

    def compute(part: slice) -> Arrays:
        found = evaluate_held_out(model, work.profile, indices[part])
        seconds = np.full(len(found.labels), found.seconds / len(found.labels))
        return {"predictions": found.predictions, "labels": found.labels, "seconds": seconds}

    found = on_images(
        work,
        model,
        indices,
        compute,
        size=IMAGES_PER_PART,
        title="held-out images",
        partial=work.unfinished(stage),
    )
    return Evaluation(found["predictions"], found["labels"], float(found["seconds"].sum()))


def on_images(
    work: Work,
    model: ChirpRegressor,
    indices: Sequence[int] | np.ndarray,
    compute: Callable[[slice], Arrays],
    *,
    size: int,
    title: str,
    partial: Path | None,
) -> Arrays:
    """Return what `compute` finds of a model on held-out images, by `in_parts`.

    Unfinished parts are known by the images' indices and by what the model predicts for the first of them.

    Args:
        work: whose images they are.
        model: what `compute` looks into.
        indices: of the images.
        compute: as in `in_parts`.
        size: as in `in_parts`.
        title: as in `in_parts`.
        partial: as in `in_parts`.
    """
    first = work.images(np.asarray(indices[:1]))[0]
    guard = {"images": np.asarray(indices), "model": Engine(model).predict(first)}
    return in_parts(compute, len(indices), size=size, title=title, partial=partial, guard=guard)


def chosen(work: Work) -> Chosen:
    """Return the images that heads are ablated on: of every model those that the run's own finds hard."""
    return choose(work.profile, _stored(work, "pool"), unit=work.model().label_std.numpy())


def _stored(work: Work, stage: str) -> Evaluation:
    arrays = work.arrays(stage)
    return Evaluation(arrays["predictions"], arrays["labels"], float(arrays["seconds"]))
