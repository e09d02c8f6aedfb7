"""How far the predictions move without each head: their distribution, and image by image (Figure 3)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from ..heads import head_name
from ..statistics import largest_gap
from .ablation import Ablation
from .equivalence import Equivalence, equivalence, resampled_shifts, shifts_without_each
from .groups import EARLY, group_intervals, group_metrics
from .tables import rounded

__all__ = [
    "MARGIN",
    "PredictionShift",
    "head_shifts",
    "image_shifts",
    "two_halves",
]

MARGIN = 0.01  # of the standard deviation of the start times' labels

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
    rng, found = np.random.default_rng(seed), []
    for _ in range(splits):
        first, second = np.array_split(rng.permutation(len(baseline)), 2)
        halves, half_weights = (baseline[first], baseline[second]), (weights[first], weights[second])
        found.append((stats.wasserstein_distance(*halves, *half_weights), largest_gap(*halves, half_weights)))
    distance, gap = np.median(found, axis=0)
    return float(distance), float(gap)


def image_shifts(ablation: Ablation) -> np.ndarray:
    """Return how far the predicted start time of each image moves without each head, (layers, heads, images) seconds.

    What the images' weights do to their mean is in the values (linearised): the mean over images is the weighted one,
    and so is, to first order, the spread of the mean over resamples.
    """
    shifts = np.abs(ablation.ablated[..., 0] - ablation.baseline[:, 0]).astype(float)
    weights = ablation.weights / ablation.weights.mean()
    mean = (shifts * weights).mean(-1, keepdims=True)
    return mean + weights * (shifts - mean)


@dataclass(frozen=True)
class PredictionShift:
    """Predicted start times, intact and without each head, and how far they lie apart."""

    baseline: np.ndarray  # (images,) seconds
    ablated: np.ndarray  # (layers, heads, images) seconds
    weights: np.ndarray  # (images,) of importance sampling
    by_head: dict[str, np.ndarray]  # of `head_shifts`, (layers, heads) each; the mean shift on the images of `shifts`
    halves: tuple[float, float]  # of `two_halves`
    shifts: np.ndarray  # (layers, heads, images) seconds, of `equivalence`
    equivalence: Equivalence
    label_std: float  # of the start times, seconds

    @classmethod
    def of(cls, ablation: Ablation, *, shifts: np.ndarray | None = None) -> "PredictionShift":
        """Compare the start times that are predicted without each head with those of the intact model.

        Args:
            ablation: exact, of the images whose distributions are compared.
            shifts: arguments of `equivalence`, on these images or on more; those of `image_shifts` if None.
        """
        baseline, ablated, weights = ablation.baseline[:, 0], ablation.ablated[..., 0], ablation.weights
        shifts, label_std = image_shifts(ablation) if shifts is None else shifts, float(ablation.label_std[0])
        held = equivalence(shifts, margin=MARGIN * label_std)
        by_head = head_shifts(baseline, ablated, weights) | {"mean_seconds": held.mean}
        return cls(baseline, ablated, weights, by_head, two_halves(baseline, weights), shifts, held, label_std)

    def maps(self) -> dict[str, np.ndarray]:
        """Return the three numbers of each head under the names that figures show."""
        return {TITLES[name]: values.clip(0) for name, values in self.by_head.items()}

    def table(self) -> pd.DataFrame:
        """Return means over the heads of each layer, and for comparison two halves of the intact predictions."""
        rows = {
            f"layer {layer + 1}": self._row(slice(layer, layer + 1), digits=2) for layer in range(len(self.ablated))
        }
        halves = [rounded(value, digits=2) for value in self.halves]
        rows["two halves of the intact predictions"] = [*halves, "-", "-", "-"]
        return self._frame(rows)

    def groups(self) -> pd.DataFrame:
        """Return means over the heads of early and of later layers."""
        parts = {"layers 1 to 3": EARLY, f"layers 4 to {len(self.ablated)}": slice(EARLY.stop, None)}
        return self._frame({name: self._row(part) for name, part in parts.items()})

    def furthest(self, count: int = 5) -> pd.DataFrame:
        """Return the heads without which the predictions of the single images move furthest."""
        shift, held = self.by_head["mean_seconds"], self.equivalence
        order = np.argsort(shift, axis=None)[::-1][:count]
        heads = list(zip(*np.unravel_index(order, shift.shape), strict=True))
        rows = {
            head_name(*head): [
                *(rounded(values[head]) for values in self.by_head.values()),
                rounded(held.high[head]),
                "yes" if held.equivalent[head] else "no",
            ]
            for head in heads
        }
        return self._frame(rows)

    def metrics(self) -> dict[str, float]:
        """Return `head_shifts` by group of layers, equivalence, and halves.

        Intervals stand beside mean shifts in percent of the standard deviation of the labels, the unit of the margin.
        """
        (distance, gap), unit = self.halves, 100 / self.label_std
        found = {"two_halves.wasserstein_seconds": distance, "two_halves.kolmogorov_smirnov": gap}
        parts = {"layers_1_to_3": EARLY, "layers_4_to_12": slice(EARLY.stop, None)}
        for group, part in parts.items():
            for name, values in self.by_head.items():
                found[f"{group}.{name}"] = float(values[part].mean())
                found[f"{group}.largest_{name}"] = float(values[part].max())
            found[f"{group}.equivalent_heads"] = int(self.equivalence.equivalent[part].sum())
            largest = self.equivalence.largest(part)
            found[f"{group}.largest_upper_bound_seconds"] = largest[-1]
            keys = ("furthest_percent", "furthest_low_percent", "furthest_high_percent")
            found |= {f"{group}.{key}": value * unit for key, value in zip(keys, largest, strict=True)}
        found |= group_metrics(self.equivalence.mean * unit)
        found |= group_intervals(
            resampled_shifts(self.shifts) * unit,
            self.equivalence.mean * unit,
            shifts_without_each(self.shifts) * unit,
        )
        found |= {
            "equivalent_heads": int(self.equivalence.equivalent.sum()),
            "equivalence.images": self.equivalence.images,
            "equivalence.margin_seconds": self.equivalence.margin,
        }
        return {f"shift.{name}": value for name, value in found.items()}

    def _row(self, part: slice, *, digits: int = 3) -> list[str]:
        """Return the cells of some layers: means over heads, the largest upper bound, and how many are equivalent."""
        held = self.equivalence
        return [
            *(rounded(values[part].mean(), digits=digits) for values in self.by_head.values()),
            rounded(held.largest(part)[-1], digits=digits),
            f"{held.equivalent[part].sum()} of {held.equivalent[part].size}",
        ]

    def _frame(self, rows: dict[str, list[str]]) -> pd.DataFrame:
        held = self.equivalence
        columns = [
            *TITLES.values(),
            "its upper bound (s), of the furthest head",
            f"equivalent within {held.margin:.2f} s",
        ]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns).assign(
            **{"Images (distributions)": len(self.baseline), "Images (shift)": held.images}
        )
