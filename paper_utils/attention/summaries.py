"""Summaries of attention maps by layer, and the flat metrics of a model's heads."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..heads import head_name
from .mapped import MappedImages
from .maps import sees_no_patch
from .region_scores import RegionScores
from .scores import FEATURES
from .semantics import KINDS, constancy

__all__ = ["Contrast", "LayerSummary", "attention_metrics", "contrast", "summarise_layers"]

EARLY_LAYERS = 4  # layers 1 to 4, in which the paper finds heads for other elements than the chirp
ALIKE = 0.9  # correlation between a head's maps of two images from which it counts as the same map
CHIRP = list(FEATURES).index("chirp")


@dataclass(frozen=True)
class Contrast:
    """How unevenly heads attend to patches, which min-max scaling hides."""

    ratio: np.ndarray  # (layers, heads) attention of the most attended patch over the mean, averaged over images
    cls_only: np.ndarray  # (layers, heads) bool: all attention goes to CLS, on every image
    images: int

    def table(self) -> pd.DataFrame:
        """Return a row for each layer."""
        return pd.DataFrame(
            {
                "Layer": range(1, len(self.ratio) + 1),
                "Most attended patch over the mean": [f"{mean:.1f}" for mean in self.ratio.mean(1)],
                "Heads that attend to CLS alone": [
                    ", ".join(f"H{head + 1}" for head in np.flatnonzero(row)) or "none" for row in self.cls_only
                ],
                "Heads": self.ratio.shape[1],
                "Images": self.images,
            }
        ).set_index("Layer")

    def metrics(self) -> dict[str, float]:
        """Return the mean contrast of the first layer and of all layers."""
        return {
            "attention.contrast_first_layer": float(self.ratio[0].mean()),
            "attention.contrast": float(np.mean(self.ratio)),
        }


def contrast(mapped: MappedImages) -> Contrast:
    """Return how many times its mean attention each head gives its most attended patch."""
    maps = mapped.maps.patches
    return Contrast((maps.max((-2, -1)) / maps.mean((-2, -1))).mean(0), sees_no_patch(maps), len(maps))


@dataclass(frozen=True)
class LayerSummary:
    """Attention on the chirp, constancy of maps and length of patch tokens, layer by layer."""

    chirp: np.ndarray  # (layers, heads) enrichment, averaged over query patches
    chirp_from_cls: np.ndarray  # (layers, heads) enrichment, of the CLS query
    constancy: np.ndarray  # (layers, heads) mean correlation between the maps of two images
    longest: np.ndarray  # (layers,) norm of the longest patch token over the median, averaged over images
    images: int

    def table(self) -> pd.DataFrame:
        """Return a row for each layer."""
        return pd.DataFrame(
            {
                "Layer": range(1, len(self.chirp) + 1),
                "Attention on the chirp over the mean, all queries": [f"{mean:.1f}" for mean in self.chirp.mean(1)],
                "The same, CLS query": [f"{mean:.1f}" for mean in self.chirp_from_cls.mean(1)],
                f"Heads whose maps correlate above {ALIKE}": (self.constancy > ALIKE).sum(1),
                "Longest patch token over the median": [f"{ratio:.1f}" for ratio in self.longest],
                "Heads": self.chirp.shape[1],
                "Images": self.images,
            }
        ).set_index("Layer")


def summarise_layers(mapped: MappedImages, scores: RegionScores) -> LayerSummary:
    """Return what changes from layer to layer, over two images at least.

    Args:
        mapped: the images.
        scores: of the same images.
    """
    norms, maps = mapped.maps.norms, mapped.maps.patches
    longest = (norms.max((-2, -1)) / np.median(norms, axis=(-2, -1))).mean(0)
    chirp = scores.enrichment[CHIRP], scores.enrichment_from_cls[CHIRP]
    return LayerSummary(*chirp, constancy(maps), longest, len(maps))


def attention_metrics(
    scores: dict[str, np.ndarray], kinds: np.ndarray, features: np.ndarray, strict: np.ndarray
) -> dict[str, float | str]:
    """Return the number of heads of each kind, the chirp heads of each layer, and every head's kind by its name.

    Args:
        scores: means over images, (features, layers, heads) each.
        kinds: (layers, heads) of `KINDS`.
        features: (layers, heads), of the monosemantic ones.
        strict: which of those respond to nothing else, (layers, heads) bool.
    """
    is_chirp = chirp_heads(kinds, features)
    metrics: dict[str, float | str] = {f"semantics.{kind}_heads": int((kinds == kind).sum()) for kind in KINDS}
    metrics["semantics.chirp_heads"] = int(is_chirp.sum())
    metrics["semantics.strict.chirp_heads"] = int((is_chirp & strict).sum())
    metrics["semantics.early_distractor_heads"] = int(early_other_heads(kinds, features).sum())
    metrics["semantics.strict.monosemantic_heads"] = int(strict.sum())
    metrics["semantics.strict.early_distractor_heads"] = int((early_other_heads(kinds, features) & strict).sum())
    for prefix, counted in (("", is_chirp), ("strict.", is_chirp & strict)):
        for layer, count in enumerate(counted.sum(1), start=1):
            metrics[f"semantics.{prefix}layer_{layer}.chirp_heads"] = int(count)
    for index in np.ndindex(kinds.shape):
        top = list(FEATURES)[int(np.argmax(scores["enrichment"][:, *index]))]
        metrics[f"heads.{head_name(*index)}"] = f"{kinds[index]}; {features[index]}; {top}"
    return metrics


def chirp_heads(kinds: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Return which heads are monosemantic for the chirp, (layers, heads) bool."""
    return (kinds == KINDS[0]) & (features == "chirp")


def early_other_heads(kinds: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Return which heads of layers 1 to 4 are monosemantic for something else, (layers, heads) bool."""
    return (kinds == KINDS[0]) & (features != "chirp") & (np.arange(len(kinds)) < EARLY_LAYERS)[:, None]
