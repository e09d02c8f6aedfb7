"""Do early heads stand in for each other? What they do to the loss together, and what their single effects add up to."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..bootstrap import percentile_interval, resample_counts
from .ablation import Ablation, squared_errors
from .removing import EARLY_FIRST
from .tables import interval, rounded

__all__ = ["Redundancy"]

ROWS = {
    "together": "{count} early heads zeroed together",
    "added_up": "their single effects added up",
    "difference": "difference",
}


@dataclass(frozen=True)
class Redundancy:
    """All heads of layers 1 to 3 but one: increases of the loss in percent, by the keys of ROWS.

    The one left out is the most important by other images. Heads that stand in for each other matter little one by one
    and more together.
    """

    value: dict[str, float]
    low: dict[str, float]  # 95 % intervals, bootstrap over images; all three are of the same resamples
    high: dict[str, float]
    heads: int
    images: int

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], exact: Ablation, *, seed: int = 0) -> "Redundancy":
        """Compare removals with single ablations.

        Args:
            arrays: what `removed_errors` returns.
            exact: the ablation of single heads on the same images, with the same weights.
            seed: of the bootstrap over images.
        """
        heads, counts = arrays[f"heads of {EARLY_FIRST}"], arrays[f"counts of {EARLY_FIRST}"]
        count, intact = len(heads) - 1, arrays["intact"].astype(float)
        joint = arrays[EARLY_FIRST][counts == count][0] - intact
        single = squared_errors(exact.ablated, exact).reshape(-1, len(intact))[heads[:count]] - intact
        changes = np.stack([joint, single.sum(0), joint - single.sum(0)])  # in the order of ROWS
        drawn = resample_counts(len(intact), seed=seed).astype(float)
        low, high = percentile_interval(100 * drawn @ changes.T / (drawn @ intact)[:, None])
        numbers = (100 * changes.mean(1) / intact.mean(), low, high)
        value, lowest, highest = (dict(zip(ROWS, map(float, row), strict=True)) for row in numbers)
        return cls(value, lowest, highest, count, len(intact))

    def table(self) -> pd.DataFrame:
        """Return a row for each of ROWS."""
        cells = [f"{rounded(self.value[name])} ({interval(self.low[name], self.high[name])})" for name in ROWS]
        index = pd.Index([title.format(count=self.heads) for title in ROWS.values()], name="Zeroed")
        return pd.DataFrame({"Increase of the loss (%, 95 % interval)": cells}, index).assign(Images=self.images)

    def metrics(self) -> dict[str, float]:
        """Return the flat keys of results.json."""
        found: dict[str, float] = {"heads": self.heads}
        for name in ROWS:
            found[f"{name}_percent"] = self.value[name]
            found |= {f"{name}_low_percent": self.low[name], f"{name}_high_percent": self.high[name]}
        return {f"ablation.removal.redundancy.{name}": value for name, value in found.items()}
