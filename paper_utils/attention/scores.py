"""How much a head's attention map agrees with a region of the image: six scores for each image.

Half of the patches hold more than one region, so regions are shares of patches, and no map reaches a perfect score.
`best_reachable` and `by_chance` give the highest possible scores and those of shuffled maps.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from ..data.regions import CORNERS, REGIONS, patch_coverage
from ..errors import CompanionError
from ..heads import head_name, min_max
from ..statistics import mean_intervals, mean_where_known

__all__ = [
    "COARSEST",
    "FEATURES",
    "SCORES",
    "Scores",
    "attention_over_mean",
    "best_reachable",
    "by_chance",
    "feature_coverage",
    "held",
    "mean_scores",
    "score_heads",
    "score_table",
    "score_with_intervals",
    "shuffled_patches",
]

FEATURES = {
    "chirp": ("chirp",),
    "title": ("title",),
    "x-axis text": ("x_label", "x_ticks"),
    "y-axis text": ("y_label", "y_ticks"),
    "colour bar": ("colour_bar_lower", "colour_bar_upper"),
    "colour-bar text": ("colour_bar_ticks", "colour_bar_label"),
    "left edge": ("edge_left",),
    "right edge": ("edge_right",),
    "top edge": ("edge_top",),
    "bottom edge": ("edge_bottom",),
    **{f"{corner.replace('_', ' ')} inner corner": (f"inner_corner_{corner}",) for corner in CORNERS},
    **{f"{corner.replace('_', ' ')} outer corner": (f"outer_corner_{corner}",) for corner in CORNERS},
}
SCORES = {
    "enrichment": "share of the attention over share of the patches; chance gives 1",
    "auroc": "chance that a patch of the region gets more attention than another; 0.5 by chance",
    "average_precision": "precision averaged over the region's patches, the most attended first",
    "pointing": "rate at which the most attended patch holds the region",
    "soft_iou": "overlap of the min-max normalised map with the region, over their union",
    "bright_share": "share of the attention on bright patches that falls on patches which hold the region",
}
COARSEST = 4  # patches on a side: of fewer none holds the plot's lower edge
HOLDS, USUAL_GRID = 0.05, 14  # share of a patch from which it holds a feature, and patches on a side for which that is
BRIGHT = 0.5  # of the min-max normalised map


@dataclass(frozen=True)
class Scores:
    """Means over images, by name of the score, (features, layers, heads) each, and their 95 % intervals."""

    means: dict[str, np.ndarray]
    low: dict[str, np.ndarray]
    high: dict[str, np.ndarray]


def feature_coverage(regions: np.ndarray, *, patch: int = 16) -> np.ndarray:
    """Return the share of each patch that each feature covers, (features, rows, columns) in 0..1.

    Args:
        regions: the region of each pixel, as in `patch_coverage`.
        patch: side of a patch in pixels.
    """
    coverage = patch_coverage(regions, patch=patch)
    index = {name: number for number, name in enumerate(REGIONS)}
    return np.stack([coverage[[index[part] for part in parts]].sum(0) for parts in FEATURES.values()])


def held(coverage: np.ndarray) -> np.ndarray:
    """Return which patches hold something, bool, as `coverage`: from `HOLDS` of a patch on, of few to an image from less.

    A line of one pixel, such as the plot's lower edge, covers 6 % of a patch of 16 pixels and 3 % of one of 32.

    Args:
        coverage: share of each patch, (..., rows, columns).
    """
    return coverage >= HOLDS * min(1, coverage.shape[-2] / USUAL_GRID)


def score_heads(maps: np.ndarray, coverage: np.ndarray) -> dict[str, np.ndarray]:
    """Score raw maps on features, image by image: each of SCORES as (images, features, layers, heads).

    An image without a feature (a chirp may be too thin to hold) has NaN there: the score does not apply.

    Args:
        maps: (images, layers, heads, rows, columns).
        coverage: (images, features, rows, columns) in 0..1.

    Raises:
        CompanionError: the grids differ, or a map holds no attention or something that is not a number.
    """
    if maps.shape[-2:] != coverage.shape[-2:] or len(maps) != len(coverage):
        raise CompanionError(f"maps {maps.shape} and coverage {coverage.shape} are not of the same images and grid")
    total = maps.sum((-2, -1))
    if not (np.isfinite(total) & (total > 0)).all():
        raise CompanionError("a head's map holds no attention, or something that is not a number")
    layers, heads = maps.shape[1:3]
    rows = [
        _score_image(heads_of_one.reshape(layers * heads, -1), features)
        for heads_of_one, features in zip(maps.astype(float), coverage.astype(float), strict=True)
    ]
    return {name: np.stack([row[name] for row in rows]).reshape(len(maps), -1, layers, heads) for name in SCORES}


def mean_scores(maps: np.ndarray, coverage: np.ndarray) -> dict[str, np.ndarray]:
    """Return the means over images of `score_heads`, (features, layers, heads) each."""
    return {name: mean_where_known(values) for name, values in score_heads(maps, coverage).items()}


def score_with_intervals(by_image: dict[str, np.ndarray]) -> Scores:
    """Return the means over images of what `score_heads` returned, with their intervals (bootstrap over images)."""
    ends = {name: mean_intervals(values) for name, values in by_image.items()}
    return Scores(
        means={name: mean_where_known(values) for name, values in by_image.items()},
        low={name: low for name, (low, _) in ends.items()},
        high={name: high for name, (_, high) in ends.items()},
    )


def attention_over_mean(maps: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Return a head's attention on parts of an image over its mean attention, (images, parts, layers, heads).

    Where a part is nowhere in an image it is NaN.

    Args:
        maps: raw maps, (images, layers, heads, rows, columns).
        parts: how much of each patch belongs to each part, (images, parts, rows, columns), not negative.
    """
    total = parts.sum((-2, -1), keepdims=True)
    weights = np.divide(parts, total, out=np.full(parts.shape, np.nan), where=total > 0)
    return np.einsum("npij,nlhij->nplh", weights, maps / maps.mean((-2, -1), keepdims=True))


