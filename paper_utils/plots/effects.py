"""Figures 3 and 4, and what ablating several heads at once does to the loss."""

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from .style import grid, plain_numbers

if TYPE_CHECKING:
    from ..interventions.pruning import Removals

__all__ = ["ablation_heatmap", "prediction_distributions", "removal_curves"]

KIND_COLOURS = ("C1", "C2")  # of what removed heads put out


def prediction_distributions(baseline: np.ndarray, ablated: np.ndarray, weights: np.ndarray) -> Figure:
    """Figure 3: one panel a layer, how far each of its heads, ablated, moves the quantiles of the start times.

    A curve is zero throughout where the distributions are one; the mean of its absolute values is nearly their
    Wasserstein distance. In each panel the head that differs most is named. The scale is that of all heads but the one of largest
    difference, whose curve is cut off and its reach written.

    Args:
        baseline: (images,) seconds.
        ablated: (layers, heads, images) seconds.
        weights: (images,) how many images each stands for.
    """
    layers, heads = ablated.shape[:2]
    figure, axes = grid((layers + 3) // 4, 4, 5.0, sharex=True, sharey=True)
    levels = np.linspace(0.01, 0.99, 99)

    def quantiles(start: np.ndarray) -> np.ndarray:
        order = start.argsort()
        below = weights[order].cumsum() - weights[order] / 2
        return np.interp(levels, below / weights.sum(), start[order])

    intact = quantiles(baseline)
    moved = np.array([[quantiles(head) - intact for head in layer] for layer in ablated])
    reach = np.abs(moved).max(-1)
    limit = 1.1 * np.sort(reach, axis=None)[-2:].min() or 1.0
    colours = mpl.colormaps["viridis"](np.linspace(0, 1, heads))
    for layer, axis in zip(range(layers), axes.flat, strict=False):
        axis.axhline(0, color="0.7", lw=0.6)
        for head in range(heads):
            axis.plot(intact, moved[layer, head], color=colours[head], lw=0.8)
        furthest = reach[layer].argmax()
        cut = f", {reach[layer, furthest]:.2g} s" if reach[layer, furthest] > limit else ""
        axis.set_title(f"Layer {layer + 1} (most: head {furthest + 1}{cut})", fontsize=7)
    for axis in axes.flat[layers:]:
        axis.set_visible(False)
    axes.flat[0].set_ylim(-limit, limit)
    figure.supxlabel("Quantile of the predicted start times, intact model (s)", fontsize=8)
    figure.supylabel("Moved without a head by (s)", fontsize=8)
    norm = mpl.colors.BoundaryNorm(np.arange(0.5, heads + 1), mpl.colormaps["viridis"].N)
    bar = figure.colorbar(mpl.cm.ScalarMappable(norm=norm, cmap="viridis"), ax=axes, aspect=40, pad=0.01)
    bar.set_ticks(range(1, heads + 1))
    bar.set_label("head", fontsize=7)
    return figure


def ablation_heatmap(increase: np.ndarray, *, title: str = "Increase of the loss in percent") -> Figure:
    """Figure 4: layers down, heads across, the increase in each cell; blue below zero, red above, as in the paper.

    Effects of one head can be a hundred times another's, so colours follow a symmetric logarithmic scale; the cells
    hold the numbers.

    Args:
        increase: (layers, heads) percent.
        title: above the axes.
    """
    layers, heads = increase.shape
    figure, axis = grid(1, 1, 5.0)
    largest = max(1.0, np.abs(increase).max())
    norm = mpl.colors.SymLogNorm(linthresh=0.5, vmin=-largest, vmax=largest)  # no effect is grey
    cells = np.vectorize(lambda value: f"{value:.2f}" if abs(value) < 10 else f"{value:.0f}")(increase)
    sns.heatmap(
        increase,
        annot=cells,
        fmt="",
        cmap="coolwarm",
        norm=norm,
        ax=axis,
        annot_kws={"size": 6.5},
        xticklabels=range(1, heads + 1),
        yticklabels=range(1, layers + 1),
        cbar_kws={"label": "increase of the loss (%), symmetric log scale"},
        linewidths=0.3,
    )
    plain_numbers(axis.collections[0].colorbar)
    axis.set(xlabel="Head", ylabel="Layer", title=title)
    axis.tick_params(axis="y", rotation=0)
    return figure


def removal_curves(removals: "Removals") -> Figure:
    """The loss without several heads over the intact model's: of all heads by order, early heads, and blocks of layers.

    Bands and bars are 95 % intervals over images. The last two panels compare what removed heads put out.
    """
    figure, axes = grid(1, 3, 3.2, width_ratios=[3, 2, 2])
    curves = (removals.of_all_heads(), ("C0", "C3", "0.4")), (removals.of_early_heads(), KIND_COLOURS)
    for axis, (named, colours) in zip(axes, curves, strict=False):
        for (name, curve), colour in zip(named.items(), colours, strict=False):
            axis.fill_between(curve.counts, curve.low, curve.high, color=colour, alpha=0.2, lw=0)
            axis.plot(curve.counts, curve.ratio, "o-", color=colour, ms=3, lw=1, label=name)
    for blocks, colour, aside in zip(removals.of_blocks().values(), KIND_COLOURS, (-0.1, 0.1), strict=True):
        for place, ratios in enumerate(blocks.values()):
            bars = np.stack([ratios.ratio - ratios.low, ratios.high - ratios.ratio]).clip(0)
            axes[2].errorbar([place + aside], ratios.ratio, bars, fmt="o", ms=3, color=colour, lw=1)
    labels = [name.removeprefix("layers ") for name in removals.of_blocks()["value bias"]]
    axes[2].set_xticks(range(len(labels)), labels)
    axes[2].set_xlim(-0.5, len(labels) - 0.5)
    axes[0].axhline(1 / removals.intact_loss, color="0.5", lw=0.6, ls=":", zorder=0, label="predicting the mean")
    axes[2].sharey(axes[1])  # all heads together may do far more than those of a few layers
    panels = (("all heads", "heads removed"), ("layers 1 to 3, by effect", "heads removed"), ("all heads of", "layers"))
    ticks = ((1, 2, 5), (1, 1.2, 1.5, 2, 3, 5, 7), (1, 1.2, 1.5, 2, 3, 5, 7))
    for axis, (title, unit), subs in zip(axes, panels, ticks, strict=True):
        axis.axhline(1, color="0.7", lw=0.6, zorder=0)
        axis.set(title=title, xlabel=unit, yscale="log")
        axis.yaxis.set_major_locator(mpl.ticker.LogLocator(subs=subs))
        axis.yaxis.set_major_formatter(mpl.ticker.FormatStrFormatter("%g"))
        axis.yaxis.set_minor_formatter(mpl.ticker.NullFormatter())
    # below, where they hide nothing; the colours of the last panel are those of the second
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower left", ncol=2, fontsize=6.5)
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower right", ncol=2, fontsize=6.5)
    axes[0].set_ylabel("loss over intact")
    return figure
