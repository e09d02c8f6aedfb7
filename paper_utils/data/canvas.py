"""What all images of one size share, drawn by matplotlib once, and the lettering that differs between images.

Everything is stored as darkness (0 is white, 255 black) at the size asked for. The plot is a linear map of the coloured
bins. Titles differ in their digits and colour bars in the positions of their ticks: each digit and each tick label is
drawn once by matplotlib, cached, and added where it belongs. Pieces never overlap.
"""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.ticker import AutoLocator, ScalarFormatter
from matplotlib.transforms import BboxBase

from .chirps import BINS, DURATION, MAX_FREQUENCY
from .resizing import LinearMap, Resizing, hann_upsampling, pillow_matrix

__all__ = ["HEIGHT", "WIDTH", "Layout", "Canvas", "agg_canvas", "matplotlib_defaults", "published_figure"]

WIDTH, HEIGHT = 640, 480
Slices = tuple[slice, slice]


@dataclass(frozen=True)
class Layout:
    """What may differ from the published image while all positions stay the same."""

    x_label: str = "Time (s)"
    y_label: str = "Frequency (Hz)"
    colour_map: str = "viridis"
    font_size: float = 10.0  # points, matplotlib's default
    frame: bool = True  # the plot's four edges and its ticks


@contextmanager
def matplotlib_defaults(**changes: Any) -> Iterator[None]:
    """Draw with matplotlib's own defaults within a block or function, whatever a matplotlibrc or a style has set.

    Some settings are read when a figure is made, others (hinting, minus signs, the number of ticks) when it is drawn.

    Args:
        changes: settings that differ from the defaults, with _ for the point in their names.
    """
    current: Any = mpl.rcParams
    wanted = dict(mpl.rcParamsDefault) | {name.replace("_", "."): value for name, value in changes.items()}
    different: Any = {name: value for name, value in wanted.items() if name != "backend" and current[name] != value}
    with mpl.rc_context(different) if different else nullcontext():
        yield


class DefaultFormatter(ScalarFormatter):
    """Ticks' texts as by default: the minus sign is the only setting that matplotlib reads at every text."""

    @staticmethod
    def fix_minus(s: str) -> str:
        """Return a number's text with a minus sign in the place of a hyphen."""
        return s.replace("-", "\N{MINUS SIGN}")


def published_figure(intensity: np.ndarray, title: str, layout: Layout = Layout()) -> tuple[Figure, Axes, Colorbar]:
    """Return figure, axes and colour bar of the published image, with matplotlib's own defaults.

    Args:
        intensity: the spectrogram, (128, 128), low frequencies first.
        title: the text above the plot.
        layout: labels, colour map, font size and frame.
    """
    with matplotlib_defaults(font_size=layout.font_size):
        figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100)
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        extent = (0, DURATION, 0, MAX_FREQUENCY)
        image = axes.imshow(intensity, aspect="auto", origin="lower", cmap=layout.colour_map, extent=extent)
        axes.set(xlabel=layout.x_label, ylabel=layout.y_label, title=title)
        if not layout.frame:
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        return figure, axes, figure.colorbar(image, label="Intensity")


def agg_canvas(figure: Figure) -> FigureCanvasAgg:
    """Return the canvas of a figure of `published_figure`, which is Agg's."""
    assert isinstance(figure.canvas, FigureCanvasAgg)
    return figure.canvas