def score_table(views: dict[str, Scores]) -> list[dict[str, str]]:
    """Return a row for each view, head and feature with all scores and their interval ends, four digits each.

    A score that does not apply (NaN) is an empty string.
    """
    rows = []
    for view, scores in views.items():
        for index in np.ndindex(scores.means["enrichment"].shape[1:]):
            for number, feature in enumerate(FEATURES):
                row = {"view": view, "head": head_name(*index), "feature": feature}
                for name in SCORES:
                    for end, part in (("", scores.means), ("_low", scores.low), ("_high", scores.high)):
                        value = part[name][number, *index]
                        row[name + end] = "" if np.isnan(value) else f"{value:.4g}"
                rows.append(row)
    return rows


def _score_image(maps: np.ndarray, coverage: np.ndarray) -> dict[str, np.ndarray]:
    """Return each score as (features, maps) of maps (maps, patches) and coverage (features, rows, columns)."""
    holds, coverage = (each.reshape(len(coverage), -1) for each in (held(coverage), coverage))
    patches, covered = maps.shape[-1], coverage.sum(-1)
    share = np.where(holds.any(-1), covered / patches, np.nan)[:, None]
    maps = maps / maps.sum(-1, keepdims=True)
    normal = min_max(maps[:, None])[:, 0]
    bright = np.where(normal > BRIGHT, maps, 0)
    bright_sum = bright.sum(-1)
    most = maps == maps.max(-1, keepdims=True)
    both = np.minimum(normal, coverage[:, None]).sum(-1)
    either = np.maximum(normal, coverage[:, None]).sum(-1)
    # Mann-Whitney count with patches partly in the region: ties, and a patch with itself, count one half
    ranks = rankdata(maps, axis=-1) - 0.5
    inside, outside = covered[:, None], patches - covered[:, None]
    scores = {
        "enrichment": coverage @ maps.T / share,
        "auroc": (coverage @ ranks.T - inside**2 / 2) / np.where(inside > 0, inside * outside, np.nan),
        "average_precision": _average_precision(maps, coverage),
        "pointing": holds @ (most / most.sum(-1, keepdims=True)).T,
        "soft_iou": np.divide(both, either, out=np.zeros_like(both), where=either > 0),
        "bright_share": np.divide(holds @ bright.T, bright_sum, out=np.zeros_like(both), where=bright_sum > 0),
    }
    return {name: np.where(np.isnan(share), np.nan, values) for name, values in scores.items()}


def _average_precision(maps: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    """Return (features, maps); patches with equal attention are taken in both orders and averaged."""
    covered = coverage.sum(-1)[:, None]
    results = []
    for direction in (1, -1):
        order = np.argsort(-maps[:, ::direction], axis=-1, kind="stable")
        sorted_coverage = coverage[:, ::direction][:, order]  # (features, maps, patches)
        precision = np.cumsum(sorted_coverage, axis=-1) / np.arange(1, maps.shape[-1] + 1)
        results.append((sorted_coverage * precision).sum(-1) / np.where(covered > 0, covered, np.nan))
    return np.mean(results, axis=0)


def best_reachable(coverage: np.ndarray) -> dict[str, np.ndarray]:
    """Return the highest scores that any map could have on each feature, (features,) means over images.

    No single map has them all: enrichment, pointing and bright share are highest for one that is the most covered patch
    alone, the two of ranks for the coverage itself, and soft IoU for the coverage with its highest patch raised to one.
    """
    images, features = coverage.shape[:2]
    flat = coverage.reshape(images, features, -1)
    top = flat == flat.max(-1, keepdims=True)
    top &= np.cumsum(top, axis=-1) == 1
    candidates = np.stack([flat, top, np.where(top, 1.0, flat)], axis=2).reshape(
        images, features, 3, *coverage.shape[2:]
    )
    present = np.asarray(coverage.any((-2, -1)))[:, :, None, None, None]
    scores = score_heads(np.where(present, candidates, 1.0), coverage)  # features as layers, candidates as heads
    own = np.arange(features)
    return {name: mean_where_known(values[:, own, own].max(-1)) for name, values in scores.items()}


def by_chance(maps: np.ndarray, coverage: np.ndarray, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Return the scores (features,) that the same maps have when their patches are shuffled: means over all."""
    scores = score_heads(shuffled_patches(maps, seed=seed), coverage)
    return {name: mean_where_known(values, axis=(0, 2, 3)) for name, values in scores.items()}


def shuffled_patches(maps: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Return maps (images, layers, heads, rows, columns) with the patches of each in another order."""
    flat = maps.reshape(*maps.shape[:3], -1)
    return np.random.default_rng(seed).permuted(flat, axis=-1).reshape(maps.shape)
