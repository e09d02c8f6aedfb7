"""An oracle that reads labels back from noise-free spectrograms, the generator's known edge cases, and image groups.

The oracle knows the generator and finds the trajectory that drew a line. Its error comes from bins and edge cases
alone, and so bounds the accuracy of any model from above (oracle upper bound).
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ..errors import CompanionError
from .chirps import BINS, DURATION, LARGEST_SWEEP, LONGEST, MAX_FREQUENCY, SHORTEST, Chirp, signal_to_noise, trajectory

__all__ = ["EDGES", "as_drawn", "groups", "ideal_threshold", "on_edge", "read_back"]

NOT_REACHED = 2.0  # hertz between the labelled end and the last drawn bin that count as stopping short
NOISE_BANDS = (0.09, 0.16, 0.23, 0.3)
DURATION_BANDS = (1, 2, 4, 8, 15)
SIGNAL_BANDS = (0, 8, 12, 17, np.inf)
STEEPNESS_BANDS = (
    0,
    1,
    2,
    4,
    np.inf,
)  # bins of frequency for each bin of time; a steep chirp is drawn as separate dots, not as a line
SHARPENING = np.linalg.inv(gaussian_filter1d(np.eye(BINS), 1.0, axis=0))  # undoes the smoothing of one axis


def as_drawn(chirp: Chirp) -> np.ndarray:
    """Return start time, first and last drawn frequency, (3,) in s, Hz, Hz: no extrapolation beyond the line."""
    time, frequency = trajectory(chirp)
    return _labels_of(time[0], frequency[0], frequency[-1])


def _labels_of(first: float, start: float, end: float) -> np.ndarray:
    """Return (3,) seconds, hertz, hertz at the middle of bins; bins beyond the image become its border."""
    seconds = (first + 0.5) * DURATION / BINS
    hertz = [min((bin_ + 0.5) * MAX_FREQUENCY / BINS, MAX_FREQUENCY) for bin_ in (start, end)]
    return np.array([seconds, *hertz])


EDGES: dict[str, Callable[[Chirp], bool]] = {
    "falls to the bottom row after one bin": lambda chirp: (
        chirp.kind == "exponential" and chirp.end_frequency < MAX_FREQUENCY / BINS <= chirp.start_frequency
    ),
    "end clipped at 0 Hz": lambda chirp: chirp.end_frequency == 0,
    "end clipped at 100 Hz": lambda chirp: chirp.end_frequency == MAX_FREQUENCY,
    f"drawn line stops over {NOT_REACHED:g} Hz short of the labelled end": lambda chirp: (
        abs(as_drawn(chirp)[2] - chirp.end_frequency) > NOT_REACHED
    ),
}


def groups(chirps: Sequence[Chirp]) -> dict[str, np.ndarray]:
    """Return masks (chirps,) bool by noise level, duration, steepness, signal to noise and kind, by readable name."""
    measures = {
        "noise level": (NOISE_BANDS, "", lambda chirp: chirp.noise_level),
        "duration": (DURATION_BANDS, " s", lambda chirp: chirp.duration),
        "steepness": (STEEPNESS_BANDS, "", _steepness),
        "signal to noise": (SIGNAL_BANDS, "", signal_to_noise),
    }
    result = {}
    for name, (bands, unit, measure) in measures.items():
        values = np.array([measure(chirp) for chirp in chirps])
        for low, high in zip(bands, bands[1:], strict=False):
            band = f"{low:g} to {high:g}" if np.isfinite(high) else f"{low:g} and more"
            result[f"{name} {band}{unit}"] = (values >= low) & (values < high)
    kind = np.array([chirp.kind for chirp in chirps])
    return result | {name: kind == name for name in ("linear", "exponential")}


def ideal_threshold() -> float:
    """Return sqrt(2 ln N) for the N chirps of whole bins, the signal to noise that identifies one among them."""
    starts, lengths = int((DURATION - LONGEST) * BINS / DURATION), int((LONGEST - SHORTEST) * BINS / DURATION)
    sweeps = int(2 * LARGEST_SWEEP * BINS / MAX_FREQUENCY)
    kinds = 2
    return float(np.sqrt(2 * np.log(starts * lengths * BINS * sweeps * kinds)))


def _steepness(chirp: Chirp) -> float:
    """Return how many bins of frequency a chirp sweeps over for each bin of time, on average."""
    sweep = abs(chirp.end_frequency - chirp.start_frequency) * BINS / MAX_FREQUENCY
    return sweep / len(trajectory(chirp)[0])


def on_edge(chirps: Sequence[Chirp]) -> dict[str, np.ndarray]:
    """Return masks (chirps,) bool of the generator's known edge cases, by the names in EDGES."""
    return {name: np.array([holds(chirp) for chirp in chirps]) for name, holds in EDGES.items()}


def read_back(line: np.ndarray) -> np.ndarray:
    """Return start time, start and end frequency, (3,) in s, Hz, Hz, of the trajectory that drew a spectrogram.

    The smoothing is inverted and each column's frequency is computed from its profile. Of all end bins and both
    kinds, the trajectory nearest to these frequencies (least squares) is taken; where a chirp is so short that
    several fit equally well, the median end bin.

    Args:
        line: a noise-free spectrogram, (128, 128), as `chirps.noise_free` returns it.

    Raises:
        CompanionError: the spectrogram holds no line.
    """
    sharp = SHARPENING @ line @ SHARPENING.T
    time = np.flatnonzero(sharp.max(0) > 0.5)
    if not len(time):
        raise CompanionError("the spectrogram holds no line; give a chirp's noise-free one (chirps.noise_free)")
    frequencies = np.array([_frequency(sharp[:, column]) for column in time])
    progress = np.arange(len(time)) / len(time)
    start, ends = round(frequencies[0]), np.arange(BINS + 1)[:, None]
    linear = start + (ends - start) * progress
    exponential = max(start, 1) * (ends / max(start, 1)) ** progress
    candidates = np.clip(np.concatenate([linear, exponential]), 0, BINS - 1)
    distance = ((candidates - frequencies) ** 2).sum(1)
    nearest = np.flatnonzero(distance <= distance.min() + 1e-6) % (BINS + 1)
    return _labels_of(time[0], start, float(np.median(nearest)))


def _frequency(column: np.ndarray) -> float:
    """Return f of a column with profile exp(-(row - f) ** 2), from the ratio of the two highest neighbouring rows."""
    top = int(column.argmax())
    other = max((row for row in (top - 1, top + 1) if 0 <= row < len(column)), key=lambda row: column[row])
    low, high = sorted((top, other))
    return low + (np.log(column[high] / column[low]) + 1) / 2
