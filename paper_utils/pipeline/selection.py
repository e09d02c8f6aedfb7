"""Which held-out images an experiment takes, and how much each counts.

Images on which the intact model errs carry most of every effect: they are taken more often than others and weighted
down for it, and from more images than accuracy is told of, since those would soon run out of them.
"""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from ..files import read_arrays, write_arrays
from ..models.regressor import ChirpRegressor
from ..statistics import weighted_choice
from ..training.evaluation import Evaluation, concatenate, evaluate_held_out, held_out
from .run import LEARNING, Run

__all__ = ["choose", "chosen", "count", "drawn", "pool", "spread"]


def pool(run: Run, model: ChirpRegressor) -> Evaluation:
    """Return predictions and labels of all images that those for ablation are chosen from, the test images first."""

    def compute(path: Path) -> None:
        found = run.evaluation(model)
        if rest := range(run.profile.test_images, run.profile.ablation_pool):
            found = concatenate([found, evaluate_held_out(model, run.profile, rest)])
        write_arrays(path, asdict(found))

    return Evaluation(**read_arrays(run.kept("pool.npz", (*LEARNING, "selection"), compute)))


def choose(
    run: Run, model: ChirpRegressor, *, part: int = 1, evaluation: Evaluation | None = None
) -> dict[str, object]:
    """Return images, labels and weights of the held-out images that heads are ablated on, as arguments by name.

    Args:
        run: whose held-out images.
        model: merged.
        part: one in so many of the chosen, spread over the pool.
        evaluation: of the model on the whole pool; where it is the run's own model, the run knows it.
    """
    indices, weights = chosen(run, model, evaluation or pool(run, model))
    some = spread(len(indices), part)
    pixels, labels = drawn(run, indices[some])
    return {"images": pixels, "labels": labels, "weights": weights[some]}


def chosen(run: Run, model: ChirpRegressor, evaluation: Evaluation) -> tuple[np.ndarray, np.ndarray]:
    """Return indices into the held-out images, and weights, of all chosen ones."""
    standardised = (evaluation.predictions - evaluation.labels) / model.label_std.numpy()
    importance = (standardised**2).mean(-1)  # the mean over heads of squared effects grows as fast
    return weighted_choice(importance, run.profile.ablation_images, seed=run.profile.seed)


def drawn(run: Run, indices: np.ndarray, *, variant: str = "published") -> tuple[torch.Tensor, np.ndarray]:
    """Return pixels (images, 3, 224, 224) uint8 and labels (images, 3) of test images, or of a variant of them."""
    pixels, labels = zip(*held_out(run.profile, indices, variant=variant), strict=True)
    return torch.stack(pixels), torch.stack(labels).numpy()


def spread(total: int, part: int) -> slice:
    """Return which of the chosen images a part of them is: spread over the pool, as all are."""
    return slice(None, None, part if total >= 2 * part else 1)


def count(run: Run, part: int) -> int:
    """Return how many images a part of the run's is, two at least."""
    return max(2, run.profile.ablation_images // part)
