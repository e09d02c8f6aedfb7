"""Classify heads by rule: monosemantic for one feature of the image, polysemantic, or unselective.

The paper classifies heads by eye, from overlays. The rule applies the same criterion to regions that are known.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import CompanionError
from .scores import FEATURES

__all__ = ["KINDS", "Rule", "classify", "constancy", "describe", "sensitivity", "strongest"]

KINDS = ("monosemantic", "polysemantic", "unselective")


@dataclass(frozen=True)
class Rule:
    """Thresholds: when a head responds to a feature, and when to that feature alone."""

    enrichment: float = 1.5
    bright_share: float = 0.6


def classify(scores: dict[str, np.ndarray], rule: Rule = Rule()) -> tuple[np.ndarray, np.ndarray]:
    """Return the kind of every head, and the feature of every monosemantic one ("" for others), (layers, heads) each.

    A head responds to the features on which it spends `rule.enrichment` times its mean attention or more. It is
    "monosemantic" for the one with the largest share of its bright patches if that share reaches `rule.bright_share`;
    otherwise "polysemantic" if it responds to two or more; otherwise "unselective".

    Args:
        scores: means over images of "enrichment" and "bright_share", (features, layers, heads).
        rule: the thresholds.

    Raises:
        CompanionError: a feature is in none of the images.
    """
    absent = np.isnan(scores["enrichment"]).any((1, 2))
    if absent.any():
        raise CompanionError(f"no image holds {list(FEATURES)[int(absent.argmax())]!r}; give more images")
    responds = scores["enrichment"] >= rule.enrichment
    share = np.where(responds, scores["bright_share"], -1)
    best = share.argmax(0)
    mono = share.max(0) >= rule.bright_share
    kinds = np.where(mono, KINDS[0], np.where(responds.sum(0) >= 2, KINDS[1], KINDS[2]))
    return kinds, np.where(mono, np.array(list(FEATURES))[best], "")


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


def sensitivity(scores: dict[str, np.ndarray], rules: list[Rule]) -> list[dict[str, int]]:
    """Return the number of heads of each kind under each rule."""
    return [{kind: int((classify(scores, rule)[0] == kind).sum()) for kind in KINDS} for rule in rules]


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
