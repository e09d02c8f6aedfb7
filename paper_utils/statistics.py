"""Effects of ablations with intervals and tests over images, false discovery rates over heads, weighted samples.

Every comparison is paired: the same images, with the head and without it. Intervals are those of `bootstrap`.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from .bootstrap import bca_interval, percentile_interval, resample_counts, resample_indices
from .errors import CompanionError

__all__ = [
    "HeadEffects",
    "correlation_interval",
    "effect_bounds",
    "effective_sample_size",
    "head_effects",
    "largest_gap",
    "layer_intervals",
    "mean_intervals",
    "mean_where_known",
    "percent_increase",
    "rank_correlation_interval",
    "rank_correlations",
    "sign_flip_p_values",
    "weighted_choice",
]

FLIPS = 9999  # of signs, for a p-value: the least is one in ten thousand


@dataclass(frozen=True)
class HeadEffects:
    """The increase of the loss in percent of every head, (layers, heads) each."""

    increase: np.ndarray
    low: np.ndarray  # 95 % interval, BCa bootstrap over images
    high: np.ndarray
    p_value: np.ndarray  # two-sided, sign flips of the paired differences
    significant_bh: np.ndarray  # bool: false discovery rate 5 % (Benjamini-Hochberg)
    significant_by: np.ndarray  # bool: the same whatever the dependence between heads (Benjamini-Yekutieli)


def weighted_choice(importance: np.ndarray, count: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Choose images, important ones more often, with weights that make up for it.

    A few images on which the model errs carry most of every head's effect: chosen more often and weighted down, they
    leave means as they are and intervals narrower (systematic sampling with unequal probabilities, Cochran 1977,
    section 9A.10). A quarter of the mean importance is added to all, so that no weight exceeds five.

    Args:
        importance: (images,), not negative, known before the experiment.
        count: of the chosen.
        seed: of the choice.

    Returns:
        indices (count,), in order and without repeats, and weights (count,), of which the mean is one on average.

    Raises:
        CompanionError: more images are wanted than there are, or an importance is negative or not a number.
    """
    if not 0 < count <= len(importance):
        raise CompanionError(f"cannot choose {count} of {len(importance)} images; give a number between")
    if not (np.isfinite(importance) & (importance >= 0)).all():
        raise CompanionError("the importance of an image is negative or not a number")
    share = importance + (importance.mean() / 4 or 1.0)
    chance = count * share / share.sum()
    while (chance > 1 + 1e-9).any():  # certain images leave the rest of the count to the others
        certain = chance >= 1
        chance = np.where(certain, 1.0, share * (count - certain.sum()) / share[~certain].sum())
    steps = np.arange(count) + np.random.default_rng(seed).random()
    chosen = np.searchsorted(np.cumsum(chance), steps, side="right").clip(max=len(share) - 1)
    return chosen, count / (len(share) * chance[chosen])


def effective_sample_size(weights: np.ndarray) -> float:
    """Return how many images of equal weight a mean of weighted ones is worth, as far as weights go (Kish 1965).

    The square of the weights' sum over the sum of their squares: between one and the number of images, whatever the
    weights' unit. It does not count what importance sampling gains by choosing the images that matter.

    Args:
        weights: (images,), not negative.

    Raises:
        CompanionError: a weight is negative or not a number, or none is above zero.
    """
    if not ((weights >= 0) & np.isfinite(weights)).all() or not weights.any():
        raise CompanionError("the weights of images must be finite, not negative, and not all zero")
    share = weights / weights.max()  # squares of very small or large weights would leave the range of floats
    return float(share.sum() ** 2 / (share**2).sum())


def largest_gap(first: np.ndarray, second: np.ndarray, weights: tuple[np.ndarray, np.ndarray]) -> float:
    """Return the Kolmogorov-Smirnov statistic of two samples whose members have weights (scipy's takes none)."""
    values = np.concatenate([first, second])
    steps = np.concatenate([weights[0] / weights[0].sum(), -weights[1] / weights[1].sum()])
    order = np.argsort(values)
    gaps = np.abs(np.cumsum(steps[order]))
    return float(gaps[np.append(np.diff(values[order]) > 0, True)].max())  # equal values count together


def percent_increase(ablated: np.ndarray, intact: np.ndarray, axis: int = -1) -> np.ndarray:
    """Return the increase in percent of the mean of squared errors along an axis, the images' axis."""
    return 100 * (ablated.mean(axis) / intact.mean(axis) - 1)


def head_effects(ablated: np.ndarray, intact: np.ndarray, *, seed: int = 0) -> HeadEffects:
    """Return effect, interval and p-value of every head.

    Args:
        ablated: squared errors without each head, (layers, heads, images).
        intact: squared errors of the intact model on the same images, (images,).
        seed: of the resampling.

    Raises:
        CompanionError: fewer than eight images, of which no interval can be made.
    """
    if len(intact) < 8:
        raise CompanionError(f"{len(intact)} images are too few for intervals; give 8 or more")
    low, high = effect_bounds(ablated, intact, seed=seed)
    p_value = sign_flip_p_values(ablated - intact, seed=seed)
    by_rate = {
        method: (stats.false_discovery_control(p_value.ravel(), method=method) < 0.05).reshape(p_value.shape)
        for method in ("bh", "by")
    }
    return HeadEffects(
        increase=percent_increase(ablated, intact),
        low=low,
        high=high,
        p_value=p_value,
        significant_bh=by_rate["bh"],
        significant_by=by_rate["by"],
    )


