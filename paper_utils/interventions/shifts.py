"""How far the predictions move without each head: their distribution, and image by image (Figure 3)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from ..bootstrap import resample_counts
from ..heads import head_name
from ..statistics import largest_gap
from .ablation import Ablation
from .groups import EARLY, group_intervals, group_metrics
from .tables import rounded

__all__ = ["PredictionShift", "head_shifts", "largest_of_halves", "resampled_gaps", "shift_metrics", "two_halves"]

GAP: Literal["_kolmogorov_smirnov"] = "_kolmogorov_smirnov"

TITLES = {
    "wasserstein_seconds": "Wasserstein distance (s)",
    "kolmogorov_smirnov": "Kolmogorov-Smirnov",
    "mean_seconds": "mean shift of an image (s)",
}


def head_shifts(baseline: np.ndarray, ablated: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Return how far predictions move without each head, (layers, heads) each.

    Wasserstein distance and Kolmogorov-Smirnov statistic compare the two distributions. The mean shift compares the
    predictions image by image; they may change places and leave the distribution the same.

    Args:
        baseline: (images,) seconds.
        ablated: (layers, heads, images) seconds.
        weights: (images,) of importance sampling.
    """
    both = weights, weights  # the same images, with the head and without it
    distance = [[stats.wasserstein_distance(baseline, head, *both) for head in layer] for layer in ablated]
    gap = [[largest_gap(baseline, head, both) for head in layer] for layer in ablated]
    shift = np.abs(ablated - baseline) @ weights / weights.sum()
    return {"wasserstein_seconds": np.array(distance), "kolmogorov_smirnov": np.array(gap), "mean_seconds": shift}


def two_halves(baseline: np.ndarray, weights: np.ndarray, *, splits: int = 200, seed: int = 0) -> tuple[float, float]:
    """Return Wasserstein distance (s) and Kolmogorov-Smirnov statistic between two halves of the same predictions.

    Medians over random splits, because the distances of single splits differ by a factor of three.
    """
    distance, gap = np.median(_apart(baseline, weights, splits, seed), axis=0)
    return float(distance), float(gap)


def largest_of_halves(
    baseline: np.ndarray, weights: np.ndarray, count: int, *, splits: int = 200, seed: int = 0
) -> float:
    """Return the expected largest Kolmogorov-Smirnov statistic of so many random splits into halves.

    What the largest of as many heads is to be compared with; the median of single splits is smaller.
    """
    gaps = _apart(baseline, weights, splits, seed)[:, 1]
    below = (np.arange(splits + 1) / splits) ** count  # the chance that the largest is among the smallest so many
    return float(np.sort(gaps) @ np.diff(below))


