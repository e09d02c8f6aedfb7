"""The same chirp and noise in another image: one thing is changed, all else stays as it is.

Whether a head sees a title or a habit of place, and whether a prediction leans on the colour bar, shows when the
title goes, the bar moves, or the text is another.
"""

import codecs
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import CompanionError
from .canvas import Layout
from .chirps import Chirp, check_chirp, noise_free
from .regions import REGIONS, region_of_each_pixel
from .render import MODEL_SIZE, DrawnImage, canvas_of, to_pixels

__all__ = ["VARIANTS", "Variant", "draw_variant"]

PATCH = 16  # pixels of 224
BAR = tuple(name for name in REGIONS if name.startswith("colour_bar"))
BARE = ("background", "chirp")


@dataclass(frozen=True)
class Variant:
    """What is changed. Moves are in patches of 16 pixels at 224, rows down and columns to the right."""

    says: str
    layout: Layout = Layout()
    title: Callable[[str], str] = str  # of the published title
    has_chirp: bool = True
    has_bar: bool = True
    plot_move: tuple[int, int] = (0, 0)  # plot, frame, ticks, axis labels and title
    bar_move: tuple[int, int] = (0, 0)  # colour bar, its ticks and label


VARIANTS = {
    "published": Variant("as published"),
    "no_title": Variant("no title", title=lambda title: ""),
    "other_title": Variant("other title, as long", title=lambda title: codecs.encode(title, "rot13")),
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
) -> DrawnImage:
    """Draw a counterfactual image; arguments as in `draw_image`, the title being the published one.

    A region that the variant removes covers no pixel.

    Raises:
        CompanionError: no variant has that name, or a chirp parameter is out of range.
    """
    if name not in VARIANTS:
        raise CompanionError(f"unknown variant {name!r}; choose one of {', '.join(VARIANTS)}")
    check_chirp(chirp)
    variant = VARIANTS[name]
    stage = canvas_of(size, variant.layout)
    low, high = intensity.min(), intensity.max()  # of the published image, so that colours and ticks stay
    line = noise_free(chirp)
    written = stage.write(variant.title(title), low, high)
    plot, bar = np.repeat(stage.static_plot, 3, axis=2), stage.static_bar.copy()
    plot[stage.onto_plot.place] += stage.coloured(intensity if variant.has_chirp else intensity - line, low, high)
    for region, (place, ink) in written.items():
        (bar if region in BAR else plot)[place] += ink[..., None]
    dark = _moved(plot, variant.plot_move, size)
    if variant.has_bar:
        dark = dark + _moved(bar, variant.bar_move, size)
    if not with_regions:
        return DrawnImage(to_pixels(dark), None)
    regions = region_of_each_pixel(stage, line if variant.has_chirp else np.zeros_like(line), written)
    return DrawnImage(to_pixels(dark), _arranged(regions, variant, size))


def _arranged(regions: np.ndarray, variant: Variant, size: tuple[int, int]) -> np.ndarray:
    """Return the regions moved as the plot and the bar are, without those that the variant removes."""
    margin = REGIONS.index("margin")
    in_bar = np.isin(regions, [REGIONS.index(name) for name in BAR])
    kept = np.where(in_bar, margin, regions)
    if not variant.layout.frame:
        # without frame the corners say nothing; inside the plot they are background
        inner = [REGIONS.index(name) for name in REGIONS if name.startswith("inner_corner")]
        kept = np.where(np.isin(kept, inner), REGIONS.index("background"), kept)
        kept = np.where(np.isin(kept, [REGIONS.index(name) for name in BARE]), kept, margin)
    result = _moved(kept, variant.plot_move, size)  # what comes in from outside is 0: margin
    if variant.has_bar:
        bar = _moved(np.where(in_bar, regions, margin), variant.bar_move, size)
        result = np.where(bar != margin, bar, result)
    return result.astype(np.uint8)


def _moved(image: np.ndarray, patches: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """Return a image moved by whole patches, zeros coming in."""
    steps = [round(count * PATCH * side / model) for count, side, model in zip(patches, size, MODEL_SIZE, strict=True)]
    if not any(steps):
        return image
    result = np.zeros_like(image)
    source = tuple(slice(max(-step, 0), side - max(step, 0)) for step, side in zip(steps, size, strict=True))
    target = tuple(slice(max(step, 0), side - max(-step, 0)) for step, side in zip(steps, size, strict=True))
    result[target] = image[source]
    return result
