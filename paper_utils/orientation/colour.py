"""The error of the angle by the colour of the line: against contrast, and whether colours cluster as people group them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist

from ..lines.colours import contrast
from ..lines.images import COLOURS
from ..lines.variants import drawn_colours
from ..statistics import mean_intervals, rank_correlation_interval
from .fits import Fitted
from .intervals import with_interval

__all__ = ["BLUISH", "CATEGORIES", "YELLOWISH", "ColourErrors", "adjusted_rand"]

BLUISH, YELLOWISH = ("blue", "teal", "purple"), ("yellow", "orange")
CATEGORIES = {  # warm, cool and without hue, as people sort colours
    **dict.fromkeys(("red", "orange", "yellow", "pink", "magenta"), "warm"),
    **dict.fromkeys(("green", "blue", "cyan", "teal", "purple"), "cool"),
    "white": "without hue",
}
PERMUTATIONS = 999

Ends = tuple[float, float, float]


@dataclass(frozen=True)
class ColourErrors:
    """The mean error of the angle by colour, in the order of COLOURS, (colours,) each."""

    errors: np.ndarray  # (starts, images) degrees
    colour: np.ndarray  # (images,) names
    contrast: np.ndarray  # d' of a pixel against black, as drawn

    @classmethod
    def of(cls, fitted: Fitted, kind: str) -> "ColourErrors":
        """Take the error of one of `fits.ERRORS`."""
        drawn = drawn_colours(fitted.one.variant)
        stands_out = np.array([contrast(drawn[name]) for name in COLOURS])
        return cls(fitted.errors(kind), fitted.lines.colour, stands_out)

    @property
    def names(self) -> tuple[str, ...]:
        """The colours."""
        return tuple(COLOURS)

    @property
    def mean(self) -> np.ndarray:
        """Mean over starts and images of each colour, degrees."""
        return _by_colour(self.errors.mean(0), self.colour)

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """95 % interval over images, of means over starts."""
        found = [mean_intervals(self.errors[:, self.colour == name].mean(0)) for name in COLOURS]
        low, high = zip(*found, strict=True)
        return np.array(low, float), np.array(high, float)

    def with_contrast(self) -> Ends:
        """Return the rank correlation over colours of error and contrast, with its interval over colours."""
        return rank_correlation_interval(self.contrast, self.mean)

    def bluish_and_yellowish(self) -> dict[str, Ends]:
        """Return the error of bluish and of yellowish lines, and the first less the second, with intervals."""
        bluish, yellowish = (np.isin(self.colour, group) for group in (BLUISH, YELLOWISH))

        def mean(group: np.ndarray, values: np.ndarray, which: np.ndarray) -> float:
            chosen = values[group[which]]
            return float(chosen.mean()) if len(chosen) else float("nan")

        return {
            "bluish": with_interval(self.errors, lambda values, which: mean(bluish, values, which)),
            "yellowish": with_interval(self.errors, lambda values, which: mean(yellowish, values, which)),
            "difference": with_interval(
                self.errors,
                lambda values, which: mean(bluish, values, which) - mean(yellowish, values, which),
            ),
        }

    def tree(self) -> np.ndarray:
        """Return the hierarchical clustering of colours by their mean error (average linkage), as scipy gives it."""
        return np.asarray(linkage(pdist(self.mean[:, None]), "average"))

    def heights_by_chance(self, *, seed: int = 0) -> np.ndarray:
        """Return the heights of the merges, (permutations, colours - 1), where colours are dealt out to images anew."""
        rng, errors = np.random.default_rng(seed), self.errors.mean(0)
        found = []
        for _ in range(PERMUTATIONS):
            dealt = _by_colour(errors, rng.permutation(self.colour))
            found.append(linkage(pdist(dealt[:, None]), "average")[:, 2])
        return np.array(found)

    def spread_by_chance(self, *, seed: int = 0) -> float:
        """Return the p-value of the spread between colours: how often colours dealt out anew differ as much."""
        rng, errors = np.random.default_rng(seed), self.errors.mean(0)
        others = [np.std(_by_colour(errors, rng.permutation(self.colour))) for _ in range(PERMUTATIONS)]
        return float((np.sum(np.array(others) >= np.std(self.mean)) + 1) / (PERMUTATIONS + 1))

    def agreement(self) -> Ends:
        """Return how well three clusters of colours agree with CATEGORIES (adjusted Rand index), with its interval."""

        def statistic(values: np.ndarray, which: np.ndarray) -> float:
            return _agreement(_by_colour(values, self.colour[which]))

        return with_interval(self.errors, statistic)

    def agreement_of_contrast(self) -> float:
        """Return the same of clusters by contrast alone, which know nothing of errors."""
        return _agreement(np.array([contrast(COLOURS[name]) for name in COLOURS]))

    def table(self) -> pd.DataFrame:
        """Return a row for each colour, least contrast first: d', error with its interval, images."""
        low, high = self.ends
        rows = {
            name: {
                "d\N{PRIME}": f"{self.contrast[number]:.1f}",
                "Error (degrees)": f"{self.mean[number]:.1f} ({low[number]:.1f} to {high[number]:.1f})",
                "Images": int((self.colour == name).sum()),
            }
            for number, name in sorted(enumerate(COLOURS), key=lambda pair: self.contrast[pair[0]])
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("Colour")


def adjusted_rand(first: np.ndarray, second: np.ndarray) -> float:
    """Return how well two groupings of the same items agree: 1 for the same, 0 on average by chance (Hubert, Arabie 1985)."""
    table = pd.crosstab(np.asarray(first), np.asarray(second)).to_numpy()
    pairs = lambda counts: float((counts * (counts - 1) / 2).sum())  # noqa: E731
    both, rows, columns = pairs(table), pairs(table.sum(1)), pairs(table.sum(0))
    every = pairs(np.array([table.sum()]))
    expected, most = rows * columns / every, (rows + columns) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)


def _agreement(values: np.ndarray) -> float:
    clusters = fcluster(linkage(pdist(values[:, None]), "average"), 3, "maxclust")
    return adjusted_rand(clusters, np.array([CATEGORIES[name] for name in COLOURS]))


def _by_colour(errors: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Return the mean of each colour, (colours,); the mean of all where a resample has none of it."""
    return np.array([errors[colour == name].mean() if (colour == name).any() else errors.mean() for name in COLOURS])
