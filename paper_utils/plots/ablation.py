"""Figures of ablation effects with their intervals, by target, by replacement and by protocol."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from ..statistics import rank_correlations
from .style import grid, plain_numbers

__all__ = [
    "effect_intervals",
    "effect_scatter",
    "effects_by_target",
    "shift_bounds",
    "shift_maps",
    "sweeps_side_by_side",
]


def effect_intervals(
    increase: np.ndarray, low: np.ndarray, high: np.ndarray, significant: np.ndarray, layer_low_high: np.ndarray
) -> Figure:
    """Every head's effect with its interval, layer by layer, over the interval of the layer's mean.

    Args:
        increase: (layers, heads) percent.
        low: of the intervals, (layers, heads).
        high: of the intervals, (layers, heads).
        significant: (layers, heads) bool; the others are drawn hollow.
        layer_low_high: (layers, 2) interval of each layer's mean.
    """
    layers, heads = increase.shape
    figure, axis = grid(1, 1, 3.4)
    position = np.arange(layers)[:, None] + (np.arange(heads) - (heads - 1) / 2) / heads * 0.8 + 1
    for layer, (bottom, top) in enumerate(layer_low_high):
        axis.fill_between([layer + 0.55, layer + 1.45], bottom, top, color="0.85", lw=0)
    bars = np.stack([increase - low, high - increase]).clip(0).reshape(2, -1)
    axis.errorbar(position.ravel(), increase.ravel(), yerr=bars, fmt="none", ecolor="0.5", elinewidth=0.6, zorder=2)
    legend = ((significant, "C3", "significant (FDR 5 %)"), (~significant, "white", "not significant"))
    for chosen, face, name in legend:
        axis.scatter(position[chosen], increase[chosen], s=9, fc=face, ec="C3", lw=0.6, zorder=3, label=name)
    axis.axhline(0, color="0.3", lw=0.6)
    axis.set_yscale("symlog", linthresh=1)
    axis.yaxis.set_major_formatter(mpl.ticker.FormatStrFormatter("%g"))
    axis.set(xlabel=f"Layer (within it heads 1 to {heads}; grey: the layer's mean)", ylabel="increase of the loss (%)")
    axis.set_xticks(range(1, layers + 1))
    axis.set_xlim(0.4, layers + 0.6)
    figure.legend(loc="outside upper center", ncol=2)
    return figure


def effects_by_target(increase: np.ndarray, names: Sequence[str]) -> Figure:
    """The increase of each target's own loss, (targets, layers, heads) percent, side by side on one colour scale."""
    figure, axes = grid(1, len(names), 2.6, sharey=True)
    norm = _norm(increase)
    for axis, values, name in zip(axes, increase, names, strict=True):
        image = _cells(axis, values, norm)
        axis.set(title=name, xlabel="Head")
    axes[0].set_ylabel("Layer")
    bar = figure.colorbar(image, ax=axes, label="increase of its loss (%)", pad=0.01)
    plain_numbers(bar)
    return figure


def shift_bounds(mean: np.ndarray, low: np.ndarray, high: np.ndarray, *, margin: float) -> Figure:
    """Every head's mean shift with its interval, layer by layer, against the margin of equivalence.

    Args:
        mean: absolute shift of the predicted start time, (layers, heads) seconds.
        low: of the intervals, (layers, heads).
        high: of the intervals, (layers, heads); heads for which it lies below the margin are drawn hollow.
        margin: seconds.
    """
    layers, heads = mean.shape
    figure, axis = grid(1, 1, 3.0)
    position = np.arange(layers)[:, None] + (np.arange(heads) - (heads - 1) / 2) / heads * 0.8 + 1
    bars = np.stack([mean - low, high - mean]).clip(0).reshape(2, -1)
    axis.errorbar(position.ravel(), mean.ravel(), yerr=bars, fmt="none", ecolor="0.5", elinewidth=0.6, zorder=2)
    equivalent = high < margin
    for chosen, face, name in ((~equivalent, "C3", "not equivalent"), (equivalent, "white", "equivalent to intact")):
        axis.scatter(position[chosen], mean[chosen], s=9, fc=face, ec="C3", lw=0.6, zorder=3, label=name)
    axis.axhline(margin, color="0.3", lw=0.6, ls=":", label=f"margin, {margin:.2f} s")
    axis.set_yscale("symlog", linthresh=margin)
    axis.yaxis.set_major_formatter(mpl.ticker.FormatStrFormatter("%g"))
    axis.set(xlabel="Layer (within it its heads in order)", ylabel="mean shift of the start time (s)")
    axis.set_xticks(range(1, layers + 1))
    axis.set_xlim(0.4, layers + 0.6)
    axis.set_ylim(bottom=0)
    figure.legend(loc="outside upper center", ncol=3)
    return figure


