"""The unlabelled content of the images for pre-training: textures, noise, random colours, bars and text-like marks."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

__all__ = [
    "cluttered",
    "colour_ramp",
    "coloured",
    "contrasting",
    "pixel_box",
    "ridges_in_noise",
    "smoothed_with_noise",
    "texture",
]


def texture(rng: np.random.Generator, size: int) -> np.ndarray:
    """Return a (size, size) texture in 0..1: flat, gradient, smooth noise, grain, contours or stripes."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    kind = rng.choice(["flat", "gradient", "noise", "grain", "contours", "stripes"], p=[0.1, 0.15, 0.2, 0.35, 0.1, 0.1])
    angle = rng.uniform(0, 2 * np.pi)
    slope = np.cos(angle) * x + np.sin(angle) * y
    strength = rng.uniform(0.2, 1.0)
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


def ridges_in_noise(
    rng: np.random.Generator, alphas: Sequence[np.ndarray], lowest: float, lifts: tuple[float, float]
) -> np.ndarray:
    """Return smooth noise with strokes as ridges in it, (size, size) in 0..1.

    A ridge is so high that its matched filter answers with a signal-to-noise ratio drawn from `lifts`, and at least
    `lowest` standard deviations of the noise.
    """
    spread = rng.uniform(0.5, 2.0)
    noise = gaussian_filter(rng.standard_normal(alphas[0].shape, dtype=np.float32), spread)
    field = noise / noise.std()
    for alpha in alphas:
        shape = alpha / alpha.max()
        # smoothing white noise and then filtering it is the same as filtering it by the smoothed filter
        unit = np.linalg.norm(gaussian_filter(shape, spread)) / (noise.std() * np.sum(shape**2))
        field = field + max(lowest, np.exp(rng.uniform(*np.log(lifts))) * unit) * shape
    return _mostly_upwards(rng, field)


def smoothed_with_noise(
    rng: np.random.Generator, alphas: Sequence[np.ndarray], lifts: tuple[float, float]
) -> np.ndarray:
    """Return white noise with strokes in it, smoothed together, (size, size) in 0..1.

    As in a spectrogram that is smoothed after it is computed. Smoothing can be inverted, so `lifts` is the range of the
    signal-to-noise ratio under the matched filter before smoothing.
    """
    field = rng.standard_normal(alphas[0].shape, dtype=np.float32)
    for alpha in alphas:
        field += np.exp(rng.uniform(*np.log(lifts))) / np.linalg.norm(alpha) * alpha
    return _mostly_upwards(rng, gaussian_filter(field, rng.uniform(0.7, 1.6)))


def _mostly_upwards(rng: np.random.Generator, field: np.ndarray) -> np.ndarray:
    ridge = _unit(field)
    return ridge if rng.random() < 0.75 else 1 - ridge


def _unit(values: np.ndarray) -> np.ndarray:
    return (values - values.min()) / (np.ptp(values) + 1e-6)


def colour_ramp(rng: np.random.Generator) -> np.ndarray:
    """Return 256 colours, (256, 3) in 0..1, interpolated between two to four random ones, mostly from dark to light."""
    while True:
        stops = rng.random((int(rng.integers(2, 5)), 3))
        if rng.random() < 0.67:
            stops = stops[np.argsort(stops.sum(1))]
        if np.abs(stops[0] - stops[-1]).sum() > 1.0:
            break
    place = np.linspace(0, len(stops) - 1, 256)
    return np.stack([np.interp(place, range(len(stops)), channel) for channel in stops.T], 1).astype(np.float32)


def coloured(field: np.ndarray, ramp: np.ndarray) -> np.ndarray:
    """Return the colours (rows, columns, 3) of a field in 0..1 by a ramp."""
    return ramp[np.clip(field * 255, 0, 255).astype(np.uint8)]


def contrasting(rng: np.random.Generator, background: np.ndarray) -> np.ndarray:
    """Return a random colour far from the background's."""
    while True:
        colour = rng.random(3).astype(np.float32)
        if np.abs(colour - background).sum() > 0.9:
            return colour


