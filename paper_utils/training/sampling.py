"""Importance sampling of training images: faint chirps are drawn more often, and their losses weigh less in proportion.

A tenth of the chirps, the faint ones, makes most of the loss (notebook 2b), so a batch of the published distribution
holds few images that determine the gradient. Importance sampling (Katharopoulos and Fleuret, 2018, arXiv 1803.00942)
leaves the expected loss that of the published distribution and reduces the variance of its gradient.

One deviation is deliberate. Chirps that stay along the plot's upper edge, one in seventy, share their patches with the
white margin and the title, and a model fine-tuned on the published distribution does not learn to predict them,
however clear they are. They become a seventh of the images, and their losses weigh `EMPHASIS` times as much as in the
published expected loss.

Sampling passes over many images, so the indices of training images exceed those of test images. Titles show the index;
`title_numbers` therefore gives training images titles of the same lengths as test images have.
"""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from ..data.chirps import MAX_FREQUENCY, Binning, Chirp, draw_chirp, signal_to_noise

__all__ = ["EMPHASIS", "importance_sample", "is_along_upper_edge", "sampling_probability", "title_numbers"]

FAINT = 11.0  # signal to noise up to which all chirps have the same probability
CLEAREST = 0.2  # probability of the clearest chirps, as a share of that of faint ones
STRIP = 3.0  # hertz below the upper edge; all chirps that stay in this strip are sampled
OTHERS = 0.3  # probability of a faint chirp elsewhere
EMPHASIS = 4.0  # weight of chirps in the strip, relative to the published distribution


def is_along_upper_edge(chirp: Chirp) -> bool:
    """Return whether a chirp stays within 3 Hz of the plot's upper edge."""
    return min(chirp.start_frequency, chirp.end_frequency) >= MAX_FREQUENCY - STRIP


def sampling_probability(chirp: Chirp) -> float:
    """Return the probability, 0.06 to 1, that a chirp of the published distribution is used for training.

    It falls with the third power of the signal to noise, about as the model's error does.
    """
    if is_along_upper_edge(chirp):
        return 1.0
    return OTHERS * float(np.clip((FAINT / signal_to_noise(chirp)) ** 3, CLEAREST, 1))


def importance_sample(
    seed: int, epoch: int, count: int, *, binning: Binning = "published"
) -> tuple[np.ndarray, np.ndarray]:
    """Return indices (count,) of images of a set, and the weights (count,) of their losses, whose mean is one.

    Args:
        seed: of the set.
        epoch: from 0; each samples from another part of the set, so that no image occurs twice.
        count: images of an epoch.
        binning: see `chirps`.
    """
    # each part is twice as long as sampling can need if all chirps had the lowest probability
    first = epoch * round(2 * count / (OTHERS * CLEAREST))
    sampled = itertools.islice(_accepted(seed, first, binning), count)
    indices, weights = map(np.array, zip(*sampled, strict=True))
    return indices, weights / weights.mean()


def title_numbers(seed: int, indices: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return a number for the title of each training image, (images,) int64: one to five digits, equally often.

    The length of a title determines where its letters are. Indices of training images grow to six digits, which the
    title of no test image has; a model that was fine-tuned on such titles alone errs on chirps below shorter ones.
    """
    digits = [np.random.default_rng([seed, int(index), 2]).uniform(0, 5) for index in indices]
    return np.power(10, digits).astype(np.int64)


def _accepted(seed: int, first: int, binning: Binning) -> Iterator[tuple[int, float]]:
    """Yield indices of sampled images, from `first` on, and the weight of each, up to a factor."""
    for index in itertools.count(first):
        chirp = draw_chirp(seed, index, binning=binning)[0]
        probability = sampling_probability(chirp)
        if np.random.default_rng([seed, index, 1]).random() < probability:
            yield index, (EMPHASIS if is_along_upper_edge(chirp) else 1) / probability
