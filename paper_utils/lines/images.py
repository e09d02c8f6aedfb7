"""The line images of arXiv 2504.09393, from seeds: one straight line on black, in four sets of growing variety."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from ..errors import CompanionError

__all__ = ["COLOURS", "NOISE_LEVELS", "SETS", "SIZE", "LineSet", "Lines", "draw_lines", "line_image"]

SIZE = 224  # pixels of a side
NOISE_LEVELS = (0.0, 0.1, 0.2, 0.3)  # standard deviation, of 255
DOT = 4  # radius in pixels of the disc that shows where a line starts
COLOURS = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "magenta": (255, 0, 255),
    "cyan": (0, 255, 255),
    "white": (255, 255, 255),
    "orange": (255, 165, 0),
    "purple": (128, 0, 128),
    "pink": (255, 192, 203),
    "teal": (0, 128, 128),
}


@dataclass(frozen=True)
class LineSet:
    """What varies in a set beside angle, place and noise."""

    lengths: tuple[int, int]  # least and most, pixels
    widths: tuple[int, int]
    colours: tuple[str, ...] = ("white",)
    keeps_width_away: bool = False  # lines start farther from the border by their width, too

    def margin(self, length: np.ndarray, width: np.ndarray) -> np.ndarray:
        """Return how far from the border lines of these sizes must start, pixels."""
        return length + width if self.keeps_width_away else length


SETS = {
    "I": LineSet((50, 50), (2, 2)),
    "II": LineSet((20, 100), (2, 2)),
    "III": LineSet((20, 100), (1, 5), keeps_width_away=True),
    "IV": LineSet((20, 100), (1, 5), tuple(COLOURS), keeps_width_away=True),
}


@dataclass(frozen=True)
class Lines:
    """The lines of one set, (lines,) each; points are (lines, 2) as x to the right and y downwards, pixels."""

    name: str  # of the set
    seed: int
    angle: np.ndarray  # degrees in 0..360, from the start to the end, clockwise since y points downwards
    start: np.ndarray
    end: np.ndarray
    length: np.ndarray
    width: np.ndarray
    colour: np.ndarray  # names of COLOURS
    noise: np.ndarray  # of NOISE_LEVELS

    @property
    def margin(self) -> np.ndarray:
        """How far from the border each line must start, pixels."""
        return SETS[self.name].margin(self.length, self.width)

    def __len__(self) -> int:
        return len(self.angle)


def draw_lines(name: str, count: int, *, seed: int) -> Lines:
    """Draw the lines of a set; the images of the first ones do not depend on how many are drawn.

    Args:
        name: of SETS.
        count: of lines.
        seed: of the set.

    Raises:
        CompanionError: no set has that name.
    """
    if name not in SETS:
        raise CompanionError(f"no set of lines is called {name!r}; choose one of {', '.join(SETS)}")
    kind, numbers = SETS[name], np.random.default_rng([seed, list(SETS).index(name)]).random((count, 7))

    def whole(column: int, least: np.ndarray | int, most: np.ndarray | int) -> np.ndarray:
        """Return integers from least to most, each as likely."""
        return np.asarray(least + np.floor(numbers[:, column] * (most - least + 1))).astype(int)

    length, width = whole(0, *kind.lengths), whole(1, *kind.widths)
    margin = kind.margin(length, width)
    start = np.stack([whole(column, margin, SIZE - 1 - margin) for column in (2, 3)], axis=1)
    angle = 360 * numbers[:, 4]
    direction = np.stack([np.cos(np.radians(angle)), np.sin(np.radians(angle))], axis=1)
    end = start + np.trunc(length[:, None] * direction).astype(int)  # towards zero, as the released code cuts
    colour = np.array(kind.colours)[whole(5, 0, len(kind.colours) - 1)]
    noise = np.array(NOISE_LEVELS)[whole(6, 0, len(NOISE_LEVELS) - 1)]
    return Lines(name, seed, angle, start, end, length, width, colour, noise)


def line_image(
    lines: Lines, index: int, *, colours: Mapping[str, tuple[int, int, int]] = COLOURS, dot: bool = False
) -> np.ndarray:
    """Return the image of one line, (224, 224, 3) uint8, drawn by Pillow without antialiasing, with its noise.

    Args:
        lines: of which one is drawn.
        index: of the line.
        colours: red, green, blue in 0..255 by the name of the colour.
        dot: whether a disc shows where the line starts, which the published images do not have.
    """
    image = Image.new("RGB", (SIZE, SIZE))
    fill, (x, y) = colours[str(lines.colour[index])], map(int, lines.start[index])
    pen = ImageDraw.Draw(image)
    pen.line([x, y, *map(int, lines.end[index])], fill=fill, width=int(lines.width[index]))
    if dot:
        pen.ellipse([x - DOT, y - DOT, x + DOT, y + DOT], fill=fill)
    pixels = np.asarray(image)
    if not lines.noise[index]:
        return pixels
    rng = np.random.default_rng([lines.seed, list(SETS).index(lines.name), index, 1])
    return np.clip(pixels + rng.normal(0, 255 * lines.noise[index], pixels.shape), 0, 255).astype(np.uint8)
