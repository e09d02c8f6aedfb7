"""What a head's attention map shows: scores against the regions of the picture, and a rule to name a head.

The paper names heads by looking at overlays. The rule here looks the same way, but at known regions: a head's
bright patches are those where its min-max normalised map exceeds one half; a feature's patches are those of which
it covers a twentieth or more.
"""

from dataclasses import dataclass

import numpy as np

from .attention import min_max
from .errors import CompanionError
from .regions import CORNERS, REGIONS, patch_coverage

__all__ = ["FEATURES", "HeadScores", "Rule", "classify", "feature_patches", "score_heads", "strongest"]

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
HOLDS = 0.05  # share of a patch from which it holds a feature
BRIGHT = 0.5  # of the min-max normalised map


@dataclass(frozen=True)
class HeadScores:
    """Means over pictures, (features, layers, heads), in the order of FEATURES."""

    enrichment: np.ndarray  # attention on the feature's patches over attention on average: 1 is no preference
    bright_share: np.ndarray  # share of the bright patches' attention that falls on the feature's patches


@dataclass(frozen=True)
class Rule:
    """When a head is said to respond to a feature, and when to that alone."""

    enrichment: float = 1.5
    bright_share: float = 0.6


def feature_patches(regions: np.ndarray) -> np.ndarray:
    """Return which patches hold each feature, (features, rows, columns) bool."""
    coverage = patch_coverage(regions)
    index = {name: number for number, name in enumerate(REGIONS)}
    return np.stack([coverage[[index[part] for part in parts]].sum(0) >= HOLDS for parts in FEATURES.values()])


def score_heads(maps: np.ndarray, patches: np.ndarray) -> HeadScores:
    """Score raw maps (pictures, layers, heads, rows, columns) on patches (pictures, features, rows, columns).

    A picture without a feature (a chirp may be too thin to hold) does not count for that feature.

    Raises:
        CompanionError: the grids differ, or a feature is in none of the pictures.
    """
    if maps.shape[-2:] != patches.shape[-2:] or len(maps) != len(patches):
        raise CompanionError(f"maps {maps.shape} and patches {patches.shape} are not of the same pictures and grid")
    held = patches.sum((-2, -1))
    if not held.any(0).all():
        raise CompanionError(f"no picture holds {list(FEATURES)[int((~held.any(0)).argmax())]!r}; give more pictures")
    normal = min_max(maps)
    bright = np.where(normal > BRIGHT, maps, 0)
    mean = maps.mean((-2, -1), keepdims=True)
    weights = np.where(held > 0, 1 / np.maximum(held, 1), np.nan)
    on_feature = np.einsum("nlhij,nfij->nflh", maps / mean, patches) * weights[..., None, None]
    bright_on = np.einsum("nlhij,nfij->nflh", bright, patches) / bright.sum((-2, -1))[:, None]
    bright_on = np.where(np.isnan(weights)[..., None, None], np.nan, bright_on)
    return HeadScores(np.nanmean(on_feature, axis=0), np.nanmean(bright_on, axis=0))


def classify(scores: HeadScores, rule: Rule = Rule()) -> tuple[np.ndarray, np.ndarray]:
    """Name every head: (layers, heads) of kinds and of features.

    A head responds to the features on whose patches it spends `rule.enrichment` times its mean attention or more.
    It is "monosemantic" for the one with the largest share of its bright patches if that share reaches
    `rule.bright_share`; otherwise "polysemantic" if it responds to two or more; otherwise "unselective".
    """
    responds = scores.enrichment >= rule.enrichment
    share = np.where(responds, scores.bright_share, -1)
    best = share.argmax(0)
    mono = share.max(0) >= rule.bright_share
    kinds = np.where(mono, "monosemantic", np.where(responds.sum(0) >= 2, "polysemantic", "unselective"))
    return kinds, np.where(mono, np.array(list(FEATURES))[best], "")


def strongest(score: np.ndarray, wanted: np.ndarray, *, count: int) -> list[tuple[int, int]]:
    """Return layer and head of the wanted heads by falling score, at most `count`; the best others if none is wanted."""
    ranked = np.argsort(np.where(wanted, score, -np.inf) if wanted.any() else score, axis=None)[::-1]
    places = [np.unravel_index(place, score.shape) for place in ranked[: min(count, wanted.sum() or 5)]]
    return [(int(layer), int(head)) for layer, head in places]
