"""Activation patching: how much of a prediction is recovered when a clean image's activations enter a distorted one's.

CLAP (arXiv 2504.02976), by the paper's author, patches layers of a language model and measures the recovered
preference. For a regression the recovered part is that of the distance from the distorted image's prediction to the
clean one's.
"""

import numpy as np

from ..bootstrap import percentile_interval, resample_counts
from ..errors import CompanionError

__all__ = ["recovery"]

RESAMPLES = 1000


def recovery(
    patched: np.ndarray, clean: np.ndarray, distorted: np.ndarray, unit: np.ndarray, *, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the recovered part in percent and the ends of its 95 % interval (percentile bootstrap over images).

    The projection of the patched prediction's move on the move from distorted to clean, over images and targets:
    0 if the patch does nothing, 100 if it brings the clean predictions back. Images whose prediction the distortion
    hardly moves count for little.

    Args:
        patched: (..., images, 3).
        clean: (images, 3).
        distorted: (images, 3).
        unit: (3,) of the targets, in which they are compared.
        seed: of the bootstrap.

    Raises:
        CompanionError: no prediction differs between clean and distorted images.
    """
    way = (clean - distorted) / unit
    length = (way**2).sum(-1)
    if not length.any():
        raise CompanionError("clean and distorted images have the same predictions: there is nothing to recover")
    along = ((patched - distorted) / unit * way).sum(-1)
    draws = resample_counts(len(way), seed=seed, resamples=RESAMPLES)
    weighted = (draws @ length)[(..., *[None] * (along.ndim - 1))]
    sample = 100 * np.moveaxis(along @ draws.T, -1, 0) / np.where(weighted > 0, weighted, np.nan)
    low, high = percentile_interval(sample)
    return 100 * along.sum(-1) / length.sum(), low, high