def _apart(baseline: np.ndarray, weights: np.ndarray, splits: int, seed: int) -> np.ndarray:
    """Return Wasserstein distance (s) and Kolmogorov-Smirnov statistic of random splits into halves, (splits, 2)."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(splits):
        first, second = np.array_split(rng.permutation(len(baseline)), 2)
        halves, half_weights = (baseline[first], baseline[second]), (weights[first], weights[second])
        found.append((stats.wasserstein_distance(*halves, *half_weights), largest_gap(*halves, half_weights)))
    return np.array(found)


def resampled_gaps(
    baseline: np.ndarray, ablated: np.ndarray, weights: np.ndarray, *, seed: int = 0, resamples: int = 500
) -> np.ndarray:
    """Return the Kolmogorov-Smirnov statistic of every head in resamples of the images, (resamples, layers, heads).

    A resample draws the same images with the head and without it; arguments of `head_shifts`.
    """
    drawn = resample_counts(len(baseline), seed=seed, resamples=resamples) * weights
    steps = np.concatenate([drawn, -drawn], axis=1) / drawn.sum(1, keepdims=True)
    found = np.empty((resamples, *ablated.shape[:2]))
    for layer, head in np.ndindex(*ablated.shape[:2]):
        values = np.concatenate([baseline, ablated[layer, head]])
        order = np.argsort(values)
        last = np.append(np.diff(values[order]) > 0, True)  # equal values count together
        found[:, layer, head] = np.abs(np.cumsum(steps[:, order], axis=1)[:, last]).max(1)
    return found


def shift_metrics(baseline: np.ndarray, ablated: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """Return the metrics of `PredictionShift`; arguments of `head_shifts`."""
    return PredictionShift(
        baseline, ablated, weights, head_shifts(baseline, ablated, weights), two_halves(baseline, weights)
    ).metrics()


@dataclass(frozen=True)
class PredictionShift:
    """Predicted start times, intact and without each head, and how far they lie apart."""

    baseline: np.ndarray  # (images,) seconds
    ablated: np.ndarray  # (layers, heads, images) seconds
    weights: np.ndarray  # (images,) of importance sampling
    by_head: dict[str, np.ndarray]  # of `head_shifts`, (layers, heads) each
    halves: tuple[float, float]  # of `two_halves`

    @classmethod
    def of(cls, ablation: Ablation) -> "PredictionShift":
        """Compare the start times that are predicted without each head with those of the intact model."""
        baseline, ablated, weights = ablation.baseline[:, 0], ablation.ablated[..., 0], ablation.weights
        return cls(baseline, ablated, weights, head_shifts(baseline, ablated, weights), two_halves(baseline, weights))

    def maps(self) -> dict[str, np.ndarray]:
        """Return the three numbers of each head under the names that figures show."""
        return {TITLES[name]: values for name, values in self.by_head.items()}

    def table(self) -> pd.DataFrame:
        """Return means over the heads of each layer, and for comparison two halves of the intact predictions."""
        rows = {
            f"layer {layer + 1}": [rounded(values[layer].mean(), digits=2) for values in self.by_head.values()]
            for layer in range(len(self.ablated))
        }
        rows["two halves of the intact predictions"] = [*(rounded(value, digits=2) for value in self.halves), "-"]
        return self._frame(rows)

    def groups(self) -> pd.DataFrame:
        """Return means over the heads of early and of later layers."""
        early, late = slice(0, EARLY.stop), slice(EARLY.stop, None)
        rows = {
            name: [rounded(values[part].mean()) for values in self.by_head.values()]
            for name, part in (("layers 1 to 3", early), (f"layers 4 to {len(self.ablated)}", late))
        }
        return self._frame(rows)

    def furthest(self, count: int = 5) -> pd.DataFrame:
        """Return the heads without which the predictions of the single images move furthest."""
        shift = self.by_head["mean_seconds"]
        order = np.argsort(shift, axis=None)[::-1][:count]
        heads = zip(*np.unravel_index(order, shift.shape), strict=True)
        return self._frame(
            {head_name(*head): [rounded(values[head]) for values in self.by_head.values()] for head in heads}
        )

    def metrics(self) -> dict[str, float]:
        """Return `head_shifts` by group of layers, with intervals of its Kolmogorov-Smirnov statistic, and halves."""
        distance, gap = self.halves
        found = {"two_halves.wasserstein_seconds": distance, "two_halves.kolmogorov_smirnov": gap}
        for name, values in self.by_head.items():
            found[f"layers_1_to_3.{name}"] = float(values[EARLY].mean())
            found[f"layers_4_to_12.{name}"] = float(values[EARLY.stop :].mean())
            found[f"layers_1_to_3.largest_{name}"] = float(values[EARLY].max())
        gaps = self.by_head["kolmogorov_smirnov"]
        found[f"layers_4_to_12.largest{GAP}"] = float(gaps[EARLY.stop :].max())
        found[f"two_halves.largest{GAP}"] = largest_of_halves(self.baseline, self.weights, gaps[EARLY].size)
        found |= group_metrics(gaps, unit=GAP)
        # resampled distributions lie further apart, which a difference of means does not see, but a mean itself does
        ends = group_intervals(resampled_gaps(self.baseline, self.ablated, self.weights), gaps, unit=GAP)
        found |= {name: end for name, end in ends.items() if name.startswith("late_minus_early.mean")}
        return {f"shift.{name}": value for name, value in found.items()}

    def _frame(self, rows: dict[str, list[str]]) -> pd.DataFrame:
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(TITLES.values())).assign(
            Images=len(self.baseline)
        )
