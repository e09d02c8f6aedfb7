"""What a head's attention map shows: scores against the regions of the picture, and a rule to name a head.

The paper names heads by looking at overlays. The rule here looks the same way, but at known regions. Half of the
patches hold more than one region, so regions are shares of patches, and no map reaches a perfect score: what is
reachable, and what chance gives, are scores as well.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from .attention import min_max
from .errors import CompanionError
from .regions import CORNERS, REGIONS, patch_coverage

__all__ = [
    "FEATURES",
    "KINDS",
    "SCORES",
    "Rule",
    "best_reachable",
    "by_chance",
    "classify",
    "constancy",
    "describe",
    "feature_coverage",
    "score_heads",
    "sensitivity",
    "strongest",
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
KINDS = ("monosemantic", "polysemantic", "unselective")
HOLDS = 0.05  # share of a patch from which it holds a feature
BRIGHT = 0.5  # of the min-max normalised map


@dataclass(frozen=True)
class Rule:
    """When a head is said to respond to a feature, and when to that alone."""

    enrichment: float = 1.5
    bright_share: float = 0.6


def feature_coverage(regions: np.ndarray) -> np.ndarray:
    """Return the share of each patch that each feature covers, (features, rows, columns) in 0..1."""
    coverage = patch_coverage(regions)
    index = {name: number for number, name in enumerate(REGIONS)}
    return np.stack([coverage[[index[part] for part in parts]].sum(0) for parts in FEATURES.values()])


def score_heads(maps: np.ndarray, coverage: np.ndarray) -> dict[str, np.ndarray]:
    """Score raw maps on features, picture by picture: each of SCORES as (pictures, features, layers, heads).

    A picture without a feature (a chirp may be too thin to hold) has NaN there: the score does not apply.

    Args:
        maps: (pictures, layers, heads, rows, columns).
        coverage: (pictures, features, rows, columns) in 0..1.

    Raises:
        CompanionError: the grids differ, or a map holds no attention or something that is not a number.
    """
    if maps.shape[-2:] != coverage.shape[-2:] or len(maps) != len(coverage):
        raise CompanionError(f"maps {maps.shape} and coverage {coverage.shape} are not of the same pictures and grid")
    total = maps.sum((-2, -1))
    if not (np.isfinite(total) & (total > 0)).all():
        raise CompanionError("a head's map holds no attention, or something that is not a number")
    layers, heads = maps.shape[1:3]
    rows = [
        _score_picture(heads_of_one.reshape(layers * heads, -1), features.reshape(len(features), -1))
        for heads_of_one, features in zip(maps.astype(float), coverage.astype(float), strict=True)
    ]
    return {name: np.stack([row[name] for row in rows]).reshape(len(maps), -1, layers, heads) for name in SCORES}


def _score_picture(maps: np.ndarray, coverage: np.ndarray) -> dict[str, np.ndarray]:
    """Return each score as (features, maps) of maps (maps, patches) and coverage (features, patches)."""
    patches, covered = maps.shape[-1], coverage.sum(-1)
    holds = coverage >= HOLDS
    share = np.where(holds.any(-1), covered / patches, np.nan)[:, None]
    maps = maps / maps.sum(-1, keepdims=True)
    normal = min_max(maps[:, None])[:, 0]
    bright = np.where(normal > BRIGHT, maps, 0)
    bright_sum = bright.sum(-1)
    most = maps == maps.max(-1, keepdims=True)
    both = np.minimum(normal, coverage[:, None]).sum(-1)
    either = np.maximum(normal, coverage[:, None]).sum(-1)
    # Mann and Whitney's count with patches partly in the region: equal ones, and a patch with itself, count one half
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
    """Return the scores of a head that attends to each feature exactly, (features,) means over pictures."""
    own = coverage[:, :, None]  # one "head" a feature
    present = own.sum((-2, -1), keepdims=True) > 0
    scores = score_heads(np.where(present, own, 1.0), coverage)
    features = np.arange(coverage.shape[1])
    return {name: np.nanmean(values[:, features, features, 0], axis=0) for name, values in scores.items()}


def by_chance(maps: np.ndarray, coverage: np.ndarray, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Return the scores (features,) that the same maps have when their patches are shuffled: means over all."""
    shuffled = np.random.default_rng(seed).permuted(maps.reshape(*maps.shape[:3], -1), axis=-1)
    scores = score_heads(shuffled.reshape(maps.shape), coverage)
    return {name: np.nanmean(values, axis=(0, 2, 3)) for name, values in scores.items()}


