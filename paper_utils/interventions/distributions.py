"""Predicted start times without each head as a distribution over all held-out images (Figure 3).

Exact ablations of few images and linearised ones of many give the cumulative distribution as they give the mean effect
(`estimation`): whether a prediction lies below a time is a number of each image, too, and the linearised ablation says
it nearly right for nearly every head.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import isotonic_regression

from ..statistics import largest_gap
from .estimated import EstimatedAblation
from .estimation import controlled_curve

__all__ = ["LEVELS", "StartTimes", "two_halves"]

LEVELS = (np.arange(20) + 0.5) / 20  # quantiles that are compared
STEP = 0.1  # seconds between the times at which distributions are known


@dataclass(frozen=True)
class StartTimes:
    """Cumulative distributions of the predicted start times, intact and without each head."""

    times: np.ndarray  # (times,) seconds, `STEP` apart
    intact: np.ndarray  # (times,) share of the predictions up to each time
    ablated: np.ndarray  # (layers, heads, times)

    @classmethod
    def of(cls, ablation: EstimatedAblation) -> "StartTimes":
        """Estimate the distributions over all the images that the many stand for."""
        exact, many = ablation.exact.ablated[..., 0], ablation.linearised
        baseline, share = many.baseline[:, 0], many.weights / many.weights.sum()
        ends = [values.min() for values in (baseline, exact)], [values.max() for values in (baseline, exact)]
        times = np.arange(min(ends[0]) - STEP, max(ends[1]) + 2 * STEP, STEP)
        intact = _cumulative(baseline, share, times)
        weights = len(share) * share[ablation.few.positions]  # the choice of the few is the estimator's own to weigh
        few = baseline[ablation.few.positions, None] <= times
        shape = (*exact.shape[:2], len(times))
        changes = np.empty(shape)
        for layer, head in np.ndindex(*exact.shape[:2]):
            first = many.ablated[layer, head, :, 0]
            below, expected = (
                weights[:, None] * ((values[:, None] <= times) - few.astype(float))
                for values in (exact[layer, head], first[ablation.few.positions])
            )
            changes[layer, head] = controlled_curve(
                below.T, expected.T, _cumulative(first, share, times) - intact, ablation.few
            )
        # estimated one time after the other, so that a share may fall by chance
        rising = [isotonic_regression(curve).x for curve in (intact + changes).reshape(-1, len(times))]
        return cls(times, intact, np.clip(rising, 0, 1).reshape(shape))

    def wasserstein(self) -> np.ndarray:
        """Return the Wasserstein distance of each head's distribution from the intact one, (layers, heads) seconds."""
        return np.abs(self.ablated - self.intact).sum(-1) * STEP

    def kolmogorov_smirnov(self) -> np.ndarray:
        """Return the largest difference of each head's cumulative distribution from the intact one, (layers, heads)."""
        return np.abs(self.ablated - self.intact).max(-1)

    def quantiles(self) -> np.ndarray:
        """Return the start times at `LEVELS` of the intact model, (levels,) seconds."""
        return np.interp(LEVELS, self.intact, self.times)

    def moved(self) -> np.ndarray:
        """Return how far the quantiles at `LEVELS` move without each head, (layers, heads, levels) seconds."""
        curves = self.ablated.reshape(-1, len(self.times))
        found = np.array([np.interp(LEVELS, curve, self.times) for curve in curves])
        return found.reshape(*self.ablated.shape[:2], -1) - self.quantiles()


def two_halves(baseline: np.ndarray, weights: np.ndarray, *, splits: int = 200, seed: int = 0) -> tuple[float, float]:
    """Return Wasserstein distance (s) and Kolmogorov-Smirnov statistic between two halves of the same predictions.

    Medians over random splits, because the distances of single splits differ by a factor of three.
    """
    rng, found = np.random.default_rng(seed), []
    for _ in range(splits):
        first, second = np.array_split(rng.permutation(len(baseline)), 2)
        halves, half_weights = (baseline[first], baseline[second]), (weights[first], weights[second])
        found.append((stats.wasserstein_distance(*halves, *half_weights), largest_gap(*halves, half_weights)))
    distance, gap = np.median(found, axis=0)
    return float(distance), float(gap)


def _cumulative(values: np.ndarray, share: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return the share of the values up to each time, (times,); `share` is that of each value."""
    order = values.argsort()
    return np.append(0, share[order].cumsum())[np.searchsorted(values[order], times, side="right")]
