"""Counterfactual controls: does a head's attention follow an element of the image, or stay at a position?

For a fixed element the controls are the same image with that element moved, and with it removed, as little else changed
as can be; edges and corners can only be moved. The chirp lies elsewhere in every image: to move it is to take another
image of the set.
"""

from dataclasses import dataclass

import numpy as np

from ..bootstrap import percentile_interval, resample_counts
from ..errors import CompanionError
from .scores import FEATURES, attention_over_mean

__all__ = [
    "CONTROLS",
    "DRIVES",
    "MOVES",
    "OTHER_IMAGE",
    "VARIANTS_NEEDED",
    "ControlledHeads",
    "compare_with_controls",
    "compare_with_one_control",
]

OTHER_IMAGE = "another image"
CONTROLS = {  # by feature: the variants it is compared with. A move alone shows only that no place is attended to
    "chirp": (OTHER_IMAGE, "no_chirp"),
    "title": ("moved_up", "no_title"),
    "x-axis text": ("moved_up", "no_axis_labels"),
    "y-axis text": ("moved_right", "no_axis_labels"),
    "colour bar": ("colour_bar_left", "no_colour_bar"),
    "colour-bar text": ("colour_bar_left", "no_colour_bar"),
    # an image has its edges and corners also without a frame: they are where colours end
    **{f"{side} edge": ("moved_right",) for side in ("left", "right")},
    **{f"{side} edge": ("moved_up",) for side in ("top", "bottom")},
    **{name: ("moved_up",) for name in FEATURES if name.endswith("corner")},
}
MOVES = (OTHER_IMAGE, "moved_up", "moved_right", "colour_bar_left")  # the other controls remove the feature
VARIANTS_NEEDED = sorted({name for names in CONTROLS.values() for name in names} - {OTHER_IMAGE})
DRIVES = ("content-driven", "position-driven", "mixed", "not applicable")
RESAMPLES = 1000
RESPONDS = 1.5  # enrichment from which a head is judged


@dataclass(frozen=True)
class ControlledHeads:
    """One feature against one control: the verdict on every head, (layers, heads) each.

    The excess of a head is its attention on the feature's patches over its mean attention, less one. Numbers are NaN
    where a head does not respond to the feature.
    """

    drive: np.ndarray  # one of DRIVES
    follows: np.ndarray  # share of the excess at the feature's new patches; NaN where the feature was removed
    stays: np.ndarray  # share of the excess that stays at the feature's former patches
    stays_low: np.ndarray  # 95 % interval, percentile bootstrap over images
    stays_high: np.ndarray


def compare_with_controls(
    maps: dict[str, np.ndarray], coverage: dict[str, np.ndarray]
) -> dict[tuple[str, str], ControlledHeads]:
    """Compare heads with every control of every feature; the result is by feature and control.

    Args:
        maps: by variant, "published" and all of `VARIANTS_NEEDED`, (images, layers, heads, rows, columns).
        coverage: of all features, by variant, (images, features, rows, columns).
    """
    result = {}
    for index, (feature, names) in enumerate(CONTROLS.items()):
        before = maps["published"], coverage["published"][:, index]
        for name in names:
            if name == OTHER_IMAGE:
                after = tuple(np.roll(part, 1, axis=0) for part in before)
            else:
                after = maps[name], coverage[name][:, index]
            result[feature, name] = compare_with_one_control(*before, *after)
    return result


def compare_with_one_control(
    maps: np.ndarray, coverage: np.ndarray, other_maps: np.ndarray, other_coverage: np.ndarray, *, seed: int = 0
) -> ControlledHeads:
    """Compare heads with images in which one feature is elsewhere or removed.

    Only patches count that the feature covers in one image and not in the other. A head that responds to the
    feature (1.5 times its mean attention or more) is content-driven if less than half of its excess attention
    stays when the feature has gone, position-driven if more than half stays, each with its whole 95 % interval, and
    mixed if the interval holds one half. Where the feature moves within the same patches, which are too large to tell, no
    head is judged.

    Args:
        maps: raw maps of the published images, (images, layers, heads, rows, columns).
        coverage: of the feature in them, (images, rows, columns).
        other_maps: of the control images, one each.
        other_coverage: of the feature in those; all zero where it was removed.
        seed: of the bootstrap.

    Raises:
        CompanionError: shapes differ, or the feature is in no published image.
    """
    if maps.shape != other_maps.shape or coverage.shape != other_coverage.shape:
        raise CompanionError(f"maps {maps.shape} and {other_maps.shape} must be of as many images, heads and patches")
    left = np.clip(coverage - other_coverage, 0, None)  # patches that the feature has left
    entered = np.clip(other_coverage - coverage, 0, None)
    counted = left.sum((-2, -1)) > 0
    if not coverage.any():
        raise CompanionError("the feature is in no image; give more images")
    if not counted.any():
        unknown = np.full(maps.shape[1:3], np.nan)
        return ControlledHeads(np.full(maps.shape[1:3], DRIVES[3]), unknown, unknown, unknown, unknown)
    removed = not entered.any()
    before, after = _excess(maps, left), _excess(other_maps, left)
    now = np.full_like(before, np.nan) if removed else _excess(other_maps, entered)
    count = int(counted.sum())
    draws = resample_counts(count, seed=seed, resamples=RESAMPLES)
    ones = np.ones((1, count))
    responds = before[counted].mean(0) + 1 >= RESPONDS

    def share(part: np.ndarray, weights: np.ndarray) -> np.ndarray:
        over, under = (np.tensordot(weights, values[counted], 1) for values in (part, before))
        return np.where(responds, over / np.where(under > 0, under, np.nan), np.nan)

    stays = share(after, ones)[0]
    low, high = percentile_interval(share(after, draws))
    drive = np.select([~responds, high < 0.5, low > 0.5], [DRIVES[3], DRIVES[0], DRIVES[1]], DRIVES[2])
    return ControlledHeads(drive, share(now, ones)[0], stays, low, high)


def _excess(maps: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Return the enrichment on patches less one, (images, layers, heads); zero where there are none."""
    return np.nan_to_num(attention_over_mean(maps, where[:, None])[:, 0] - 1)
