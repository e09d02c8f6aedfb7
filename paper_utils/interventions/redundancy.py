"""Do early heads stand in for each other? What they do to the loss together, and what their single effects add up to."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ..bootstrap import percentile_interval, resample_counts
from .ablation import Ablation, squared_errors
from .removing import BY_EFFECT, COUNTS, EARLY_FIRST, HEADS, MEAN, RANDOM
from .tables import interval, rounded

__all__ = ["Redundancy", "redundancy_table"]

ROWS = {"together": "{which} zeroed together", "added_up": "their single effects added up", "difference": "difference"}


@dataclass(frozen=True)
class Redundancy:
    """Several heads: increases of the loss in percent, by the keys of ROWS.

    Heads that stand in for each other matter little one by one and more together.
    """

    value: dict[str, float]
    low: dict[str, float]  # 95 % intervals, bootstrap over images; all three are of the same resamples
    high: dict[str, float]
    which: str  # the heads, in words
    heads: int
    images: int
    prefix: str  # of the keys of `metrics`
    sets: int = 1  # of heads that the values are means over

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], exact: Ablation, *, seed: int = 0) -> "Redundancy":
        """Return what all heads of layers 1 to 3 do but one, the most important by other images.

        Args:
            arrays: what `removed_errors` returns.
            exact: the ablation of single heads on the same images, with the same weights.
            seed: of the bootstrap over images.
        """
        count = len(arrays[f"{HEADS}{EARLY_FIRST}"]) - 1
        changes = _changes(arrays, exact, EARLY_FIRST, count)
        return cls._of(changes, arrays["intact"], f"{count} early heads", count, "", seed=seed)

    @classmethod
    def at_random(cls, arrays: Mapping[str, np.ndarray], exact: Ablation, *, seed: int = 0) -> "Redundancy":
        """Return what as many heads do as layers 1 to 3 have that were drawn at random from all layers.

        The mean over the random sets without the most important head of all by other images, whose effect would hide the
        rest; over all sets where each has it. Arguments as in `of`.
        """
        count = len(arrays[f"{HEADS}{EARLY_FIRST}"])
        largest = arrays[f"{HEADS}{BY_EFFECT}"][-1]
        every = [name for name in arrays if name.startswith(RANDOM) and not name.endswith(MEAN)]
        without = [name for name in every if largest not in arrays[f"{HEADS}{name}"][:count]]
        changes = np.mean([_changes(arrays, exact, name, count) for name in without or every], axis=0)
        sets = f"{len(without or every)} set{'s' if len(without or every) > 1 else ''}"
        which = f"{count} heads at random ({sets}{'' if without else ', with the most important'})"
        found = cls._of(changes, arrays["intact"], which, count, "at_random.", seed=seed)
        return replace(found, sets=len(without or every))

    @classmethod
    def _of(
        cls, changes: np.ndarray, intact: np.ndarray, which: str, heads: int, prefix: str, *, seed: int
    ) -> "Redundancy":
        intact = intact.astype(float)
        drawn = resample_counts(len(intact), seed=seed).astype(float)
        low, high = percentile_interval(100 * drawn @ changes.T / (drawn @ intact)[:, None])
        numbers = (100 * changes.mean(1) / intact.mean(), low, high)
        value, lowest, highest = (dict(zip(ROWS, map(float, row), strict=True)) for row in numbers)
        return cls(value, lowest, highest, which, heads, len(intact), prefix)

    def table(self) -> pd.DataFrame:
        """Return a row for each of ROWS."""
        cells = [f"{rounded(self.value[name])} ({interval(self.low[name], self.high[name])})" for name in ROWS]
        index = pd.Index([title.format(which=self.which) for title in ROWS.values()], name="Zeroed")
        return pd.DataFrame({"Increase of the loss (%, 95 % interval)": cells}, index).assign(Images=self.images)

    def metrics(self) -> dict[str, float]:
        """Return the flat keys of results.json."""
        found: dict[str, float] = {"heads": self.heads}
        if self.prefix:
            found["sets"] = self.sets
        for name in ROWS:
            found[f"{name}_percent"] = self.value[name]
            found |= {f"{name}_low_percent": self.low[name], f"{name}_high_percent": self.high[name]}
        return {f"ablation.removal.redundancy.{self.prefix}{name}": value for name, value in found.items()}


def redundancy_table(arrays: Mapping[str, np.ndarray], exact: Ablation) -> pd.DataFrame:
    """Return the rows of early heads and of heads at random; arguments as in `Redundancy.of`."""
    return pd.concat([found.table() for found in (Redundancy.of(arrays, exact), Redundancy.at_random(arrays, exact))])


def _changes(arrays: Mapping[str, np.ndarray], exact: Ablation, name: str, count: int) -> np.ndarray:
    """Return the changes of each image's error by the first heads of an order, in the order of ROWS, (3, images)."""
    intact, heads = arrays["intact"].astype(float), arrays[f"{HEADS}{name}"][:count]
    joint = arrays[name][arrays[f"{COUNTS}{name}"] == count][0] - intact
    single = squared_errors(exact.ablated, exact).reshape(-1, len(intact))[heads] - intact
    return np.stack([joint, single.sum(0), joint - single.sum(0)])
