"""Figures of images as they are: samples, the counterfactual variants of one chirp, the regions of an image."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .style import grid

__all__ = ["region_map", "spectrogram_samples", "variant_panel"]


def spectrogram_samples(images: np.ndarray, captions: Sequence[str]) -> Figure:
    """Figure 2: fifteen images in three rows of five.

    Args:
        images: (15, rows, columns, 3) uint8.
        captions: one for each image.
    """
    figure, axes = grid(3, 5, 4.2)
    for axis, image, caption in zip(axes.flat, images, captions, strict=True):
        axis.imshow(image)
        axis.set_title(caption, fontsize=6.5)
        axis.axis("off")
    return figure


def variant_panel(images: np.ndarray, captions: Sequence[str], *, columns: int = 5) -> Figure:
    """One chirp in its counterfactual variants, each with its name.

    Args:
        images: (variants, rows, columns, 3) uint8.
        captions: the variants' names.
        columns: panels in a row.
    """
    rows = -(-len(images) // columns)
    figure, axes = grid(rows, columns, 1.65 * rows)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, caption in zip(axes.flat, images, captions, strict=False):
        axis.imshow(image)
        axis.add_patch(Rectangle((0, 0), 1, 1, transform=axis.transAxes, fill=False, ec="0.7", lw=0.5))
        axis.set_title(caption, fontsize=7)
    return figure


def region_map(image: np.ndarray, regions: np.ndarray, names: Sequence[str]) -> Figure:
    """An image (rows, columns, 3) beside its regions, each in a colour of its own, with their names.

    Args:
        image: uint8.
        regions: (rows, columns), the region of each pixel: an index into `names`.
        names: of the regions; the first three are margin, background and chirp.
    """
    figure, (left, right) = grid(1, 2, 3.4, width_ratios=[1, 1.9])
    colours = mpl.colors.ListedColormap(["#f4f4f4", "#b9c7d6", "C3", *sns.color_palette("husl", len(names) - 3)])
    left.imshow(image)
    drawn = right.imshow(regions, cmap=colours, vmin=-0.5, vmax=len(names) - 0.5, interpolation="nearest")
    for axis in (left, right):
        axis.axis("off")
    bar = figure.colorbar(drawn, ax=right, ticks=range(len(names)))
    bar.ax.set_yticklabels([name.replace("_", " ") for name in names], fontsize=5.5)
    bar.ax.invert_yaxis()
    return figure
