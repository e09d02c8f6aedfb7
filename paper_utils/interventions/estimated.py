"""The effects of an ablation from few exact and many linearised images: squared errors and shifts for each of the many.

Every number of the many has a mean that estimates the mean of exact ablations over them (`estimation`), so that means,
intervals and tests are taken of them as of plain ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..statistics import percent_increase
from .ablation import Ablation, squared_errors, target_errors
from .estimation import FewOfMany, controlled_changes, correlations

__all__ = ["EstimatedAblation"]


@dataclass(frozen=True)
class EstimatedAblation:
    """Heads ablated exactly on few images, and to first order on many that hold the few."""

    exact: Ablation  # its weights stand for all held-out images
    linearised: Ablation
    few: FewOfMany

    @classmethod
    def of(cls, exact: Mapping[str, np.ndarray], linearised: Mapping[str, np.ndarray]) -> "EstimatedAblation":
        """Take the arrays of the two stages.

        Args:
            exact: the fields of `Ablation` on the few, "positions" among the many and "choice", the weights of it.
            linearised: "baseline", "labels" (many, 3), "label_std" (3,), "weights" (many,), and "zero_qkv", how
                predictions change to first order, (layers, heads, many, 3).
        """
        few = FewOfMany(exact["positions"], exact["choice"])
        fields = {name: exact[name] for name in ("baseline", "ablated", "labels", "label_std", "weights")}
        baseline = linearised["baseline"]
        changed = baseline + linearised["zero_qkv"].astype(np.float32)
        many = Ablation(baseline, changed, linearised["labels"], linearised["label_std"], linearised["weights"])
        return cls(Ablation(**fields), many, few)

    @property
    def intact(self) -> np.ndarray:
        """Weighted squared errors of the intact model, (many,)."""
        return squared_errors(self.linearised.baseline, self.linearised)

    @property
    def intact_by_target(self) -> np.ndarray:
        """The same of each target, (3, many)."""
        return target_errors(self.linearised.baseline, self.linearised).T

    def ablated(self) -> np.ndarray:
        """Return weighted squared errors without each head, (layers, heads, many)."""
        return self.ablated_by_target().mean(0)

    def ablated_by_target(self) -> np.ndarray:
        """Return the same of each target, (3, layers, heads, many): estimated one by one, so that they add up."""
        first, exact = (self._target_changes(part) for part in (self.linearised, self.exact))
        # the choice of the few is the estimator's own to weigh
        return self.intact_by_target[:, None, None] + controlled_changes(exact / self.few.weights, first, self.few)

    def replaced(self, exact: Mapping[str, np.ndarray], linearised: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the change of each image's weighted squared error, (layers, heads, many), by kind of replacement.

        Args:
            exact: by kind, weighted changes on the few, (layers, heads, few).
            linearised: by kind, unweighted changes on the many, (layers, heads, many).
        """
        weights = self.linearised.weights
        found = {"zero_qkv": self.ablated() - self.intact}
        for kind, changes in exact.items():
            first = weights * linearised[kind].astype(float)
            found[kind] = controlled_changes(changes / self.few.weights, first, self.few)
        return found

    def shifts(self) -> np.ndarray:
        """Return how far the predicted start time of each image moves without each head, (layers, heads, many) seconds.

        Weighted: their mean over images is that over all held-out ones.
        """
        first, exact = (np.abs(part.ablated[..., 0] - part.baseline[:, 0]) for part in (self.linearised, self.exact))
        weights = self.linearised.weights / self.linearised.weights.mean()
        return controlled_changes(exact * weights[self.few.positions], first * weights, self.few)

    def linearised_few(self) -> Ablation:
        """Return the linearised ablation on the few images alone, to be held against the exact one."""
        some, many = self.few.positions, self.linearised
        return Ablation(
            many.baseline[some], many.ablated[:, :, some], many.labels[some], many.label_std, self.exact.weights
        )

    def exact_increase(self) -> np.ndarray:
        """Return the increase of the loss in percent, (layers, heads), on the few images alone."""
        exact = self.exact
        return percent_increase(squared_errors(exact.ablated, exact), squared_errors(exact.baseline, exact))

    def correlations(self) -> np.ndarray:
        """Return the correlation over the few images of exact and linearised changes of the error, (layers, heads)."""
        first, exact = (self._target_changes(part).mean(0) for part in (self.linearised, self.exact))
        return correlations(exact / self.few.weights, first, self.few)

    @staticmethod
    def _target_changes(part: Ablation) -> np.ndarray:
        errors = target_errors(part.ablated, part) - target_errors(part.baseline, part)
        return np.moveaxis(errors, -1, 0)
