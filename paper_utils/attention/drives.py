"""Content-driven or position-driven: every head's verdicts, from counterfactual images of the same chirps."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..data.counterfactuals import VARIANTS
from ..heads import head_name
from .classified import ClassifiedHeads
from .controls import CONTROLS, DRIVES, VARIANTS_NEEDED, ControlledHeads, compare_with_controls
from .mapped import MappedImages
from .semantics import KINDS

__all__ = ["HeadDrives", "content_or_position", "control_labels"]

KEYS = dict(zip(DRIVES, ("content", "place", "mixed"), strict=False))  # of the metrics, as shipped


@dataclass(frozen=True)
class HeadDrives:
    """The verdicts by feature and control, and on each monosemantic head for its own feature."""

    comparisons: dict[tuple[str, str], ControlledHeads]
    heads: tuple[tuple[int, int], ...]  # the monosemantic ones, layer and head from 0
    features: tuple[str, ...]  # one each
    images: int

    def table(self) -> pd.DataFrame:
        """Return a row for each feature and control: how many of the heads that respond are driven by what."""
        labels = control_labels()
        rows = []
        for (feature, control), found in self.comparisons.items():
            counts = {drive.capitalize(): int((found.drive == drive).sum()) for drive in DRIVES[:3]}
            rows.append(
                {"Feature": feature, "Compared with": labels.get(control, control)}
                | counts
                | {"Heads that respond": sum(counts.values()), "Images": self.images}
            )
        return pd.DataFrame(rows).set_index(["Feature", "Compared with"])

    def of_monosemantic(self) -> dict[str, object]:
        """Return each monosemantic head's share of attention that stays, as arguments for `plots.driven_heads`."""
        verdicts = self._verdicts()
        stays, low, high = (
            np.array([getattr(one, part)[head] for head, one in zip(self.heads, verdicts, strict=True)])
            for part in ("stays", "stays_low", "stays_high")
        )
        labels = [f"{head_name(*head)} {feature}" for head, feature in zip(self.heads, self.features, strict=True)]
        return {"stays": stays, "low": low, "high": high, "labels": labels, "drives": self._drives()}

    def metrics(self) -> dict[str, int]:
        """Return how many monosemantic heads are content-driven, position-driven and mixed."""
        drives = self._drives()
        return {f"semantics.monosemantic_by_{key}": drives.count(drive) for drive, key in KEYS.items()}

    def _verdicts(self) -> list[ControlledHeads]:
        return [self.comparisons[feature, CONTROLS[feature][0]] for feature in self.features]

    def _drives(self) -> list[str]:
        return [str(one.drive[head]) for head, one in zip(self.heads, self._verdicts(), strict=True)]


def content_or_position(mapped: Callable[[str], MappedImages], heads: ClassifiedHeads) -> HeadDrives:
    """Compare every head with the counterfactual controls of every feature.

    Args:
        mapped: returns the mapped images of a variant by its name, the same chirps in each.
        heads: the classified heads of the published images.
    """
    images = {name: heads.mapped if name == "published" else mapped(name) for name in ("published", *VARIANTS_NEEDED)}
    comparisons = compare_with_controls(
        {name: one.maps.patches for name, one in images.items()},
        {name: one.coverage() for name, one in images.items()},
    )
    chosen = tuple((int(layer), int(head)) for layer, head in np.argwhere(heads.kinds == KINDS[0]))
    return HeadDrives(
        comparisons, chosen, tuple(str(heads.features[index]) for index in chosen), len(heads.mapped.chirps)
    )


def control_labels() -> dict[str, str]:
    """Return the names of the counterfactual variants for a reader."""
    return {name: variant.label for name, variant in VARIANTS.items()}
