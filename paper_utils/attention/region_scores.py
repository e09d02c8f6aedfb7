"""Scores of a model's heads on every region in both views, with what is reachable and what chance gives."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..heads import head_name
from .mapped import MappedImages
from .scores import (
    FEATURES,
    SCORES,
    Scores,
    best_reachable,
    by_chance,
    held,
    score_heads,
    score_table,
    score_with_intervals,
)

__all__ = ["RegionScores", "score_regions"]


@dataclass(frozen=True)
class RegionScores:
    """Scores over the same images; arrays by name of the score as in `Scores`."""

    patches: Scores  # of maps averaged over query patches
    cls: Scores  # of the CLS query's maps
    best: dict[str, np.ndarray]  # (features,) the highest that any map could reach
    chance: dict[str, np.ndarray]  # (features,) of shuffled maps
    holding: np.ndarray  # (features,) how many images hold the feature

    @property
    def means(self) -> dict[str, np.ndarray]:
        """The scores' means over images, (features, layers, heads) each, of maps averaged over query patches."""
        return self.patches.means

    @property
    def enrichment(self) -> np.ndarray:
        """Attention on each feature over the mean attention, (features, layers, heads), averaged over queries."""
        return self.patches.means["enrichment"]

    @property
    def enrichment_from_cls(self) -> np.ndarray:
        """The same of the CLS query."""
        return self.cls.means["enrichment"]

    def table(self, feature: str = "chirp") -> pd.DataFrame:
        """Return a row for each score on one feature: the best head with its interval, the best map, chance."""
        number = list(FEATURES).index(feature)
        rows = []
        for name, meaning in SCORES.items():
            means, low, high = (
                part[name][number] for part in (self.patches.means, self.patches.low, self.patches.high)
            )
            row, column = divmod(int(np.nanargmax(means)), means.shape[1])
            head = row, column
            rows.append(
                {
                    "Score": name.replace("_", " "),
                    "Meaning": meaning,
                    "Best head": head_name(*head),
                    "Its score (95 % interval)": f"{means[head]:.2f} ({low[head]:.2f} to {high[head]:.2f})",
                    "Best possible map": f"{self.best[name][number]:.2f}",
                    "Shuffled maps": f"{self.chance[name][number]:.2f}",
                    "Images": int(self.holding[number]),
                }
            )
        return pd.DataFrame(rows).set_index("Score")

    def head_table(self) -> pd.DataFrame:
        """Return a row for each view, head and feature with all scores and their intervals, for a file."""
        return pd.DataFrame(score_table(self.views()))

    def views(self) -> dict[str, Scores]:
        """Return the scores by view, "patches" and "cls"."""
        return {"patches": self.patches, "cls": self.cls}


def score_regions(mapped: MappedImages) -> RegionScores:
    """Score every head on every feature, with 95 % intervals (bootstrap over images)."""
    coverage = mapped.coverage()
    return RegionScores(
        patches=score_with_intervals(mapped.scores),
        cls=score_with_intervals(score_heads(mapped.maps.cls, coverage)),
        best=best_reachable(coverage),
        chance=by_chance(mapped.maps.patches, coverage),
        holding=held(coverage).any((-2, -1)).sum(0),
    )
