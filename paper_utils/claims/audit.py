"""What the published numbers imply by themselves: the rows of Figure 4, their order, and the example's baseline loss."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..data.chirps import draw_chirp, labels
from ..interventions.walk import MARKS, caption, shuffled_rows

__all__ = ["PUBLISHED_BASELINE", "BaselineLoss", "RowMeans", "RowOrder", "baseline_loss", "row_means", "row_order"]

PUBLISHED_BASELINE = 2465.65  # intact loss in the usage example of the released package


@dataclass(frozen=True)
class RowMeans:
    """Means over the heads of each row of a figure of effects, and over the heads of its first rows together."""

    rows: tuple[str, ...]  # "7", or "1 to 4"
    mean: np.ndarray  # (rows,) percent
    std: np.ndarray  # (rows,) percent, n - 1
    heads: np.ndarray  # (rows,) how many values are legible

    def table(self) -> pd.DataFrame:
        """Return a row for each entry, to two decimals, as the paper gives them."""
        return pd.DataFrame(
            {
                "mean (%)": [f"{value:.2f}" for value in self.mean],
                "standard deviation (%)": [f"{value:.2f}" for value in self.std],
                "heads": self.heads,
            },
            index=pd.Index(self.rows, name="rows"),
        )


@dataclass(frozen=True)
class RowOrder:
    """How alike neighbours of a figure of effects are, against the same values of each row in random orders."""

    figure: np.ndarray  # (layers, heads) percent
    shuffled: np.ndarray  # (orders, layers, heads): the heads of each row in random orders

    def table(self) -> pd.DataFrame:
        """Return the marks of a slow walk of the figure, their means and ranges over the orders, and the extreme orders."""
        rows = {}
        for name, (measure, as_extreme) in _MEASURES.items():
            value, others = measure(self.figure), np.array([measure(order) for order in self.shuffled])
            rows[name] = {
                "as published": f"{value:.2f}",
                "shuffled, mean": f"{others.mean():.2f}",
                "95 % of shuffled": "{:.2f} to {:.2f}".format(*np.percentile(others, (2.5, 97.5))),
                "as extreme": int(as_extreme(others, value).sum()),
                "orders": len(others),
            }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("measure")

    def sweeps(self) -> dict[str, np.ndarray]:
        """Return the figure and the first of the random orders by name, (layers, heads) percent each."""
        return {"as published": self.figure, "heads of each row shuffled": self.shuffled[0]}

    def captions(self) -> list[str]:
        """Return the two marks that the order within rows decides, for each of `sweeps`."""
        return [caption(values) for values in self.sweeps().values()]


_MEASURES = {
    "rank autocorrelation within rows": (MARKS["rank_autocorrelation"], np.greater_equal),
    "continuity": (MARKS["continuity"], np.less_equal),
    "autocorrelation": (MARKS["lag_1_autocorrelation"], np.greater_equal),
}


@dataclass(frozen=True)
class BaselineLoss:
    """Mean squared errors against labels in seconds and hertz, by what is predicted."""

    zeros: float  # 0 for every target
    standardised: float  # the true values, but in standardised units
    true_values: float  # the true values in seconds and hertz
    means: float  # each target's mean
    chirps: int  # whose labels were taken

    def table(self) -> pd.DataFrame:
        """Return the losses, and the published one, from high to low."""
        losses = {
            "0 for every target": self.zeros,
            "the released example, as published": PUBLISHED_BASELINE,
            "the true values, standardised": self.standardised,
            "the mean of each target": self.means,
            "the true values in seconds and hertz": self.true_values,
        }
        losses = dict(sorted(losses.items(), key=lambda item: -item[1]))
        return pd.DataFrame(
            {"loss": [f"{value:.0f}" for value in losses.values()]}, index=pd.Index(losses, name="predicted")
        )


def row_means(figure: np.ndarray) -> RowMeans:
    """Return what each row, and the first rows together, come to.

    Args:
        figure: (layers, heads) percent; NaN where a value is not legible.
    """
    parts = {str(row): slice(row - 1, row) for row in range(1, len(figure) + 1)}
    parts |= {"1 to 3": slice(3), "1 to 4": slice(4)}
    values = [figure[part][np.isfinite(figure[part])] for part in parts.values()]
    return RowMeans(
        tuple(parts),
        np.array([part.mean() for part in values]),
        np.array([part.std(ddof=1) for part in values]),
        np.array([part.size for part in values]),
    )


def row_order(figure: np.ndarray, *, orders: int = 999, seed: int = 0) -> RowOrder:
    """Return the figure with the heads of each row in random orders beside it.

    Args:
        figure: (layers, heads) percent; NaN where a value is not legible.
        orders: how many.
        seed: of the orders.
    """
    return RowOrder(figure, shuffled_rows(figure, orders=orders, seed=seed))


def baseline_loss(*, chirps: int = 50_000, seed: int = 0) -> BaselineLoss:
    """Return the losses of four kinds of prediction against the labels of so many chirps."""
    true = np.stack([labels(draw_chirp(seed, index)[0]) for index in range(chirps)]).astype(float)
    mean, std = true.mean(0), true.std(0)
    standardised = (true - mean) / std
    return BaselineLoss(
        float((true**2).mean()), float(((true - standardised) ** 2).mean()), 0.0, float((std**2).mean()), chirps
    )
