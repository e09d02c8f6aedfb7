"""Figures of signed networks: the network, its eigenvalues, and scores of nodes beside what removing a node does."""

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from .style import grid

__all__ = ["attention_draws", "correlations_by_score", "eigenvalues", "network_scores", "signed_network"]

SIGNS = {"positive": "C0", "negative": "C3"}


def signed_network(weights: np.ndarray, destabilises: np.ndarray) -> Figure:
    """A network as nodes on a circle: edges by sign, wider for larger weights; nodes by how much they destabilise.

    Args:
        weights: (nodes, nodes), [i, j] of the edge from node i to node j.
        destabilises: (nodes,) how much the growth rate falls without each node.
    """
    figure, axis = grid(1, 1, 4.2)
    angles = np.pi / 2 - 2 * np.pi * np.arange(len(weights)) / len(weights)
    places = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    for start, end in np.argwhere(weights != 0):
        weight, width = weights[start, end], 0.5 + 0.35 * np.log1p(abs(weights[start, end]))
        colour = SIGNS["positive" if weight > 0 else "negative"]
        if start == end:
            loop = mpl.patches.Circle(tuple(1.24 * places[start]), 0.12, fill=False, ec=colour, lw=width)
            axis.add_patch(loop)
            continue
        arrow = FancyArrowPatch(
            tuple(places[start]),
            tuple(places[end]),
            connectionstyle="arc3,rad=0.12",
            arrowstyle="-|>",
            mutation_scale=8,
            shrinkA=11,
            shrinkB=11,
            color=colour,
            lw=width,
        )
        axis.add_patch(arrow)
    most = float(np.abs(destabilises).max()) or 1.0
    nodes = axis.scatter(*places.T, c=destabilises, s=330, cmap="PuOr_r", vmin=-most, vmax=most, ec="0.2", zorder=3)
    for node, place in enumerate(places):
        axis.annotate(str(node), tuple(place), ha="center", va="center", zorder=4)
    axis.set(xlim=(-1.5, 1.5), ylim=(-1.45, 1.45), aspect="equal")
    axis.axis("off")
    figure.colorbar(nodes, ax=axis, label="fall of the growth rate without the node", shrink=0.7)
    handles = [mpl.lines.Line2D([], [], color=colour, label=f"{name} weight") for name, colour in SIGNS.items()]
    axis.legend(handles=handles, loc="lower left")
    return figure


def eigenvalues(values: np.ndarray) -> Figure:
    """Eigenvalues in the complex plane, those that grow apart from those that decay; the real axis is logarithmic.

    Args:
        values: (nodes,) complex.
    """
    figure, axis = grid(1, 1, 2.2)
    for chosen, colour, name in ((values.real > 1e-9, "C3", "grows"), (values.real <= 1e-9, "C0", "decays or stays")):
        axis.plot(values.real[chosen], values.imag[chosen], "o", ms=5, color=colour, label=name)
    axis.set_xscale("symlog", linthresh=0.1)
    axis.axvline(0, color="0.6", lw=0.6)
    axis.set(xlabel="real part: growth rate (1/s)", ylabel="imaginary part (rad/s)")
    axis.legend()
    return figure


def network_scores(scores: Mapping[str, np.ndarray], destabilises: np.ndarray) -> Figure:
    """Each score of the nodes, and beside them how much the growth rate falls without each node.

    Args:
        scores: by name, (nodes,).
        destabilises: (nodes,).
    """
    panels = {**scores, "fall of the growth rate without it": destabilises}
    figure, axes = grid(1, len(panels), 2.2, sharey=True)
    nodes = np.arange(len(destabilises))
    for (name, values), axis in zip(panels.items(), axes, strict=True):
        axis.barh(nodes, values, color="C3" if axis is axes[-1] else "C0")
        axis.axvline(0, color="0.3", lw=0.6)
        axis.set_title(name, wrap=True)
        axis.ticklabel_format(axis="x", style="sci", scilimits=(-3, 3))
        axis.xaxis.set_major_locator(mpl.ticker.MaxNLocator(3))
    axes[0].set(yticks=nodes, ylabel="Node")
    axes[0].invert_yaxis()
    return figure


def attention_draws(of_zeros: np.ndarray, of_draws: np.ndarray) -> Figure:
    """The attention score of each node with random weights, and with all weights zero.

    Args:
        of_zeros: (nodes,).
        of_draws: (draws, nodes).
    """
    figure, axis = grid(1, 1, 2.2)
    nodes = np.arange(len(of_zeros))
    axis.vlines(nodes, of_draws.min(0), of_draws.max(0), color="C0", lw=6, alpha=0.6, label="random weights, all draws")
    axis.plot(nodes, of_zeros, "_", ms=16, color="C3", label="all weights zero")
    axis.set(xlabel="Node", ylabel="attention score", xticks=nodes)
    figure.legend(loc="outside upper right", ncol=2)
    return figure


def correlations_by_score(correlations: Mapping[str, np.ndarray], means: Mapping[str, tuple]) -> Figure:
    """How each score's rank correlation with what removing a node does is distributed over networks.

    Args:
        correlations: by score, (networks,); NaN where it is not defined.
        means: by score, the mean and the ends of its interval.
    """
    figure, axis = grid(1, 1, 2.2)
    rows = np.arange(len(correlations))
    known = [values[np.isfinite(values)] for values in correlations.values()]
    axis.boxplot(known, positions=rows, orientation="horizontal", widths=0.5, showfliers=False)
    axis.plot([means[name][0] for name in correlations], rows, "D", ms=4, color="C3", label="mean")
    axis.axvline(0, color="0.6", lw=0.6)
    axis.set(xlim=(-1, 1), xlabel="rank correlation over the nodes of a network", yticks=rows)
    axis.set_yticklabels(list(correlations))
    axis.invert_yaxis()
    axis.legend()
    return figure
