"""Procedural pictures for pre-training the embedded backbone: one stroke among distractors.

The paper starts from a backbone pre-trained on ImageNet, which an offline machine cannot fetch. The stand-in
for ImageNet is drawn here: textures, gradients, contours, boxes, bars and text-like marks in random colours,
with one stroke (segment, arc, bend or wave) somewhere. Only the stroke is ever labelled: its two ends and the
patches it crosses. No chirp spectrogram is drawn, and no text, frame or bar is labelled, so that whatever a head
later attends to besides the chirp is its own doing.

All lengths are fractions of the picture's side, so a picture means the same at 112 and at 224 pixels.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from scipy.ndimage import gaussian_filter

__all__ = ["StrokePicture", "StrokeRange", "draw_stroke_picture"]

PATCH = 16
SUPERSAMPLING = 3
CURRICULUM = 200_000  # pictures over which clutter, noise and short strokes fade in


@dataclass(frozen=True)
class StrokeRange:
    """How small and how faint strokes may be; lengths and widths as fractions of the picture's side."""

    shortest: float = 0.07
    longest: float = 0.6
    thinnest: float = 0.016
    thickest: float = 0.05
    faintest: float = 0.8  # least opacity of a stroke that is a ridge of its field
    hazy: float = 0.0  # share of pictures whose stroke is a ridge in smooth noise, down to four times its spread
    dotted: float = 0.0  # share of pictures whose stroke is a row of two to twelve dots, one to eight widths apart


@dataclass(frozen=True)
class StrokePicture:
    """One picture and what is known of its stroke."""

    pixels: np.ndarray  # (size, size, 3) uint8
    ends: np.ndarray  # (4,) float32: x and y of the left end, x and y of the right end, in 0..1, y downwards
    patches: np.ndarray  # (size / 16, size / 16) bool: patches that hold part of the stroke


def draw_stroke_picture(seed: int, index: int, *, size: int, strokes: StrokeRange = StrokeRange()) -> StrokePicture:
    """Draw picture `index` of the endless set `seed` at `size` x `size` pixels (a multiple of 16)."""
    rng = np.random.default_rng([seed, index])
    difficulty = min(1.0, 0.1 + index / CURRICULUM)
    field = _field(rng, size, difficulty)
    panel = _panel(rng, difficulty)
    points = _stroke(rng, panel, difficulty, strokes)
    width = np.exp(rng.uniform(np.log(strokes.thinnest), np.log(strokes.thickest)))
    blur = rng.uniform(0, 0.006) if rng.random() < 0.6 else 0.0
    dots = _dots(rng, points, width) if strokes.dotted and rng.random() < strokes.dotted else 0
    alpha = _coverage(points, width, size, blur=blur, dots=dots)
    rows, columns = _pixel_box(panel, size)
    inside = field[rows, columns]
    ramp = _ramp(rng)
    if strokes.hazy and rng.random() < strokes.hazy:
        inside, ink = _haze(rng, alpha)[rows, columns], None
    elif rng.random() < 0.6:  # the stroke is a ridge of the same field: one ramp colours both
        high = rng.random() < 0.8
        inside = 0.7 * inside + (0.0 if high else 0.3)
        blend = alpha[rows, columns] * rng.uniform(strokes.faintest, 1.0)
        inside = inside * (1 - blend) + blend * (1.0 if high else 0.0)
        ink = None
    else:  # the stroke lies over the field in a colour of its own
        ink = _contrasting(rng, _colour(inside.mean(keepdims=True), ramp).ravel())
    surround = field * 0.15 + rng.random() * 0.85 if rng.random() < 0.7 else field
    pixels = _colour(surround, _ramp(rng))
    pixels[rows, columns] = _colour(inside, ramp)
    pixels = _clutter(rng, pixels, panel, difficulty)
    if ink is not None:
        pixels += alpha[..., None] * (ink - pixels)
    pixels += rng.uniform(0, 0.06 * difficulty) * rng.standard_normal((size, size, 1), dtype=np.float32)
    grid = size // PATCH
    covered = alpha.reshape(grid, PATCH, grid, PATCH).mean((1, 3)) > 0.01
    ends = points[[0, -1]] if points[0, 0] <= points[-1, 0] else points[[-1, 0]]
    return StrokePicture(
        pixels=(np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8),
        ends=ends.ravel().astype(np.float32),
        patches=covered,
    )


