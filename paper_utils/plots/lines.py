"""Figures of line images: samples, labels that share an image, error by angle, and how well colours stand out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from .style import grid

if TYPE_CHECKING:
    from ..lines.readers import ErrorByAngle

__all__ = ["colour_contrasts", "error_by_angle", "line_panel"]


def line_panel(images: np.ndarray, captions: Sequence[str], *, columns: int = 9) -> Figure:
    """Images in rows of `columns`, each with its caption.

    Args:
        images: (many, rows, columns, 3) uint8.
        captions: one for each.
        columns: images in a row.
    """
    rows = -(-len(images) // columns)
    figure, axes = grid(rows, columns, rows * 7.2 / columns * 1.18, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, caption in zip(axes.flat, images, captions, strict=False):
        axis.imshow(image)
        axis.set_title(caption, fontsize=6, pad=2)
    return figure


def error_by_angle(errors: Mapping[str, Mapping[str, ErrorByAngle]]) -> Figure:
    """Mean absolute error by the labelled angle with its interval, a panel for each reader and a line for each set.

    Args:
        errors: by reader and set.
    """
    figure, axes = grid(1, len(errors), 2.4, sharey=True, squeeze=False)
    names = dict.fromkeys(name for by_set in errors.values() for name in by_set)
    colours = {name: f"C{number}" for number, name in enumerate(names)}  # a panel may lack some of the sets
    for axis, (reader, by_set) in zip(axes[0], errors.items(), strict=True):
        for name, one in by_set.items():
            axis.plot(one.centres, one.error, lw=1, color=colours[name], label=f"set {name}")
            axis.fill_between(one.centres, one.low, one.high, color=colours[name], alpha=0.2, lw=0)
        axis.set(title=reader, xlabel="labelled angle (degrees)", xticks=range(0, 361, 90))
    axes[0, 0].set_ylim(0, None)  # of all panels, once the last is drawn
    axes[0, 0].set_ylabel("mean absolute error (degrees)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncol=4)
    return figure


def colour_contrasts(contrasts: Mapping[str, float], colours: Mapping[str, tuple[int, int, int]]) -> Figure:
    """How well a pixel of each colour stands out from black, bars of that colour.

    Args:
        contrasts: d' by name.
        colours: red, green, blue in 0..255 by name.
    """
    figure, axis = grid(1, 1, 2.3)
    axis.bar(
        list(contrasts),
        list(contrasts.values()),
        color=[np.array(colours[name]) / 255 for name in contrasts],
        ec="0.3",
        lw=0.6,
    )
    axis.set(ylabel="d\N{PRIME} of a pixel against black")
    axis.tick_params(axis="x", rotation=30)
    return figure
