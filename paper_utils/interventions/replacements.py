"""Other meanings of ablation: the effect of a head when its output is replaced by zero, its mean, or another image's."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..statistics import rank_correlations
from .tables import rounded

__all__ = ["ReplacementEffects"]

TITLES = {"zero": "zero", "mean": "mean over images, by token", "resample": "output for another image"}


@dataclass(frozen=True)
class ReplacementEffects:
    """The increase of the loss in percent by kind of replacement, (layers, heads) each."""

    zero_qkv: np.ndarray  # query, key and value weights at zero: the head puts out its value bias
    others: dict[str, np.ndarray]  # by kind, see `engine.KINDS`

    @classmethod
    def of(cls, increase: Mapping[str, np.ndarray]) -> "ReplacementEffects":
        """Take the increases by kind, "zero_qkv" among them."""
        return cls(increase["zero_qkv"], {kind: increase[kind] for kind in TITLES if kind in increase})

    def by_title(self) -> dict[str, np.ndarray]:
        """Return the other replacements' effects under the names that figures show."""
        return {TITLES[kind]: values for kind, values in self.others.items()}

    def rank_correlations(self) -> dict[str, float]:
        """Return Spearman's rank correlation over heads with the effects of zeroed weights, by kind."""
        return {kind: rank_correlations([self.zero_qkv, values])[0] for kind, values in self.others.items()}

    def table(self) -> pd.DataFrame:
        """Return the size of the effects by replacement, and the rank correlation with those of zeroed weights."""
        ranks = {"value bias (zeroed QKV weights)": 1.0} | {
            TITLES[kind]: rank for kind, rank in self.rank_correlations().items()
        }
        effects = [self.zero_qkv, *self.others.values()]
        return pd.DataFrame(
            {
                "Mean increase of the loss (%)": [rounded(values.mean()) for values in effects],
                "Largest (%)": [rounded(values.max()) for values in effects],
                "Rank correlation with zeroed weights": [f"{rank:.2f}" for rank in ranks.values()],
                "Heads": self.zero_qkv.size,
            },
            index=pd.Index(ranks, name="Output replaced by"),
        )

    def metrics(self) -> dict[str, float]:
        """Return the flat keys of results.json."""
        return {
            f"ablation.replacement.{kind}.rank_correlation": rank for kind, rank in self.rank_correlations().items()
        }
