"""Intervals over images and starts together: both are drawn again, since a fit depends on where it begins, too."""

from collections.abc import Callable

import numpy as np

from ..bootstrap import percentile_interval

__all__ = ["RESAMPLES", "with_interval"]

RESAMPLES = 1000


def with_interval(
    values: np.ndarray, statistic: Callable[[np.ndarray, np.ndarray], float], *, seed: int = 0
) -> tuple[float, float, float]:
    """Return a statistic of values by start and image, and the ends of its 95 % interval (percentile bootstrap).

    Starts and images are each drawn with replacement. Of one start alone the interval is over images.

    Args:
        values: (starts, images).
        statistic: of values (images,), which are means over starts, and of the numbers of the images, (images,).
        seed: of the draws.
    """
    starts, images = values.shape
    rng = np.random.default_rng(seed)
    sample = []
    for _ in range(RESAMPLES):
        chosen = rng.integers(0, starts, size=starts)
        which = np.array(rng.integers(0, images, size=images))
        sample.append(statistic(values[chosen].mean(0)[which], which))
    low, high = percentile_interval(np.array(sample))
    return float(statistic(values.mean(0), np.arange(images))), float(low), float(high)
