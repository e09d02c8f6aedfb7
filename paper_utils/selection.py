"""Which held-out pictures an experiment takes, and how much each counts.

Pictures on which the intact model errs carry most of every effect: they are taken more often than others and weighted
down for it, and from more pictures than accuracy is told of, since those would soon run out of them.
"""

import numpy as np
import torch

from .model import ChirpRegressor
from .profiles import Profile
from .runs import Run
from .statistics import weighted_choice
from .training import Evaluation, evaluate, held_out
from .vit import on_best_device

__all__ = ["choose", "chosen", "count", "drawn", "pool", "spread"]


def pool(model: ChirpRegressor, profile: Profile, evaluation: Evaluation) -> Evaluation:
    """Return an evaluation of the test pictures, continued over the rest of the pool."""
    rest = range(profile.test_pictures, profile.ablation_pool)
    if not rest:
        return evaluation
    with on_best_device(model):
        more = evaluate(model, held_out(profile, rest), workers=profile.workers, title="more held-out pictures")
    return Evaluation(
        np.concatenate([evaluation.predictions, more.predictions]),
        np.concatenate([evaluation.labels, more.labels]),
        evaluation.seconds + more.seconds,
    )


def choose(run: Run, model: ChirpRegressor, evaluation: Evaluation, *, part: int = 1) -> dict[str, object]:
    """Return pictures, labels and weights of the held-out pictures that heads are ablated on, as arguments by name.

    Args:
        run: whose held-out pictures.
        model: merged.
        evaluation: of it on the whole pool.
        part: one in so many of the chosen, spread over the pool.
    """
    indices, weights = chosen(run, model, evaluation)
    some = spread(len(indices), part)
    pixels, labels = drawn(run, indices[some])
    return {"pictures": pixels, "labels": labels, "weights": weights[some]}


def chosen(run: Run, model: ChirpRegressor, evaluation: Evaluation) -> tuple[np.ndarray, np.ndarray]:
    """Return indices into the held-out pictures, and weights, of all chosen ones."""
    standardised = (evaluation.predictions - evaluation.labels) / model.label_std.numpy()
    importance = (standardised**2).mean(-1)  # the mean over heads of squared effects grows as fast
    return weighted_choice(importance, run.profile.ablation_pictures, seed=run.profile.seed)


def drawn(run: Run, indices: np.ndarray, *, variant: str = "published") -> tuple[torch.Tensor, np.ndarray]:
    """Return pixels (pictures, 3, 224, 224) uint8 and labels (pictures, 3) of test pictures, or of a variant of them."""
    pixels, labels = zip(*held_out(run.profile, indices, variant=variant), strict=True)
    return torch.stack(pixels), torch.stack(labels).numpy()


def spread(total: int, part: int) -> slice:
    """Return which of the chosen pictures a part of them is: spread over the pool, as all are."""
    return slice(None, None, part if total >= 2 * part else 1)


def count(run: Run, part: int) -> int:
    """Return how many pictures a part of the run's is, two at least."""
    return max(2, run.profile.ablation_pictures // part)
