"""Which held-out images a stage takes, and how much each counts.

Images on which the intact model errs carry most of every effect: they are taken more often than others and weighted
down for it, from more images than accuracy is reported on.
"""

from typing import Any

import numpy as np

from ..statistics import weighted_choice
from ..training.evaluation import Evaluation
from .work import Work

__all__ = ["choose", "every", "select"]


def choose(work: Work, evaluation: Evaluation, *, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return indices into the held-out images, and weights, of the images that heads are ablated on.

    Args:
        work: whose profile says how many, of which pool.
        evaluation: of the model on the whole pool.
        unit: (3,) of the targets, in which their errors are compared.
    """
    standardised = (evaluation.predictions - evaluation.labels) / unit
    importance = (standardised**2).mean(-1)  # the mean over heads of squared effects grows as fast
    return weighted_choice(importance, work.profile.ablation_images, seed=work.profile.seed)


def select(work: Work, evaluation: Evaluation, *, step: int = 1) -> dict[str, Any]:
    """Return images, labels and weights of every `step`th chosen image, as arguments by name for an ablation."""
    indices, weights = choose(work, evaluation, unit=work.model().label_std.numpy())
    some = every(len(indices), step)
    images, labels = work.images(indices[some])
    return {"images": images, "labels": labels, "weights": weights[some]}


def every(total: int, step: int) -> slice:
    """Return every `step`th of so many images, all of them where that would leave fewer than two."""
    return slice(None, None, step if total >= 2 * step else 1)