class Canvas:
    """The static parts, the linear maps and the lettering of images of `size` (rows, columns).

    Attributes:
        static: darkness of everything that is the same in all images, (rows, columns, 3) float32.
        static_plot: the part of it that belongs to the plot, one channel.
        static_bar: the part of it that belongs to the colour bar.
        blank: an image of the static parts alone, (rows, columns, 3) uint8.
        inks: darkness of each static element by its region's name, (rows, columns) float32.
    """

    @matplotlib_defaults()
    def __init__(self, size: tuple[int, int], layout: Layout = Layout(), resizing: Resizing = "bicubic"):
        self.size = size
        self.colours = (255 - 255 * mpl.colormaps[layout.colour_map](np.arange(256))[:, :3]).astype(np.float32)
        down, across = pillow_matrix(HEIGHT, size[0], resizing), pillow_matrix(WIDTH, size[1], resizing)
        figure, self.axes, bar = published_figure(np.arange(BINS**2.0).reshape(BINS, BINS), "", layout)
        self.bar, self.dots_per_point = bar.ax, figure.dpi / 72
        figure.canvas.draw()
        self.renderer = agg_canvas(figure).get_renderer()
        self.box, self.bar_box = _pixel_box(self.axes.bbox), _pixel_box(self.bar.bbox)
        spines = {side: self._ink(spine) for side, spine in self.axes.spines.items()}
        self._prepare_plot(down, across, spines)
        self._prepare_static(LinearMap(down, across), spines)

        self.title_rows, self.bar_columns = slice(0, self.box[0] - 1), slice(self.bar_box[3], WIDTH)
        self.onto_title = LinearMap(down[:, self.title_rows], across)
        self.onto_bar = LinearMap(down, across[:, self.bar_columns])
        # bar axis in pixels from its foot, so that a tick can be drawn at any fraction of a pixel
        self.bar.set_ylim(0, self.bar.bbox.height)
        self.locator, self.formatter = AutoLocator(), DefaultFormatter()
        self.formatter.create_dummy_axis()
        self.tick = self.bar.yaxis.get_major_ticks(1)[0]
        self.tick_mark = self._tick_mark()
        self.tick_label = lru_cache(maxsize=4096)(self._tick_label)
        self.bar_label = lru_cache(maxsize=256)(self._bar_label)
        self.title_letters = lru_cache(maxsize=64)(self._title)
        self.title_digit = lru_cache(maxsize=2048)(self._title_digit)

    def _prepare_static(self, whole: LinearMap, spines: dict[str, np.ndarray]) -> None:
        """Draw what is the same in all images; `whole` maps the 640 x 480 image to this size."""
        axes = self.axes
        inks = {f"edge_{side}": ink for side, ink in spines.items()}
        inks |= {"x_label": self._ink(axes.xaxis.label), "y_label": self._ink(axes.yaxis.label)}
        axes.set(xlabel="", ylabel="")
        inks |= {"x_ticks": self._ink(axes.xaxis), "y_ticks": self._ink(axes.yaxis)}
        self.bar.yaxis.set_visible(False)
        alpha = self._ink(self.bar)[..., None] / 255
        colours = np.asarray(self.renderer.buffer_rgba())[..., :3]
        self.bar.yaxis.set_visible(True)
        black = np.clip(sum(inks.values()), 0, 255)[..., None]
        self.static_plot = whole.ink(black)
        inside = self.onto_plot.target  # the frame lies on the plot there, not on white: nothing is clipped
        self.static_plot[inside] = whole(black)[inside]
        self.static_bar = whole.ink((alpha * (255.0 - colours)).astype(np.float32))
        self.static = self.static_plot + self.static_bar
        self.blank = np.clip(255.5 - self.static, 0, 255).astype(np.uint8)
        self.inks = {name: whole.ink(ink) for name, ink in inks.items()}

    def _prepare_plot(self, down: np.ndarray, across: np.ndarray, spines: dict[str, np.ndarray]) -> None:
        """Prepare the map from bins to pixels; `down` and `across` resize rows and columns."""
        top, bottom, left, right = self.box
        area = self.axes.bbox
        rows = hann_upsampling(HEIGHT - np.arange(top, bottom) - 0.5, area.y0, area.y1, BINS)
        columns = hann_upsampling(np.arange(left, right) + 0.5, area.x0, area.x1, BINS)
        # the frame is drawn over the plot and hides it where it lies
        rows *= 1 - (spines["top"] + spines["bottom"])[top:bottom, WIDTH // 2, None] / 255
        columns *= 1 - (spines["left"] + spines["right"])[HEIGHT // 2, left:right, None] / 255
        self.onto_plot = LinearMap(down[:, top:bottom] @ rows, across[:, left:right] @ columns)

    def draw_plot(self, intensity: np.ndarray, low: float, high: float) -> np.ndarray:
        """Return the darkness (rows, columns, 3) of the plot at `onto_plot.target`, coloured from `low` to `high`."""
        index = np.clip((intensity - low) * (256 / (high - low)), 0, 255).astype(np.uint8)
        return self.onto_plot(self.colours[index])

    def draw_lettering(self, title: str, low: float, high: float) -> dict[str, tuple[Slices, np.ndarray]]:
        """Return by region the slices and darkness (0..255, at this size) of title, colour-bar ticks and label.

        Args:
            title: above the plot.
            low: intensity at the foot of the colour bar.
            high: at its top.
        """
        ticks, right = self._ticks(low, high)
        return {
            "title": (self.onto_title.target, self._title_ink(title)),
            "colour_bar_ticks": (self.onto_bar.target, ticks),
            "colour_bar_label": (self.onto_bar.target, self.bar_label(right)),
        }

    def _title_ink(self, title: str) -> np.ndarray:
        """Add up a title from its letters and its digits, which all have the same width."""
        numbered = re.fullmatch(r"(\D*)(\d{1,9})(\D*)", title)
        if not numbered:
            return self.title_letters(title)
        before, number, after = numbered.groups()
        zeros = f"{before}{'0' * len(number)}{after}"
        ink = self.title_letters(zeros).copy()
        for position, digit in enumerate(number, len(before)):
            if digit != "0":
                columns, change = self.title_digit(zeros, position, digit)
                ink[:, columns] += change
        return ink

    @matplotlib_defaults()
    def _title(self, title: str) -> np.ndarray:
        self.axes.title.set_text(title)
        return self.onto_title.ink(self._ink(self.axes.title)[self.title_rows])

    def _title_digit(self, zeros: str, position: int, digit: str) -> tuple[slice, np.ndarray]:
        """Return the columns that change, and how, when the zero at `position` becomes another digit."""
        change = self._title(f"{zeros[:position]}{digit}{zeros[position + 1 :]}") - self.title_letters(zeros)
        (found,) = np.nonzero(change.any(axis=0))
        columns = slice(int(found[0]), int(found[-1]) + 1)
        return columns, change[:, columns].copy()

    def _ticks(self, low: float, high: float) -> tuple[np.ndarray, float]:
        """Return darkness of the colour bar's marks and their labels, and the labels' right end in pixels."""
        foot, height = self.bar.bbox.y0, self.bar.bbox.height
        values = self.locator.tick_values(low, high)
        assert self.formatter.axis is not None  # made in __init__
        self.formatter.axis.set_view_interval(low, high)
        ticks = np.zeros((HEIGHT, WIDTH - self.bar_columns.start), np.float32)
        right = 0.0
        for value, text in zip(values, self.formatter.format_ticks(list(values)), strict=True):
            if low <= value <= high:
                # matplotlib places text on a grid of 1/64 pixel, and marks on whole ones
                pixel = foot + (value - low) / (high - low) * height
                whole, fraction = divmod(round(64 * pixel), 64)
                top, ink, extent = self.tick_label(text, fraction)
                ticks[top - whole : top - whole + len(ink)] += ink
                top, ink = self.tick_mark
                top -= math.floor(pixel + 0.5)
                ticks[top : top + len(ink)] += ink
                right = max(right, extent)
        return self.onto_bar.ink(ticks), right

    @matplotlib_defaults()
    def _tick_label(self, text: str, fraction: int) -> tuple[int, np.ndarray, float]:
        """Return first row and ink of a label `fraction`/64 pixel above the image's lower edge, and its right end."""
        middle = HEIGHT // 2  # drawn here, where nothing is cut off, and moved afterwards
        self.tick.update_position(middle + fraction / 64 - self.bar.bbox.y0)
        label = self.tick.label2
        label.set_text(text)
        top, ink = _rows_with_ink(self._ink(label)[:, self.bar_columns])
        return top + middle, ink, label.get_window_extent(self.renderer).x1

    def _tick_mark(self) -> tuple[int, np.ndarray]:
        middle = HEIGHT // 2
        self.tick.update_position(middle - self.bar.bbox.y0)
        top, ink = _rows_with_ink(self._ink(self.tick.tick2line)[:, self.bar_columns])
        return top + middle, ink

    @matplotlib_defaults()
    def _bar_label(self, right: float) -> np.ndarray:
        label = self.bar.yaxis.label
        label.set_position((right + self.bar.yaxis.labelpad * self.dots_per_point, 0.5))
        return self.onto_bar.ink(self._ink(label)[:, self.bar_columns])

    def _ink(self, artist: Artist) -> np.ndarray:
        """Draw an artist alone; return how much it covers each pixel, (480, 640) float32 in 0..255."""
        self.renderer.clear()
        artist.draw(self.renderer)
        return np.asarray(self.renderer.buffer_rgba())[..., 3].astype(np.float32)


def _rows_with_ink(ink: np.ndarray) -> tuple[int, np.ndarray]:
    (found,) = np.nonzero(ink.any(axis=1))
    return int(found[0]), ink[found[0] : found[-1] + 1].copy()


def _pixel_box(bbox: BboxBase) -> tuple[int, int, int, int]:
    """Return top, bottom, left, right in whole pixels, rows counted from the top."""
    return round(HEIGHT - bbox.y1), round(HEIGHT - bbox.y0), round(bbox.x0), round(bbox.x1)
