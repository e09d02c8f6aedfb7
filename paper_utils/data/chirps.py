"""Chirps and their spectrograms: parameters, labels and arrays, before they become images.

Distributions and line profile are those of the published generator (chirp-spectrogram-generator 0.1.6). Seed and
index determine a chirp and its noise, on every machine.

Two binnings say how times (s) and frequencies (Hz) become the 128 x 128 bins of a spectrogram:

- "published" reproduces the generator with its known edge cases. Times and frequencies are truncated to whole bins,
  while labels keep the values before truncation; the drawn line stops one step short of the labelled end; and an
  exponential sweep to less than one bin (0.78 Hz) falls to the bottom row after its first bin.
- "sound" removes these: start time and both frequencies are rounded down to whole bins before they become labels, the
  last bin is drawn at the labelled end, and exponential sweeps start and end at bin 1 or above. All else, the noise
  included, is the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from scipy.ndimage import gaussian_filter

from ..errors import CompanionError

__all__ = [
    "BINS",
    "DURATION",
    "MAX_FREQUENCY",
    "TARGETS",
    "UNITS",
    "Binning",
    "Chirp",
    "Kind",
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
UNITS = dict(zip(TARGETS, ("s", "Hz", "Hz"), strict=True))

Kind = Literal["linear", "exponential"]
Binning = Literal["published", "sound"]  # see the module's docstring


@dataclass(frozen=True)
class Chirp:
    """The parameters of one chirp; times in seconds, frequencies in hertz."""

    start_time: float
    start_frequency: float
    end_frequency: float
    duration: float
    kind: Kind
    noise_level: float
    binning: Binning = "published"  # how the line is drawn, see `trajectory`


@dataclass(frozen=True)
class LabelScale:
    """Mean and standard deviation of each target over a training set, (3,) each."""

    mean: np.ndarray
    std: np.ndarray


def draw_chirp(seed: int, index: int, *, binning: Binning = "published") -> tuple[Chirp, np.random.Generator]:
    """Return chirp `index` of the set `seed`, and the generator that its noise is drawn from.

    Args:
        seed: of the set.
        index: of the chirp in it, from 0.
        binning: "published", or "sound", whose labels equal what is drawn (module docstring).
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
    return (_snap_to_bins(chirp) if binning == "sound" else chirp), rng


def _snap_to_bins(chirp: Chirp) -> Chirp:
    """Return the chirp with start time and frequencies rounded down to whole bins, and "sound" binning."""
    lowest = 1 if chirp.kind == "exponential" else 0  # an exponential sweep never reaches zero

    def snap(frequency: float) -> float:
        return min(max(int(frequency * BINS / MAX_FREQUENCY), lowest), BINS - 1) * MAX_FREQUENCY / BINS

    return replace(
        chirp,
        start_time=int(chirp.start_time * BINS / DURATION) * DURATION / BINS,
        start_frequency=snap(chirp.start_frequency),
        end_frequency=snap(chirp.end_frequency),
        binning="sound",
    )


def labels(chirp: Chirp) -> np.ndarray:
    """Return the regression targets: start time in seconds, start and end frequency in hertz, (3,) float32."""
    return np.array([getattr(chirp, target) for target in TARGETS], np.float32)


def label_scale(seed: int, count: int, *, binning: Binning = "published") -> LabelScale:
    """Return mean and standard deviation of the first `count` labels of a set (section 2.2: labels are standardised)."""
    table = np.stack([labels(draw_chirp(seed, index, binning=binning)[0]) for index in range(count)])
    return LabelScale(mean=table.mean(0), std=table.std(0))


def check_chirp(chirp: Chirp, *, called: Mapping[str, str] | None = None) -> None:
    """Check the parameters of a chirp.

    Args:
        chirp: whose parameters are checked.
        called: what parameters are called where they come from, such as the columns of a table.

    Raises:
        CompanionError: a number is NaN or lies outside the image, or kind or binning is unknown.
    """
    called = called or {}
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
            raise CompanionError(
                f"{called.get(name, f'chirp {name}')} is {value}, outside {low:g} to {high:g}; give a value in that range"
            )
    choices = {"kind": get_args(Kind), "binning": get_args(Binning)}
    for name, allowed in choices.items():
        if getattr(chirp, name) not in allowed:
            raise CompanionError(
                f"{called.get(name, f'chirp {name}')} is {getattr(chirp, name)!r}; it must be "
                f"{' or '.join(map(repr, allowed))}"
            )


def trajectory(chirp: Chirp) -> tuple[np.ndarray, np.ndarray]:
    """Return the time bins of the drawn line and its frequency in bins at each.

    Both are arrays (bins,). With "published" binning the last bin is one step short of the end, and an exponential
    sweep to bin 0 falls there after its first bin; with "sound" binning the last bin is at the end.

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
    """Return the chirp's line plus noise, smoothed with sigma of one bin: (128, 128), low frequencies first.

    Args:
        chirp: its parameters.
        rng: generator of the noise, as `draw_chirp` returns it.

    Raises:
        CompanionError: a parameter is out of range.
    """
    noise = chirp.noise_level * rng.standard_normal((BINS, BINS))
    return gaussian_filter(sharp_line(chirp) + noise, 1.0)


def noise_free(chirp: Chirp) -> np.ndarray:
    """Return the smoothed line without noise, (128, 128)."""
    return gaussian_filter(sharp_line(chirp), 1.0)


def sharp_line(chirp: Chirp) -> np.ndarray:
    """Return the line before smoothing, (128, 128): five bins wide, Gaussian profile."""
    time, frequency = trajectory(chirp)
    line = np.zeros((BINS, BINS))
    for offset in range(-2, 3):
        rows = frequency.astype(int) + offset
        inside = (rows >= 0) & (rows < BINS)
        line[rows[inside], time[inside]] += np.exp(-((rows[inside] - frequency[inside]) ** 2))
    return line


def signal_to_noise(chirp: Chirp) -> float:
    """Return the output of a matched filter for the chirp, in standard deviations of the noise.

    The filter knows the chirp's line and is applied to the spectrogram before smoothing; smoothing is invertible and
    loses nothing. To identify a chirp among N, about sqrt(2 ln N) is needed (`oracle.ideal_threshold`).
    """
    return float(np.linalg.norm(sharp_line(chirp)) / chirp.noise_level)