def cluttered(
    rng: np.random.Generator, pixels: np.ndarray, panel: np.ndarray, *, close: bool = False, titled: bool = False
) -> np.ndarray:
    """Add bars, box outlines and rows of text-like marks, all of them outside the panel or around it.

    With `close` there are more marks, within some five pixels (of 224) of the panel's edge. With `titled`, soft rows of
    marks run along most of its upper and lower edge.
    """
    size = len(pixels)
    boxed = panel[0] > 0
    if boxed:
        for _ in range(rng.binomial(2, 0.5)):
            _bar(rng, pixels, panel)
    image = Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    if boxed and rng.random() < 0.7:
        pen.rectangle([tuple(panel[:2] * size), tuple(panel[2:] * size)], outline=_tint(rng))
    for _ in range(rng.binomial(12 if close else 7, 0.5)):
        _marks(rng, pen, panel, size, close=close)
    pixels = np.asarray(image, np.float32) / 255
    for above in (True, False) if titled else ():
        pixels = _titled(rng, pixels, panel, above=above)
    return pixels


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
    rows, columns = pixel_box(box, size)
    height, width = pixels[rows, columns].shape[:2]
    run = np.linspace(0, 1, max(height, width))[: height if height > width else width]
    values = run[::-1, None] if height > width else run[None]
    pixels[rows, columns] = coloured(
        np.broadcast_to(values, (height, width)) * rng.choice([0.0, 1.0, 1.0]), colour_ramp(rng)
    )


def _marks(rng: np.random.Generator, pen: ImageDraw.ImageDraw, panel: np.ndarray, size: int, *, close: bool) -> None:
    """Write a row or a column of small random glyphs, outside the panel where there is one."""
    height = rng.uniform(0.018, 0.045)
    x, y = rng.uniform(0, 0.9, 2)
    side = int(rng.integers(4)) if panel[0] > 0 else None
    if close and side is not None:
        gap = rng.uniform(0, 0.025)
        x, y = [
            (x, panel[1] - gap - height),
            (x, panel[3] + gap),
            (panel[0] - gap - 0.6 * height, y),
            (panel[2] + gap, y),
        ][side]
    elif side is not None:
        x, y = [(x, panel[1] * 0.4), (x, panel[3] + 0.02), (panel[0] * 0.3, y), (panel[2] + 0.02, y)][side]
    in_row = side < 2 if close and side is not None else rng.random() < 0.75
    step = np.array([0.8 * height, 0.0]) if in_row else np.array([0.0, -1.2 * height])
    colour = _tint(rng)
    for i in range(int(rng.integers(1, 18))):
        if rng.random() < 0.15:
            continue
        glyph = np.array([x, y]) + i * step + rng.random((int(rng.integers(3, 6)), 2)) * [0.6 * height, height]
        pen.line([tuple(p) for p in glyph * size], fill=colour, width=1)


def _titled(rng: np.random.Generator, pixels: np.ndarray, panel: np.ndarray, *, above: bool) -> np.ndarray:
    """Write a soft row of small random glyphs along an edge of the panel, mostly in black or dark grey."""
    size, spaces = len(pixels), rng.uniform(0.05, 0.6)
    height, gap = (
        rng.uniform(4, 8) / size,
        rng.uniform(0, 5.5) / size,
    )  # in pixels: marks are as large in parts as in whole images
    x0, x1 = panel[[0, 2]] + rng.uniform(0, 0.25, 2) * [1, -1] * (panel[2] - panel[0])
    canvas = Image.new("L", (3 * size, 3 * size))
    pen = ImageDraw.Draw(canvas)
    for x in np.arange(x0, x1, 0.7 * height):
        corner = np.array([x, panel[1] - gap - height if above else panel[3] + gap])
        glyph = corner + rng.random((int(rng.integers(3, 7)), 2)) * [0.55 * height, height]
        if rng.random() > spaces:
            pen.line([tuple(p) for p in glyph * 3 * size], fill=255, width=int(rng.integers(2, 4)))
    colour = np.full(3, rng.uniform(0, 0.35)) if rng.random() < 0.8 else np.array(_tint(rng)) / 255
    cover = np.asarray(canvas.reduce(3), np.float32)[..., None] / 255
    return (pixels + cover * (colour - pixels)).astype(np.float32)


def _tint(rng: np.random.Generator) -> tuple[int, int, int]:
    if rng.random() < 0.5:
        return (0, 0, 0) if rng.random() < 0.7 else (255, 255, 255)
    red, green, blue = (int(c) for c in rng.integers(0, 256, 3))
    return red, green, blue


def pixel_box(box: np.ndarray, size: int) -> tuple[slice, slice]:
    """Return the rows and columns of a box x0, y0, x1, y1 in image sides; at least one row."""
    x0, y0, x1, y1 = np.round(np.asarray(box) * size).astype(int)
    return slice(max(y0, 0), max(y1, y0 + 1)), slice(max(x0, 0), max(x1, x0 + 1))
