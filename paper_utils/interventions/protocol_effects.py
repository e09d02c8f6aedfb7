"""Figure 4 by protocol: as described, as released, as published, and with one switch changed at a time."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..statistics import mean_intervals
from .effects import effect_metrics
from .protocols import continuity, lag_1_autocorrelation
from .tables import interval, rounded
from .walk import caption, rank_autocorrelation, walk_metrics

__all__ = ["ProtocolEffects"]

PREFIXES = {"as described": "", "as released": "released.", "as published": "published."}


@dataclass(frozen=True)
class ProtocolEffects:
    """What each protocol gives on the same model, and what was published."""

    sweeps: dict[str, tuple[float, np.ndarray]]  # by protocol: intact loss, and increase in percent (layers, heads)
    described: np.ndarray  # (layers, heads) percent, on all images of the ablation
    published: np.ndarray  # (layers, heads) percent; NaN where a value is not legible
    released_losses: np.ndarray  # (images,) of the intact model in the units of the released example
    images: int | None  # of each sweep, where known

    @classmethod
    def of(
        cls,
        sweeps: Mapping[str, tuple[float, np.ndarray]],
        described: np.ndarray,
        published: np.ndarray,
        released_losses: np.ndarray,
        *,
        images: int | None = None,
    ) -> "ProtocolEffects":
        """Take the sweeps of `protocols.PROTOCOLS`, and what they are compared with: see the fields."""
        return cls(dict(sweeps), described, published, released_losses, images)

    def figure_4(self) -> dict[str, np.ndarray]:
        """Return Figure 4 as described, as released and as published, (layers, heads) percent each."""
        effects = self.described, self.sweeps["as released"][1], self.published
        return dict(zip(PREFIXES, effects, strict=True))

    def captions(self) -> list[str]:
        """Return the two marks that the order within rows decides, for each panel of `figure_4`."""
        return [caption(values) for values in self.figure_4().values()]

    def table(self) -> pd.DataFrame:
        """Return intact loss, size of the effects and the marks of a sweep that restores nothing, by protocol."""
        rows = {
            name: {
                "Intact loss": rounded(loss),
                "Mean increase (%)": rounded(increase.mean()),
                "Standard deviation (%)": rounded(increase.std()),
                "Rank autocorrelation": f"{rank_autocorrelation(increase):.2f}",
                "Continuity": f"{continuity(increase):.2f}",
                "Autocorrelation": f"{lag_1_autocorrelation(increase):.2f}",
            }
            for name, (loss, increase) in self.sweeps.items()
        }
        table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("Protocol")
        return table if self.images is None else table.assign(Images=self.images)

    def released_loss(self) -> pd.DataFrame:
        """Return the intact model's loss in the units of the released example, with its interval over images."""
        low, high = mean_intervals(self.released_losses)
        row = {
            "Intact loss as released": rounded(self.released_losses.mean()),
            "95 % interval": interval(float(low), float(high)),
            "Images": len(self.released_losses),
        }
        return pd.DataFrame([row]).set_index("Intact loss as released")

    def metrics(self) -> dict[str, float]:
        """Return the flat keys of results.json."""
        three = self.figure_4()
        low, high = mean_intervals(self.released_losses)
        found = {f"released.ablation.{key}": value for key, value in effect_metrics(three["as released"]).items()}
        found |= {
            "released.ablation.largest_head.effect_percent": float(three["as released"].max()),
            "released.ablation.intact_loss": float(self.released_losses.mean()),
            "released.ablation.intact_loss_low": float(low),
            "released.ablation.intact_loss_high": float(high),
            "released.ablation.intact_loss.images": len(self.released_losses),
            "released.ablation.intact_loss_of_sweep": self.sweeps["as released"][0],
        }
        if self.images is not None:
            found["released.ablation.images"] = self.images
        for name, prefix in PREFIXES.items():
            found |= {f"{prefix}ablation.{key}": value for key, value in walk_metrics(three[name]).items()}
        return found
