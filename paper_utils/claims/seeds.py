"""What a claim's value comes to over fine-tuning seeds: their mean, with an interval over seeds and images.

The seeds are fine-tunings of the same backbone that are looked into on the same images. So what the images have by
chance is common to all seeds, and a mean over seeds does not make it smaller; what a training has by chance is not.
"""

from collections.abc import Mapping, Sequence
from math import hypot, sqrt
from typing import Any

import numpy as np
from scipy import stats

from ..bootstrap import LEVEL
from .values import interval_keys

__all__ = ["MEASURED", "mean_over_seeds", "over_seeds"]

# by rule, the arguments that name a value with an interval over images; the other rules judge one run against chance
MEASURED = {
    "near": ("key",),
    "at_least": ("key",),
    "at_most": ("key",),
    "times_as_large": ("key", "base"),
    "smaller": ("key", "than", "difference"),
    "differs": ("key", "than", "difference"),
}


def mean_over_seeds(values: Sequence[float], *, below: float, above: float) -> tuple[float, float, float]:
    """Return the mean over seeds and the ends of its 95 % interval, over seeds and images.

    On each side the interval reaches as far as the two parts do in quadrature, as for any sum of two independent
    estimates (the method of variance estimates recovery: Zou and Donner 2008, Statistics in Medicine 27, 1693-1702):

    - seeds: Student's t with n - 1 degrees of freedom times the standard error of the mean, for the spread between
      seeds is known from these few alone (three seeds: 4.3 instead of 1.96 standard errors);
    - images: the interval over images, which all seeds share.

    The mean over all seeds lies in it at least 95 % of the time, and up to 98 % where both parts count alike. Where
    the images are not the same it is wider than needed: the spread between seeds then holds that of images already.

    Args:
        values: of each seed, two or more, in any unit.
        below: how far the interval over images reaches below the value, in the unit of `values`.
        above: how far it reaches above.
    """
    count, mean = len(values), float(np.mean(values))
    between = float(stats.t.ppf((1 + LEVEL) / 2, count - 1) * np.std(values, ddof=1) / sqrt(count))
    return mean, mean - hypot(between, below), mean + hypot(between, above)


def over_seeds(
    metrics: Mapping[str, Any], other_seeds: Sequence[Mapping[str, Any]], keys: Sequence[str]
) -> dict[str, Any] | None:
    """Return the metrics of a run with values over seeds, and their intervals, in place of its own.

    How far the interval over images reaches is the mean over the seeds that have one. A value that has none in this
    run has none over seeds either: spread between seeds does not show what the images have by chance.

    Args:
        metrics: of this run, flat keys as in results.json.
        other_seeds: of the other seeds.
        keys: of the values.

    Returns:
        The metrics, or None where a seed lacks a value.
    """
    seeds, found = [metrics, *other_seeds], dict(metrics)
    if any(key not in seed for seed in seeds for key in keys):
        return None
    for key in keys:
        values = [float(seed[key]) for seed in seeds]
        found[key] = float(np.mean(values))
        for low, high in interval_keys(key):
            if low not in metrics or high not in metrics:
                continue
            ends = [(float(seed[low]), float(seed[high])) if {low, high} <= set(seed) else None for seed in seeds]
            reach = [
                (value - end[0], end[1] - value) for value, end in zip(values, ends, strict=True) if end is not None
            ]
            below, above = np.mean(reach, axis=0).clip(0)
            found[key], found[low], found[high] = mean_over_seeds(values, below=float(below), above=float(above))
            break
    return found
