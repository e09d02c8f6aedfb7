"""How sure an ablation effect is: intervals and tests over images, false discoveries over heads, with scipy's methods.

Every comparison is paired: the same images, with the head and without it.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from .errors import CompanionError

__all__ = [
    "HeadEffects",
    "correlation_interval",
    "effect_bounds",
    "head_effects",
    "largest_gap",
    "layer_intervals",
    "mean_intervals",
    "mean_where_known",
    "percent_increase",
    "rank_correlation_interval",
    "rank_correlations",
    "weighted_choice",
]

RESAMPLES = 2000  # of images, for an interval
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

    A few images on which the model errs carry most of every head's effect: chosen more often and weighted down,
    they leave means as they are and intervals narrower (systematic sampling with unequal probabilities, Cochran
    1977, section 9A.10). A quarter of the mean importance is added to all, so that no weight exceeds five.

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
        raise CompanionError("the importance of a image is negative or not a number")
    share = importance + (importance.mean() / 4 or 1.0)
    chance = count * share / share.sum()
    while (chance > 1 + 1e-9).any():  # what is certain of its place leaves the rest to the others
        certain = chance >= 1
        chance = np.where(certain, 1.0, share * (count - certain.sum()) / share[~certain].sum())
    steps = np.arange(count) + np.random.default_rng(seed).random()
    chosen = np.searchsorted(np.cumsum(chance), steps, side="right").clip(max=len(share) - 1)
    return chosen, count / (len(share) * chance[chosen])


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
    shape = ablated.shape[:2]
    rows = ablated.reshape(-1, ablated.shape[-1])
    low, high = effect_bounds(ablated, intact, seed=seed)
    differences = rows - intact
    moves = np.ptp(differences, axis=1) > 0  # a head that changes nothing has no sign to flip
    p_value = np.ones(len(rows))
    p_value[moves] = _sign_flips(differences[moves], seed)
    return HeadEffects(
        increase=percent_increase(ablated, intact),
        low=low,
        high=high,
        p_value=p_value.reshape(shape),
        significant_bh=(stats.false_discovery_control(p_value, method="bh") < 0.05).reshape(shape),
        significant_by=(stats.false_discovery_control(p_value, method="by") < 0.05).reshape(shape),
    )


def effect_bounds(ablated: np.ndarray, intact: np.ndarray, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return low and high ends of the heads' 95 % intervals, (layers, heads) each; arguments of `head_effects`."""
    bounds = np.array([[_interval(head, intact, seed) for head in layer] for layer in ablated])
    return bounds[..., 0], bounds[..., 1]


def rank_correlations(effects: Sequence[np.ndarray]) -> list[float]:
    """Return Spearman's rank correlation of every pair of effects over the same heads, in the order of combinations."""
    pairs = itertools.combinations(effects, 2)
    return [float(stats.spearmanr(first, second, axis=None).statistic) for first, second in pairs]


def layer_intervals(ablated: np.ndarray, intact: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Return the 95 % interval of each layer's mean increase over its heads, (layers, 2) percent."""
    return np.array([_interval(layer.mean(0), intact, seed) for layer in ablated])


def mean_where_known(values: np.ndarray, axis: int | tuple[int, ...] = 0) -> np.ndarray:
    """Return means over an axis of what is not NaN; where nothing is known, NaN, which is no reason to warn."""
    known = np.isfinite(values).sum(axis)
    return np.divide(np.nansum(values, axis=axis), known, out=np.full(known.shape, np.nan), where=known > 0)


def mean_intervals(values: np.ndarray, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return low and high ends of the 95 % interval of means over the first axis, the images' (percentile bootstrap).

    NaN marks a image in which a value does not apply: it does not count, and where no image counts the ends are NaN.
    """
    applies = np.isfinite(values)
    times = np.random.default_rng(seed).multinomial(len(values), np.full(len(values), 1 / len(values)), RESAMPLES)
    sums = np.tensordot(times, np.where(applies, values, 0), 1)
    counts = np.tensordot(times, applies, 1)
    means = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    none = ~applies.any(0)
    means[:, none] = 0  # a placeholder, so that no warning hides a real one
    low, high = np.nanpercentile(means, [2.5, 97.5], axis=0)
    return np.where(none, np.nan, low), np.where(none, np.nan, high)


def correlation_interval(first: np.ndarray, second: np.ndarray, *, seed: int = 0) -> tuple[float, float, float]:
    """Return Pearson's r of two columns over images, and its 95 % interval (percentile bootstrap over images).

    Where one column is all alike, or holds a NaN, nothing is known of r: it and its interval are NaN.
    """
    if not min(np.ptp(first), np.ptp(second)) > 0:
        return (float("nan"),) * 3
    x, y = ((column - column.mean()) / column.std() for column in (np.float64(first), np.float64(second)))
    count = len(x)
    times = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    mean_x, mean_y, mean_xx, mean_yy, mean_xy = (times @ np.stack([x, y, x * x, y * y, x * y], 1) / count).T
    spreads = np.sqrt(((mean_xx - mean_x**2) * (mean_yy - mean_y**2)).clip(0))
    # a resample may hold one image alone, of which there is no r
    again = np.divide(mean_xy - mean_x * mean_y, spreads, out=np.full(RESAMPLES, np.nan), where=spreads > 1e-12)
    low, high = np.nanpercentile(again, [2.5, 97.5])
    return float((x * y).mean()), float(low), float(high)


def rank_correlation_interval(first: np.ndarray, second: np.ndarray, *, seed: int = 0) -> tuple[float, float, float]:
    """Return Spearman's rank correlation over heads and its 95 % interval (percentile bootstrap over heads).

    Where heads are all alike on one side, as a resample's may be, nothing goes with anything: the correlation is zero.
    """

    def correlation(x: np.ndarray, y: np.ndarray, axis: int = -1) -> np.ndarray:
        ranks = (stats.rankdata(sample, axis=axis) for sample in (x, y))
        x, y = (sample - sample.mean(axis, keepdims=True) for sample in ranks)
        both = np.sqrt((x**2).sum(axis) * (y**2).sum(axis))
        return np.divide((x * y).sum(axis), both, out=np.zeros_like(both), where=both > 0)

    x, y = np.ravel(first), np.ravel(second)
    interval = stats.bootstrap(
        (x, y), correlation, paired=True, n_resamples=RESAMPLES, method="percentile", rng=np.random.default_rng(seed)
    ).confidence_interval
    return float(correlation(x, y)), float(interval.low), float(interval.high)


def _interval(ablated: np.ndarray, intact: np.ndarray, seed: int) -> tuple[float, float]:
    if np.array_equal(ablated, intact):
        return 0.0, 0.0
    result = stats.bootstrap(
        (ablated, intact),
        percent_increase,
        paired=True,
        n_resamples=RESAMPLES,
        method="BCa",
        rng=np.random.default_rng(seed),
    )
    return tuple(result.confidence_interval)


def _sign_flips(differences: np.ndarray, seed: int) -> np.ndarray:
    """Return two-sided p-values of paired differences (heads, images) with mean zero under the null.

    What scipy's permutation_test does, with the same flips for all heads: one matrix product instead of minutes.
    """
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), (FLIPS, differences.shape[1]))
    as_far = np.abs(signs @ differences.T) >= np.abs(differences.sum(1)) * (1 - 1e-12)
    return (as_far.sum(0) + 1) / (FLIPS + 1)
