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


def prediction_distributions(start_times: np.ndarray, moved: np.ndarray) -> Figure:
    """Figure 3: one panel a layer, a row for each of its heads, how far quantiles of the start times move without it.

    A row has one colour, that of zero, where the distributions are one; the mean of its absolute values is nearly
    their Wasserstein distance. The scale is that of all heads but the one of largest difference, which is named with
    its reach.

    Args:
        start_times: quantiles of the intact model's predictions, (levels,) seconds, rising.
        moved: by how much those without each head are later, (layers, heads, levels) seconds.
    """
    layers, heads = moved.shape[:2]
    figure, axes = grid((layers + 3) // 4, 4, 5.0, sharex=True, sharey=True)
    between = (start_times[1:] + start_times[:-1]) / 2
    edges = np.concatenate([2 * start_times[:1] - between[:1], between, 2 * start_times[-1:] - between[-1:]])
    reach = np.abs(moved).max(-1)
    limit = np.sort(reach, axis=None)[-2:].min() or 1.0
    for layer, axis in zip(range(layers), axes.flat, strict=False):
        image = axis.pcolormesh(
            edges, np.arange(heads + 1) + 0.5, moved[layer], cmap="PuOr_r", vmin=-limit, vmax=limit, linewidth=0
        )
        beyond = [f"head {head + 1} up to {reach[layer, head]:.2g} s" for head in np.flatnonzero(reach[layer] > limit)]
        axis.set_title(f"Layer {layer + 1}" + "".join(f", {head}" for head in beyond))
        axis.set_yticks(range(1, heads + 1))
        axis.tick_params(axis="y", labelsize=5.5, length=1.5)
    for axis in axes.flat[layers:]:
        axis.set_visible(False)
    axes.flat[0].invert_yaxis()
    figure.supxlabel("Predicted start time, intact model (s)", fontsize=8)
    figure.supylabel("Head", fontsize=8)
    extend = "both" if reach.max() > limit else "neither"
    bar = figure.colorbar(image, ax=axes, aspect=40, pad=0.01, extend=extend)
    bar.set_label("later by (s) without the head", fontsize=7)
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
