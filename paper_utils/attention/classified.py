"""The heads of one model, classified by rule: tables, the heads shown in Figures 5 and 8, the heads the paper names."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..heads import head_name
from ..statistics import mean_where_known
from .mapped import MappedImages, has_head, head_index
from .semantics import KINDS, Rule, classify, describe, respond_to_another, strongest
from .summaries import CHIRP, EARLY_LAYERS, attention_metrics, chirp_heads, early_other_heads

__all__ = ["ClassifiedHeads", "classify_heads"]

RULES = tuple(Rule(*ends) for ends in ((1.5, 0.6), (1.2, 0.6), (2, 0.6), (1.5, 0.5), (1.5, 0.7), (1.5, 0.8)))

BAR_HALVES = ("colour_bar_lower", "colour_bar_upper")


@dataclass(frozen=True)
class ClassifiedHeads:
    """What every head responds to, by the rule of `classify`: chosen by every other image, scored on the rest."""

    mapped: MappedImages
    scores: dict[str, np.ndarray]  # means over all images, (features, layers, heads) each
    halves: tuple[dict[str, np.ndarray], dict[str, np.ndarray]]  # the same over the images that choose, and that score
    kinds: np.ndarray  # (layers, heads) of KINDS
    features: np.ndarray  # (layers, heads), "" where a head is not monosemantic
    strict: np.ndarray  # (layers, heads) bool: monosemantic, and responds to nothing else beside its own patches

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
        return attention_metrics(self.scores, self.kinds, self.features, self.strict)

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
        cases = {
            f"fine-tuned, {_thresholds(rule)}": _classified(self.mapped, self.scores, self.halves, rule)
            for rule in RULES
        }
        cases |= {f"{name}, {_thresholds(RULES[0])}": classify_heads(other) for name, other in controls.items()}
        rows = []
        for name, heads in cases.items():
            counts = {kind.capitalize(): int((heads.kinds == kind).sum()) for kind in KINDS}
            counts |= {"Strictly monosemantic": int(heads.strict.sum()), "For the chirp": int(heads.is_chirp.sum())}
            counts |= {"Strictly for the chirp": int((heads.is_chirp & heads.strict).sum())}
            rows.append({"Model and thresholds": name} | counts | {"Images": len(heads.mapped.chirps)})
        return pd.DataFrame(rows).set_index("Model and thresholds")

    def describe(self, *names: str) -> pd.DataFrame:
        """Return a row for each head of the given names: what it responds to, or that the model has no such head.

        Raises:
            CompanionError: a name is no head's of any model.
        """
        shape = self.kinds.shape
        rows = [
            {
                "Head": name,
                "Responds to": self._describe(head_index(name, shape)) if has_head(name, shape) else self._absent,
            }
            for name in names
        ]
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
            published: heads by "layer" and "head", counted from 1, with "said_to_see", and "part" if that is half a bar.
        """
        halves = self.mapped.attention_on(*BAR_HALVES)
        rows = []
        for named in published:
            index = _index(named)
            here = self._describe(index) if self._has(index) else self._absent
            if "part" in named and self._has(index):
                here += "; lower half of the colour bar {:.1f}x, upper half {:.1f}x".format(*halves[:, *index])
            rows.append({"Head": head_name(*index), "In the paper": named["said_to_see"], "Here": here})
        return pd.DataFrame(rows).assign(Images=len(self.mapped.chirps)).set_index("Head")

    def part_metrics(self, published: Sequence[dict]) -> dict[str, float]:
        """Return the attention on each half of the colour bar of the heads that the paper says see one of them."""
        halves = self.mapped.attention_on(*BAR_HALVES)
        return {
            f"heads.{head_name(*_index(named))}.{half}": float(values[_index(named)])
            for named in published
            if "part" in named and self._has(_index(named))
            for half, values in zip(BAR_HALVES, halves, strict=True)
        }

    def named_overlays(self, published: Sequence[dict]) -> dict[str, object]:
        """Return the heads that the paper names on the first image, as arguments by name for `plots.overlays`.

        Those that the model has: another may have fewer heads in a layer. Captions have what the paper says of each, and
        what it responds to here.
        """
        shown = [named for named in published if self._has(_index(named))]
        captions = [
            f"{head_name(*index)}\npaper: {named['said_to_see']}\nhere: {self._describe(index)}"
            for named, index in zip(shown, map(_index, shown), strict=True)
        ]
        return {
            "images": np.repeat(self.mapped.pixels[:1], len(shown), axis=0),
            "maps": np.stack([self.mapped.maps.patches[0, *_index(named)] for named in shown]),
            "captions": captions,
            "columns": 4,
        }

    @property
    def _absent(self) -> str:
        layers, heads = self.kinds.shape
        return f"no such head: this model has {layers} layers of {heads} heads"

    def _has(self, index: tuple[int, int]) -> bool:
        return index[0] < self.kinds.shape[0] and index[1] < self.kinds.shape[1]

    def _describe(self, index: tuple[int, int]) -> str:
        return describe(self.scores, self.kinds, self.features, index)

    def _gallery(self, heads: list[tuple[int, int]], captions: list[str]) -> dict[str, object]:
        return {"images": self.mapped.pixels, "maps": self.mapped.maps.patches, "heads": heads, "captions": captions}


def classify_heads(mapped: MappedImages) -> ClassifiedHeads:
    """Classify every head by its attention over the images.

    Raises:
        CompanionError: a feature is in none of the images, or in none of every other one.
    """
    whole, choosing, scoring = (
        {name: mean_where_known(values[part]) for name, values in mapped.scores.items()}
        for part in (slice(None), slice(0, None, 2), slice(1, None, 2))
    )
    return _classified(mapped, whole, (choosing, scoring), Rule())


def _classified(
    mapped: MappedImages,
    scores: dict[str, np.ndarray],
    halves: tuple[dict[str, np.ndarray], dict[str, np.ndarray]],
    rule: Rule,
) -> ClassifiedHeads:
    kinds, features = classify(halves[1], rule, chosen_by=halves[0])
    another = respond_to_another(mapped.maps.patches[1::2], mapped.coverage()[1::2], features, rule)
    return ClassifiedHeads(mapped, scores, halves, kinds, features, (kinds == KINDS[0]) & ~another)


def _index(named: dict) -> tuple[int, int]:
    return named["layer"] - 1, named["head"] - 1


def _thresholds(rule: Rule) -> str:
    return f"enrichment {rule.enrichment:g}, bright share {rule.bright_share:g}"
