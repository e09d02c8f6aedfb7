"""Chirps and their spectrograms: what is drawn, before it becomes a image.

Distributions, bins and line profile are those of the published generator (chirp-spectrogram-generator 0.1.6),
its known edges included: see `spectrogram`. Index and seed fix a chirp and its noise on every machine.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.ndimage import gaussian_filter

from ..errors import CompanionError

__all__ = [
    "BINS",
    "DURATION",
    "MAX_FREQUENCY",
    "TARGETS",
    "Chirp",
    "LabelScale",
    "check_chirp",
    "draw_chirp",
    "label_scale",
    "labels",
    "noise_free",
    "sharp_line",
    "signal_to_noise",
    "spectrogram",
    "trajectory",
]

DURATION = 60.0  # seconds
MAX_FREQUENCY = 100.0  # hertz
BINS = 128  # along time and along frequency
LONGEST, SHORTEST = 15.0, 1.0  # seconds
LARGEST_SWEEP = 30.0  # hertz
NOISE_LEVELS = (0.09, 0.3)
TARGETS = ("start_time", "start_frequency", "end_frequency")


@dataclass(frozen=True)
class Chirp:
    """The parameters of one chirp; times in seconds, frequencies in hertz."""

    start_time: float
    start_frequency: float
    end_frequency: float
    duration: float
    kind: Literal["linear", "exponential"]
    noise_level: float
    binning: Literal["published", "sound"] = "published"  # how it is drawn, see `trajectory`


@dataclass(frozen=True)
class LabelScale:
    """Mean and standard deviation of each target over a training set, (3,) each."""

    mean: np.ndarray
    std: np.ndarray


def draw_chirp(seed: int, index: int, *, binning: str = "published") -> tuple[Chirp, np.random.Generator]:
    """Return chirp `index` of the set `seed`, and the generator its noise comes from.

    With "sound" edges the line reaches its end, and start and frequencies are those of whole bins, so that the labels
    are what is drawn; all else is as in the published set.
    """
    rng = np.random.default_rng([seed, index])
    start = rng.uniform(0, MAX_FREQUENCY)
    chirp = Chirp(
        start_time=rng.uniform(0, DURATION - LONGEST),
        start_frequency=start,
        end_frequency=float(np.clip(start + rng.uniform(-LARGEST_SWEEP, LARGEST_SWEEP), 0, MAX_FREQUENCY)),
        duration=rng.uniform(SHORTEST, LONGEST),
        kind="linear" if rng.random() < 0.5 else "exponential",
        noise_level=rng.uniform(*NOISE_LEVELS),
    )
    return (_sound(chirp) if binning == "sound" else chirp), rng


def _sound(chirp: Chirp) -> Chirp:
    lowest = 1 if chirp.kind == "exponential" else 0  # an exponential sweep never comes to zero

    def whole(frequency: float) -> float:
        return min(max(int(frequency * BINS / MAX_FREQUENCY), lowest), BINS - 1) * MAX_FREQUENCY / BINS

    return replace(
        chirp,
        start_time=int(chirp.start_time * BINS / DURATION) * DURATION / BINS,
        start_frequency=whole(chirp.start_frequency),
        end_frequency=whole(chirp.end_frequency),
        binning="sound",
    )


def labels(chirp: Chirp) -> np.ndarray:
    """Return the regression targets: start time in seconds, start and end frequency in hertz, (3,) float32."""
    return np.array([getattr(chirp, target) for target in TARGETS], np.float32)


def label_scale(seed: int, count: int, *, binning: str = "published") -> LabelScale:
    """Return the scale of the first `count` labels of a set (section 2.2: labels are standardised)."""
    table = np.stack([labels(draw_chirp(seed, index, binning=binning)[0]) for index in range(count)])
    return LabelScale(mean=table.mean(0), std=table.std(0))


def check_chirp(chirp: Chirp) -> None:
    """Raise CompanionError if a parameter is not a number or lies outside the image."""
    limits = {
        "start_time": (0, DURATION),
        "start_frequency": (0, MAX_FREQUENCY),
        "end_frequency": (0, MAX_FREQUENCY),
        "duration": (0, DURATION),
        "noise_level": (0, np.inf),
    }
    for name, (low, high) in limits.items():
        value = getattr(chirp, name)
        if not low <= value <= high:  # also catches NaN
            raise CompanionError(f"chirp {name} is {value}, outside {low:g} to {high:g}; give a value in that range")
    choices = {"kind": ("linear", "exponential"), "binning": ("published", "sound")}
    for name, allowed in choices.items():
        if getattr(chirp, name) not in allowed:
            raise CompanionError(
                f"chirp {name} is {getattr(chirp, name)!r}; it must be {' or '.join(map(repr, allowed))}"
            )


def trajectory(chirp: Chirp) -> tuple[np.ndarray, np.ndarray]:
    """Return the time bins of the drawn line and its frequency in bins at each.

    The published edges are kept: times and frequencies are truncated to bins, the last bin stops one step short
    of the end, and an exponential sweep to bin 0 falls there after its first bin. With "sound" ones the last bin
    is at the end.

    Raises:
        CompanionError: a parameter is out of range.
    """
    check_chirp(chirp)
    first = int(chirp.start_time * BINS / DURATION)
    count = int(chirp.duration * BINS / DURATION)
    time = np.arange(first, min(first + count, BINS))
    steps = count - 1 if chirp.binning == "sound" else count
    progress = (time - first) / max(steps, 1)
    start = int(chirp.start_frequency * BINS / MAX_FREQUENCY)
    end = int(chirp.end_frequency * BINS / MAX_FREQUENCY)
    if chirp.kind == "linear":
        frequency = start + (end - start) * progress
    else:
        frequency = max(start, 1) * (end / max(start, 1)) ** progress
    return time, np.clip(frequency, 0, BINS - 1)


def spectrogram(chirp: Chirp, rng: np.random.Generator) -> np.ndarray:
    """Draw the chirp's line, add noise, smooth with sigma of one bin: (128, 128), low frequencies first."""
    noise = chirp.noise_level * rng.standard_normal((BINS, BINS))
    return gaussian_filter(sharp_line(chirp) + noise, 1.0)


def noise_free(chirp: Chirp) -> np.ndarray:
    """Return the chirp's line alone, smoothed, (128, 128)."""
    return gaussian_filter(sharp_line(chirp), 1.0)


def sharp_line(chirp: Chirp) -> np.ndarray:
    """Return the line before smoothing, (128, 128): five bins wide, Gaussian profile."""
    time, frequency = trajectory(chirp)
    line = np.zeros((BINS, BINS))
    for offset in range(-2, 3):
        rows = frequency.astype(int) + offset
        drawn = (rows >= 0) & (rows < BINS)
        line[rows[drawn], time[drawn]] += np.exp(-((rows[drawn] - frequency[drawn]) ** 2))
    return line


def signal_to_noise(chirp: Chirp) -> float:
    """Return by how many standard deviations of the noise a matched filter lifts the chirp.

    The filter knows the chirp's line and sees the spectrogram before it is smoothed, which smoothing alone does not
    change: it can be undone. To tell a chirp from N others, some sqrt(2 ln N) is needed.
    """
    return float(np.linalg.norm(sharp_line(chirp)) / chirp.noise_level)
