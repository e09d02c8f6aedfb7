"""Scores of heads on regions of one's own, given as masks of the images' pixels."""

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..errors import CompanionError
from ..heads import head_name
from .scores import SCORES, Scores, best_reachable, by_chance, held, score_heads, score_with_intervals

__all__ = ["MaskScores", "score_masks"]


@dataclass(frozen=True)
class MaskScores:
    """Scores of every head on every region over the same images; arrays by name of the score as in `Scores`."""

    regions: tuple[str, ...]
    scores: Scores  # means and 95 % intervals, (regions, layers, heads) each
    best: dict[str, np.ndarray]  # (regions,) the highest that any map could reach
    chance: dict[str, np.ndarray]  # (regions,) of shuffled maps
    holding: np.ndarray  # (regions,) how many images hold the region

    def of(self, region: str, score: str = "enrichment") -> np.ndarray:
        """Return the means over images of one score on one region, (layers, heads).

        Raises:
            CompanionError: there is no such region or score.
        """
        self._check(score)
        if region not in self.regions:
            raise CompanionError(f"no region {region!r}; choose one of {', '.join(self.regions)}")
        return self.scores.means[score][self.regions.index(region)]

    def table(self, score: str = "enrichment") -> pd.DataFrame:
        """Return for each region the head that scores highest, with its interval, the best possible map and chance.

        Raises:
            CompanionError: there is no such score.
        """
        self._check(score)
        rows = {}
        for number, region in enumerate(self.regions):
            means, low, high = (part[score][number] for part in (self.scores.means, self.scores.low, self.scores.high))
            if np.isnan(means).all():
                rows[region] = {"Best head": "-", "Images": 0}  # it is in no image
                continue
            head = tuple(map(int, np.unravel_index(np.nanargmax(means), means.shape)))
            rows[region] = {
                "Best head": head_name(*head),
                "Its score (95 % interval)": f"{means[head]:.2f} ({low[head]:.2f} to {high[head]:.2f})",
                "Best possible map": f"{self.best[score][number]:.2f}",
                "Shuffled maps": f"{self.chance[score][number]:.2f}",
                "Images": int(self.holding[number]),
            }
        return pd.DataFrame.from_dict(rows, orient="index").fillna("-").rename_axis("Region")

    def _check(self, score: str) -> None:
        if score not in SCORES:
            raise CompanionError(f"no score {score!r}; choose one of {', '.join(SCORES)}")


def score_masks(maps: np.ndarray, masks: np.ndarray | Mapping[str, np.ndarray]) -> MaskScores:
    """Score every head on regions of one's own, with 95 % intervals (bootstrap over images).

    Args:
        maps: raw attention on each patch, (images, layers, heads, rows, columns), such as `AttentionMaps.cls`; as an array,
            or a tensor of torch or lists that become one.
        masks: which pixels belong to a region, (images, height, width) bool, of the size that the model gets; or
            several by name, which may overlap. They become arrays, too.

    Raises:
        CompanionError: maps or a mask are no array, or there is no map; a mask is not bool, or of other images, or its
            sides are no multiples of the maps'; or a map holds no attention.
    """
    maps = _array("maps", maps)
    if maps.ndim != 5 or not maps.size or maps.dtype.kind not in "fiu":
        raise CompanionError(
            f"maps are {maps.dtype} {maps.shape}; give numbers (images, layers, heads, rows, columns), such as cls of "
            "what attention_maps returns"
        )
    named = masks if isinstance(masks, Mapping) else {"region": masks}
    if not named:
        raise CompanionError("no mask is given; give one of the images' size")
    coverage = np.stack(
        [_coverage(name, _array(f"the mask {name!r}", mask), maps.shape) for name, mask in named.items()], axis=1
    )
    return MaskScores(
        regions=tuple(named),
        scores=score_with_intervals(score_heads(maps, coverage)),
        best=best_reachable(coverage),
        chance=by_chance(maps, coverage),
        holding=held(coverage).any((-2, -1)).sum(0),
    )


def _array(name: str, given: object) -> np.ndarray:
    try:
        return np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:  # ragged lists, and tensors on a GPU or with a gradient
        raise CompanionError(f"{name} cannot become an array of numpy: {reprlib.repr(given)}; give one") from error


def _coverage(name: str, mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the share of each patch that a mask covers, (images, rows, columns)."""
    images, *_, rows, columns = shape
    fits = mask.dtype == bool and mask.ndim == 3 and mask.size and len(mask) == images
    if not fits or mask.shape[1] % rows or mask.shape[2] % columns:
        raise CompanionError(
            f"the mask {name!r} is {mask.dtype} {mask.shape}; give bool ({images}, height, width) whose sides are "
            f"multiples of {rows} and {columns} patches"
        )
    return mask.reshape(images, rows, mask.shape[1] // rows, columns, -1).mean((2, 4))
