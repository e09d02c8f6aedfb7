"""Images of lines to look at: some of every set, and pairs of labels that are one image."""

import itertools
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from .images import SETS, Lines, draw_lines, line_image
from .readers import undecidable

__all__ = ["TwoLabels", "sample_panel", "same_from_both_ends"]

SHIFTS = tuple(itertools.product((0, -1, 1), repeat=2))  # of a line of even width: Pillow draws it beside its ends


def sample_panel(*, count: int = 9, seed: int = 42) -> tuple[np.ndarray, list[str]]:
    """Return the first images of every set and their captions, (sets x count, 224, 224, 3) uint8, a set after another."""
    images, captions = [], []
    for name in SETS:
        lines = draw_lines(name, count, seed=seed)
        images += [line_image(lines, index) for index in range(count)]
        captions += [f"{name}: {angle:.0f}\N{DEGREE SIGN}" for angle in lines.angle]
    return np.stack(images), captions


@dataclass(frozen=True)
class TwoLabels:
    """Lines, and the same drawn from the other end: images, captions, and how many pixels differ."""

    images: np.ndarray  # (2 x pairs, 224, 224, 3) uint8, a line and then its twin
    captions: list[str]
    different_pixels: int  # over all pairs

    @classmethod
    def of(cls, name: str = "I", *, pairs: int = 4, seed: int = 42) -> "TwoLabels":
        """Take the first lines of a set that fit two labels, without noise, and draw each from both ends."""
        drawn = draw_lines(name, 50 * pairs, seed=seed)
        lines = _taken(_silent(drawn), np.flatnonzero(undecidable(drawn))[:pairs])
        images, captions = [], []
        for index, angle in enumerate(lines.angle):
            images += [line_image(lines, index), _twin(lines, index)]
            captions += [f"labelled {one:.0f}\N{DEGREE SIGN}" for one in (angle, (angle + 180) % 360)]
        stacked = np.stack(images)
        return cls(stacked, captions, int((stacked[::2] != stacked[1::2]).any(-1).sum()))


def same_from_both_ends(*, count: int = 1000, seed: int = 42) -> pd.DataFrame:
    """Return for each width how often a line drawn from its other end, at most a pixel away, is the same image.

    Args:
        count: of lines of set III that are tried.
        seed: of the set.
    """
    lines = _silent(draw_lines("III", count, seed=seed))
    different = np.array([(line_image(lines, index) != _twin(lines, index)).any(-1).sum() for index in range(count)])
    rows = {
        f"{width} pixels": {
            "The same image (%)": f"{100 * (different[lines.width == width] == 0).mean():.0f}",
            "Pixels that differ, at most": int(different[lines.width == width].max()),
            "Lines": int((lines.width == width).sum()),
        }
        for width in np.unique(lines.width)
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("Width")


def _silent(lines: Lines) -> Lines:
    return replace(lines, noise=np.zeros(len(lines)))


def _twin(lines: Lines, index: int) -> np.ndarray:
    """Return the image of a line from its end to its start, moved by the pixel that makes it most alike."""
    image = line_image(lines, index)
    turned = [
        line_image(replace(lines, start=lines.end + shift, end=lines.start + shift), index)
        for shift in map(np.array, SHIFTS)
    ]
    return min(turned, key=lambda other: int((other != image).sum()))


def _taken(lines: Lines, which: np.ndarray) -> Lines:
    """Return some of the lines; without noise, which goes by their place in the set."""
    parts = {name: value[which] for name, value in vars(lines).items() if isinstance(value, np.ndarray)}
    return replace(lines, **parts)
