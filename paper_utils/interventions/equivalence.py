"""Is a model without a head equivalent to the intact one, within a margin in seconds?

Whether a distribution "closely resembles" the intact one is a question of equivalence, which no test of a difference
answers: that finds nothing on few images and everything on many. So the mean absolute shift of an image is held against
a margin in seconds. It bounds the Wasserstein distance of the two distributions from above, W1 <= E|x - y|, for W1 is
the least mean distance over all pairings of the two, and the same image with the head and without it is one of them.
"""

from dataclasses import dataclass

import numpy as np

from ..bootstrap import bca_interval, resample_counts
from ..errors import CompanionError

__all__ = ["Equivalence", "equivalence", "resampled_shifts", "shifts_without_each"]


@dataclass(frozen=True)
class Equivalence:
    """The mean absolute shift of each head with its 95 % interval, held against a margin; (layers, heads) seconds."""

    mean: np.ndarray
    low: np.ndarray  # BCa bootstrap over images
    high: np.ndarray  # taken alone, an upper bound at 97.5 %
    margin: float  # seconds
    images: int

    @property
    def equivalent(self) -> np.ndarray:
        """Whether a head is equivalent to intact, (layers, heads) bool: the upper bound lies below the margin."""
        return self.high < self.margin

    def largest(self, part: slice) -> tuple[float, float, float]:
        """Return the largest mean shift of a head of some layers, its low end, and the largest upper bound; seconds.

        The shifts of all these heads lie below the largest upper bound, at no less than its own level and however many
        heads there are: it is above that of the head that truly shifts most (intersection-union, Berger 1982).
        """
        layer, head = np.unravel_index(self.mean[part].argmax(), self.mean[part].shape)
        low, high = self.low[part][layer, head], self.high[part].max()
        return float(self.mean[part].max()), float(low), float(high)


def equivalence(shifts: np.ndarray, *, margin: float, seed: int = 0) -> Equivalence:
    """Return whether each head is equivalent to intact: does its mean absolute shift lie below the margin, surely?

    More images make the interval narrower and leave margin and estimate where they are.

    Args:
        shifts: absolute shifts of each image's prediction, (layers, heads, images) seconds, the mean of which is the
            estimate. Those of an estimator by control variates may be negative for single images.
        margin: seconds. That of `PredictionShift` is `MARGIN` of the labels' standard deviation, 0.13 s here: less
            than a third of a bin of the spectrograms, 60 s / 128 = 0.47 s, so that it cannot be read off Figure 3.
        seed: of the bootstrap over images.

    Raises:
        CompanionError: there are fewer than eight images, or the margin is not above zero.
    """
    if shifts.shape[-1] < 8 or not margin > 0:
        raise CompanionError(
            f"no equivalence by {shifts.shape[-1]} images and {margin:g} s; give 8 or more, and above 0"
        )
    low, high = bca_interval(resampled_shifts(shifts, seed=seed), shifts.mean(-1), shifts_without_each(shifts))
    return Equivalence(shifts.mean(-1), low, high, float(margin), shifts.shape[-1])


def resampled_shifts(shifts: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Return the mean shift of each head in resamples of the images, (resamples, layers, heads)."""
    images = shifts.shape[-1]
    counts = resample_counts(images, seed=seed).astype(float)
    return (counts @ shifts.reshape(-1, images).T / images).reshape(-1, *shifts.shape[:-1])


def shifts_without_each(shifts: np.ndarray) -> np.ndarray:
    """Return the mean shift of each head without each image in turn, (images, layers, heads)."""
    return np.moveaxis(shifts.sum(-1, keepdims=True) - shifts, -1, 0) / (shifts.shape[-1] - 1)
