"""What an image of a line can say of its label: readers that see perfectly, and know what can be known.

A line at an angle and at the opposite one are the same pixels with start and end exchanged. Only where the line ends
outside the place where lines of its kind may start does the image tell one from the other.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..errors import CompanionError
from ..statistics import mean_intervals
from .images import SETS, SIZE, Lines, draw_lines

__all__ = [
    "READERS",
    "Decidability",
    "ErrorByAngle",
    "cardinal_table",
    "huber",
    "perfect_errors",
    "read",
    "undecidable",
]

READERS = {  # what a perfect reader answers where two labels fit
    "180": "180 degrees",
    "midpoint": "midway between the two",
}
HUBER = 0.1  # the published loss turns linear there, in half turns
BIN = 10.0  # degrees
AT = (0, 90, 180, 270)  # degrees, of the table
LENGTHS = ((20, 29), (30, 49), (50, 69), (70, 100))  # pixels, of the table


def undecidable(lines: Lines) -> np.ndarray:
    """Return for which lines two labels fit the image, (lines,) bool: the end is a place where one could start.

    By geometry; `samples.same_from_both_ends` has how often the pixels are the same, too.
    """
    least = lines.margin[:, None]
    inside = (lines.end >= least) & (lines.end <= SIZE - 1 - least)
    return np.asarray(inside.all(1))


def read(lines: Lines, reader: str) -> np.ndarray:
    """Return the angles that a reader of READERS answers, (lines,) degrees: the right one where the image tells.

    Raises:
        CompanionError: no reader has that name.
    """
    if reader not in READERS:
        raise CompanionError(f"no reader is called {reader!r}; choose one of {', '.join(READERS)}")
    guess = (
        np.full(len(lines), 180.0)
        if reader == "180"
        else np.where(lines.angle < 180, lines.angle + 90, lines.angle - 90)
    )
    return np.where(undecidable(lines), guess, lines.angle)


def huber(answers: np.ndarray, angles: np.ndarray) -> float:
    """Return the published loss of answers, in degrees: Huber's, of half turns, linear beyond HUBER."""
    error = np.abs(answers - angles) / 180
    return float(np.where(error < HUBER, error**2 / 2, HUBER * (error - HUBER / 2)).mean())


@dataclass(frozen=True)
class Decidability:
    """How many images of each set fit two labels, and what readers of them come to."""

    share: dict[str, float]  # by set
    by_length: dict[str, dict[str, float]]  # share by set and length
    loss: dict[str, dict[str, float]]  # by set and reader
    r: dict[str, dict[str, float]]  # Pearson's, of answers and labels
    images: int  # of each set

    @classmethod
    def measure(cls, *, count: int = 100_000, seed: int = 42) -> "Decidability":
        """Draw lines of every set, and read them."""
        share, by_length, loss, r = {}, {}, {}, {}
        for name in SETS:
            lines = draw_lines(name, count, seed=seed)
            both = undecidable(lines)
            share[name] = float(both.mean())
            within = {f"{low} to {high}": (lines.length >= low) & (lines.length <= high) for low, high in LENGTHS}
            by_length[name] = {label: float(both[which].mean()) for label, which in within.items() if which.any()}
            answers = {reader: read(lines, reader) for reader in READERS}
            loss[name] = {reader: huber(answer, lines.angle) for reader, answer in answers.items()}
            r[name] = {reader: float(np.corrcoef(answer, lines.angle)[0, 1]) for reader, answer in answers.items()}
        return cls(share, by_length, loss, r, count)

    def table(self) -> pd.DataFrame:
        """Return a row for each set: the share of images that fit two labels, and what perfect readers come to."""
        rows = {}
        for name, share in self.share.items():
            rows[name] = {"Two labels fit (%)": f"{100 * share:.1f}"}
            for reader, title in READERS.items():
                rows[name] |= {
                    f"Loss, answering {title}": f"{self.loss[name][reader]:.5f}",
                    f"r, answering {title}": f"{self.r[name][reader]:.2f}",
                }
            rows[name]["Images"] = f"{self.images:,}"
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("Set")

    def lengths(self) -> pd.DataFrame:
        """Return the share of images that fit two labels by the length of their line, in percent."""
        columns = [f"{low} to {high}" for low, high in LENGTHS]
        rows = {
            name: {f"{label} pixels": f"{100 * shares[label]:.0f}" if label in shares else "-" for label in columns}
            for name, shares in self.by_length.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index").assign(Images=f"{self.images:,}").rename_axis("Set")


@dataclass(frozen=True)
class ErrorByAngle:
    """The mean absolute error of the angle by the angle, in bins around multiples of BIN degrees, (bins,) each."""

    centres: np.ndarray  # degrees; the first bin is around 0 and 360
    error: np.ndarray  # degrees, plain: 359 and 1 are 358 apart, as the published loss takes them
    low: np.ndarray  # 95 % interval, bootstrap over images
    high: np.ndarray
    images: int

    @classmethod
    def of(cls, answers: np.ndarray, angles: np.ndarray) -> "ErrorByAngle":
        """Compare answers with angles, (lines,) degrees each."""
        bins = np.round(angles / BIN).astype(int) % int(360 / BIN)
        plain = np.abs(answers - angles)
        which = [bins == number for number in range(int(360 / BIN))]
        ends = [mean_intervals(plain[chosen]) for chosen in which]
        return cls(
            BIN * np.arange(len(which)),
            np.array([plain[chosen].mean() for chosen in which]),
            np.array([low for low, _ in ends]),
            np.array([high for _, high in ends]),
            len(angles),
        )

    def at(self) -> dict[str, str]:
        """Return the error with its interval at the cardinal angles, as cells of a table."""
        found = {}
        for angle in AT:
            number = int(angle / BIN)
            found[f"{angle} degrees"] = f"{self.error[number]:.1f} ({self.low[number]:.1f} to {self.high[number]:.1f})"
        return found


def perfect_errors(reader: str, *, count: int = 20_000, seed: int = 42) -> dict[str, ErrorByAngle]:
    """Return the error by angle of a reader of READERS on lines of every set."""
    drawn = {name: draw_lines(name, count, seed=seed) for name in SETS}
    return {name: ErrorByAngle.of(read(lines, reader), lines.angle) for name, lines in drawn.items()}


def cardinal_table(errors: dict[str, ErrorByAngle]) -> pd.DataFrame:
    """Return the errors at the cardinal angles, a row for each set."""
    rows = {name: one.at() | {"Images": f"{one.images:,}"} for name, one in errors.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("Set")
