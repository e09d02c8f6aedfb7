"""The heads of one model, classified by rule: tables, the heads shown in Figures 5 and 8, the heads the paper names."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..heads import head_name
from .mapped import MappedImages, head_index
from .scores import mean_scores
from .semantics import KINDS, Rule, classify, describe, strongest
from .summaries import CHIRP, EARLY_LAYERS, attention_metrics, chirp_heads, early_other_heads

__all__ = ["ClassifiedHeads", "classify_heads"]

RULES = tuple(Rule(*ends) for ends in ((1.5, 0.6), (1.2, 0.6), (2, 0.6), (1.5, 0.5), (1.5, 0.7), (1.5, 0.8)))


@dataclass(frozen=True)
class ClassifiedHeads:
    """What every head responds to, by the rule of `classify`, over the images it was scored on."""

    mapped: MappedImages
    scores: dict[str, np.ndarray]  # means over images, (features, layers, heads) each
    kinds: np.ndarray  # (layers, heads) of KINDS
    features: np.ndarray  # (layers, heads), "" where a head is not monosemantic

    @property
    def is_chirp(self) -> np.ndarray:
        """Which heads are monosemantic for the chirp, (layers, heads) bool."""
        return chirp_heads(self.kinds, self.features)

    @property
    def is_early_distractor(self) -> np.ndarray:
        """Which heads of layers 1 to 4 are monosemantic for something else than the chirp, (layers, heads) bool."""
        return early_other_heads(self.kinds, self.features)

    @property
    def mean_maps(self) -> np.ndarray:
        """Every head's raw map, averaged over images, (layers, heads, rows, columns)."""
        return self.mapped.maps.patches.mean(0)

    def metrics(self) -> dict[str, float | str]:
        """Return `attention_metrics`."""
        return attention_metrics(self.scores, self.kinds, self.features)

    def table(self) -> pd.DataFrame:
        """Return a row for each layer: its monosemantic heads and what each responds to."""
        rows = []
        for layer, (kinds, features) in enumerate(zip(self.kinds, self.features, strict=True)):
            heads = [f"H{head + 1} {features[head]}" for head in np.flatnonzero(kinds == KINDS[0])]
            rows.append(
                {
                    "Layer": layer + 1,
                    "Monosemantic heads": ", ".join(heads) or "none",
                    "For the chirp": int(self.is_chirp[layer].sum()),
                    "Heads": len(kinds),
                    "Images": len(self.mapped.chirps),
                }
            )
        return pd.DataFrame(rows).set_index("Layer")

    def thresholds(self, controls: dict[str, MappedImages]) -> pd.DataFrame:
        """Return the number of heads of each kind under other thresholds, and by the rule in other models.

        Args:
            controls: the same images mapped by other models, by name.
        """
        cases = [(f"fine-tuned, {_thresholds(rule)}", self.scores, rule, len(self.mapped.chirps)) for rule in RULES]
        for name, other in controls.items():
            scores = mean_scores(other.maps.patches, other.coverage())
            cases.append((f"{name}, {_thresholds(RULES[0])}", scores, RULES[0], len(other.chirps)))
        rows = []
        for name, scores, rule, images in cases:
            kinds, features = classify(scores, rule)
            counts = {kind.capitalize(): int((kinds == kind).sum()) for kind in KINDS}
            chirp = int(chirp_heads(kinds, features).sum())
            rows.append({"Model and thresholds": name} | counts | {"For the chirp": chirp, "Images": images})
        return pd.DataFrame(rows).set_index("Model and thresholds")

    def describe(self, *names: str) -> pd.DataFrame:
        """Return a row for each head of the given names: what it responds to.

        Raises:
            CompanionError: the model has no head of that name.
        """
        rows = [{"Head": name, "Responds to": self._describe(head_index(name, self.kinds.shape))} for name in names]
        return pd.DataFrame(rows).assign(Images=len(self.mapped.chirps)).set_index("Head")

    def chirp_gallery(self, *, count: int = 10) -> dict[str, object]:
        """Return the strongest chirp heads, as arguments by name for `plots.gallery` (Figure 5).

        Where no head is monosemantic for the chirp, the five that come closest, and the captions say so.
        """
        share = self.scores["bright_share"][CHIRP]
        chosen = strongest(share, self.is_chirp, count=count)
        below = ["" if self.is_chirp[index] else " (below the rule)" for index in chosen]
        captions = [
            f"{head_name(*index)}, chirp {100 * share[index]:.0f} %{note}"
            for index, note in zip(chosen, below, strict=True)
        ]
        return self._gallery(chosen, captions)

    def early_gallery(self, *, count: int = 15) -> dict[str, object]:
        """Return the strongest heads of layers 1 to 4 that are monosemantic for something else (Figure 8)."""
        early = (np.arange(len(self.kinds)) < EARLY_LAYERS)[:, None]
        share = self.scores["bright_share"].max(0) * early
        chosen = strongest(share, self.is_early_distractor, count=count)
        return self._gallery(chosen, [f"{head_name(*index)}\n{self._describe(index)}" for index in chosen])

    def compare_named(self, published: Sequence[dict]) -> pd.DataFrame:
        """Return what the paper says of each head it names, beside what the head of that name responds to here.

        Args:
            published: heads by "layer" and "head", counted from 1, with "said_to_see".
        """
        rows = [
            {
                "Head": head_name(*_index(named)),
                "In the paper": named["said_to_see"],
                "Here": self._describe(_index(named)),
            }
            for named in published
        ]
        return pd.DataFrame(rows).assign(Images=len(self.mapped.chirps)).set_index("Head")

    def named_overlays(self, published: Sequence[dict]) -> dict[str, object]:
        """Return the heads that the paper names on the first image, as arguments by name for `plots.overlays`."""
        indices = [_index(named) for named in published]
        return {
            "images": np.repeat(self.mapped.pixels[:1], len(indices), axis=0),
            "maps": np.stack([self.mapped.maps.patches[0, *index] for index in indices]),
            "captions": [
                f"{head_name(*index)}: {named['said_to_see']}" for index, named in zip(indices, published, strict=True)
            ],
            "columns": 4,
        }

    def _describe(self, index: tuple[int, int]) -> str:
        return describe(self.scores, self.kinds, self.features, index)

    def _gallery(self, heads: list[tuple[int, int]], captions: list[str]) -> dict[str, object]:
        return {"images": self.mapped.pixels, "maps": self.mapped.maps.patches, "heads": heads, "captions": captions}


def classify_heads(mapped: MappedImages, scores: dict[str, np.ndarray] | None = None) -> ClassifiedHeads:
    """Classify every head by its attention over the images.

    Args:
        mapped: the images.
        scores: their mean scores, (features, layers, heads) each, where they are known.

    Raises:
        CompanionError: a feature is in none of the images.
    """
    scores = mean_scores(mapped.maps.patches, mapped.coverage()) if scores is None else scores
    return ClassifiedHeads(mapped, scores, *classify(scores))


def _index(named: dict) -> tuple[int, int]:
    return named["layer"] - 1, named["head"] - 1


def _thresholds(rule: Rule) -> str:
    return f"enrichment {rule.enrichment:g}, bright share {rule.bright_share:g}"