def effect_bounds(ablated: np.ndarray, intact: np.ndarray, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return low and high ends of the 95 % intervals of `percent_increase` (BCa bootstrap over images).

    Args:
        ablated: squared errors of any number of heads or layers, (..., images).
        intact: squared errors of the intact model on the same images, (images,).
        seed: of the resampling.

    Returns:
        Low and high ends in percent, (...) each; zero where the errors are those of the intact model.
    """
    rows = ablated.reshape(-1, len(intact)).astype(float)
    counts = resample_counts(len(intact), seed=seed, draw="indices").astype(float)
    sample = 100 * ((counts @ rows.T) / (counts @ intact)[:, None] - 1)
    without_each = 100 * ((rows.sum(1) - rows.T) / (intact.sum() - intact)[:, None] - 1)
    ends = bca_interval(sample, percent_increase(rows, intact), without_each)
    changes = (rows != intact).any(1)
    low, high = (np.where(changes, end, 0.0).reshape(ablated.shape[:-1]) for end in ends)
    return low, high


def sign_flip_p_values(differences: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Return two-sided p-values of paired differences (..., images), whose signs are arbitrary under the null.

    What scipy's permutation_test does, with the same flips for all heads: one matrix product instead of minutes. Where
    every difference is the same (a head that changes nothing), the p-value is 1.
    """
    rows = differences.reshape(-1, differences.shape[-1])
    varies = np.ptp(rows, axis=1) > 0
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), (FLIPS, rows.shape[1]))
    as_far = np.abs(signs @ rows[varies].T) >= np.abs(rows[varies].sum(1)) * (1 - 1e-12)
    p_value = np.ones(len(rows))
    p_value[varies] = (as_far.sum(0) + 1) / (FLIPS + 1)
    return p_value.reshape(differences.shape[:-1])


def rank_correlations(effects: Sequence[np.ndarray]) -> list[float]:
    """Return Spearman's rank correlation of every pair of effects over the same heads, in the order of combinations."""
    pairs = itertools.combinations(effects, 2)
    return [float(stats.spearmanr(first, second, axis=None).statistic) for first, second in pairs]


def layer_intervals(ablated: np.ndarray, intact: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Return the 95 % interval of each layer's mean increase over its heads, (layers, 2) percent."""
    return np.stack(effect_bounds(ablated.mean(1), intact, seed=seed), axis=1)


def mean_where_known(values: np.ndarray, axis: int | tuple[int, ...] = 0) -> np.ndarray:
    """Return means over an axis of what is not NaN; where nothing is known, NaN, which is no reason to warn."""
    known = np.isfinite(values).sum(axis)
    return np.divide(np.nansum(values, axis=axis), known, out=np.full(known.shape, np.nan), where=known > 0)


def mean_intervals(values: np.ndarray, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return low and high ends of the 95 % interval of means over the first axis, the images' (percentile bootstrap).

    NaN marks an image to which a value does not apply: it does not count, and where no image counts the ends are NaN.
    """
    applies = np.isfinite(values)
    draws = resample_counts(len(values), seed=seed)
    sums = np.tensordot(draws, np.where(applies, values, 0), 1)
    counts = np.tensordot(draws, applies, 1)
    return percentile_interval(np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0))


def correlation_interval(first: np.ndarray, second: np.ndarray, *, seed: int = 0) -> tuple[float, float, float]:
    """Return Pearson's r of two columns over images, and its 95 % interval (percentile bootstrap over images).

    Where one column is constant, or holds a NaN, r and its interval are NaN.
    """
    if not min(np.ptp(first), np.ptp(second)) > 0:
        return (float("nan"),) * 3
    x, y = ((column - column.mean()) / column.std() for column in (np.float64(first), np.float64(second)))
    draws = resample_counts(len(x), seed=seed)
    mean_x, mean_y, mean_xx, mean_yy, mean_xy = (draws @ np.stack([x, y, x * x, y * y, x * y], 1) / len(x)).T
    spreads = np.sqrt(((mean_xx - mean_x**2) * (mean_yy - mean_y**2)).clip(0))
    # a resample may hold one image alone, for which r is not defined
    sample = np.divide(mean_xy - mean_x * mean_y, spreads, out=np.full(len(draws), np.nan), where=spreads > 1e-12)
    low, high = percentile_interval(sample)
    return float((x * y).mean()), float(low), float(high)


def rank_correlation_interval(first: np.ndarray, second: np.ndarray, *, seed: int = 0) -> tuple[float, float, float]:
    """Return Spearman's rank correlation over heads and its 95 % interval (percentile bootstrap over heads).

    Where all heads have the same value on one side, as in a resample they may, the correlation counts as zero.
    """
    x, y = np.ravel(first), np.ravel(second)
    drawn = resample_indices(len(x), seed=seed)
    low, high = percentile_interval(_rank_correlation(x[drawn], y[drawn]))
    return float(_rank_correlation(x, y)), float(low), float(high)


def _rank_correlation(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return Spearman's rank correlation over the last axis."""
    ranks = (stats.rankdata(sample, axis=-1) for sample in (x, y))
    x, y = (rank - rank.mean(-1, keepdims=True) for rank in ranks)
    norm = np.sqrt((x**2).sum(-1) * (y**2).sum(-1))
    return np.divide((x * y).sum(-1), norm, out=np.zeros_like(norm), where=norm > 0)
