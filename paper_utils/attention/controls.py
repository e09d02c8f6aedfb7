"""Does a head see a thing, or merely the place where it always is? Its attention when the thing moves or goes.

For a fixed element the counterfactual image tells: the element is moved or removed, all else stays. For the chirp,
which is elsewhere in every image, another image of the set does.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import CompanionError
from .scores import FEATURES

__all__ = ["DRIVES", "CONTROLS", "VARIANTS_NEEDED", "Driven", "compare_with_controls", "driven_by"]

OTHER = "another image"
CONTROLS = {  # by feature: what it is confronted with
    "chirp": (OTHER,),
    "title": ("moved_up", "no_title"),
    "x-axis text": ("moved_up",),
    "y-axis text": ("moved_right",),
    "colour bar": ("colour_bar_left", "no_colour_bar"),
    "colour-bar text": ("colour_bar_left", "no_colour_bar"),
    **{f"{side} edge": ("moved_right",) for side in ("left", "right")},
    **{f"{side} edge": ("moved_up",) for side in ("top", "bottom")},
    **{name: ("moved_up",) for name in FEATURES if name.endswith("corner")},
}
VARIANTS_NEEDED = sorted({name for names in CONTROLS.values() for name in names} - {OTHER})
DRIVES = ("content", "place", "mixed", "not applicable")
RESAMPLES = 1000
RESPONDS = 1.5  # enrichment from which the question makes sense


@dataclass(frozen=True)
class Driven:
    """What one confrontation says of every head, (layers, heads) each; NaN where a head does not respond."""

    drive: np.ndarray  # one of DRIVES
    follows: np.ndarray  # of the excess of attention, the part found where the element now is; NaN if it was removed
    stays: np.ndarray  # the part that stays where the element was
    stays_low: np.ndarray  # 95 % interval, bootstrap over images
    stays_high: np.ndarray


def compare_with_controls(
    maps: dict[str, np.ndarray], coverage: dict[str, np.ndarray]
) -> dict[tuple[str, str], Driven]:
    """Confront heads with every null of every feature; the result is by feature and what it was confronted with.

    Args:
        maps: by variant, "published" and all of `VARIANTS_NEEDED`, (images, layers, heads, rows, columns).
        coverage: of all features, by variant, (images, features, rows, columns).
    """
    result = {}
    for number, (feature, names) in enumerate(CONTROLS.items()):
        before = maps["published"], coverage["published"][:, number]
        for name in names:
            if name == OTHER:
                after = tuple(np.roll(part, 1, axis=0) for part in before)
            else:
                after = maps[name], coverage[name][:, number]
            result[feature, name] = driven_by(*before, *after)
    return result


def driven_by(
    maps: np.ndarray, coverage: np.ndarray, other_maps: np.ndarray, other_coverage: np.ndarray, *, seed: int = 0
) -> Driven:
    """Confront heads with images in which one feature is elsewhere or gone.

    Only patches count that the feature covers in one image and not in the other. A head that responds to the
    feature (1.5 times its mean attention or more) is driven by content if less than half of its excess attention
    stays when the feature has gone, by place if more than half stays, each with its whole 95 % interval, and by both
    ("mixed") if the interval holds one half.

    Args:
        maps: raw maps of the published images, (images, layers, heads, rows, columns).
        coverage: of the feature in them, (images, rows, columns).
        other_maps: of the other images, one each.
        other_coverage: of the feature in those; all zero where it was removed.
        seed: of the bootstrap.

    Raises:
        CompanionError: shapes differ, or the feature is in no published image or nowhere else than before.
    """
    if maps.shape != other_maps.shape or coverage.shape != other_coverage.shape:
        raise CompanionError(f"maps {maps.shape} and {other_maps.shape} must be of as many images, heads and patches")
    left = np.clip(coverage - other_coverage, 0, None)  # patches that the feature has left
    entered = np.clip(other_coverage - coverage, 0, None)
    counted = left.sum((-2, -1)) > 0
    if not counted.any():
        raise CompanionError("the feature is in no image, or nowhere else than in the other images")
    removed = not entered.any()
    before, after = _excess(maps, left), _excess(other_maps, left)
    now = np.full_like(before, np.nan) if removed else _excess(other_maps, entered)
    rng = np.random.default_rng(seed)
    times = rng.multinomial(counted.sum(), np.full(counted.sum(), 1 / counted.sum()), RESAMPLES)
    ones = np.ones((1, int(counted.sum())))
    responds = before[counted].mean(0) + 1 >= RESPONDS

    def share(part: np.ndarray, weights: np.ndarray) -> np.ndarray:
        over, under = (np.tensordot(weights, values[counted], 1) for values in (part, before))
        return np.where(responds, over / np.where(under > 0, under, np.nan), np.nan)

    stays = share(after, ones)[0]
    sample = share(after, times)
    sample[:, ~responds] = 0
    low, high = (np.where(responds, ends, np.nan) for ends in np.nanpercentile(sample, [2.5, 97.5], axis=0))
    drive = np.select([~responds, high < 0.5, low > 0.5], [DRIVES[3], DRIVES[0], DRIVES[1]], DRIVES[2])
    return Driven(drive, share(now, ones)[0], stays, low, high)


def _excess(maps: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Return the enrichment on patches less one, (images, layers, heads); zero where there are none."""
    mean = maps.mean((-2, -1))
    total = where.sum((-2, -1))
    on = np.einsum("nlhij,nij->nlh", maps, where) / np.where(total > 0, total, 1)[:, None, None]
    return np.where((total > 0)[:, None, None], on / mean - 1, 0.0)
