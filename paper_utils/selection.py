"""Which of the test pictures an experiment takes, and how much each counts.

Pictures on which the intact model errs are taken more often than others and weighted down for it.
"""

import numpy as np
import torch

from .model import ChirpRegressor
from .runs import Run
from .statistics import weighted_choice
from .training import Evaluation, held_out

__all__ = ["choose", "chosen", "count", "drawn", "spread"]


def choose(run: Run, model: ChirpRegressor, evaluation: Evaluation, *, part: int = 1) -> dict[str, object]:
    """Return pictures, labels and weights of the test pictures that heads are ablated on, as arguments by name.

    Args:
        run: whose test set it is.
        model: merged.
        evaluation: of it on the whole test set.
        part: one in so many of the chosen, spread over the test set.
    """
    indices, weights = chosen(run, model, evaluation)
    some = spread(len(indices), part)
    pixels, labels = drawn(run, indices[some])
    return {"pictures": pixels, "labels": labels, "weights": weights[some]}


def chosen(run: Run, model: ChirpRegressor, evaluation: Evaluation) -> tuple[np.ndarray, np.ndarray]:
    """Return indices into the test set, and weights, of all chosen pictures."""
    standardised = (evaluation.predictions - evaluation.labels) / model.label_std.numpy()
    importance = np.sqrt((standardised**2).mean(-1))
    return weighted_choice(importance, run.profile.ablation_pictures, seed=run.profile.seed)


def drawn(run: Run, indices: np.ndarray, *, variant: str = "published") -> tuple[torch.Tensor, np.ndarray]:
    """Return pixels (pictures, 3, 224, 224) uint8 and labels (pictures, 3) of test pictures, or of a variant of them."""
    pixels, labels = zip(*held_out(run.profile, indices, variant=variant), strict=True)
    return torch.stack(pixels), torch.stack(labels).numpy()


def spread(total: int, part: int) -> slice:
    """Return which of the chosen pictures a part of them is: spread over the test set, as all are."""
    return slice(None, None, part if total >= 2 * part else 1)


def count(run: Run, part: int) -> int:
    """Return how many pictures a part of the run's is, two at least."""
    return max(2, run.profile.ablation_pictures // part)
