"""What patching recovers on pairs, by layer, site and token, with intervals over pairs."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from ..interventions.patching import recovery
from ..statistics import mean_intervals

__all__ = ["PLACES", "PairLogits"]

PLACES = ("subject", "last")  # the last token of the subject that differs, and the one that predicts the answer
PARTS = slice(0, 2)  # of sites: attention and MLP, whose outputs are added to the residual stream


@dataclass(frozen=True)
class PairLogits:
    """Logits of the clean and the corrupted answer's token, for both prompts and for the patched corrupted one."""

    plain: np.ndarray  # (pairs, 2 prompts: clean and corrupted, 2 tokens)
    patched: np.ndarray  # (pairs, layers, sites, positions, 2 tokens)

    @property
    def differences(self) -> np.ndarray:
        """The logit differences of the clean and of the corrupted prompt, (pairs, 2)."""
        return self.plain[..., 0] - self.plain[..., 1]

    @property
    def effects(self) -> np.ndarray:
        """What patching adds to the corrupted prompt's logit difference, (pairs, layers, sites, positions)."""
        return self.patched[..., 0] - self.patched[..., 1] - self.differences[:, 1, None, None, None]

    def recovered(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the recovered part in percent and its 95 % interval over pairs, (sites, positions, layers) each.

        Of `interventions.recovery`, with one output in the place of three: the sum over pairs of what patching restores,
        over that of the whole difference, each pair weighted by the latter.
        """
        patched = np.moveaxis(self.patched[..., 0] - self.patched[..., 1], 0, -1)[..., None]
        clean, corrupted = (column[:, None] for column in self.differences.T)
        found = recovery(patched, clean, corrupted, np.ones(1))
        value, low, high = (np.moveaxis(values, 0, -1) for values in found)
        return value, low, high

    def spread(self) -> np.ndarray:
        """Return how many outputs of attention and MLP the effect is spread over, (pairs,): their effective number.

        The squared sum of absolute effects over the sum of their squares: 1 where one output at one token does all, and
        as many as there are (layers x 2 x tokens) where all do the same. Few mean that the answer is local.
        """
        sizes = np.abs(self.effects[:, :, PARTS]).reshape(len(self.plain), -1)
        return sizes.sum(1) ** 2 / (sizes**2).sum(1)

    def layers_differ(self) -> float:
        """Return Friedman's p-value that attention and MLP matter alike in all layers, pairs being the blocks."""
        by_layer = self.effects[:, :, PARTS].sum((2, 3)) / (self.differences[:, :1] - self.differences[:, 1:])
        return float(stats.friedmanchisquare(*by_layer.T).pvalue)


def mean_with_ends(values: np.ndarray) -> tuple[float, float, float]:
    """Return the mean over pairs, and its 95 % interval (percentile bootstrap over pairs)."""
    low, high = mean_intervals(values)
    return float(values.mean()), float(low), float(high)


def difference_with_ends(first: np.ndarray, second: np.ndarray) -> tuple[float, float, float]:
    """Return the difference of two means over pairs that are not the same, and its 95 % interval (bootstrap over both)."""
    rng = np.random.default_rng(0)
    draws = [values[rng.integers(0, len(values), (2000, len(values)))].mean(1) for values in (first, second)]
    low, high = np.percentile(draws[0] - draws[1], [2.5, 97.5])
    return float(first.mean() - second.mean()), float(low), float(high)
