"""Do early heads stand in for each other? What they do to the loss together, and what their single effects add up to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

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
        """Return what heads do that were drawn at random from all layers, as many as layers 1 to 3 have or fewer.

        Of each random order the first heads, without the most important head of all by other images, whose effect would
        hide the rest; the mean over the orders. Arguments as in `of`.
        """
        most = len(arrays[f"{HEADS}{EARLY_FIRST}"])
        sets = list(_sets_without(arrays, int(arrays[f"{HEADS}{BY_EFFECT}"][-1]), most))
        changes = np.mean([_changes(arrays, exact, name, count) for name, count in sets], axis=0)
        counts = sorted({count for _, count in sets})
        which = f"{' or '.join(map(str, counts))} heads at random"
        return cls._of(changes, arrays["intact"], which, counts[-1], "at_random.", seed=seed)

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


def _sets_without(arrays: Mapping[str, np.ndarray], head: int, most: int) -> Iterator[tuple[str, int]]:
    """Yield random orders, and how many of their heads were removed at most without one that is named, and up to `most`.

    Where each order begins with it, those of `most` heads are taken as they are.
    """
    names = [name for name in arrays if name.startswith(RANDOM) and not name.endswith(MEAN)]
    found = []
    for name in names:
        before = int(np.flatnonzero(arrays[f"{HEADS}{name}"] == head)[0])
        counts = [int(count) for count in arrays[f"{COUNTS}{name}"] if 1 < count <= min(most, before)]
        found += [(name, max(counts))] if counts else []
    yield from found or [(name, most) for name in names]
