"""The loss without several heads over the intact model's, with intervals over images, and what claims rest on of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..bootstrap import bca_interval, resample_counts
from ..errors import CompanionError
from .removing import BY_EFFECT, BY_LAYER, EARLY_FIRST, MEAN, RANDOM, Order, orders, removal, removed_errors
from .tables import interval, rounded

__all__ = ["LossRatios", "Order", "Removals", "orders", "removal", "removed_errors"]

PUT_OUT = {"value bias": "", "mean output": MEAN}  # what removed heads put out, and how the names of orders end


@dataclass(frozen=True)
class LossRatios:
    """The loss after removals over the intact model's, (counts,) each; 95 % intervals by the BCa bootstrap over images."""

    counts: np.ndarray  # of removed heads
    ratio: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class Removals:
    """What the removal of more and more heads does to the loss, by the order in which they are removed."""

    ratios: dict[str, LossRatios]  # by order; see `orders`
    random: dict[str, LossRatios]  # the median over the random orders, by what removed heads put out
    intact_loss: float  # in standardised units: where predicting the mean has one
    images: int

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], *, seed: int = 0) -> "Removals":
        """Compare the losses over images without heads and with all.

        Args:
            arrays: what `removed_errors` returns.
            seed: of the bootstrap over images.

        Raises:
            CompanionError: fewer than eight images.
        """
        intact = arrays["intact"].astype(float)
        if len(intact) < 8:
            raise CompanionError(f"{len(intact)} images are too few for intervals; give 8 or more")
        drawn = resample_counts(len(intact), seed=seed).astype(float)

        def ratios(names: list[str]) -> LossRatios:
            """Return the median over orders of the ratios of means."""
            errors = np.stack([arrays[name] for name in names]).astype(float)  # (orders, counts, images)
            sums = np.tensordot(drawn, errors, (1, 2))
            sample = np.median(sums / (drawn @ intact)[:, None, None], axis=1)
            left_out = errors.sum(-1, keepdims=True) - errors
            jackknife = np.median(left_out / (intact.sum() - intact), axis=0).T
            ratio = np.median(errors.sum(-1) / intact.sum(), axis=0)
            low, high = bca_interval(sample, ratio, jackknife)
            return LossRatios(arrays[f"counts of {names[0]}"], ratio, low, high)

        names = [name for name in arrays if f"counts of {name}" in arrays]
        random = {
            title: [name for name in names if name.startswith(RANDOM) and name.endswith(MEAN) == bool(suffix)]
            for title, suffix in PUT_OUT.items()
        }
        medians = {title: ratios(several) for title, several in random.items() if several}
        return cls({name: ratios([name]) for name in names}, medians, float(intact.mean()), len(intact))

    def of_all_heads(self) -> dict[str, LossRatios]:
        """Return the ratios by the orders that all heads are removed in; random orders are one, their median."""
        found = {name: self.ratios[name] for name in (BY_EFFECT, BY_LAYER) if name in self.ratios}
        random = self.random.get("value bias")
        return found if random is None else found | {"at random (median of orders)": random}

    def of_early_heads(self) -> dict[str, LossRatios]:
        """Return the ratios of the heads of layers 1 to 3, least important first, by what removed heads put out."""
        names = {title: f"{EARLY_FIRST}{suffix}" for title, suffix in PUT_OUT.items()}
        return {title: self.ratios[name] for title, name in names.items() if name in self.ratios}

    def of_blocks(self) -> dict[str, dict[str, LossRatios]]:
        """Return the ratios of blocks of layers, of one count each, by what removed heads put out and by name."""
        names = [name for name in self.ratios if name.startswith("layers") and not name.endswith(MEAN)]
        return {
            title: {name: self.ratios[f"{name}{suffix}"] for name in names if f"{name}{suffix}" in self.ratios}
            for title, suffix in PUT_OUT.items()
        }

    def table(self) -> pd.DataFrame:
        """Return the ratios with their intervals: of the early heads, of blocks of layers, of all heads by effect."""
        rows: dict[str, list[str]] = {}

        def add(name: str, count: int, curves: list[LossRatios | None]) -> None:
            rows[name] = ["-" if curve is None else _cell(curve, count) for curve in curves]

        early, blocks, whole = self.of_early_heads(), self.of_blocks(), self.ratios[BY_EFFECT]
        counts = early["value bias"].counts
        for count in counts[counts > 0]:
            add(f"the {count} least important of layers 1 to 3", count, [early.get(title) for title in PUT_OUT])
        for name, ratios in blocks["value bias"].items():
            add(f"all of {name}", ratios.counts[0], [blocks[title].get(name) for title in PUT_OUT])
        for count in whole.counts[1:6]:
            add(f"the {count} least important of all", count, [whole, None])
        if self.random:
            add(f"{counts[-1]} at random", counts[-1], [self.random.get(title) for title in PUT_OUT])
        columns = [f"Loss over intact, {title}" for title in PUT_OUT]
        index = pd.Index(rows, name="Heads removed (95 % interval)")
        return pd.DataFrame(list(rows.values()), index, columns).assign(Images=self.images)

    def metrics(self, *, early: int) -> dict[str, float]:
        """Return the flat keys of results.json.

        Args:
            early: how many heads layers 1 to 3 have.

        Raises:
            CompanionError: the loss without so many heads was not measured.
        """
        found: dict[str, float] = {}
        blocks, heads = self.of_blocks(), self.of_early_heads()
        for title, prefix in (("value bias", ""), ("mean output", "mean.")):
            for name, ratios in blocks[title].items():
                found |= _at(ratios, int(ratios.counts[0]), f"{prefix}{name.replace(' ', '_')}")
            if (curve := heads.get(title)) is not None:
                for count in curve.counts[curve.counts > 0]:
                    found |= _at(curve, int(count), f"{prefix}early_{count}")
                found |= _at(curve, early, f"{prefix}layers_1_to_3")
            if (random := self.random.get(title)) is not None:
                found |= _at(random, early, f"{prefix}as_many_at_random")
        return {f"ablation.removal.{name}": value for name, value in (found | {"images": self.images}).items()}


def _cell(ratios: LossRatios, count: int) -> str:
    place = _place(ratios, count)
    return f"{rounded(ratios.ratio[place])} ({interval(ratios.low[place], ratios.high[place])})"


def _at(ratios: LossRatios, count: int, name: str) -> dict[str, float]:
    place = _place(ratios, count)
    ends = {"": ratios.ratio, "_low": ratios.low, "_high": ratios.high}
    return {f"{name}.loss_ratio{end}": float(values[place]) for end, values in ends.items()}


def _place(ratios: LossRatios, count: int) -> int:
    """Return where a count was measured."""
    measured = np.flatnonzero(ratios.counts == count)
    if not len(measured):
        raise CompanionError(f"no loss without {count} heads, only without {', '.join(map(str, ratios.counts))}")
    return int(measured[0])
