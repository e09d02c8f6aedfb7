"""Figures 3 and 4: what ablating each head does to the predictions and to the loss."""

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from .style import grid, plain_numbers

__all__ = ["ablation_heatmap", "prediction_histograms"]


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
    edges = np.linspace(low, high, 25)
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
    figure.supylabel("Images (weighted)", fontsize=8)
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