def _field(rng: np.random.Generator, size: int, difficulty: float) -> np.ndarray:
    """Return a (size, size) texture in 0..1: flat, gradient, smooth noise, grain, contours or stripes."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    kind = rng.choice(["flat", "gradient", "noise", "grain", "contours", "stripes"], p=[0.1, 0.15, 0.2, 0.35, 0.1, 0.1])
    angle = rng.uniform(0, 2 * np.pi)
    slope = np.cos(angle) * x + np.sin(angle) * y
    strength = difficulty * rng.uniform(0.2, 1.0)
    if kind == "flat":
        return np.full((size, size), rng.random(), np.float32)
    if kind == "gradient":
        return _unit(slope) * strength
    if kind == "stripes":
        return 0.5 + 0.3 * strength * np.sin(2 * np.pi * rng.uniform(3, 14) * slope)
    cells = size // int(rng.integers(1, 4)) if kind == "grain" else int(rng.integers(3, 20))
    noise = rng.standard_normal((cells, cells), dtype=np.float32)
    smooth = np.asarray(Image.fromarray(noise).resize((size, size), Image.Resampling.BICUBIC))
    if kind == "contours":
        return 0.5 + 0.3 * strength * np.sin(rng.uniform(3, 10) * smooth)
    return np.clip(0.35 + 0.25 * strength * smooth, 0, 1)


def _haze(rng: np.random.Generator, alpha: np.ndarray) -> np.ndarray:
    """Return smooth noise with the stroke as a ridge in it, (size, size) in 0..1; its height is drawn in units of the noise's spread."""
    noise = gaussian_filter(rng.standard_normal(alpha.shape, dtype=np.float32), rng.uniform(0.5, 2.0))
    signal_to_noise = np.exp(rng.uniform(np.log(4), np.log(25)))
    ridge = _unit(noise / noise.std() + signal_to_noise * alpha / alpha.max())
    return ridge if rng.random() < 0.75 else 1 - ridge


def _unit(values: np.ndarray) -> np.ndarray:
    return (values - values.min()) / (np.ptp(values) + 1e-6)


def _panel(rng: np.random.Generator, difficulty: float) -> np.ndarray:
    """Return x0, y0, x1, y1 of the area that may hold the stroke: the whole picture or a box in it."""
    if rng.random() > 0.65 * difficulty:
        return np.array([0.0, 0.0, 1.0, 1.0])
    x0, y0 = rng.uniform(0.02, 0.3, 2)
    x1, y1 = rng.uniform(0.65, 0.98, 2)
    return np.array([x0, y0, x1, y1])


def _stroke(rng: np.random.Generator, panel: np.ndarray, difficulty: float, strokes: StrokeRange) -> np.ndarray:
    """Return (n, 2) points, x and y, of a stroke that stays within the panel."""
    shortest = 0.25 + (strokes.shortest - 0.25) * difficulty
    while True:
        length = np.exp(rng.uniform(np.log(shortest), np.log(strokes.longest)))
        angle = rng.uniform(0, 2 * np.pi)
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
        if (points >= panel[:2]).all() and (points <= panel[2:]).all():
            return points


def _dots(rng: np.random.Generator, points: np.ndarray, width: float) -> int:
    """Return in how many dots to draw a stroke."""
    length = np.linalg.norm(np.diff(points, axis=0), axis=1).sum()
    return int(np.clip(round(length / (width * rng.uniform(1, 8))) + 1, 2, 12))


def _coverage(points: np.ndarray, width: float, size: int, *, blur: float, dots: int) -> np.ndarray:
    """Return how much of each pixel the stroke, or the dots along it, cover, (size, size) float32 in 0..1."""
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


def _pixel_box(box: np.ndarray, size: int) -> tuple[slice, slice]:
    x0, y0, x1, y1 = np.round(np.asarray(box) * size).astype(int)
    return slice(max(y0, 0), max(y1, y0 + 1)), slice(max(x0, 0), max(x1, x0 + 1))


