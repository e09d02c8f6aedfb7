"""The distorted picture of a spectrogram: plot, frame, ticks, axis labels, title and colour bar, and where each is.

The picture is the one that matplotlib draws by default (640 x 480 pixels, `imshow` with viridis and a colour bar)
and Pillow resizes. Matplotlib lays it out and draws what never changes once; for each picture only the title and
the colour bar's ticks are drawn anew. The plot itself is a linear map of the coloured bins, applied directly at the
size asked for. `draw_with_matplotlib` is the plain way, and the oracle of the tests.
"""

import math
from dataclasses import dataclass
from functools import cache, lru_cache

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import AutoLocator, ScalarFormatter
from PIL import Image
from scipy import sparse

from .chirps import BINS, DURATION, MAX_FREQUENCY, Chirp, Spectrogram, check_chirp

__all__ = ["MODEL_SIZE", "REGIONS", "Picture", "draw_picture", "draw_with_matplotlib", "patch_coverage", "title_of"]

WIDTH, HEIGHT = 640, 480
MODEL_SIZE = (224, 224)  # rows, columns
CORNERS = tuple(f"{vertical}_{side}" for vertical in ("top", "bottom") for side in ("left", "right"))
REGIONS = (
    "margin",
    "background",
    "chirp",
    "edge_left",
    "edge_right",
    "edge_top",
    "edge_bottom",
    *(f"inner_corner_{corner}" for corner in CORNERS),
    *(f"outer_corner_{corner}" for corner in CORNERS),
    "title",
    "x_label",
    "y_label",
    "x_ticks",
    "y_ticks",
    "colour_bar_lower",
    "colour_bar_upper",
    "colour_bar_ticks",
    "colour_bar_label",
)
CORNER_SIDE = 34  # pixels of the 640 x 480 picture: twelve of 224
VISIBLE = 0.06  # darkness, of one, from which a pixel counts as written on
CHIRP_SHARE = 0.3  # of the line's peak, from which a pixel counts as chirp


@dataclass(frozen=True)
class Picture:
    """A drawn picture and the region of each of its pixels (an index into REGIONS)."""

    pixels: np.ndarray  # (rows, columns, 3) uint8
    regions: np.ndarray | None  # (rows, columns) uint8


def title_of(index: int, chirp: Chirp) -> str:
    """Return the title that the published generator gives picture `index` (counted from 0)."""
    return f"Synthetic Spectrogram {index + 1} ({chirp.kind} chirp)"


def draw_with_matplotlib(intensity: np.ndarray, title: str) -> np.ndarray:
    """Draw the picture as the published generator does; return (480, 640, 3) uint8."""
    figure, _, _ = _figure(intensity, title)
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()


def draw_picture(
    chirp: Chirp,
    drawn: Spectrogram,
    title: str,
    *,
    size: tuple[int, int] = MODEL_SIZE,
    with_regions: bool = False,
) -> Picture:
    """Draw a spectrogram's picture at `size` (rows, columns).

    Args:
        chirp: its parameters, checked here so that no picture of an impossible chirp is made.
        drawn: the intensities.
        title: the text above the plot.
        size: pixels of the result; the 640 x 480 picture is resized as Pillow's bilinear filter does.
        with_regions: also say which region each pixel belongs to.

    Raises:
        CompanionError: a chirp parameter is out of range.
    """
    check_chirp(chirp)
    stage = _stage(size)
    low, high = drawn.intensity.min(), drawn.intensity.max()
    written = stage.write(title, low, high)
    dark = stage.static.copy()
    dark[stage.plot] += stage.onto_plot(255.0 - 255.0 * _viridis()[_colour_index(drawn.intensity, low, high)])
    for place, ink in written.values():
        dark[place] += ink[..., None]
    pixels = np.clip(255.5 - dark, 0, 255).astype(np.uint8)
    return Picture(pixels=pixels, regions=stage.regions(drawn.line, written) if with_regions else None)


def patch_coverage(regions: np.ndarray, *, patch: int = 16) -> np.ndarray:
    """Return the share of each patch that each region covers, (regions, rows, columns), summing to one."""
    rows, columns = (side // patch for side in regions.shape)
    blocks = regions.reshape(rows, patch, columns, patch)
    return np.stack([(blocks == region).mean((1, 3)) for region in range(len(REGIONS))])


def _figure(intensity: np.ndarray, title: str):
    """Return figure, axes and colour bar of the published picture, with matplotlib's own defaults."""
    with mpl.rc_context(mpl.rcParamsDefault | {"backend": mpl.rcParams["backend"]}):
        figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100)
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        extent = [0, DURATION, 0, MAX_FREQUENCY]
        image = axes.imshow(intensity, aspect="auto", origin="lower", cmap="viridis", extent=extent)
        axes.set(xlabel="Time (s)", ylabel="Frequency (Hz)", title=title)
        return figure, axes, figure.colorbar(image, label="Intensity")


@cache
def _viridis() -> np.ndarray:
    return mpl.colormaps["viridis"](np.arange(256))[:, :3]


