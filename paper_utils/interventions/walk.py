"""Is a figure of effects a slow walk from head to head? Its neighbours, against the same rows in random orders.

The autocorrelation in row order is high wherever rows differ from each other. What the order of the heads within rows
adds can be seen only against the same values of each row in random orders.
"""

import numpy as np
from scipy import stats

from .protocols import continuity, lag_1_autocorrelation

__all__ = ["MARKS", "caption", "rank_autocorrelation", "shuffled_rows", "walk_metrics"]

ORDERS = 999


def rank_autocorrelation(values: np.ndarray) -> float:
    """Return the correlation between the ranks, within their row, of neighbouring heads of (layers, heads).

    In random order it is -1 / (heads - 1) or slightly below. A value that is not legible (NaN) takes its two pairs with
    it. Where no rank varies the correlation counts as zero.
    """
    ranks = stats.rankdata(values, axis=1, nan_policy="omit")
    ranks = ranks - np.nanmean(ranks, axis=1, keepdims=True)
    first, second = ranks[:, :-1].ravel(), ranks[:, 1:].ravel()
    legible = np.isfinite(first) & np.isfinite(second)
    first, second = first[legible], second[legible]
    varies = min(np.ptp(first), np.ptp(second)) > 0
    return float(np.corrcoef(first, second)[0, 1]) if varies else 0.0


MARKS = {
    "rank_autocorrelation": rank_autocorrelation,
    "continuity": continuity,
    "lag_1_autocorrelation": lag_1_autocorrelation,
}


def caption(figure: np.ndarray) -> str:
    """Return in words the two marks that the order of the heads within rows decides; argument of `walk_metrics`."""
    return f"rank autocorrelation {rank_autocorrelation(figure):.2f}, continuity {continuity(figure):.2f}"


def shuffled_rows(figure: np.ndarray, *, orders: int = ORDERS, seed: int = 0) -> np.ndarray:
    """Return the figure with the heads of each row in random orders, (orders, layers, heads).

    Args:
        figure: (layers, heads); NaN where a value is not legible.
        orders: how many.
        seed: of the orders.
    """
    rng = np.random.default_rng(seed)
    return np.stack([rng.permuted(figure, axis=1) for _ in range(orders)])


def walk_metrics(figure: np.ndarray, *, orders: int = ORDERS) -> dict[str, float]:
    """Return each of `MARKS`, and its mean and 95 % range over random orders ("continuity_shuffled_low" and the like).

    Args:
        figure: (layers, heads); NaN where a value is not legible.
        orders: how many random orders.
    """
    shuffled = shuffled_rows(figure, orders=orders)
    found: dict[str, float] = {}
    for name, mark in MARKS.items():
        values = np.array([mark(order) for order in shuffled])
        low, high = np.percentile(values, (2.5, 97.5))
        found |= {
            name: mark(figure),
            f"{name}_shuffled": float(values.mean()),
            f"{name}_shuffled_low": float(low),
            f"{name}_shuffled_high": float(high),
        }
    return found
