"""How far the predictions move without each head: their distribution, and image by image (Figure 3)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..heads import head_name
from .distributions import StartTimes, two_halves
from .equivalence import Equivalence, equivalence, resampled_shifts, shifts_without_each
from .estimated import EstimatedAblation
from .groups import EARLY, group_intervals, group_metrics
from .tables import rounded

__all__ = ["MARGIN", "PredictionShift"]

MARGIN = 0.01  # of the standard deviation of the start times' labels

TITLES = {
    "wasserstein_seconds": "Wasserstein distance (s)",
    "kolmogorov_smirnov": "Kolmogorov-Smirnov",
    "mean_seconds": "mean shift of an image (s)",
}


@dataclass(frozen=True)
class PredictionShift:
    """Predicted start times, intact and without each head, and how far they lie apart."""

    start_times: StartTimes
    by_head: dict[str, np.ndarray]  # under the names of `TITLES`, (layers, heads) each
    halves: tuple[float, float]  # of `two_halves`
    shifts: np.ndarray  # (layers, heads, images) seconds, of `equivalence`
    equivalence: Equivalence
    exact_images: int
    label_std: float  # of the start times, seconds

    @classmethod
    def of(cls, ablation: EstimatedAblation) -> "PredictionShift":
        """Compare the start times that are predicted without each head with those of the intact model."""
        many, shifts = ablation.linearised, ablation.shifts()
        label_std = float(many.label_std[0])
        held, start_times = equivalence(shifts, margin=MARGIN * label_std), StartTimes.of(ablation)
        by_head = {
            "wasserstein_seconds": start_times.wasserstein(),
            "kolmogorov_smirnov": start_times.kolmogorov_smirnov(),
            "mean_seconds": held.mean,
        }
        halves = two_halves(many.baseline[:, 0], many.weights)
        return cls(start_times, by_head, halves, shifts, held, len(ablation.few.positions), label_std)

    def maps(self) -> dict[str, np.ndarray]:
        """Return the three numbers of each head under the names that figures show."""
        return {TITLES[name]: values.clip(0) for name, values in self.by_head.items()}

    def table(self) -> pd.DataFrame:
        """Return means over the heads of each layer, and for comparison two halves of the intact predictions."""
        rows = {f"layer {layer + 1}": self._row(slice(layer, layer + 1), digits=2) for layer in range(len(self.shifts))}
        halves = [rounded(value, digits=2) for value in self.halves]
        rows["two halves of the intact predictions"] = [*halves, "-", "-", "-"]
        return self._frame(rows)

    def groups(self) -> pd.DataFrame:
        """Return means over the heads of early and of later layers."""
        parts = {"layers 1 to 3": EARLY, f"layers 4 to {len(self.shifts)}": slice(EARLY.stop, None)}
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
        """Return distances and mean shifts by group of layers, equivalence, and halves.

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
            **{"Images": held.images, "of these exactly": self.exact_images}
        )
