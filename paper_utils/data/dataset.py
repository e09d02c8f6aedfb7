"""From an index to a image and its labels: a data set is a seed, drawn on the fly in worker processes."""

import hashlib
from collections.abc import Sequence
from functools import cache

import numpy as np

from .chirps import Chirp, draw_chirp, labels, spectrogram
from .counterfactuals import draw_variant
from .render import MODEL_SIZE, DrawnImage, draw_image, title_of

__all__ = ["SPLITS", "ChirpSet", "images_key", "sample", "split_seed"]

SPLITS = {"train": 0, "validation": 1, "test": 2}  # each split is a set of its own: no image is in two
SPLIT_STRIDE = 1000


def split_seed(seed: int, split: str, *, repeat: int = 0) -> int:
    """Return the seed of one split of the data set `seed`; each repeat has a split of its own."""
    return seed * SPLIT_STRIDE + repeat * len(SPLITS) + SPLITS[split]


def sample(
    seed: int,
    index: int,
    *,
    size: tuple[int, int] = MODEL_SIZE,
    with_regions: bool = True,
    binning: str = "published",
    variant: str = "published",
    number: int | None = None,
) -> tuple[Chirp, DrawnImage]:
    """Draw image `index` of the set `seed`, or a counterfactual variant of it, with its chirp.

    It is the same on every machine. The title counts images from 1, unless it is to give another `number`.
    """
    chirp, rng = draw_chirp(seed, index, binning=binning)
    drawn = chirp, spectrogram(chirp, rng), title_of(index if number is None else number - 1, chirp)
    options = {"size": size, "with_regions": with_regions}
    if variant == "published":
        return chirp, draw_image(*drawn, **options)
    return chirp, draw_variant(variant, *drawn, **options)


@cache
def images_key(count: int = 32) -> str:
    """Return a hash of what is drawn: pixels and labels of the first images of a set.

    What a model learns depends on the images, not on the code that draws them, which may become faster.
    """
    digest = hashlib.sha256()
    for index in range(count):
        chirp, image = sample(0, index, with_regions=False)
        digest.update(image.pixels.tobytes())
        digest.update(labels(chirp).tobytes())
    return digest.hexdigest()


class ChirpSet:
    """Images (3, 224, 224) uint8 and raw labels (3,) float32 (seconds, hertz, hertz) of chosen indices.

    Titles count from 1, or give the `numbers` of the images, one for each index.
    """

    def __init__(
        self,
        seed: int,
        indices: Sequence[int],
        *,
        binning: str = "published",
        variant: str = "published",
        numbers: Sequence[int] | None = None,
    ):
        self.seed, self.indices, self.numbers = seed, indices, numbers
        self.how = {"with_regions": False, "binning": binning, "variant": variant}

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, place: int) -> tuple[np.ndarray, np.ndarray]:
        number = None if self.numbers is None else int(self.numbers[place])
        chirp, image = sample(self.seed, int(self.indices[place]), number=number, **self.how)
        return np.ascontiguousarray(image.pixels.transpose(2, 0, 1)), labels(chirp)
