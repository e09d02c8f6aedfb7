"""Figures 3 and 4, and what ablating several heads at once does to the loss."""

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from .style import grid, plain_numbers

if TYPE_CHECKING:
    from ..interventions.pruning import Removals

__all__ = ["ablation_heatmap", "prediction_histograms", "removal_curves"]

KIND_COLOURS = ("C1", "C2")  # of what removed heads put out


def prediction_histograms(baseline: np.ndarray, ablated: np.ndarray, weights: np.ndarray) -> Figure:
    """Figure 3: one panel a layer, start times with each of its heads ablated over the intact model's in grey.

    A bar far above all of the intact model's is cut off and its height written beside it.

    Args:
        baseline: (images,) seconds.
        ablated: (layers, heads, images) seconds.
        weights: (images,) how many images each stands for.
    """
    layers, heads = ablated.shape[:2]
    figure, axes = grid((layers + 3) // 4, 4, 5.4, sharex=True, sharey=True)
    low, high = np.percentile(np.concatenate([baseline, ablated.ravel()]), [0.1, 99.9])
    edges = np.linspace(low, high, 1 + min(24, max(8, len(baseline) // 9)))  # some nine images a bin
    colours = sns.color_palette("husl", heads)
    highest = [
        np.histogram(some, edges, weights=weights)[0].max() for some in (baseline, *ablated.reshape(-1, len(baseline)))
    ]
    top = min(2.5 * highest[0], 1.05 * max(highest))
    axes.flat[0].set_ylim(0, top)
    for layer, axis in enumerate(axes.flat):
        axis.hist(baseline, edges, weights=weights, color="0.75", label="intact")
        for head in range(heads):
            line = {"histtype": "step", "lw": 0.7, "color": colours[head], "label": f"head {head + 1}"}
            heights, _, _ = axis.hist(ablated[layer, head], edges, weights=weights, **line)
            if heights.max() > top:
                corner = edges[heights.argmax() + 1], top
                axis.annotate(f" head {head + 1}: to {heights.max():.0f}", corner, va="top", fontsize=6.5)
        axis.set_title(f"Layer {layer + 1}")
    figure.supxlabel("Predicted start time (s)", fontsize=8)
    figure.supylabel("Images", fontsize=8)
    handles, names = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncol=7)
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
    figure, axes = grid(1, 3, 3.0, width_ratios=[3, 2, 2])
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
    for axis in axes[:2]:  # the colours of the last panel are those of the second
        axis.legend(fontsize=6.5)
    axes[0].set_ylabel("loss over intact")
    return figure
