"""Is the model right on average: its bias on each target, and r on images that chose something beside untouched ones."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..data.chirps import TARGETS, UNITS
from ..statistics import mean_intervals
from .evaluation import Evaluation
from .summaries import TARGET_NAMES, Accuracy, r_text

__all__ = ["Bias", "selected_and_untouched"]


@dataclass(frozen=True)
class Bias:
    """The mean of prediction less label on each target, (targets,) each; seconds, hertz, hertz."""

    bias: np.ndarray
    low: np.ndarray  # 95 % interval, percentile bootstrap over images
    high: np.ndarray
    error: np.ndarray  # the mean absolute error
    images: int

    @classmethod
    def of(cls, evaluation: Evaluation) -> "Bias":
        """Measure the bias on the images of an evaluation."""
        errors = (evaluation.predictions - evaluation.labels).astype(float)
        return cls(errors.mean(0), *mean_intervals(errors), np.abs(errors).mean(0), len(errors))

    def table(self) -> pd.DataFrame:
        """Return a row for each target: its bias, and that in percent of the mean absolute error."""
        rows = {}
        for number, target in enumerate(TARGETS):
            value, low, high = (100 * part[number] for part in self._shares())
            rows[TARGET_NAMES[target]] = {
                "Bias (95 % interval)": f"{self.bias[number]:+.3f} ({self.low[number]:+.3f} to {self.high[number]:+.3f}) "
                f"{UNITS[target]}",
                "Of the mean absolute error (%)": f"{value:.1f} ({low:.1f} to {high:.1f})",
                "Images": self.images,
            }
        return pd.DataFrame.from_dict(rows, orient="index")

    def metrics(self) -> dict[str, float]:
        """Return the bias of each target in percent of its mean absolute error, without sign, and how many images."""
        ends = ("", "_low", "_high")
        found = {
            f"bias.{target}.of_error{end}_percent": float(100 * part[number])
            for number, target in enumerate(TARGETS)
            for end, part in zip(ends, self._shares(), strict=True)
        }
        return found | {"bias.images": self.images}

    def _shares(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return absolute bias over error with the ends of its interval, which begins at zero where it holds zero."""
        ends = np.abs([self.low, self.high])
        least = np.where(self.low * self.high <= 0, 0, ends.min(0))
        return np.abs(self.bias) / self.error, least / self.error, ends.max(0) / self.error


def selected_and_untouched(selected: Evaluation, untouched: Evaluation) -> pd.DataFrame:
    """Return r of each target on images by which something was chosen, and on images by which nothing was."""
    rows = {}
    for title, evaluation in {"images that chose something": selected, "untouched images": untouched}.items():
        scores = Accuracy.of(evaluation).scores
        rows[title] = {
            f"r of the {name}": "{} ({} to {})".format(
                *(r_text(scores[target][f"pearson_r{end}"]) for end in ("", "_low", "_high"))
            )
            for target, name in TARGET_NAMES.items()
        } | {"Images": len(evaluation.labels)}
    return pd.DataFrame.from_dict(rows, orient="index")
