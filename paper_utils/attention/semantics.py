"""Classify heads by rule: monosemantic for one feature of the image, polysemantic, or unselective.

The paper classifies heads by eye, from overlays. The rule applies the same criterion to regions that are known.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import CompanionError
from ..statistics import mean_where_known
from .scores import FEATURES, attention_over_mean, held

__all__ = ["KINDS", "Rule", "classify", "constancy", "describe", "respond_to_another", "strongest"]

KINDS = ("monosemantic", "polysemantic", "unselective")


@dataclass(frozen=True)
class Rule:
    """Thresholds: when a head responds to a feature, and when to that feature alone."""

    enrichment: float = 1.5
    bright_share: float = 0.6


def classify(
    scores: dict[str, np.ndarray], rule: Rule = Rule(), *, chosen_by: dict[str, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the kind of every head, and the feature of every monosemantic one ("" for others), (layers, heads) each.

    A head responds to the features on which it spends `rule.enrichment` times its mean attention or more. Of those the
    one with the largest share of its bright patches is its own. It is "monosemantic" for that one if it responds to it
    and the share reaches `rule.bright_share`; otherwise "polysemantic" if it responds to two or more; otherwise
    "unselective".

    Args:
        scores: means over images of "enrichment" and "bright_share", (features, layers, heads).
        rule: the thresholds.
        chosen_by: scores over other images, by which each head's own feature is chosen: a feature that is chosen and
            scored on the same images passes the thresholds too easily. The same images if left out.

    Raises:
        CompanionError: a feature is in none of the images.
    """
    choosing = scores if chosen_by is None else chosen_by
    for known in (scores, choosing):
        absent = np.isnan(known["enrichment"]).any((1, 2))
        if absent.any():
            raise CompanionError(f"no image holds {list(FEATURES)[int(absent.argmax())]!r}; give more images")
    own = np.where(choosing["enrichment"] >= rule.enrichment, choosing["bright_share"], -1).argmax(0)[None]
    responds = scores["enrichment"] >= rule.enrichment
    share = np.where(responds, scores["bright_share"], -1)
    mono = np.take_along_axis(share, own, 0)[0] >= rule.bright_share
    kinds = np.where(mono, KINDS[0], np.where(responds.sum(0) >= 2, KINDS[1], KINDS[2]))
    return kinds, np.where(mono, np.array(list(FEATURES))[own[0]], "")


def respond_to_another(maps: np.ndarray, coverage: np.ndarray, features: np.ndarray, rule: Rule = Rule()) -> np.ndarray:
    """Return which heads respond to another feature than their own too, (layers, heads) bool; false for others.

    Half of the patches hold several features. Only patches that do not hold the head's own feature count here, so that
    what lies beside it is not taken for another thing that the head attends to.

    Args:
        maps: raw maps, (images, layers, heads, rows, columns).
        coverage: (images, features, rows, columns) in 0..1.
        features: the feature of each monosemantic head, "" for others, (layers, heads).
        rule: whose enrichment is asked for.
    """
    found = np.zeros(features.shape, bool)
    for number, name in enumerate(FEATURES):
        those = np.asarray(features == name)
        if not those.any():
            continue
        apart = np.where(held(coverage[:, number, None]), 0, coverage)
        apart[:, number] = 0
        apart[~held(apart).any((-2, -1))] = 0  # so little of it is as good as none
        enrichment = mean_where_known(attention_over_mean(maps[:, None, those], apart))[:, 0]
        found[those] = (enrichment >= rule.enrichment).any(0)
    return found


def describe(scores: dict[str, np.ndarray], kinds: np.ndarray, features: np.ndarray, index: tuple[int, int]) -> str:
    """Return a head's kind and strongest features in a few words, for a caption; `index` is (layer, head) from 0."""
    layer, head = index
    if features[index]:
        share = scores["bright_share"][list(FEATURES).index(features[index]), layer, head]
        return f"{features[index]} {100 * share:.0f} %"
    enrichment = scores["enrichment"][:, layer, head]
    first = np.argsort(enrichment)[::-1][:2]
    seen = ", ".join(f"{list(FEATURES)[feature]} {enrichment[feature]:.1f}x" for feature in first)
    return f"{kinds[index]}: {seen}" if kinds[index] == KINDS[1] else f"{kinds[index]}, most {seen.split(',')[0]}"


def constancy(maps: np.ndarray) -> np.ndarray:
    """Return the mean correlation between a head's maps of two images, (layers, heads).

    Near one, a head attends to the same patches whatever the image shows.
    """
    flat = maps.reshape(*maps.shape[:3], -1).astype(float)
    flat = flat - flat.mean(-1, keepdims=True)
    length = np.linalg.norm(flat, axis=-1, keepdims=True)
    flat = np.divide(flat, length, out=np.zeros_like(flat), where=length > 0)
    count = len(maps)
    return ((flat.sum(0) ** 2).sum(-1) - (flat**2).sum((0, -1))) / (count * (count - 1))


def strongest(score: np.ndarray, wanted: np.ndarray, *, count: int) -> list[tuple[int, int]]:
    """Return layer and head of the wanted heads by falling score, at most `count`; five others if none is wanted."""
    ranked = np.argsort(np.where(wanted, score, -np.inf) if wanted.any() else score, axis=None)[::-1]
    indices = [np.unravel_index(index, score.shape) for index in ranked[: min(count, wanted.sum() or 5)]]
    return [(int(layer), int(head)) for layer, head in indices]
