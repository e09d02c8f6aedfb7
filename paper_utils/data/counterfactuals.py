"""Counterfactual images: the same chirp and noise with one element removed, moved or replaced.

They separate content from position: whether a head attends to the title or to where titles are, and whether a
prediction depends on the colour bar, is measured on images without the title or with the bar elsewhere.
"""

import codecs
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import CompanionError
from .canvas import Layout
from .chirps import DURATION, MAX_FREQUENCY, Chirp, check_chirp, noise_free
from .regions import REGIONS, region_of_each_pixel
from .render import MODEL_SIZE, PUBLISHED_SIZE, DrawnImage, canvas_of, to_pixels
from .resizing import Resizing

__all__ = ["PATCH", "VARIANTS", "Variant", "draw_variant", "shift_by_position"]

PATCH = 16  # pixels at 224: the unit of moves, and the published patch
BAR_REGIONS = tuple(name for name in REGIONS if name.startswith("colour_bar"))
BARE_REGIONS = ("background", "chirp")


@dataclass(frozen=True)
class Variant:
    """What a variant changes; moves are in units of 16 pixels at 224 (rows down, columns to the right).

    For other patches they are rounded to whole ones, so that a moved thing fills its patches as before.
    """

    label: str
    layout: Layout = Layout()
    title: Callable[[str], str] = str  # from the published title to the one drawn
    has_chirp: bool = True
    has_bar: bool = True
    plot_move: tuple[int, int] = (0, 0)  # plot, frame, ticks, axis labels and title
    bar_move: tuple[int, int] = (0, 0)  # colour bar, its ticks and label


VARIANTS = {
    "published": Variant("as published"),
    "no_title": Variant("no title", title=lambda title: ""),
    "other_title": Variant("other title, same length", title=lambda title: codecs.encode(title, "rot13")),
    "no_colour_bar": Variant("no colour bar", has_bar=False),
    "colour_bar_left": Variant("colour bar on the left", plot_move=(0, 3), bar_move=(0, -10)),
    "no_axis_labels": Variant("no axis labels", layout=Layout(x_label="", y_label="")),
    "swapped_axis_labels": Variant("axis labels swapped", layout=Layout(x_label="Frequency (Hz)", y_label="Time (s)")),
    "moved_up": Variant("all moved up a patch", plot_move=(-1, 0), bar_move=(-1, 0)),
    "moved_right": Variant("all moved right a patch", plot_move=(0, 1), bar_move=(0, 1)),
    "larger_fonts": Variant("larger fonts", layout=Layout(font_size=12.5)),
    "bare": Variant(
        "the spectrogram alone",
        layout=Layout(x_label="", y_label="", frame=False),
        title=lambda title: "",
        has_bar=False,
    ),
    "other_colour_map": Variant("another colour map", layout=Layout(colour_map="magma")),
    "no_chirp": Variant("no chirp, the same noise", has_chirp=False),
}


def draw_variant(
    name: str,
    chirp: Chirp,
    intensity: np.ndarray,
    title: str,
    *,
    size: tuple[int, int] = MODEL_SIZE,
    with_regions: bool = False,
    resizing: Resizing = "bicubic",
    patch: int = PATCH,
) -> DrawnImage:
    """Draw a counterfactual image; arguments as in `draw_image`, the title being the published one.

    A region that the variant removes covers no pixel. What moves, moves by whole patches of `patch` pixels at 224, or
    by whole halves where one is larger than 16 pixels and would carry the title out of the image.

    Raises:
        CompanionError: no variant has that name, or a chirp parameter is out of range.
    """
    variant = _variant(name)
    check_chirp(chirp)
    canvas = canvas_of(size, variant.layout, resizing=resizing)
    low, high = intensity.min(), intensity.max()  # of the published image, so that colours and ticks stay the same
    line = noise_free(chirp)
    lettering = canvas.draw_lettering(variant.title(title), low, high)
    plot, bar = np.repeat(canvas.static_plot, 3, axis=2), canvas.static_bar.copy()
    plot[canvas.onto_plot.target] += canvas.draw_plot(intensity if variant.has_chirp else intensity - line, low, high)
    for region, (target, ink) in lettering.items():
        (bar if region in BAR_REGIONS else plot)[target] += ink[..., None]
    plot_move, bar_move = (_in_pixels(move, patch) for move in (variant.plot_move, variant.bar_move))
    dark = _shift(plot, plot_move, size)
    if variant.has_bar:
        dark = dark + _shift(bar, bar_move, size)
    if not with_regions:
        return DrawnImage(to_pixels(dark), None)
    regions = region_of_each_pixel(canvas, line if variant.has_chirp else np.zeros_like(line), lettering)
    return DrawnImage(to_pixels(dark), _shift_regions(regions, variant, size, plot_move=plot_move, bar_move=bar_move))


