"""Which held-out images heads are ablated on, and how much each counts.

Images on which the intact model errs carry most of every effect: they are taken more often than others and weighted
down for it, from more images than accuracy is reported on. The model is linearised on many, and heads are ablated
exactly on a few of these (`interventions.estimation`).
"""

from dataclasses import dataclass

import numpy as np

from ..interventions.estimation import FewOfMany, choose_few
from ..statistics import weighted_choice
from ..training.evaluation import Evaluation
from .profiles import Profile

__all__ = ["Chosen", "after_pool", "choose", "other_images"]


@dataclass(frozen=True)
class Chosen:
    """Many held-out images with weights, and the few among them on which heads are ablated exactly."""

    indices: np.ndarray  # (many,) into the held-out images, in order
    weights: np.ndarray  # (many,) of importance sampling; one on average
    few: FewOfMany

    @property
    def few_indices(self) -> np.ndarray:
        """Indices (few,) into the held-out images of those on which heads are ablated exactly."""
        return self.indices[self.few.positions]

    @property
    def few_weights(self) -> np.ndarray:
        """Weights (few,) with which the few stand for all held-out images: those of both choices."""
        return self.weights[self.few.positions] * self.few.weights


def choose(profile: Profile, evaluation: Evaluation, *, unit: np.ndarray) -> Chosen:
    """Choose the images that the model is linearised on, and those that heads are ablated on.

    Args:
        profile: says how many, of which pool.
        evaluation: of the model on the whole pool.
        unit: (3,) of the targets, in which their errors are compared.
    """
    standardised = (evaluation.predictions - evaluation.labels) / unit
    importance = (standardised**2).mean(-1)  # the mean over heads of squared effects grows as fast
    indices, weights = weighted_choice(importance, profile.linearised_images, seed=profile.seed)
    few = choose_few(importance[indices] * weights, profile.ablation_images, seed=profile.seed)
    return Chosen(indices, weights, few)


def after_pool(profile: Profile) -> np.ndarray:
    """Return the images, beyond those that may be chosen, over which mean outputs of heads are taken."""
    return profile.ablation_pool + np.arange(profile.mean_images)


def other_images(profile: Profile) -> np.ndarray:
    """Return for each of the many images another one, plainly drawn, whose output replaces a head's."""
    return profile.ablation_pool + profile.mean_images + np.arange(profile.linearised_images)
