"""The effect of each head's ablation on each target's own loss: start time, start frequency, end frequency."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..data.chirps import TARGETS, UNITS
from ..heads import head_name
from ..statistics import effect_bounds, percent_increase, rank_correlations
from .tables import interval, rounded

__all__ = ["TargetEffects"]

NAMES = tuple(target.replace("_", " ") for target in TARGETS)


@dataclass(frozen=True)
class TargetEffects:
    """The increase of each target's own loss in percent with its 95 % interval, (targets, layers, heads) each."""

    increase: np.ndarray
    low: np.ndarray
    high: np.ndarray
    intact_rmse: np.ndarray  # (targets,) root mean squared errors in seconds, hertz, hertz
    ablated_rmse: np.ndarray  # (targets, layers, heads)
    images: int
    names: tuple[str, ...] = NAMES

    @classmethod
    def of(cls, ablated: np.ndarray, intact: np.ndarray, label_std: np.ndarray) -> "TargetEffects":
        """Compare each head's ablation with the intact model, target by target.

        Args:
            ablated: weighted squared errors without each head, (targets, layers, heads, images).
            intact: those of the intact model, (targets, images).
            label_std: (targets,) the unit of the errors, in seconds, hertz, hertz.
        """
        bounds = [effect_bounds(*pair) for pair in zip(ablated, intact, strict=True)]
        return cls(
            increase=np.array([percent_increase(*pair) for pair in zip(ablated, intact, strict=True)]),
            low=np.array([low for low, _ in bounds]),
            high=np.array([high for _, high in bounds]),
            intact_rmse=np.sqrt(intact.mean(-1)) * label_std,
            ablated_rmse=np.sqrt(ablated.mean(-1)) * label_std[:, None, None],
            images=intact.shape[-1],
        )

    def by_name(self) -> dict[str, np.ndarray]:
        """Return the increases in percent, (layers, heads), by the name of the target."""
        return dict(zip(TARGETS, self.increase, strict=True))

    def table(self) -> pd.DataFrame:
        """Return for each target the head that matters most, and how many heads' intervals lie above zero."""
        rows = {}
        for name, increase, low, high in zip(self.names, self.increase, self.low, self.high, strict=True):
            head = np.unravel_index(increase.argmax(), increase.shape)
            rows[name] = {
                "Largest increase by": head_name(*head),
                "Increase of its loss (%)": rounded(increase[head]),
                "95 % interval": interval(low[head], high[head]),
                "Heads with an interval above zero": f"{(low > 0).sum()} of {low.size}",
                "Images": self.images,
            }
        return pd.DataFrame.from_dict(rows, orient="index")

    def rank_correlations(self) -> pd.DataFrame:
        """Return Spearman's rank correlation over heads between the effects on each pair of targets."""
        count = len(self.names)
        matrix = np.eye(count)
        upper = np.triu_indices(count, 1)
        matrix[upper] = rank_correlations(list(self.increase))
        matrix.T[upper] = matrix[upper]
        return pd.DataFrame([[f"{value:.2f}" for value in row] for row in matrix], self.names, self.names)

    def errors(self, head: tuple[int, int]) -> pd.DataFrame:
        """Return the root mean squared error of each target, intact and without a head (layer, head; from 0)."""
        columns = [f"{name} ({unit})" for name, unit in zip(self.names, UNITS.values(), strict=True)]
        rows = {"intact": self.intact_rmse, f"without {head_name(*head)}": self.ablated_rmse[(slice(None), *head)]}
        shown = {name: [rounded(value) for value in values] for name, values in rows.items()}
        return pd.DataFrame.from_dict(shown, orient="index", columns=columns).assign(Images=self.images)
