"""The distorted image of a spectrogram: plot, frame, ticks, axis labels, title and colour bar, and the region of each.

The image is the one that matplotlib draws by default (640 x 480 pixels, `imshow` with viridis and a colour bar)
and Pillow resizes. A `Canvas` holds what matplotlib drew once; an image then costs a linear map of its coloured bins
and some additions. `draw_with_matplotlib` draws the same image by matplotlib alone; tests compare with it.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from .canvas import HEIGHT, WIDTH, Canvas, Layout, agg_canvas, matplotlib_defaults, published_figure
from .chirps import Chirp, check_chirp, noise_free
from .regions import region_of_each_pixel
from .resizing import Resizing

__all__ = [
    "MODEL_SIZE",
    "PUBLISHED_SIZE",
    "DrawnImage",
    "draw_image",
    "draw_with_matplotlib",
    "canvas_of",
    "title_of",
    "to_pixels",
]

PUBLISHED_SIZE = (HEIGHT, WIDTH)  # rows, columns
MODEL_SIZE = (224, 224)


@dataclass(frozen=True)
class DrawnImage:
    """A drawn image and the region of each of its pixels (an index into REGIONS)."""

    pixels: np.ndarray  # (rows, columns, 3) uint8
    regions: np.ndarray | None  # (rows, columns) uint8

    @property
    def known_regions(self) -> np.ndarray:
        """The regions of an image that was drawn with them."""
        assert self.regions is not None, "draw the image with_regions=True"
        return self.regions


def title_of(index: int, chirp: Chirp) -> str:
    """Return the title that the published generator gives image `index` (counted from 0)."""
    return f"Synthetic Spectrogram {index + 1} ({chirp.kind} chirp)"


def draw_with_matplotlib(intensity: np.ndarray, title: str, layout: Layout = Layout()) -> np.ndarray:
    """Draw the image as the published generator does; return (480, 640, 3) uint8."""
    figure, _, _ = published_figure(intensity, title, layout)
    with matplotlib_defaults():
        figure.canvas.draw()
    return np.asarray(agg_canvas(figure).buffer_rgba())[..., :3].copy()


def draw_image(
    chirp: Chirp,
    intensity: np.ndarray,
    title: str,
    *,
    size: tuple[int, int] = MODEL_SIZE,
    with_regions: bool = False,
    resizing: Resizing = "bicubic",
) -> DrawnImage:
    """Draw a spectrogram's image at `size` (rows, columns).

    Args:
        chirp: its parameters, checked here so that no image of an impossible chirp is made.
        intensity: the spectrogram, (128, 128).
        title: the text above the plot.
        size: pixels of the result; the 640 x 480 image is resized as Pillow does.
        with_regions: also return the region of each pixel.
        resizing: Pillow's filter: its default, with which the published code trains, or "bilinear".

    Raises:
        CompanionError: a chirp parameter is out of range.
    """
    check_chirp(chirp)
    canvas = canvas_of(size, resizing=resizing)
    low, high = intensity.min(), intensity.max()
    lettering = canvas.draw_lettering(title, low, high)
    pixels = canvas.blank.copy()
    plot = canvas.onto_plot.target
    pixels[plot] = to_pixels(canvas.static[plot] + canvas.draw_plot(intensity, low, high))
    for target, ink in lettering.values():
        pixels[target] = to_pixels(255 - pixels[target] + ink[..., None])
    return DrawnImage(pixels, region_of_each_pixel(canvas, noise_free(chirp), lettering) if with_regions else None)


@cache
def canvas_of(size: tuple[int, int], layout: Layout = Layout(), *, resizing: Resizing = "bicubic") -> Canvas:
    """Return the canvas of a size (rows, columns), layout and filter of resizing, made once in a process."""
    return Canvas(size, layout, resizing)


def to_pixels(dark: np.ndarray) -> np.ndarray:
    """Return uint8 pixels of darkness (float32; 0 and below is white, 255 and above black)."""
    light = np.subtract(255.5, dark)
    return np.clip(light, 0, 255, out=light).astype(np.uint8)
