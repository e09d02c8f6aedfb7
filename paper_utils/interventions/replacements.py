"""Other meanings of ablation: the effect of a head when its output is replaced by zero, its mean, or another image's."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..errors import CompanionError
from ..statistics import HeadEffects, head_effects, rank_correlations
from .groups import EARLY, group_intervals, group_metrics, resampled_effects
from .tables import interval, rounded

__all__ = ["ReplacementEffects"]

ZEROED = "zero_qkv"  # query, key and value weights at zero: the head puts out its value bias
TITLES = {
    ZEROED: "value bias (zeroed QKV weights)",
    "zero": "zero",
    "mean": "mean over other images, by token",
    "resample": "output for another image",
}
GROUPS = {
    "layers_1_to_3": "Layers 1 to 3 (%)",
    "layers_4_to_12": "Layers 4 to 12 (%)",
    "late_minus_early": "Later less earlier (%)",
}


@dataclass(frozen=True)
class ReplacementEffects:
    """What replacing each head's output does to the loss, by kind of replacement, all on the same images."""

    effects: dict[str, HeadEffects]  # by kind, see `engine.KINDS`; in percent, with intervals and tests
    groups: dict[str, dict[str, float]]  # by kind: means over the heads of `GROUPS`, in percent, and their intervals
    images: int

    @classmethod
    def of(cls, changes: Mapping[str, np.ndarray], intact: np.ndarray, *, seed: int = 0) -> "ReplacementEffects":
        """Compare the loss with each head's output replaced and the intact loss.

        Args:
            changes: by kind, "zero_qkv" among them, the change of the weighted squared error, (layers, heads, images):
                measured, or values of `estimation.controlled_changes`, which resample as measured ones do.
            intact: weighted squared errors of the intact model, (images,).
            seed: of the bootstrap over images and of the tests.

        Raises:
            CompanionError: "zero_qkv" is missing, a kind is of other images, or there are fewer than eight.
        """
        if ZEROED not in changes:
            raise CompanionError(f"replacements are compared with {ZEROED!r}, which is missing; give its changes too")
        effects, groups = {}, {}
        for kind in (kind for kind in TITLES if kind in changes):
            if changes[kind].shape[-1] != len(intact):
                raise CompanionError(
                    f"the changes by {kind!r} are of {changes[kind].shape[-1]} images, the intact errors of {len(intact)}"
                )
            ablated = intact + changes[kind]
            effects[kind] = head_effects(ablated, intact, seed=seed)
            increase = effects[kind].increase
            found = group_metrics(increase) | group_intervals(resampled_effects(ablated, intact, seed=seed), increase)
            wanted = [f"{group}.mean{end}_percent" for group in GROUPS for end in ("", "_low", "_high")]
            groups[kind] = {name: found[name] for name in wanted}
        return cls(effects, groups, len(intact))

    @property
    def zero_qkv(self) -> np.ndarray:
        """The increase of the loss in percent where query, key and value weights are zeroed, (layers, heads)."""
        return self.effects[ZEROED].increase

    def by_title(self) -> dict[str, np.ndarray]:
        """Return the other replacements' effects in percent, (layers, heads), under the names that figures show."""
        return {TITLES[kind]: found.increase for kind, found in self.effects.items() if kind != ZEROED}

    def rank_correlations(self) -> dict[str, float]:
        """Return Spearman's rank correlation over heads with the effects of zeroed weights, by kind."""
        return {
            kind: rank_correlations([self.zero_qkv, found.increase])[0]
            for kind, found in self.effects.items()
            if kind != ZEROED
        }

    def significant_early_heads(self) -> dict[str, int]:
        """Return how many heads of layers 1 to 3 have a significant effect, by kind (false discovery rate of all heads)."""
        return {kind: int(found.significant_bh[EARLY].sum()) for kind, found in self.effects.items()}

    def table(self) -> pd.DataFrame:
        """Return the means of early and later layers with their intervals, and what else `metrics` has, by replacement."""
        ranks, early = {ZEROED: 1.0} | self.rank_correlations(), self.zero_qkv[EARLY].size
        cells = {
            title: [_with_interval(found, f"{group}.mean") for found in self.groups.values()]
            for group, title in GROUPS.items()
        }
        cells["Significant heads of layers 1 to 3"] = [
            f"{count} of {early}" for count in self.significant_early_heads().values()
        ]
        cells["Rank correlation with zeroed weights"] = [f"{ranks[kind]:.2f}" for kind in self.effects]
        index = pd.Index([TITLES[kind] for kind in self.effects], name="Output replaced by (95 % interval)")
        return pd.DataFrame(cells, index).assign(Heads=self.zero_qkv.size, Images=self.images)

    def metrics(self) -> dict[str, float]:
        """Return the flat keys of results.json."""
        found: dict[str, float] = {f"{kind}.rank_correlation": rank for kind, rank in self.rank_correlations().items()}
        for kind, group in self.groups.items():
            found |= {f"{kind}.{name}": value for name, value in group.items()}
        found |= {f"{kind}.significant_early_heads": count for kind, count in self.significant_early_heads().items()}
        return {f"ablation.replacement.{name}": value for name, value in (found | {"images": self.images}).items()}


def _with_interval(found: dict[str, float], key: str) -> str:
    return f"{rounded(found[f'{key}_percent'])} ({interval(found[f'{key}_low_percent'], found[f'{key}_high_percent'])})"