def _colour_index(intensity: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.minimum((intensity - low) / (high - low) * 256, 255).astype(np.uint8)


@cache
def _stage(size: tuple[int, int]) -> "_Stage":
    return _Stage(size)


def _resizer(before: int, after: int) -> np.ndarray:
    """Return the (after, before) matrix of Pillow's bilinear resizing."""
    identity = Image.fromarray(np.eye(before, dtype=np.float32))
    return np.asarray(identity.resize((before, after), Image.Resampling.BILINEAR), np.float64)


def _upsampler(pixels: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return the (pixels, 128) matrix of matplotlib's default upsampling: neighbours blended by a Hann window.

    `pixels` are pixel centres; the bins span `low` to `high` on the same axis.
    """
    place = (pixels - low) / (high - low) * BINS - 0.5
    left = np.floor(place).astype(int)
    right_share = 0.5 - 0.5 * np.cos(np.pi * (place - left))
    matrix = np.zeros((len(pixels), BINS))
    row = np.arange(len(pixels))
    np.add.at(matrix, (row, np.clip(left, 0, BINS - 1)), 1 - right_share)
    np.add.at(matrix, (row, np.clip(left + 1, 0, BINS - 1)), right_share)
    return matrix


class _Resizing:
    """Two sparse matrices that map a part of the 640 x 480 picture to its place in the resized one."""

    def __init__(self, rows: np.ndarray, columns: np.ndarray):
        self.place = np.s_[slice(*_span(rows)), slice(*_span(columns))]
        self.rows = sparse.csr_array(rows[self.place[0]])
        self.columns = sparse.csr_array(columns[self.place[1]])

    def __call__(self, part: np.ndarray) -> np.ndarray:
        """Map (height, width, channels)."""
        channels = part.shape[2]
        tall = (self.rows @ part.reshape(len(part), -1)).reshape(-1, part.shape[1], channels)
        wide = self.columns @ np.ascontiguousarray(tall.transpose(1, 0, 2)).reshape(part.shape[1], -1)
        return wide.reshape(-1, len(tall), channels).transpose(1, 0, 2)


class _Stage:
    """All that pictures of one size share: the static part, the operators, the places of the elements."""

    def __init__(self, size: tuple[int, int]):
        self.size = size
        down, across = _resizer(HEIGHT, size[0]), _resizer(WIDTH, size[1])
        self.figure, self.axes, bar = _figure(np.arange(BINS**2.0).reshape(BINS, BINS), "")
        self.bar = bar.ax
        self.figure.canvas.draw()
        self.renderer = self.figure.canvas.get_renderer()
        self.box, self.bar_box = _pixel_box(self.axes.bbox), _pixel_box(self.bar.bbox)
        spines = {side: self._ink(spine) for side, spine in self.axes.spines.items()}
        whole = _Resizing(down, across)
        self._prepare_static(whole, spines)

        # the frame is drawn over the plot and hides it where it lies
        top, bottom, left, right = self.box
        rows = _upsampler(HEIGHT - np.arange(top, bottom) - 0.5, self.axes.bbox.y0, self.axes.bbox.y1)
        columns = _upsampler(np.arange(left, right) + 0.5, self.axes.bbox.x0, self.axes.bbox.x1)
        rows *= 1 - (spines["top"] + spines["bottom"])[top:bottom, WIDTH // 2, None] / 255
        columns *= 1 - (spines["left"] + spines["right"])[HEIGHT // 2, left:right, None] / 255
        self.onto_plot = _Resizing(down[:, top:bottom] @ rows, across[:, left:right] @ columns)
        self.plot = self.onto_plot.place

        self.title_rows, self.bar_columns = slice(0, top - 1), slice(self.bar_box[3], WIDTH)
        self.onto_title = _Resizing(down[:, self.title_rows], across)
        self.onto_bar = _Resizing(down, across[:, self.bar_columns])
        # bar axis in pixels from its foot, so that a tick can be drawn at any fraction of a pixel
        self.bar.set_ylim(0, self.bar.bbox.height)
        self.locator, self.formatter = AutoLocator(), ScalarFormatter()
        self.formatter.create_dummy_axis()
        self.tick = self.bar.yaxis.get_major_ticks(1)[0]
        self.tick_mark = self._tick_mark()
        self.tick_label = lru_cache(maxsize=4096)(self._tick_label)
        self.bar_label = lru_cache(maxsize=256)(self._bar_label)

    def _prepare_static(self, whole: _Resizing, spines: dict[str, np.ndarray]) -> None:
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
        self.static = whole(black + alpha * (255.0 - colours))
        self.inks = {name: whole(ink[..., None])[..., 0] for name, ink in inks.items()}

    def write(self, title: str, low: float, high: float) -> dict[str, tuple[tuple[slice, slice], np.ndarray]]:
        """Return place and darkness (0..255, at this size) of title, colour-bar ticks and colour-bar label."""
        self.axes.title.set_text(title)
        bottom, height = self.bar.bbox.y0, self.bar.bbox.height
        values = self.locator.tick_values(low, high)
        self.formatter.axis.set_view_interval(low, high)
        ticks = np.zeros((HEIGHT, WIDTH - self.bar_columns.start))
        right = 0.0
        for value, text in zip(values, self.formatter.format_ticks(values), strict=True):
            if low <= value <= high:
                # matplotlib places text on a grid of 1/64 pixel, and marks on whole ones
                place = bottom + (value - low) / (high - low) * height
                foot, fraction = divmod(round(64 * place), 64)
                ink, extent = self.tick_label(text, fraction)
                ticks += np.roll(ink, -foot, axis=0) + np.roll(self.tick_mark, -math.floor(place + 0.5), axis=0)
                right = max(right, extent)
        inks = {
            "title": (self.onto_title, self._ink(self.axes.title)[self.title_rows]),
            "colour_bar_ticks": (self.onto_bar, ticks),
            "colour_bar_label": (self.onto_bar, self.bar_label(right)),
        }
        return {name: (onto.place, onto(ink[..., None])[..., 0]) for name, (onto, ink) in inks.items()}

    def _tick_label(self, text: str, fraction: int) -> tuple[np.ndarray, float]:
        """Return ink of a tick's label, `fraction`/64 pixel above the picture's lower edge, and its right end."""
        middle = HEIGHT // 2  # drawn where nothing is cut off, then moved
        self.tick.update_position(middle + fraction / 64 - self.bar.bbox.y0)
        label = self.tick.label2
        label.set_text(text)
        ink = self._ink(label)[:, self.bar_columns]
        return np.roll(ink, middle, axis=0), label.get_window_extent(self.renderer).x1

    def _tick_mark(self) -> np.ndarray:
        """Return ink of a tick's mark at the picture's lower edge."""
        middle = HEIGHT // 2
        self.tick.update_position(middle - self.bar.bbox.y0)
        return np.roll(self._ink(self.tick.tick2line)[:, self.bar_columns], middle, axis=0)

    def _bar_label(self, right: float) -> np.ndarray:
        label = self.bar.yaxis.label
        label.set_position((right + self.bar.yaxis.labelpad * self.figure.dpi / 72, 0.5))
        return self._ink(label)[:, self.bar_columns]

    def regions(self, line: np.ndarray, written: dict) -> np.ndarray:
        """Return the region of each pixel, given the noise-free line and what was written."""
        result = self._places()
        chirp = np.zeros(self.size)
        chirp[self.plot] = self.onto_plot(line[..., None])[..., 0]
        result[(chirp > CHIRP_SHARE * chirp.max()) & (chirp > 0)] = REGIONS.index("chirp")
        darkest = np.full(self.size, VISIBLE * 255)
        full = np.s_[:, :]
        for name, (place, ink) in ({name: (full, ink) for name, ink in self.inks.items()} | written).items():
            darker = ink > darkest[place]
            darkest[place][darker] = ink[darker]
            result[place][darker] = REGIONS.index(name)
        return result

    def _places(self) -> np.ndarray:
        """Return the regions that lie where they lie in every picture: plot, colour bar, corners, margin."""
        scale = np.array([self.size[0] / HEIGHT, self.size[1] / WIDTH])
        result = np.full(self.size, REGIONS.index("margin"), np.uint8)

        def fill(name: str, top: float, bottom: float, left: float, right: float) -> None:
            rows, columns = np.round([[top, bottom], [left, right]] * scale[:, None]).astype(int)
            result[slice(*rows), slice(*columns)] = REGIONS.index(name)

        top, bottom, left, right = self.box
        fill("background", top, bottom, left, right)
        for corner in CORNERS:
            y, up = (top, -1) if corner.startswith("top") else (bottom, 1)
            x, out = (left, -1) if corner.endswith("left") else (right, 1)
            for name, step in (("outer", CORNER_SIDE), ("inner", -CORNER_SIDE)):
                fill(f"{name}_corner_{corner}", *sorted((y, y + step * up)), *sorted((x, x + step * out)))
        top, bottom, left, right = self.bar_box
        fill("colour_bar_upper", top, (top + bottom) / 2, left, right)
        fill("colour_bar_lower", (top + bottom) / 2, bottom, left, right)
        return result

    def _ink(self, artist) -> np.ndarray:
        """Draw an artist alone; return how much it covers each pixel, (480, 640) in 0..255."""
        self.renderer.clear()
        artist.draw(self.renderer)
        return np.asarray(self.renderer.buffer_rgba())[..., 3].astype(float)


def _span(matrix: np.ndarray) -> tuple[int, int]:
    """Return the first and one past the last row that holds anything but zeros."""
    (found,) = np.nonzero(matrix.any(axis=1))
    return int(found[0]), int(found[-1]) + 1


def _pixel_box(bbox) -> tuple[int, int, int, int]:
    """Return top, bottom, left, right in whole pixels, rows counted from the top."""
    return round(HEIGHT - bbox.y1), round(HEIGHT - bbox.y0), round(bbox.x0), round(bbox.x1)
