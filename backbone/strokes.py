"""Procedural images for pre-training the embedded backbone: one stroke among distractors.

The paper starts from a backbone pre-trained on ImageNet, which an offline machine cannot fetch. The stand-in
for ImageNet is drawn here: textures, gradients, contours, boxes, bars and text-like marks in random colours,
with one stroke (segment, arc, bend, wave or row of dots) somewhere. Only the stroke is labelled: its two ends and which
cells of each patch it covers. No chirp spectrogram is drawn, and no text, frame or bar is labelled, so attention to those
is not supervised in pre-training.

All lengths are fractions of the image's side, so an image has the same content at 112 and at 224 pixels.
"""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from backbone.textures import (
    cluttered,
    colour_ramp,
    coloured,
    contrasting,
    pixel_box,
    ridges_in_noise,
    smoothed_with_noise,
    texture,
)

__all__ = ["CELLS", "StrokeImage", "StrokeRange", "draw_stroke_image"]

PATCH = 16
CELLS = 8  # along a patch's side
SUPERSAMPLING = 3


@dataclass(frozen=True)
class StrokeRange:
    """How small and how faint strokes may be; lengths and widths as fractions of the image's side."""

    shortest: float = 0.025
    longest: float = 0.25
    thinnest: float = 0.005
    thickest: float = 0.014
    faintest: float = 0.5  # least opacity of a stroke that is a ridge of the texture itself
    in_noise: float = 0.8  # share of images whose stroke is a ridge in smooth noise
    lifts: tuple[float, float] = (5.5, 20.0)  # signal-to-noise ratio of such a ridge under its matched filter
    lowest: float = 2.7  # least height of such a ridge, in standard deviations of the noise
    smoothed: float = 0.85  # share of these images whose strokes are added before the noise is smoothed
    grain: float = 0.005  # largest standard deviation of white noise added to an image
    dotted: float = 0.5  # share of strokes that are rows of two to twelve dots, one to eight widths apart
    steep: float = 0.6  # share of strokes that are within 20 degrees of upright
    climbing: float = 0.5  # share of strokes that are rows of dots, each a step to the right and far above or below
    dots: tuple[int, int] = (2, 10)  # in such a row, at least and at most
    slopes: tuple[float, float] = (2.5, 25.0)  # how far such a row climbs or falls for one step to the right
    level: float = 0.0  # share of lines, not upright ones, that are within 20 degrees of level
    touching: float = 0.0  # share of lines, not of climbing dots, that touch the panel's upper or lower edge
    on_white: float = 0.0  # share of images whose panel is a box on white
    partial_patches: float = 0.0  # share of such images whose panel covers 1 to 6 pixels of its outermost patches
    marks_close: float = 0.0  # share of images on white whose marks lie close to the panel
    title_rows: float = 0.0  # share of these with soft rows of marks, as a title has, along the upper and lower edge
    flat: float = 0.0  # share of touching lines, of those more level than upright, that stay within a width of the edge

    def closer(self, times: float) -> "StrokeRange":
        """Return the same strokes for an image of a part, whose side is so many times shorter."""
        lengths = ("shortest", "longest", "thinnest", "thickest")
        return replace(self, **{name: times * getattr(self, name) for name in lengths})


