"""How faint a chirp is, and training pictures among which hard ones are oftener and count less by as much.

Hard are the faint ones, and level ones along the upper and lower edge, which share their patches with white paper, title
or numbers. A tenth of the chirps makes most of the loss (notebook 2), so most of an evenly drawn batch says little of
where to go.
This is importance sampling (Katharopoulos and Fleuret, 2018, arXiv 1803.00942): the expected loss, and what the model is
asked for, stay those of the published distribution; only the noise of the gradient is less.
"""

import itertools
from collections.abc import Iterator

import numpy as np

from .chirps import MAX_FREQUENCY, Chirp, draw_chirp, sharp_line

__all__ = ["hard_oftener", "keeping_chance", "signal_to_noise"]

FAINT = 11.0  # standard deviations; chirps up to here are all kept
STRIP = 3.0  # hertz; chirps that stay in so narrow a strip along the upper or lower edge are all kept
LEAST_CHANCE = 0.2  # of the clearest chirps, which so count at most five times as much as the faint


def signal_to_noise(chirp: Chirp) -> float:
    """Return by how many standard deviations of the noise a matched filter lifts the chirp.

    The filter knows the chirp's line and sees the spectrogram before it is smoothed, which smoothing alone does not
    change: it can be undone. To tell a chirp from N others, some sqrt(2 ln N) is needed.
    """
    return float(np.linalg.norm(sharp_line(chirp)) / chirp.noise_level)


def keeping_chance(chirp: Chirp) -> float:
    """Return the chance that a drawn chirp is kept for training; it falls as the model's error does, about."""
    lowest, highest = sorted((chirp.start_frequency, chirp.end_frequency))
    if highest <= STRIP or lowest >= MAX_FREQUENCY - STRIP:
        return 1.0
    return float(np.clip((FAINT / signal_to_noise(chirp)) ** 3, LEAST_CHANCE, 1))


def hard_oftener(seed: int, epoch: int, count: int, *, edges: str = "published") -> tuple[np.ndarray, np.ndarray]:
    """Return indices (count,) of pictures of a set, and the weights (count,) of their losses, one on average.

    Each epoch takes them from a stretch of the set of its own.
    """
    kept = itertools.islice(_kept(seed, epoch * round(2 * count / LEAST_CHANCE), edges), count)
    indices, chances = map(np.array, zip(*kept, strict=True))
    return indices, (1 / chances) / (1 / chances).mean()


def _kept(seed: int, first: int, edges: str) -> Iterator[tuple[int, float]]:
    for index in itertools.count(first):
        chance = keeping_chance(draw_chirp(seed, index, edges=edges)[0])
        if np.random.default_rng([seed, index, 1]).random() < chance:
            yield index, chance
