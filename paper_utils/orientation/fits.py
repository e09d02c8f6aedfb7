"""What was fitted, read from the arrays of a stage: answers for the angle by start and image, their errors, r and losses."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..errors import CompanionError
from ..lines.images import Lines
from ..statistics import mean_where_known
from .conditions import CONDITIONS, ENCODINGS, TARGETS, Condition, check_target, condition, of_set

__all__ = ["ERRORS", "Fitted", "Fits"]

ERRORS = {  # how far an answer is from a label, in degrees
    "plain": "as the published loss takes it: 359 and 1 are 358 apart",
    "circular": "around the circle: 359 and 1 are 2 apart",
    "axial": "modulo 180: a line from its other end is the same",
}


@dataclass(frozen=True)
class Fitted:
    """The fits of one condition: several starts, judged on the same images."""

    one: Condition
    answers: np.ndarray  # (starts, images) degrees from the encoding's origin
    r: np.ndarray  # (starts, targets)
    losses: np.ndarray  # (starts, parts, targets), NaN after a fit has stopped

    @property
    def lines(self) -> Lines:
        """The lines of the images that it was judged on."""
        return of_set(self.one.set, "test", self.answers.shape[1])

    def errors(self, kind: str = "plain") -> np.ndarray:
        """Return the absolute error of each answer, (starts, images) degrees, of one of ERRORS.

        Raises:
            CompanionError: there is no such error, or the encoding knows angles modulo 180 alone.
        """
        encoding = ENCODINGS[self.one.encoding]
        if kind not in ERRORS or (encoding.axial and kind != "axial"):
            known = ["axial"] if encoding.axial else list(ERRORS)
            raise CompanionError(f"no {kind!r} error of condition {self.one.name}; choose {' or '.join(known)}")
        apart = np.abs(self.answers - encoding.labels(self.lines.angle))
        if kind == "plain":
            return apart
        turn = 360.0 if kind == "circular" else 180.0
        return np.minimum(apart % turn, turn - apart % turn)

    def r_of(self, target: str) -> np.ndarray:
        """Return Pearson's r of a target, (starts,).

        Raises:
            CompanionError: the images do not differ in the target.
        """
        check_target(self.one.set, target)
        return self.r[:, TARGETS[self.one.set].index(target)]


@dataclass(frozen=True)
class Fits:
    """The fits of several conditions on one backbone."""

    fitted: Mapping[str, Fitted]  # by name of the condition

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> "Fits":
        """Read the arrays of a stage."""
        names = [name for name in CONDITIONS if f"{name}.angle" in arrays]
        parts = ("angle", "r", "losses")
        return cls({name: Fitted(condition(name), *(arrays[f"{name}.{part}"] for part in parts)) for name in names})

    def __getitem__(self, name: str) -> Fitted:
        """Return the fits of a condition.

        Raises:
            CompanionError: none was fitted under that name.
        """
        if name not in self.fitted:
            raise CompanionError(f"nothing was fitted as {name!r}; choose one of {', '.join(self.fitted)}")
        return self.fitted[name]

    def __contains__(self, name: str) -> bool:
        return name in self.fitted

    @property
    def images(self) -> int:
        """How many images each condition was judged on."""
        return int(next(iter(self.fitted.values())).answers.shape[1])

    @property
    def starts(self) -> int:
        """How often each condition was fitted."""
        return len(next(iter(self.fitted.values())).answers)

    def accuracy(self) -> pd.DataFrame:
        """Return r of every target by condition, the mean over starts with the lowest and highest; a dash where none is.

        Without a row where nothing was fitted.
        """
        if not self.fitted:
            return pd.DataFrame(columns=[*TARGETS["IV"], "Images", "Starts"]).rename_axis("Condition")
        rows = {
            name: {target: _spread(one.r, target, one.one) for target in TARGETS["IV"]}
            for name, one in self.fitted.items()
        }
        table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("Condition")
        return table.assign(Images=self.images, Starts=self.starts)


def _spread(r: np.ndarray, target: str, one: Condition) -> str:
    known = TARGETS[one.set]
    if target not in known:
        return "-"
    values = r[:, known.index(target)]
    if not np.isfinite(values).any():
        return "-"
    return f"{float(mean_where_known(values)):.2f} ({np.nanmin(values):.2f} to {np.nanmax(values):.2f})"