@dataclass(frozen=True)
class StrokeImage:
    """One image and the labels of its stroke."""

    pixels: np.ndarray  # (size, size, 3) uint8
    ends: np.ndarray  # (4,) float32: x and y of the left end, x and y of the right end, in 0..1, y downwards
    cells: np.ndarray  # (size / 16, size / 16, 8, 8) float32: share of each cell of a patch that the stroke covers

    def end_cells(self) -> np.ndarray:
        """Return the indices, into the flattened `cells`, of the cells that hold the two ends, (2,) int64."""
        size, cell = len(self.pixels), PATCH // CELLS
        columns, rows = np.minimum(self.ends.reshape(2, 2) * size, size - 1).astype(int).T // cell
        places = (rows // CELLS, columns // CELLS, rows % CELLS, columns % CELLS)
        return np.ravel_multi_index(places, self.cells.shape)


def draw_stroke_image(
    seed: int, index: int, *, size: int, strokes: StrokeRange = StrokeRange(), count: int = 1
) -> StrokeImage:
    """Draw image `index` of the endless set `seed` at `size` x `size` pixels (a multiple of 16).

    With several strokes (`count`), the ends are those of the first.
    """
    rng = np.random.default_rng([seed, index])
    field = texture(rng, size)
    on_white = bool(strokes.on_white) and rng.random() < strokes.on_white
    panel = _panel(rng, 1.0 if on_white else 0.65)
    if on_white and strokes.partial_patches and rng.random() < strokes.partial_patches:
        panel = _with_partial_patches(rng, panel, size)
    points, *alphas = _drawn_stroke(rng, panel, strokes, size)
    alphas += [_drawn_stroke(rng, panel, strokes, size)[1] for _ in range(count - 1)]
    rows, columns = pixel_box(panel, size)
    if strokes.touching:  # cut strokes at the panel's edge
        within = np.zeros_like(alphas[0])
        within[rows, columns] = 1
        alphas = [within * each for each in alphas]
    alpha = np.max(alphas, axis=0)
    inside = field[rows, columns]
    ramp = colour_ramp(rng)
    if rng.random() < strokes.in_noise:
        if rng.random() < strokes.smoothed:
            ridges = smoothed_with_noise(rng, alphas, strokes.lifts)
        else:
            ridges = ridges_in_noise(rng, alphas, strokes.lowest, strokes.lifts)
        inside, ink = ridges[rows, columns], None
    elif rng.random() < 0.6:  # the stroke is a ridge of the texture: one ramp colours both
        high = rng.random() < 0.8
        inside = 0.7 * inside + (0.0 if high else 0.3)
        blend = alpha[rows, columns] * rng.uniform(strokes.faintest, 1.0)
        inside = inside * (1 - blend) + blend * (1.0 if high else 0.0)
        ink = None
    else:  # the stroke lies over the texture in a colour of its own
        ink = contrasting(rng, coloured(inside.mean(keepdims=True), ramp).ravel())
    surround = field * 0.15 + rng.random() * 0.85 if rng.random() < 0.7 else field
    pixels = coloured(surround, colour_ramp(rng))
    if on_white:
        pixels[:] = 1.0
    pixels[rows, columns] = coloured(inside, ramp)
    has_close_marks = on_white and bool(strokes.marks_close) and rng.random() < strokes.marks_close
    has_title_rows = has_close_marks and bool(strokes.title_rows) and rng.random() < strokes.title_rows
    pixels = cluttered(rng, pixels, panel, close=has_close_marks, titled=has_title_rows)
    if ink is not None:
        pixels += alpha[..., None] * (ink - pixels)
    pixels += rng.uniform(0, strokes.grain) * rng.standard_normal((size, size, 1), dtype=np.float32)
    grid = size // PATCH
    cells = alpha.reshape(grid, CELLS, PATCH // CELLS, grid, CELLS, PATCH // CELLS).mean((2, 5)).swapaxes(1, 2)
    ends = points[[0, -1]] if points[0, 0] <= points[-1, 0] else points[[-1, 0]]
    return StrokeImage(
        pixels=(np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8),
        ends=ends.ravel().astype(np.float32),
        cells=cells,
    )


def _panel(rng: np.random.Generator, boxed: float) -> np.ndarray:
    """Return x0, y0, x1, y1 of the area that holds the stroke: a box with probability `boxed`, else the whole image."""
    if rng.random() > boxed:
        return np.array([0.0, 0.0, 1.0, 1.0])
    x0, y0 = rng.uniform(0.02, 0.3, 2)
    x1, y1 = rng.uniform(0.65, 0.98, 2)
    return np.array([x0, y0, x1, y1])


def _with_partial_patches(rng: np.random.Generator, panel: np.ndarray, size: int) -> np.ndarray:
    """Return the panel with each edge moved to one to six pixels beyond the nearest border of patches."""
    borders = np.clip(np.round(panel * size / PATCH), 1, size // PATCH - 1)
    return (borders * PATCH + rng.uniform(1, 6, 4) * [-1, -1, 1, 1]) / size


def _drawn_stroke(
    rng: np.random.Generator, panel: np.ndarray, strokes: StrokeRange, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return a stroke's points, and the share of each pixel that it covers."""
    if rng.random() < strokes.climbing:
        width = rng.uniform(strokes.thinnest, (strokes.thinnest + strokes.thickest) / 2)
        points = _climb(rng, panel, width, strokes)
        return points, _coverage(points, width, size, blur=width * rng.uniform(0.2, 0.6), dots=len(points))
    points = _stroke(rng, panel, strokes)
    width = np.exp(rng.uniform(np.log(strokes.thinnest), np.log(strokes.thickest)))
    blur = rng.uniform(0, 0.006) if rng.random() < 0.6 else 0.0
    dots = _dots(rng, points, width) if rng.random() < strokes.dotted else 0
    return points, _coverage(points, width, size, blur=blur, dots=dots)


def _stroke(rng: np.random.Generator, panel: np.ndarray, strokes: StrokeRange) -> np.ndarray:
    """Return (n, 2) points, x and y, of a stroke within the panel."""
    while True:
        length = np.exp(rng.uniform(np.log(strokes.shortest), np.log(strokes.longest)))
        angle = rng.uniform(0, 2 * np.pi)
        if rng.random() < strokes.steep:
            angle = np.copysign(np.pi / 2, np.pi - angle) + rng.uniform(-np.pi / 9, np.pi / 9)
        elif strokes.level and rng.random() < strokes.level:
            angle = rng.choice([0, np.pi]) + rng.uniform(-np.pi / 9, np.pi / 9)
        start = rng.uniform(panel[:2], panel[2:])
        along = length * np.array([np.cos(angle), np.sin(angle)])
        across = np.array([-along[1], along[0]])
        t = np.linspace(0, 1, 24)[:, None]
        kind = rng.choice(["segment", "arc", "bend", "wave"], p=[0.4, 0.35, 0.15, 0.1])
        bow = rng.uniform(-0.5, 0.5)
        offset = {
            "segment": 0 * t,
            "arc": bow * 4 * t * (1 - t),
            "bend": bow * (1 - np.abs(2 * t - 1)),
            "wave": 0.3 * bow * np.sin(2 * np.pi * rng.uniform(1, 2.5) * t),
        }[kind]
        points = start + t * along + offset * across
        if strokes.touching and rng.random() < strokes.touching:
            height, inwards = points[:, 1], rng.uniform(0.25, 1) * strokes.thickest
            if strokes.flat and np.ptp(height) < np.ptp(points[:, 0]) and rng.random() < strokes.flat:
                height *= rng.uniform(0, 1) * strokes.thickest / np.ptp(height)
            to_upper = panel[1] + inwards - height.min()
            to_lower = panel[3] - inwards - height.max()
            height += rng.choice([to_upper, to_lower])
        if _within(panel, points):
            return points


def _within(panel: np.ndarray, points: np.ndarray) -> bool:
    return bool((points >= panel[:2]).all() and (points <= panel[2:]).all())


def _climb(rng: np.random.Generator, panel: np.ndarray, width: float, strokes: StrokeRange) -> np.ndarray:
    """Return (n, 2) points, x and y, within the panel, of dots that rise or fall by steadily changing steps."""
    while True:
        count = int(rng.integers(*strokes.dots, endpoint=True))
        steps = np.exp(rng.uniform(-1.5, 1.5) * np.linspace(0, 1, count - 1))
        shape = np.zeros((count, 2))
        shape[:, 0] = width * rng.uniform(0.4, 1.0) * np.arange(count)
        rise = shape[-1, 0] * np.exp(rng.uniform(*np.log(strokes.slopes)))
        shape[1:, 1] = rng.choice([-rise, rise]) * steps.cumsum() / steps.sum()
        points = rng.uniform(panel[:2], panel[2:]) + shape
        if rise <= strokes.longest and _within(panel, points):
            return points


def _dots(rng: np.random.Generator, points: np.ndarray, width: float) -> int:
    """Return the number of dots that make up a stroke."""
    length = np.linalg.norm(np.diff(points, axis=0), axis=1).sum()
    return int(np.clip(round(length / (width * rng.uniform(1, 8))) + 1, 2, 12))


def _coverage(points: np.ndarray, width: float, size: int, *, blur: float, dots: int) -> np.ndarray:
    """Return the share of each pixel that the stroke, or the dots along it, cover, (size, size) float32 in 0..1."""
    scale = size * SUPERSAMPLING
    canvas = Image.new("L", (scale, scale))
    pen = max(2, round(width * scale))
    drawing = ImageDraw.Draw(canvas)
    if dots:
        for place in np.linspace(0, len(points) - 1, dots):
            x, y = (np.interp(place, range(len(points)), line) for line in points.T * scale)
            drawing.ellipse([x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2], fill=255)
    else:
        drawing.line([tuple(p) for p in points * scale], fill=255, width=pen, joint="curve")
    small = canvas.reduce(SUPERSAMPLING)
    if blur:
        small = small.filter(ImageFilter.GaussianBlur(blur * size))
    return np.asarray(small, np.float32) / 255
