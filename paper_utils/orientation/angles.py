"""The error of the angle by the angle: where it is lowest, and whether lines upright and level are read better."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from ..statistics import mean_intervals, mean_where_known
from .fits import Fitted
from .intervals import with_interval

__all__ = ["NEAR", "ErrorCurve", "cardinal_and_oblique", "error_near", "minimum_from"]

BIN = 30.0  # degrees, around multiples of it
NEAR = BIN / 2  # what is called near an angle

Ends = tuple[float, float, float]  # a value and its 95 % interval


@dataclass(frozen=True)
class ErrorCurve:
    """The mean absolute error by the labelled angle, in bins around multiples of BIN degrees."""

    centres: np.ndarray  # (bins,) degrees
    error: np.ndarray  # (bins,) degrees, mean over starts and images
    low: np.ndarray  # (bins,) 95 % interval over images, of means over starts
    high: np.ndarray
    by_start: np.ndarray  # (starts, bins)
    images: int

    @classmethod
    def of(cls, fitted: Fitted, kind: str) -> "ErrorCurve":
        """Take the error of one of `fits.ERRORS`; "axial" puts a line and the same from its other end in one bin."""
        errors, period = fitted.errors(kind), 180.0 if kind == "axial" else 360.0
        bins = _bins(fitted.lines.angle, period)
        which = [bins == number for number in range(int(period / BIN))]
        by_start = np.stack([errors[:, chosen].mean(1) for chosen in which], axis=1)
        ends = [mean_intervals(errors[:, chosen].mean(0)) for chosen in which]
        low, high = (np.array([end[side] for end in ends]) for side in (0, 1))
        return cls(BIN * np.arange(len(which)), by_start.mean(0), low, high, by_start, errors.shape[1])


def minimum_from(fitted: Fitted, angle: float, kind: str = "plain") -> Ends:
    """Return how far from an angle the bin of the lowest error is, in degrees, with its interval."""
    bins = _bins(fitted.lines.angle, 360.0)

    def statistic(errors: np.ndarray, which: np.ndarray) -> float:
        return _apart(BIN * float(np.nanargmin(_means(errors, bins[which]))), angle)

    return with_interval(fitted.errors(kind), statistic)


def error_near(fitted: Fitted, angle: float, kind: str = "plain") -> dict[str, Ends]:
    """Return the error near an angle, that of the other images, and the second less the first, with intervals."""
    near = np.abs((fitted.lines.angle - angle + 180) % 360 - 180) <= NEAR
    return _two_groups(fitted.errors(kind), near, ~near, names=("near", "elsewhere"))


def cardinal_and_oblique(fitted: Fitted, kind: str = "axial") -> dict[str, Ends]:
    """Return the error of lines near upright or level, of those near the diagonals, and the second less the first."""
    off = np.abs((fitted.lines.angle + 45) % 90 - 45)  # from the nearest of 0, 90, 180, 270
    return _two_groups(fitted.errors(kind), off <= NEAR, off >= 45 - NEAR, names=("cardinal", "oblique"))


def _two_groups(
    errors: np.ndarray, first: np.ndarray, second: np.ndarray, *, names: tuple[str, str]
) -> dict[str, Ends]:
    """Return the mean error of two groups of images, masks (images,), and the second less the first, with intervals."""

    def mean_of(group: np.ndarray, values: np.ndarray, which: np.ndarray) -> float:
        return float(mean_where_known(np.where(group[which], values, np.nan)))

    of_first, of_second = partial(mean_of, first), partial(mean_of, second)
    return {
        names[0]: with_interval(errors, of_first),
        names[1]: with_interval(errors, of_second),
        "difference": with_interval(errors, lambda values, which: of_second(values, which) - of_first(values, which)),
    }


def _bins(angles: np.ndarray, period: float) -> np.ndarray:
    return np.round(angles / BIN).astype(int) % int(period / BIN)


def _means(errors: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Return the mean of each of twelve bins, NaN of an empty one."""
    count = np.bincount(bins, minlength=int(360 / BIN)).astype(float)
    sums = np.bincount(bins, errors, minlength=len(count))
    return np.divide(sums, count, out=np.full(len(count), np.nan), where=count > 0)


def _apart(first: float, second: float) -> float:
    return abs((first - second + 180) % 360 - 180)