def _ramp(rng: np.random.Generator) -> np.ndarray:
    """Return 256 colours running through two to four random ones, mostly from dark to light, the ends far apart."""
    while True:
        stops = rng.random((int(rng.integers(2, 5)), 3))
        if rng.random() < 0.67:
            stops = stops[np.argsort(stops.sum(1))]
        if np.abs(stops[0] - stops[-1]).sum() > 1.0:
            break
    place = np.linspace(0, len(stops) - 1, 256)
    return np.stack([np.interp(place, range(len(stops)), channel) for channel in stops.T], 1).astype(np.float32)


def _colour(field: np.ndarray, ramp: np.ndarray) -> np.ndarray:
    return ramp[np.clip(field * 255, 0, 255).astype(np.uint8)]


def _contrasting(rng: np.random.Generator, background: np.ndarray) -> np.ndarray:
    while True:
        colour = rng.random(3).astype(np.float32)
        if np.abs(colour - background).sum() > 0.9:
            return colour


def _clutter(rng: np.random.Generator, pixels: np.ndarray, panel: np.ndarray, difficulty: float) -> np.ndarray:
    """Add bars, box outlines and rows of text-like marks, all of them outside the panel or around it."""
    size = len(pixels)
    boxed = panel[0] > 0
    if boxed:
        for _ in range(rng.binomial(2, 0.5)):
            _bar(rng, pixels, panel)
    picture = Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    if boxed and rng.random() < 0.7:
        pen.rectangle([tuple(panel[:2] * size), tuple(panel[2:] * size)], outline=_tint(rng))
    for _ in range(rng.binomial(7, 0.5 * difficulty)):
        _marks(rng, pen, panel, size)
    return np.asarray(picture, np.float32) / 255


def _bar(rng: np.random.Generator, pixels: np.ndarray, panel: np.ndarray) -> None:
    """Fill a thin box in the right or the lower margin with a gradient, a flat colour or stripes."""
    size = len(pixels)
    thin = rng.uniform(0.02, 0.08)
    if rng.random() < 0.5:
        x0 = rng.uniform(panel[2], 1.0)
        box = np.array([x0, panel[1], min(x0 + thin, 1.0), panel[3]])
    else:
        y0 = rng.uniform(panel[3], 1.0)
        box = np.array([panel[0], y0, panel[2], min(y0 + thin, 1.0)])
    rows, columns = _pixel_box(box, size)
    height, width = pixels[rows, columns].shape[:2]
    run = np.linspace(0, 1, max(height, width))[: height if height > width else width]
    values = run[::-1, None] if height > width else run[None]
    pixels[rows, columns] = _colour(np.broadcast_to(values, (height, width)) * rng.choice([0.0, 1.0, 1.0]), _ramp(rng))


def _marks(rng: np.random.Generator, pen: ImageDraw.ImageDraw, panel: np.ndarray, size: int) -> None:
    """Write a row or a column of small random glyphs, outside the panel where there is one."""
    height = rng.uniform(0.018, 0.045)
    x, y = rng.uniform(0, 0.9, 2)
    if panel[0] > 0:
        side = rng.integers(4)
        x, y = [(x, panel[1] * 0.4), (x, panel[3] + 0.02), (panel[0] * 0.3, y), (panel[2] + 0.02, y)][side]
    step = np.array([0.8 * height, 0.0]) if rng.random() < 0.75 else np.array([0.0, -1.2 * height])
    colour = _tint(rng)
    for i in range(int(rng.integers(1, 18))):
        if rng.random() < 0.15:
            continue
        glyph = np.array([x, y]) + i * step + rng.random((int(rng.integers(3, 6)), 2)) * [0.6 * height, height]
        pen.line([tuple(p) for p in glyph * size], fill=colour, width=1)


def _tint(rng: np.random.Generator) -> tuple[int, int, int]:
    if rng.random() < 0.5:
        return (0, 0, 0) if rng.random() < 0.7 else (255, 255, 255)
    return tuple(int(c) for c in rng.integers(0, 256, 3))
