"""The bootstrap of every interval: images, or heads, are resampled, and resampled statistics become the ends.

A statistic that is made of sums over images needs only how often each image is drawn: `counts @ values` gives the sums
of all resamples, for any number of heads, in one matrix product.
"""

from typing import Literal

import numpy as np
from scipy.special import ndtr, ndtri

__all__ = ["LEVEL", "RESAMPLES", "bca_interval", "percentile_interval", "resample_counts", "resample_indices"]

RESAMPLES = 2000
LEVEL = 0.95


def resample_indices(count: int, *, seed: int = 0, resamples: int = RESAMPLES) -> np.ndarray:
    """Return which images each resample draws, (resamples, count), in the order in which `scipy.stats.bootstrap` does."""
    return np.random.default_rng(seed).integers(0, count, (resamples, count))


def resample_counts(
    count: int, *, seed: int = 0, resamples: int = RESAMPLES, draw: Literal["multinomial", "indices"] = "multinomial"
) -> np.ndarray:
    """Return how often each resample draws each image, (resamples, count) integers whose rows add up to `count`.

    Args:
        count: of the images.
        seed: of the draws.
        resamples: how many.
        draw: the counts themselves ("multinomial"), or those of `resample_indices`, which give scipy's intervals.
    """
    if draw == "multinomial":
        return np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), resamples)
    indices = resample_indices(count, seed=seed, resamples=resamples)
    cells = indices + count * np.arange(resamples)[:, None]
    return np.bincount(cells.ravel(), minlength=resamples * count).reshape(resamples, count)


def percentile_interval(
    sample: np.ndarray, *, method: Literal["linear", "nearest"] = "linear"
) -> tuple[np.ndarray, np.ndarray]:
    """Return low and high ends of the 95 % percentile interval, of the shape of one statistic.

    Args:
        sample: statistics of the resamples, (resamples, ...); NaN where a resample leaves a statistic undefined. A
            statistic that no resample defines has NaN for its ends.
        method: of `numpy.percentile`; "nearest" where a statistic may be infinite.
    """
    sample = np.asarray(sample)
    flat = sample.reshape(len(sample), -1)
    ends = np.full((2, flat.shape[1]), np.nan)
    known = ~np.isnan(flat).all(0)
    if known.any():
        ends[:, known] = np.nanpercentile(flat[:, known], 100 * _tails(), axis=0, method=method)
    low, high = ends.reshape(2, *sample.shape[1:])
    return low, high


def bca_interval(sample: np.ndarray, estimate: np.ndarray, jackknife: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return low and high ends of the 95 % interval by the bias-corrected and accelerated bootstrap (Efron 1987).

    The method of `scipy.stats.bootstrap`, for many statistics at once. A statistic that stays the same whichever image
    is left out has its estimate for both ends.

    Args:
        sample: statistics of the resamples, (resamples, ...).
        estimate: statistics of all images, of the shape of one.
        jackknife: statistics without each image in turn, (images, ...).
    """
    estimate = np.asarray(estimate)
    count = len(jackknife)
    below = (np.count_nonzero(sample < estimate, axis=0) + np.count_nonzero(sample <= estimate, axis=0)) / 2
    # where all resamples lie on one side the bias is taken as finite, so that the ends are the extreme resamples
    bias = ndtri((below / len(sample)).clip(0.5 / len(sample), 1 - 0.5 / len(sample)))
    influence = (count - 1) * (jackknife.mean(0) - jackknife)
    spread = (influence**2).sum(0) / count**2
    varies = spread > 0
    skewness = (influence**3).sum(0) / count**3
    acceleration = skewness / np.where(varies, 6 * spread**1.5, 1)
    ordered, ends = np.sort(sample, axis=0), []
    for tail in _tails():
        shifted = bias + ndtri(tail)
        share = ndtr(bias + shifted / (1 - acceleration * shifted))
        ends.append(np.where(varies, _quantiles(ordered, np.where(varies, share, tail)), estimate))
    return ends[0], ends[1]


def _quantiles(ordered: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return a quantile of each column of values in order, (resamples, ...), interpolated linearly; share is (...)."""
    position = share * (len(ordered) - 1)
    below = np.floor(position).astype(int).clip(0, len(ordered) - 2)
    lower, upper = (np.take_along_axis(ordered, index[None], axis=0)[0] for index in (below, below + 1))
    return lower + (position - below) * (upper - lower)


def _tails() -> np.ndarray:
    return np.array([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
