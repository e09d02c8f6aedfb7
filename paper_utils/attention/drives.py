"""Content-driven or position-driven: every head's verdicts, from counterfactual images of the same chirps."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..data.counterfactuals import VARIANTS
from ..heads import head_name
from .classified import ClassifiedHeads
from .controls import CONTROLS, DRIVES, MOVES, VARIANTS_NEEDED, ControlledHeads, compare_with_controls
from .mapped import MappedImages
from .semantics import KINDS

__all__ = ["DRIVEN_BY", "HeadDrives", "content_or_position", "control_labels"]

MOVED_ALONE = "leaves its place"  # where a feature that cannot be removed moves
DRIVEN_BY = (DRIVES[0], MOVED_ALONE, DRIVES[1], DRIVES[2])
KEYS = dict(zip(DRIVEN_BY, ("content", "leaving", "place", "mixed"), strict=True))  # of the metrics


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
        """Return each monosemantic head's share of attention that stays, as arguments for `plots.driven_heads`.

        Of a head's controls the one that leaves most of its attention in place.
        """
        most = [
            max(verdicts, key=lambda one: np.nan_to_num(one.stays[head], nan=-np.inf))  # noqa: B023, called at once
            for head, verdicts in zip(self.heads, self._verdicts(), strict=True)
        ]
        stays, low, high = (
            np.array([getattr(one, part)[head] for head, one in zip(self.heads, most, strict=True)])
            for part in ("stays", "stays_low", "stays_high")
        )
        labels = [f"{head_name(*head)} {feature}" for head, feature in zip(self.heads, self.features, strict=True)]
        return {"stays": stays, "low": low, "high": high, "labels": labels, "drives": self.drives()}

    def metrics(self) -> dict[str, int]:
        """Return how many monosemantic heads are driven by what."""
        drives = self.drives()
        return {f"semantics.monosemantic_by_{key}": drives.count(drive) for drive, key in KEYS.items()}

    def drives(self) -> list[str]:
        """Return what drives each monosemantic head: what all controls of its feature that apply agree on, else "mixed".

        A move alone shows that attention is bound to no place, not that it is the feature that it follows.
        """
        found = []
        for head, feature, verdicts in zip(self.heads, self.features, self._verdicts(), strict=True):
            by_control = {str(one.drive[head]) for one in verdicts}
            by_control = by_control - {DRIVES[3]} or by_control  # controls that can tell
            drive = by_control.pop() if len(by_control) == 1 else DRIVES[2]
            only_moved = set(CONTROLS[feature]) <= set(MOVES)
            found.append(MOVED_ALONE if only_moved and drive == DRIVES[0] else drive)
        return found

    def _verdicts(self) -> list[list[ControlledHeads]]:
        return [[self.comparisons[feature, name] for name in CONTROLS[feature]] for feature in self.features]


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
