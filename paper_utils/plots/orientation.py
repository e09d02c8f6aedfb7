"""Figures of what a ViT makes of line images: errors by angle and colour, colours as a tree, losses, alike heads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from scipy.cluster.hierarchy import dendrogram

from .method import column_of_steps
from .style import grid

if TYPE_CHECKING:
    from ..orientation.angles import ErrorCurve
    from ..orientation.colour import ColourErrors
    from ..orientation.phases import LossCurve

__all__ = ["colour_tree", "error_by_colour", "error_curves", "head_similarity", "line_architecture", "loss_curves"]


def line_architecture() -> Figure:
    """The model of the paper twice: as its text describes it, and as the released code builds it."""
    heads = "angle · points · noise · length\n(set III: width; IV: colour, too)"
    columns = {
        "As described": [
            "Image, 224 x 224",
            "ViT with LoRA in every layer:\nadapters are trained",
            "CLS token",
            "Shared layers\nand a head each: trained",
            heads,
        ],
        "As released": [
            "Image, 224 x 224",
            "ViT, frozen: no LoRA layer is put in,\nthe same for all four sets",
            "CLS token",
            "Shared layers\nand a head each: trained",
            heads,
        ],
    }
    figure, axes = grid(1, 2, 3.6)
    for axis, (title, steps) in zip(axes, columns.items(), strict=True):
        column_of_steps(axis, title, steps, marked="trained")
    return figure


def error_curves(panels: Mapping[str, Mapping[str, ErrorCurve]]) -> Figure:
    """Mean absolute error by angle with its interval over images, thin lines for the starts; a panel for each kind.

    Args:
        panels: curves by what they are called, by the panel's title.
    """
    figure, axes = grid(1, len(panels), 2.9, squeeze=False)
    for axis, (title, curves) in zip(axes[0], panels.items(), strict=True):
        for label, one in curves.items():
            (line,) = axis.plot(one.centres, one.error, lw=1.4, label=label)
            axis.fill_between(one.centres, one.low, one.high, color=line.get_color(), alpha=0.2, lw=0)
            axis.plot(one.centres, one.by_start.T, color=line.get_color(), lw=0.4, alpha=0.6)
        last = max(one.centres[-1] for one in curves.values())
        axis.set(
            title=title, xlabel="labelled angle (degrees)", xticks=np.arange(0, last + 1, 90 if last > 180 else 30)
        )
        axis.set_ylim(0, None)
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncol=2)
    axes[0, 0].set_ylabel("mean absolute error (degrees)")
    return figure


def error_by_colour(
    panels: Mapping[str, ColourErrors], contrasts: Mapping[str, float], colours: Mapping[str, tuple[int, int, int]]
) -> Figure:
    """Mean error of the angle by colour, in the order of how well colours stand out, with 95 % intervals over images.

    Several colours stand out equally well, so that they would hide each other on a scale of it.

    Args:
        panels: errors by the panel's title.
        contrasts: d' of each colour as published, by name; in every panel, whatever is drawn there.
        colours: red, green, blue in 0..255 by name, as published.
    """
    figure, axes = grid(1, len(panels), 2.8, squeeze=False)
    for axis, (title, one) in zip(axes[0], panels.items(), strict=True):
        order = sorted(range(len(one.names)), key=lambda number: contrasts[one.names[number]])
        names, (low, high) = [one.names[number] for number in order], one.ends
        mean, places = one.mean[order], np.arange(len(order))
        axis.errorbar(places, mean, [mean - low[order], high[order] - mean], fmt="none", ecolor="0.6", lw=0.8)
        axis.scatter(places, mean, c=[np.array(colours[name]) / 255 for name in names], ec="0.2", lw=0.6, zorder=3)
        axis.set_xticks(places, [f"{name} {contrasts[name]:.1f}" for name in names], rotation=90, fontsize=6)
        axis.set(title=title, xlabel="colour, and d\N{PRIME} of a pixel as published")
        axis.set_ylim(0, None)
    axes[0, 0].set_ylabel("error of the angle (degrees)")
    return figure


def colour_tree(errors: ColourErrors, by_chance: np.ndarray) -> Figure:
    """Colours clustered by their mean error, and the heights at which they merge against colours dealt out by chance.

    Args:
        errors: by colour.
        by_chance: heights of the merges, (permutations, colours - 1), in order.
    """
    figure, axes = grid(1, 2, 2.6, width_ratios=(1.5, 1))
    tree, (low, high) = errors.tree(), np.percentile(by_chance, (2.5, 97.5), axis=0)
    dendrogram(
        tree,
        labels=list(errors.names),
        ax=axes[0],
        color_threshold=0,
        above_threshold_color="C0",
        leaf_rotation=40,
        leaf_font_size=7,
    )
    axes[0].axhspan(low[-1], high[-1], color="0.85", zorder=0)
    axes[0].set(title="grey: the last merge by chance", ylabel="difference of errors (degrees)")
    steps = np.arange(1, len(tree) + 1)
    axes[1].fill_between(steps, low, high, color="0.85", label="95 % of permutations")
    axes[1].plot(steps, tree[:, 2], "o-", ms=3, lw=1, label="by the errors")
    axes[1].set(title="heights of all merges", xlabel="merge", xticks=steps)
    axes[1].legend(loc="upper left")
    return figure


def loss_curves(panels: Mapping[str, Mapping[str, LossCurve]]) -> Figure:
    """Training losses by target, transitions thick; a panel for each fit.

    Args:
        panels: curves by target, by the panel's title.
    """
    columns = 2
    figure, axes = grid(-(-len(panels) // columns), columns, 3.5, sharey=True, squeeze=False)
    colours = {
        name: f"C{number}"
        for number, name in enumerate(dict.fromkeys(target for one in panels.values() for target in one))
    }
    for axis, (title, curves) in zip(axes.flat, panels.items(), strict=False):
        for target, one in curves.items():
            axis.plot(one.epochs, one.loss, lw=0.8, color=colours[target], label=target)
            for first, last in one.transitions:
                axis.plot(
                    one.epochs[first : last + 1], one.loss[first : last + 1], lw=3, alpha=0.5, color=colours[target]
                )
        axis.set(title=title, yscale="log", xscale="log", xlabel="epoch")
    for row in axes:
        row[0].set_ylabel("loss")
    handles = [Line2D([], [], color=colour, label=target) for target, colour in colours.items()]
    figure.legend(handles=handles, loc="outside lower center", ncol=len(handles))
    return figure


def head_similarity(by_pair: Mapping[str, np.ndarray]) -> Figure:
    """How alike attention maps of the same heads are in two models: the first pair head by head, all by layer.

    Args:
        by_pair: mean correlation, (layers, heads), by the pair's title; a sentence stands in its place if there is none.
    """
    if not by_pair:
        figure, axis = grid(1, 1, 0.6)
        axis.set_axis_off()
        axis.text(0.5, 0.5, "No LoRA was trained on line images on this backbone (make study-lines).", ha="center")
        return figure
    figure, axes = grid(1, 2, 2.8, width_ratios=(1, 1.3))
    shown, first = next(iter(by_pair.items()))
    layers, heads = first.shape
    lowest = np.floor(10 * np.nanmin(first)) / 10
    image = axes[0].imshow(first, vmin=lowest, vmax=1, cmap="viridis", extent=(0.5, heads + 0.5, layers + 0.5, 0.5))
    axes[0].set(title=shown, xlabel="head", ylabel="layer")
    for axis in (axes[0].xaxis, axes[0].yaxis, axes[1].xaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    figure.colorbar(image, ax=axes[0], label="correlation of maps", shrink=0.8)
    for title, values in by_pair.items():
        axes[1].plot(np.arange(1, layers + 1), np.nanmean(values, axis=1), "o-", ms=2.5, lw=1, label=title)
    axes[1].set(xlabel="layer", ylabel="mean over its heads", ylim=(None, 1.02))
    axes[1].legend(loc="upper center", bbox_to_anchor=(0.5, -0.25), ncol=1)
    return figure
