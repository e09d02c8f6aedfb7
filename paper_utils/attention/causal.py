"""Attention beside causal effects: of ablating a head, and of changing one thing in the image."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..data.chirps import UNITS
from ..data.counterfactuals import PATCH, shift_by_position
from ..heads import head_name
from ..statistics import HeadEffects, mean_intervals, rank_correlation_interval
from .classified import ClassifiedHeads
from .drives import control_labels
from .region_scores import RegionScores
from .summaries import CHIRP

__all__ = [
    "ScoreAndEffect",
    "VariantShifts",
    "relate_to_effect",
    "variant_shifts",
]

Interval = tuple[float, float, float]  # value, low and high end of its 95 % interval
IMPORTANT = 0.9  # quantile of the effects from which a head is among the most important


@dataclass(frozen=True)
class ScoreAndEffect:
    """Attention on the chirp against the effect of ablation, head by head."""

    score: np.ndarray  # (layers, heads) enrichment of the chirp, averaged over query patches
    score_from_cls: np.ndarray  # (layers, heads) the same of the CLS query
    increase: np.ndarray  # (layers, heads) increase of the loss in percent
    is_chirp: np.ndarray  # (layers, heads) bool
    rank: Interval  # Spearman's correlation over heads, percentile bootstrap over heads
    rank_from_cls: Interval
    rank_by_layer: tuple[Interval, ...]  # within layers

    @property
    def title(self) -> str:
        """The correlation over all heads in words."""
        return f"rank correlation {_said(self.rank, 2)}"

    def table(self) -> pd.DataFrame:
        """Return the rank correlation of score and effect over all heads in both views, and within each layer."""
        layers, heads = self.score.shape
        rows = [("All layers, all queries", self.rank, 2, layers * heads)]
        rows.append(("All layers, CLS query", self.rank_from_cls, 2, layers * heads))
        rows += [(f"Layer {layer}", rank, 1, heads) for layer, rank in enumerate(self.rank_by_layer, start=1)]
        return pd.DataFrame(
            [
                {"Heads of": name, "Rank correlation (95 % interval)": _said(rank, digits), "Heads": count}
                for name, rank, digits, count in rows
            ]
        ).set_index("Heads of")

    def exceptions(self) -> pd.DataFrame:
        """Return the chirp heads of little effect, and the most important heads that attend little to the chirp."""
        idle = self.is_chirp & (np.abs(self.increase) < np.median(np.abs(self.increase)))
        important = self.increase >= np.quantile(self.increase, IMPORTANT)
        cases = {
            "Chirp heads with an effect below the median": idle,
            "Most important tenth, attention on the chirp below the mean": important & (self.score < 1),
        }
        return pd.DataFrame(
            [
                {
                    "Heads": name,
                    "Count": int(which.sum()),
                    "Names": ", ".join(head_name(*index) for index in np.argwhere(which)) or "none",
                }
                for name, which in cases.items()
            ]
        ).set_index("Heads")

    def metrics(self) -> dict[str, float]:
        """Return the rank correlation over all heads and its interval."""
        keys = ("", "_low", "_high")
        return {
            f"semantics.chirp_and_effect.rank_correlation{key}": value
            for key, value in zip(keys, self.rank, strict=True)
        }


def relate_to_effect(scores: RegionScores, heads: ClassifiedHeads, effects: HeadEffects) -> ScoreAndEffect:
    """Correlate heads' attention on the chirp with the effect of their ablation.

    Args:
        scores: of the model's heads.
        heads: the same heads, classified.
        effects: of their ablation.
    """
    score, from_cls = scores.enrichment[CHIRP], scores.enrichment_from_cls[CHIRP]
    return ScoreAndEffect(
        score,
        from_cls,
        effects.increase,
        heads.is_chirp,
        rank=rank_correlation_interval(score, effects.increase),
        rank_from_cls=rank_correlation_interval(from_cls, effects.increase),
        rank_by_layer=tuple(map(rank_correlation_interval, score, effects.increase)),
    )


@dataclass(frozen=True)
class VariantShifts:
    """Mean absolute shift of predictions between an image and its counterfactual variant; seconds, hertz, hertz."""

    names: tuple[str, ...]  # of the variants
    shift: np.ndarray  # (variants, 3)
    low: np.ndarray  # 95 % interval, percentile bootstrap over images
    high: np.ndarray
    error: np.ndarray  # (3,) the mean absolute error on the published images
    by_position: np.ndarray  # (variants, 3) the shift of a reader of places alone; NaN without a chirp
    images: int

    @property
    def labels(self) -> list[str]:
        """The variants' names for a reader."""
        return [control_labels()[name] for name in self.names]

    @property
    def targets(self) -> list[str]:
        """The targets with their units."""
        return [f"{target.replace('_', ' ')} ({unit})" for target, unit in UNITS.items()]

    def table(self) -> pd.DataFrame:
        """Return a row for each variant, after one for the model's own error on the published images."""
        rows = [["the model's mean absolute error", *(f"{value:.2g}" for value in self.error)]]
        for label, *ends in zip(self.labels, self.shift, self.low, self.high, strict=True):
            rows.append(
                [label, *(f"{value:.2g} ({low:.2g} to {high:.2g})" for value, low, high in zip(*ends, strict=True))]
            )
        columns = ["Variant", *(f"Mean shift, {target}" for target in self.targets)]
        return pd.DataFrame(rows, columns=columns).assign(Images=self.images).set_index("Variant")

    def metrics(self) -> dict[str, float]:
        """Return the mean shift of the start time under each variant, in seconds."""
        return {
            f"causal.{name}.mean_shift_of_start_time_seconds": float(shift[0])
            for name, shift in zip(self.names, self.shift, strict=True)
        }


def variant_shifts(predictions: dict[str, np.ndarray], *, patch: int = PATCH) -> VariantShifts:
    """Return how far predictions move when one thing in the image is changed.

    Args:
        predictions: (images, 3) by variant, "published" among them, of the same chirps, and their "labels".
        patch: of the model, in pixels at 224: things move by whole ones.
    """
    reference = predictions["published"]
    names = tuple(name for name in predictions if name not in ("labels", "published"))
    shifts = np.abs(np.stack([predictions[name] for name in names]) - reference)
    low, high = mean_intervals(shifts.swapaxes(0, 1))
    error = np.abs(reference - predictions["labels"]).mean(0)
    by_position = np.abs(np.stack([shift_by_position(name, patch=patch) for name in names]))
    return VariantShifts(names, shifts.mean(1), low, high, error, by_position, len(reference))


def _said(value: Interval, digits: int) -> str:
    return "{:.{d}f} ({:.{d}f} to {:.{d}f})".format(*value, d=digits)
