"""How well the colour of a line stands out from black under the published noise: an ideal observer's d'."""

from functools import cache

import numpy as np
from scipy import optimize, stats

from .images import COLOURS

__all__ = ["contrast", "contrasts", "equal_contrast"]

NOISE = 0.2  # of NOISE_LEVELS


def contrast(colour: tuple[float, float, float], *, noise: float = NOISE) -> float:
    """Return d' of one pixel of a colour against black: both with normal noise that is cut at 0 and 255.

    Each channel has the difference of the two means over the root mean square of the two standard deviations; channels
    are independent, so that their squares add up.

    Args:
        colour: red, green, blue in 0..255.
        noise: standard deviation, of 255; above zero.
    """
    dark, dark_variance = _clipped(0.0, 255 * noise)
    found = 0.0
    for level in colour:
        mean, variance = _clipped(level, 255 * noise)
        found += (mean - dark) ** 2 / ((variance + dark_variance) / 2)
    return float(np.sqrt(found))


def contrasts(*, noise: float = NOISE) -> dict[str, float]:
    """Return d' of every published colour, least first."""
    found = {name: contrast(colour, noise=noise) for name, colour in COLOURS.items()}
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


@cache
def equal_contrast(*, noise: float = NOISE) -> dict[str, tuple[int, int, int]]:
    """Return every published colour darkened until its d' is that of the faintest one, in whole levels of 0..255.

    The hue, which is the proportion of red, green and blue, stays; d' then differs by what rounding does to it.
    """
    least = min(contrasts(noise=noise).values())
    found = {}
    for name, colour in COLOURS.items():

        def too_much(share: float, colour: tuple[int, int, int] = colour) -> float:
            red, green, blue = (share * level for level in colour)
            return contrast((red, green, blue), noise=noise) - least

        share = 1.0 if too_much(1.0) <= 0 else optimize.brentq(too_much, 0.0, 1.0)
        red, green, blue = (round(share * level) for level in colour)
        found[name] = (red, green, blue)
    return found


def _clipped(mean: float, deviation: float) -> tuple[float, float]:
    """Return mean and variance of a normal variable that is cut at 0 and 255."""
    low, high = (0 - mean) / deviation, (255 - mean) / deviation
    inside, above = stats.norm.cdf(high) - stats.norm.cdf(low), stats.norm.sf(high)
    falls = stats.norm.pdf(low) - stats.norm.pdf(high)
    first = mean * inside + deviation * falls + 255 * above
    edges = low * stats.norm.pdf(low) - high * stats.norm.pdf(high)
    second = (mean**2 + deviation**2) * inside + 2 * mean * deviation * falls + deviation**2 * edges + 255**2 * above
    return first, second - first**2