def classify(scores: dict[str, np.ndarray], rule: Rule = Rule()) -> tuple[np.ndarray, np.ndarray]:
    """Name every head: (layers, heads) of kinds and of features.

    A head responds to the features on which it spends `rule.enrichment` times its mean attention or more. It is
    "monosemantic" for the one with the largest share of its bright patches if that share reaches `rule.bright_share`;
    otherwise "polysemantic" if it responds to two or more; otherwise "unselective".

    Args:
        scores: means over pictures of "enrichment" and "bright_share", (features, layers, heads).
        rule: the thresholds.

    Raises:
        CompanionError: a feature is in none of the pictures.
    """
    absent = np.isnan(scores["enrichment"]).any((1, 2))
    if absent.any():
        raise CompanionError(f"no picture holds {list(FEATURES)[int(absent.argmax())]!r}; give more pictures")
    responds = scores["enrichment"] >= rule.enrichment
    share = np.where(responds, scores["bright_share"], -1)
    best = share.argmax(0)
    mono = share.max(0) >= rule.bright_share
    kinds = np.where(mono, KINDS[0], np.where(responds.sum(0) >= 2, KINDS[1], KINDS[2]))
    return kinds, np.where(mono, np.array(list(FEATURES))[best], "")


def describe(scores: dict[str, np.ndarray], kinds: np.ndarray, features: np.ndarray, place: tuple[int, int]) -> str:
    """Return what a head is in a few words, from its scores: for a caption."""
    layer, head = place
    if features[place]:
        share = scores["bright_share"][list(FEATURES).index(features[place]), layer, head]
        return f"{features[place]} {100 * share:.0f} %"
    enrichment = scores["enrichment"][:, layer, head]
    first = np.argsort(enrichment)[::-1][:2]
    seen = ", ".join(f"{list(FEATURES)[feature]} {enrichment[feature]:.1f}x" for feature in first)
    return f"{kinds[place]}: {seen}" if kinds[place] == KINDS[1] else f"{kinds[place]}, most {seen.split(',')[0]}"


def sensitivity(scores: dict[str, np.ndarray], rules: list[Rule]) -> list[dict[str, int]]:
    """Return how many heads of each kind each rule names."""
    return [{kind: int((classify(scores, rule)[0] == kind).sum()) for kind in KINDS} for rule in rules]


def constancy(maps: np.ndarray) -> np.ndarray:
    """Return how alike a head's maps of different pictures are, (layers, heads): the mean correlation between two.

    Near one, a head looks at the same places whatever the picture shows (a habit of place, or a sink).
    """
    flat = maps.reshape(*maps.shape[:3], -1).astype(float)
    flat = flat - flat.mean(-1, keepdims=True)
    length = np.linalg.norm(flat, axis=-1, keepdims=True)
    flat = np.divide(flat, length, out=np.zeros_like(flat), where=length > 0)
    count = len(maps)
    return ((flat.sum(0) ** 2).sum(-1) - (flat**2).sum((0, -1))) / (count * (count - 1))


def strongest(score: np.ndarray, wanted: np.ndarray, *, count: int) -> list[tuple[int, int]]:
    """Return layer and head of the wanted heads by falling score, at most `count`; the best others if none is wanted."""
    ranked = np.argsort(np.where(wanted, score, -np.inf) if wanted.any() else score, axis=None)[::-1]
    places = [np.unravel_index(place, score.shape) for place in ranked[: min(count, wanted.sum() or 5)]]
    return [(int(layer), int(head)) for layer, head in places]
