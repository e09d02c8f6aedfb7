"""Phase transitions of a training by a rule that was fixed before any loss was looked at.

The logarithm of a loss is smoothed by the median of five points. A fall is a stretch of the curve in which every step
goes down more than twice as steeply as the whole curve does on average; stretches less than two points apart are one. A
fall is a transition if it makes up a fifth or more of the way from the first point to the last, and the loss as a whole
falls by a factor of 1.25 or more. So a loss that falls evenly (in its logarithm) has no transition, and one that drops,
stands still and drops again has two.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter

from .conditions import TARGETS
from .fits import Fitted
from .fitting import PARTS
from .heads import OTHERS, WEIGHTS

__all__ = ["LossCurve", "Transition", "half_way", "loss_curves", "total_loss", "transitions"]

SMOOTH = 5  # points
STEEP = 2.0  # times the average
GAP = 2  # points
SHARE = 0.2  # of the way
LEAST = 1.25  # factor


@dataclass(frozen=True)
class Transition:
    """A stretch of a curve, by its points."""

    first: int
    last: int
    share: float  # of the whole way of the logarithm


@dataclass(frozen=True)
class LossCurve:
    """The training loss of one target in one fit, and its transitions."""

    epochs: np.ndarray  # (points,) at the end of each part
    loss: np.ndarray  # (points,)
    transitions: list[tuple[int, int]]  # first and last point


def loss_curves(fitted: Fitted, *, start: int = 0) -> dict[str, LossCurve]:
    """Return the curve of each target of one start."""
    found = {}
    for number, target in enumerate(TARGETS[fitted.one.set]):
        loss = fitted.losses[start, :, number]
        loss = loss[np.isfinite(loss)]
        marked = [(one.first, one.last) for one in transitions(loss)]
        found[target] = LossCurve((np.arange(len(loss)) + 1) / PARTS, loss, marked)
    return found


def transitions(losses: np.ndarray) -> list[Transition]:
    """Return the transitions of a curve of losses, (points,), by the rule above; NaN at its end is left out."""
    curve = _smooth(losses)
    way = curve[0] - curve[-1] if len(curve) > 1 else 0.0
    if way < np.log(LEAST):
        return []
    steep = np.flatnonzero(-np.diff(curve) > STEEP * way / (len(curve) - 1))
    if not len(steep):
        return []
    groups = np.split(steep, np.flatnonzero(np.diff(steep) > GAP) + 1)
    found = [
        Transition(int(one[0]), int(one[-1]) + 1, float((curve[one[0]] - curve[one[-1] + 1]) / way)) for one in groups
    ]
    return [one for one in found if one.share >= SHARE]


def half_way(losses: np.ndarray) -> float:
    """Return in which epoch the logarithm of a loss, (points,), has gone half its way; NaN where it does not fall."""
    curve = _smooth(losses)
    way = curve[0] - curve[-1] if len(curve) > 1 else 0.0
    if way < np.log(LEAST):
        return float("nan")
    return float(np.argmax(curve <= curve[0] - way / 2) + 1) / PARTS


def total_loss(fitted: Fitted) -> np.ndarray:
    """Return the weighted sum of the losses of all targets, (starts, points)."""
    weights = np.array([WEIGHTS.get(target, OTHERS) for target in TARGETS[fitted.one.set]])
    return fitted.losses @ weights


def _smooth(losses: np.ndarray) -> np.ndarray:
    known = losses[np.isfinite(losses)]
    return np.asarray(median_filter(np.log(np.maximum(known, 1e-12)), SMOOTH, mode="nearest"))
