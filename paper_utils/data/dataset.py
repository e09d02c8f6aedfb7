"""From an index to an image and its labels: a data set is a seed, its images are drawn when they are asked for."""

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from .chirps import Binning, Chirp, draw_chirp, labels, spectrogram
from .counterfactuals import PATCH, draw_variant
from .render import MODEL_SIZE, DrawnImage, draw_image, title_of
from .resizing import Resizing

__all__ = ["SPLITS", "ChirpSet", "images_key", "sample", "split_seed"]

SPLITS = {"train": 0, "validation": 1, "test": 2}  # each split has a seed of its own: no image is in two
SPLIT_STRIDE = 1000


def split_seed(seed: int, split: str, *, repeat: int = 0) -> int:
    """Return the seed of one split ("train", "validation" or "test") of the data set `seed`.

    Each `repeat` (training seed) has splits of its own.
    """
    return seed * SPLIT_STRIDE + repeat * len(SPLITS) + SPLITS[split]


def sample(
    seed: int,
    index: int,
    *,
    size: tuple[int, int] = MODEL_SIZE,
    with_regions: bool = True,
    binning: Binning = "published",
    variant: str = "published",
    number: int | None = None,
    resizing: Resizing = "bicubic",
    patch: int = PATCH,
) -> tuple[Chirp, DrawnImage]:
    """Return chirp and image `index` of the set `seed`; the same on every machine.

    Args:
        seed: of the set, such as `split_seed` returns.
        index: of the image in it, from 0.
        size: rows and columns.
        with_regions: also return the region of each pixel.
        binning: how times and frequencies become bins, see `chirps`.
        variant: "published", or a counterfactual one (`counterfactuals.VARIANTS`).
        number: in the title; index + 1 if left out.
        resizing: Pillow's filter, as in `draw_image`.
        patch: side of the patches by which variants move things, see `draw_variant`.

    Raises:
        CompanionError: there is no such variant.
    """
    chirp, rng = draw_chirp(seed, index, binning=binning)
    intensity, title = spectrogram(chirp, rng), title_of(index if number is None else number - 1, chirp)
    options: Any = {"size": size, "with_regions": with_regions, "resizing": resizing}
    if variant == "published":
        return chirp, draw_image(chirp, intensity, title, **options)
    return chirp, draw_variant(variant, chirp, intensity, title, patch=patch, **options)


@cache
def images_key(count: int = 32) -> str:
    """Return a hash of pixels and labels of the first `count` images of set 0.

    A model depends on the images and not on the code that draws them, so results are keyed by this hash.
    """
    digest = hashlib.sha256()
    for index in range(count):
        chirp, image = sample(0, index, with_regions=False)
        digest.update(image.pixels.tobytes())
        digest.update(labels(chirp).tobytes())
    return digest.hexdigest()


class ChirpSet:
    """A data set of images (3, 224, 224) uint8 and labels (3,) float32 (seconds, hertz, hertz), numpy arrays.

    Torch's DataLoader takes it as it is, and makes tensors of the arrays.

    Args:
        seed: of the set, such as `split_seed` returns.
        indices: of the images.
        binning: how times and frequencies become bins, see `chirps`.
        variant: "published", or a counterfactual one (`counterfactuals.VARIANTS`).
        numbers: in the titles, one for each index; index + 1 if left out.
        resizing: Pillow's filter, as in `draw_image`.
        patch: side of the patches by which variants move things, see `draw_variant`.
    """

    def __init__(
        self,
        seed: int,
        indices: Sequence[int] | np.ndarray,
        *,
        binning: Binning = "published",
        variant: str = "published",
        numbers: Sequence[int] | np.ndarray | None = None,
        resizing: Resizing = "bicubic",
        patch: int = PATCH,
    ):
        self.seed, self.indices, self.numbers = seed, indices, numbers
        self.binning, self.variant, self.resizing, self.patch = binning, variant, resizing, patch

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, position: int) -> tuple[np.ndarray, np.ndarray]:
        chirp, image = sample(
            self.seed,
            int(self.indices[position]),
            with_regions=False,
            binning=self.binning,
            variant=self.variant,
            number=None if self.numbers is None else int(self.numbers[position]),
            resizing=self.resizing,
            patch=self.patch,
        )
        return np.ascontiguousarray(image.pixels.transpose(2, 0, 1)), labels(chirp)
