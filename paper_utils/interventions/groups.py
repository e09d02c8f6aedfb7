"""Early against later layers, and chosen heads against others: means, medians, and what one head contributes to them.

One head's effect can exceed all others' together. Every mean is therefore also taken without the head of the largest
value, and every group also has its median over heads. That head is chosen on the same images: in the resamples of a
bootstrap it stays the same one.
"""

import numpy as np

from ..bootstrap import bca_interval, percentile_interval, resample_counts
from ..statistics import percent_increase

__all__ = [
    "EARLY",
    "compare_heads",
    "effects_without_each",
    "group_intervals",
    "group_metrics",
    "largest_head",
    "resampled_effects",
]

EARLY = slice(0, 3)  # layers 1 to 3
STATISTICS = ("mean", "mean_without_largest", "median")


def largest_head(values: np.ndarray) -> tuple[int, int]:
    """Return the index of the head of the largest value of (layers, heads)."""
    layer, head = np.unravel_index(values.argmax(), values.shape)
    return int(layer), int(head)


def group_metrics(values: np.ndarray) -> dict[str, float]:
    """Return means and medians over the heads of layers 1 to 3 and of the others, and how much larger the latter are.

    The keys are "layers_1_to_3.median_percent", "late_minus_early.mean_without_largest_percent" and the like.

    Args:
        values: of each head, (layers, heads) percent.
    """
    return {f"{name}_percent": float(value) for name, value in _statistics(values, largest_head(values)).items()}


def group_intervals(sample: np.ndarray, values: np.ndarray, without_each: np.ndarray | None = None) -> dict[str, float]:
    """Return the 95 % intervals of `group_metrics` (bootstrap over images; differences are paired).

    Those of means are percentile intervals. Medians over heads lie further apart in resamples than over all images,
    because each head's value is noisier there: theirs are BCa intervals, which correct for it.

    Args:
        sample: of the heads' values in resamples of the images, (resamples, layers, heads).
        values: of all images, (layers, heads), which say what head is left out.
        without_each: values without each image in turn, (images, layers, heads); without them medians have no interval.
    """
    largest = largest_head(values)
    estimates, left_out = _statistics(values, largest), {}
    if without_each is not None:
        left_out = _statistics(without_each, largest)
    found: dict[str, float] = {}
    for name, statistic in _statistics(sample, largest).items():
        if not name.endswith("median"):
            low, high = percentile_interval(statistic)
        elif left_out:
            low, high = bca_interval(statistic, estimates[name], left_out[name])
        else:
            continue
        found |= {f"{name}_low_percent": float(low), f"{name}_high_percent": float(high)}
    return found


def effects_without_each(ablated: np.ndarray, intact: np.ndarray) -> np.ndarray:
    """Return the increase of the loss in percent without each image in turn, (images, layers, heads).

    Arguments of `resampled_effects`.
    """
    sums = ablated.sum(-1, keepdims=True) - ablated
    return 100 * (np.moveaxis(sums, -1, 0) / (intact.sum() - intact)[:, None, None] - 1)


def resampled_effects(ablated: np.ndarray, intact: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Return the increase of the loss in percent in resamples of the images, (resamples, layers, heads).

    Args:
        ablated: weighted squared errors without each head, (layers, heads, images).
        intact: those of the intact model, (images,).
        seed: of the bootstrap.
    """
    counts = resample_counts(len(intact), seed=seed).astype(float)
    sums = counts @ ablated.reshape(-1, len(intact)).T.astype(float)
    return 100 * (sums / (counts @ intact)[:, None] - 1).reshape(-1, *ablated.shape[:2])


def compare_heads(
    ablated: np.ndarray, intact: np.ndarray, chosen: np.ndarray, others: np.ndarray, *, seed: int = 0
) -> dict[str, float]:
    """Return the mean effects of chosen heads, of others, and their paired difference, with 95 % intervals, in percent.

    Where there is no head on one side the numbers are NaN.

    Args:
        ablated: weighted squared errors without each head, (layers, heads, images).
        intact: those of the intact model, (images,).
        chosen: weights of the heads, (layers, heads); for a plain mean true where a head is chosen.
        others: the same of the others.
        seed: of the bootstrap over images.
    """
    increase = percent_increase(ablated, intact)
    sample = resampled_effects(ablated, intact, seed=seed)
    found: dict[str, float] = {}
    first, second = (_weighted(weights) for weights in (chosen, others))
    for name, weights in (("chosen", first), ("others", second), ("difference", first - second)):
        low, high = percentile_interval(np.tensordot(sample, weights, 2))
        found |= {
            f"{name}_percent": float((increase * weights).sum()),
            f"{name}_low_percent": float(low),
            f"{name}_high_percent": float(high),
        }
    return found


def _weighted(weights: np.ndarray) -> np.ndarray:
    """Return weights that add up to one."""
    total = weights.sum()
    return weights / total if total else np.full(weights.shape, np.nan)


def _statistics(values: np.ndarray, largest: tuple[int, int]) -> dict[str, np.ndarray]:
    """Return each statistic of (..., layers, heads) by group of layers, (...) each, and late minus early."""
    without = values.astype(float)  # a copy
    without[..., *largest] = np.nan
    found: dict[str, np.ndarray] = {}
    for statistic in STATISTICS:
        take = np.median if statistic == "median" else np.nanmean
        kept = without if statistic == "mean_without_largest" else values
        early, late = (take(kept[..., part, :], axis=(-2, -1)) for part in (EARLY, slice(EARLY.stop, None)))
        found[f"layers_1_to_3.{statistic}"] = early
        found[f"layers_4_to_12.{statistic}"] = late
        found[f"late_minus_early.{statistic}"] = late - early
    return found
