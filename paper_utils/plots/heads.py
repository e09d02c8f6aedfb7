"""Figures 5 to 8: attention maps of chosen heads, laid over the images they were taken from."""

import textwrap
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from ..heads import min_max
from .style import WIDTH, grid

__all__ = ["gallery", "overlay", "overlays"]

CHARACTER = 0.06  # inches, of a caption


def gallery(
    images: np.ndarray, maps: np.ndarray, heads: Sequence[tuple[int, int]], captions: Sequence[str], *, columns: int = 5
) -> Figure:
    """Figures 5 and 8: chosen heads (layer, head), each over the next of the first five images.

    Args:
        images: (n, rows, columns, 3).
        maps: (n, layers, heads, 14, 14), raw.
        heads: counted from 0.
        captions: one for each head.
        columns: panels in a row.
    """
    index = np.arange(len(heads)) % min(5, len(images))
    layer, head = np.array(heads).T
    return overlays(images[index], maps[index, layer, head], captions, columns=columns)


def overlays(images: np.ndarray, maps: np.ndarray, captions: Sequence[str], *, columns: int = 5) -> Figure:
    """Figures 5 to 8: raw maps, min-max normalised and laid over their images, a panel each.

    Args:
        images: (n, rows, columns, 3) uint8.
        maps: (n, 14, 14), raw attention.
        captions: one for each panel.
        columns: panels in a row.
    """
    count = len(captions)
    columns = min(columns, count)
    rows = -(-count // columns)
    figure, axes = grid(rows, columns, rows * (WIDTH / max(columns, 2.4) + 0.25), squeeze=False)
    colours = mpl.colormaps["inferno"](np.arange(256))
    normalised = min_max(maps)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, attention, caption in zip(axes.flat, images, normalised, captions, strict=False):
        axis.imshow(overlay(image, attention, colours))
        lines = (textwrap.fill(line, round(WIDTH / columns / CHARACTER)) for line in caption.splitlines())
        axis.set_title("\n".join(lines), fontsize=6.5)
    bar = figure.colorbar(
        mpl.cm.ScalarMappable(cmap="inferno"),
        ax=axes,
        shrink=0.9 if rows == 1 else 0.5,
        aspect=20 if rows == 1 else 30,
        pad=0.02,
    )
    bar.set_label("attention,\n0 to 1 in each map", fontsize=7)
    return figure


def overlay(pixels: np.ndarray, normalised: np.ndarray, colours: np.ndarray, *, alpha: float = 0.75) -> np.ndarray:
    """Lay a normalised map over an image; return (rows, columns, 3) in 0..1.

    Each patch takes its colour out of `colours` (256, 3 or 4) with a weight that grows with the map, from a third of
    `alpha` where it is zero to `alpha` where it is one, so that the image stays visible where a head does not look.
    """
    patch = pixels.shape[0] // normalised.shape[0]
    wide = np.kron(normalised, np.ones((patch, patch)))
    painted = np.asarray(colours)[(wide * 255).astype(np.uint8), :3]
    weight = (alpha * (1 + 2 * wide) / 3)[..., None]
    return (1 - weight) * pixels / 255 + weight * painted
