"""Figures of ablation effects beside the paper's own: data in, a matplotlib Figure out, as in `figures`."""

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from .figures import grid

__all__ = ["effect_intervals"]


def effect_intervals(
    increase: np.ndarray, low: np.ndarray, high: np.ndarray, found: np.ndarray, layer_low_high: np.ndarray
) -> Figure:
    """Every head's effect with its interval, layer by layer, over the interval of the layer's mean.

    Args:
        increase: (layers, heads) percent.
        low: of the intervals, (layers, heads).
        high: of the intervals, (layers, heads).
        found: (layers, heads) bool, which effects are told from zero; the others are drawn hollow.
        layer_low_high: (layers, 2) interval of each layer's mean.
    """
    layers, heads = increase.shape
    figure, axis = grid(1, 1, 3.4)
    place = np.arange(layers)[:, None] + (np.arange(heads) - (heads - 1) / 2) / heads * 0.8 + 1
    for layer, (bottom, top) in enumerate(layer_low_high):
        axis.fill_between([layer + 0.55, layer + 1.45], bottom, top, color="0.85", lw=0)
    bars = np.stack([increase - low, high - increase]).clip(0).reshape(2, -1)
    axis.errorbar(place.ravel(), increase.ravel(), yerr=bars, fmt="none", ecolor="0.5", elinewidth=0.6, zorder=2)
    for chosen, face, name in ((found, "C3", "told from zero"), (~found, "white", "not told from zero")):
        axis.scatter(place[chosen], increase[chosen], s=9, fc=face, ec="C3", lw=0.6, zorder=3, label=name)
    axis.axhline(0, color="0.3", lw=0.6)
    axis.set_yscale("symlog", linthresh=1)
    axis.yaxis.set_major_formatter(mpl.ticker.FormatStrFormatter("%g"))
    axis.set(xlabel="Layer (within it heads 1 to 12; grey: the layer's mean)", ylabel="increase of the loss (%)")
    axis.set_xticks(range(1, layers + 1))
    axis.set_xlim(0.4, layers + 0.6)
    figure.legend(loc="outside upper center", ncol=2)
    return figure
