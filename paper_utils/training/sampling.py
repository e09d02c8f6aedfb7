"""How faint a chirp is, and training images among which hard ones are oftener and count less by as much.

Hard are the faint ones. A tenth of the chirps makes most of the loss (notebook 2), so most of an evenly drawn batch
says little of where to go. This is importance sampling (Katharopoulos and Fleuret, 2018, arXiv 1803.00942): the expected
loss stays that of the published distribution; only the noise of its gradient is less.

Hardest, however clear, are chirps that stay along the upper edge, one in seventy: they share their patches with white
paper and the title, and fine-tuning on them as often as they are drawn leaves them unseen. They are made a seventh
of the images, and count more than published by `EMPHASIS`: the one way in which what the model is asked for is not
the published expected loss.

Choosing passes over many images, so that their indices, which titles tell, are higher than those of held-out ones:
training images get titles with numbers of their own.
"""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from ..data.chirps import MAX_FREQUENCY, Binning, Chirp, draw_chirp, signal_to_noise

__all__ = ["EMPHASIS", "importance_sample", "is_along_upper_edge", "sampling_probability", "title_numbers"]

FAINT = 11.0  # standard deviations; chirps up to here are kept alike
LEAST_CHANCE = 0.2  # of the clearest chirps, as a share of the faint ones'
STRIP = 3.0  # hertz; chirps that stay in so narrow a strip along the upper edge are all kept
OTHERS = 0.3  # chance that a faint chirp which does not is kept
EMPHASIS = 4.0  # times that chirps in the strip count for more than they would in evenly drawn images


def is_along_upper_edge(chirp: Chirp) -> bool:
    """Say whether a chirp stays in the strip along the upper edge."""
    return min(chirp.start_frequency, chirp.end_frequency) >= MAX_FREQUENCY - STRIP


def sampling_probability(chirp: Chirp) -> float:
    """Return the chance that a drawn chirp is kept for training; it falls as the model's error does, about."""
    if is_along_upper_edge(chirp):
        return 1.0
    return OTHERS * float(np.clip((FAINT / signal_to_noise(chirp)) ** 3, LEAST_CHANCE, 1))


def importance_sample(
    seed: int, epoch: int, count: int, *, binning: Binning = "published"
) -> tuple[np.ndarray, np.ndarray]:
    """Return indices (count,) of images of a set, and the weights (count,) of their losses, one on average.

    Each epoch takes them from a stretch of the set of its own.
    """
    kept = itertools.islice(_kept(seed, epoch * round(2 * count / (OTHERS * LEAST_CHANCE)), binning), count)
    indices, weights = map(np.array, zip(*kept, strict=True))
    return indices, weights / weights.mean()


def title_numbers(seed: int, indices: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return a number for the title of each training image, of one to five digits, each as often: (images,) int64.

    A title's length says where on the image its letters stand. The indices of training images grow to
    six digits, which no held-out image's title has, and a model that saw such titles alone misreads chirps beneath
    shorter ones.
    """
    digits = [np.random.default_rng([seed, int(index), 2]).uniform(0, 5) for index in indices]
    return np.power(10, digits).astype(np.int64)


def _kept(seed: int, first: int, binning: Binning) -> Iterator[tuple[int, float]]:
    """Yield indices of kept images, from the first on, and how much each counts."""
    for index in itertools.count(first):
        chirp = draw_chirp(seed, index, binning=binning)[0]
        chance = sampling_probability(chirp)
        if np.random.default_rng([seed, index, 1]).random() < chance:
            yield index, (EMPHASIS if is_along_upper_edge(chirp) else 1) / chance