def shift_maps(values: dict[str, np.ndarray]) -> Figure:
    """One number for each head, (layers, heads), not negative: a panel with its own colour scale for each name.

    Colours follow the square root, so that differences between the smaller values stay visible.
    """
    figure, axes = grid(1, len(values), 3.1, sharey=True)
    for axis, (name, numbers) in zip(axes, values.items(), strict=True):
        image = _cells(axis, numbers, mpl.colors.PowerNorm(0.5, 0, numbers.max() or 1), colours="magma")
        axis.set(title=name, xlabel="Head")
        figure.colorbar(image, ax=axis, orientation="horizontal")
    axes[0].set_ylabel("Layer")
    return figure


def effect_scatter(exact: np.ndarray, others: dict[str, np.ndarray], *, exact_name: str) -> Figure:
    """Other measures of the same heads against the exact effect, a panel each, with the rank correlation.

    Args:
        exact: (layers, heads) percent.
        others: by name, (layers, heads) percent each.
        exact_name: name of the exact effect on the axis.
    """
    figure, axes = grid(1, len(others), 2.9, sharex=True, sharey=True)
    layers = np.repeat(np.arange(1, len(exact) + 1), exact.shape[1])
    for axis, (name, values) in zip(axes, others.items(), strict=True):
        ends = np.array([min(0, exact.min()), exact.max()])
        axis.plot(ends, ends, color="0.6", lw=0.6)
        points = axis.scatter(exact, values, c=layers, s=9, cmap="viridis", lw=0)
        (rank,) = rank_correlations([exact, values])
        axis.set_xscale("symlog", linthresh=1)
        axis.set_yscale("symlog", linthresh=1)
        for direction in (axis.xaxis, axis.yaxis):
            direction.set_major_formatter(mpl.ticker.FormatStrFormatter("%g"))
        axis.set(title=f"{name}\nrank correlation {rank:.2f}", xlabel=f"{exact_name} (%)")
    axes[0].set_ylabel("increase of the loss (%)")
    figure.colorbar(points, ax=axes, label="layer", pad=0.01)
    return figure


def sweeps_side_by_side(effects: dict[str, np.ndarray], captions: Sequence[str]) -> Figure:
    """Figure 4 by name, (layers, heads) percent each, above the same values in row order.

    Each has its own scale, because their sizes differ: symmetric logarithmic where it spans more than a power of ten.
    A value that is not legible (NaN) is blank.
    """
    figure, axes = grid(2, len(effects), 4.3, height_ratios=[2, 1])
    for (above, below), (name, values), caption in zip(axes.T, effects.items(), captions, strict=True):
        norm = _norm(values)
        image = _cells(above, values, norm)
        above.set(title=name, xlabel="Head", ylabel="Layer")
        plain_numbers(figure.colorbar(image, ax=above, orientation="horizontal", label="increase (%)"), most=2)
        below.plot(np.arange(values.size) / values.shape[1] + 1, values.ravel(), lw=0.8, color="0.3")
        below.set(title=caption, xlabel="in row order (layer)", ylabel="increase (%)")
        below.set_xticks(range(1, len(values) + 1, 2))
        if (norm.vmax or 0) > 10 * norm.linthresh:
            below.set_yscale("symlog", linthresh=1)
            below.yaxis.set_major_formatter(mpl.ticker.FormatStrFormatter("%g"))
        below.title.set_fontsize(7)
    return figure


def _norm(values: np.ndarray) -> mpl.colors.SymLogNorm:
    largest = float(np.nanmax(np.abs(values))) or 1.0
    return mpl.colors.SymLogNorm(linthresh=min(0.5, largest / 4), vmin=-largest, vmax=largest)


def _cells(
    axis: mpl.axes.Axes, values: np.ndarray, norm: mpl.colors.Normalize, *, colours: str = "coolwarm"
) -> mpl.image.AxesImage:
    layers, heads = values.shape
    image = axis.imshow(values, cmap=colours, norm=norm, extent=(0.5, heads + 0.5, layers + 0.5, 0.5))
    axis.set_xticks(range(1, heads + 1, 2 if heads > 6 else 1))
    axis.set_yticks(range(1, layers + 1))
    return image
