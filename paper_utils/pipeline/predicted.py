"""What the intact model predicts for held-out images, and which of them heads are ablated on therefore."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from ..interventions.engine import Engine
from ..models.parts import in_parts
from ..models.regressor import ChirpRegressor
from ..training.evaluation import Evaluation, concatenate, evaluate_held_out
from .selection import Chosen, choose
from .work import Arrays, Work

__all__ = ["chosen", "evaluation", "guard_of", "pool"]

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

    found = in_parts(
        compute,
        len(indices),
        size=IMAGES_PER_PART,
        title="held-out images",
        partial=work.unfinished(stage),
        guard=guard_of(work, model, indices),
    )
    return Evaluation(found["predictions"], found["labels"], float(found["seconds"].sum()))


def guard_of(work: Work, model: ChirpRegressor, indices: Sequence[int] | np.ndarray) -> Arrays:
    """Return by what the unfinished parts of a model on images are known: their indices, and predictions of the first."""
    first = work.images(np.asarray(indices[:1]))[0]
    return {"images": np.asarray(indices), "model": Engine(model).predict(first)}


def chosen(work: Work) -> Chosen:
    """Return the images that heads are ablated on: of every model those that the run's own finds hard."""
    return choose(work.profile, _stored(work, "pool"), unit=work.model().label_std.numpy())


def _stored(work: Work, stage: str) -> Evaluation:
    arrays = work.arrays(stage)
    return Evaluation(arrays["predictions"], arrays["labels"], float(arrays["seconds"]))