def _variant(name: str) -> Variant:
    if name not in VARIANTS:
        raise CompanionError(f"unknown variant {name!r}; choose one of {', '.join(VARIANTS)}")
    return VARIANTS[name]


def shift_by_position(name: str, *, patch: int = PATCH) -> np.ndarray:
    """Return how far the predictions of a reader shift that knows places in the image alone, and no axes.

    (3,): seconds, hertz, hertz, of the start time and both frequencies; 0 where the plot stays, NaN without a chirp.

    Args:
        name: of a variant.
        patch: pixels at 224 by whose multiples things move, as in `draw_variant`.

    Raises:
        CompanionError: no variant has that name.
    """
    variant = _variant(name)
    if not variant.has_chirp:
        return np.full(3, np.nan)
    top, bottom, left, right = canvas_of(PUBLISHED_SIZE).box
    moves = _in_pixels(variant.plot_move, patch)
    rows, columns = (
        pixels * side / model for pixels, side, model in zip(moves, PUBLISHED_SIZE, MODEL_SIZE, strict=True)
    )
    time, frequency = columns / (right - left) * DURATION, -rows / (bottom - top) * MAX_FREQUENCY
    return np.array([time, frequency, frequency])


def _in_pixels(move: tuple[int, int], patch: int) -> tuple[int, int]:
    """Return a move in pixels at 224, in whole patches; to the left of where it is none, so that bar and plot stay apart."""
    unit = patch if patch <= PATCH else patch // 2
    rows, columns = (count * PATCH / unit for count in move)
    return round(rows) * unit, math.floor(columns) * unit


def _shift_regions(
    regions: np.ndarray,
    variant: Variant,
    size: tuple[int, int],
    *,
    plot_move: tuple[int, int],
    bar_move: tuple[int, int],
) -> np.ndarray:
    """Return the regions shifted like the plot and the bar, without those that the variant removes."""
    margin = REGIONS.index("margin")
    in_bar = np.isin(regions, [REGIONS.index(name) for name in BAR_REGIONS])
    plot = np.where(in_bar, margin, regions)
    if not variant.layout.frame:
        # without a frame there are no corners; those inside the plot become background
        inner = [REGIONS.index(name) for name in REGIONS if name.startswith("inner_corner")]
        plot = np.where(np.isin(plot, inner), REGIONS.index("background"), plot)
        plot = np.where(np.isin(plot, [REGIONS.index(name) for name in BARE_REGIONS]), plot, margin)
    result = _shift(plot, plot_move, size)  # pixels from outside the image are 0: margin
    if variant.has_bar:
        bar = _shift(np.where(in_bar, regions, margin), bar_move, size)
        result = np.where(bar != margin, bar, result)
    return result.astype(np.uint8)


def _shift(image: np.ndarray, move: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """Return an image shifted by pixels at 224 (down, right); zeros fill the gap."""
    steps = [round(pixels * side / model) for pixels, side, model in zip(move, size, MODEL_SIZE, strict=True)]
    if not any(steps):
        return image
    result = np.zeros_like(image)
    source = tuple(slice(max(-step, 0), side - max(step, 0)) for step, side in zip(steps, size, strict=True))
    target = tuple(slice(max(step, 0), side - max(-step, 0)) for step, side in zip(steps, size, strict=True))
    result[target] = image[source]
    return result
