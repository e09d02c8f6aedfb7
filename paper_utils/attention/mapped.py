"""Images with the attention maps of every head over them, and which region each pixel belongs to."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch

from ..data.chirps import Binning, Chirp
from ..data.dataset import sample
from ..data.regions import REGIONS, patch_coverage
from ..data.resizing import Resizing
from ..errors import CompanionError
from ..heads import head_name
from ..models.regressor import ChirpRegressor
from ..statistics import mean_where_known
from .maps import AttentionMaps, attention_maps
from .scores import attention_over_mean, feature_coverage, score_heads, shuffled_patches

__all__ = ["MappedImages", "has_head", "head_index", "map_images"]


@dataclass(frozen=True)
class MappedImages:
    """Images with their regions and the raw attention maps of every head."""

    chirps: list[Chirp]
    pixels: np.ndarray  # (images, 224, 224, 3) uint8
    regions: np.ndarray  # (images, 224, 224) uint8, an index into REGIONS
    maps: AttentionMaps  # (images, layers, heads, rows, columns) float32 each

    @property
    def patch(self) -> int:
        """Side of a patch in pixels."""
        return self.regions.shape[-1] // self.maps.patches.shape[-1]

    def coverage(self) -> np.ndarray:
        """Return the share of each patch that each feature covers, (images, features, rows, columns) in 0..1."""
        return self._coverage

    @cached_property
    def _coverage(self) -> np.ndarray:
        return np.stack([feature_coverage(regions, patch=self.patch) for regions in self.regions])

    @cached_property
    def scores(self) -> dict[str, np.ndarray]:
        """`score_heads` of the maps averaged over query patches: (images, features, layers, heads) by score."""
        return score_heads(self.maps.patches, self.coverage())

    def attention_on(self, *regions: str) -> np.ndarray:
        """Return the attention on regions over a head's mean attention, (regions, layers, heads), averaged over images.

        Args:
            regions: names of REGIONS; finer than features, which join some of them.
        """
        numbers = [REGIONS.index(name) for name in regions]
        coverage = np.stack([patch_coverage(one, patch=self.patch)[numbers] for one in self.regions])
        return mean_where_known(attention_over_mean(self.maps.patches, coverage))

    def shuffled(self, *, seed: int = 0) -> "MappedImages":
        """Return the same images with the patches of every map in another order: as uneven, but of no place."""
        patches, cls = (shuffled_patches(maps, seed=seed) for maps in (self.maps.patches, self.maps.cls))
        return replace(self, maps=replace(self.maps, patches=patches, cls=cls))

    def of_head(self, name: str, *, count: int = 5, or_last: bool = False) -> dict[str, object]:
        """Return the first images with one head's maps, as arguments by name for `plots.overlays`.

        Args:
            name: such as L6H4.
            count: of images, at most.
            or_last: take the last layer or head where the model has fewer than the name says; captions then say so.

        Raises:
            CompanionError: the model has no head of that name.
        """
        shape = self.maps.patches.shape[1:3]
        shown = name
        if or_last and not has_head(name, shape):
            layer, head = (min(number, size - 1) for number, size in zip(_numbers(name), shape, strict=True))
            shown = f"{head_name(layer, head)} for {name}"
        else:
            layer, head = head_index(name, shape)
        maps = self.maps.patches[:count, layer, head]
        captions = [f"{shown}, image\N{NO-BREAK SPACE}{number}" for number in range(1, len(maps) + 1)]
        return {"images": self.pixels[:count], "maps": maps, "captions": captions}

    def captions(self) -> list[str]:
        """Return each image's chirp in a few words."""
        return [
            f"{one.kind}, {one.start_time:.0f} s, {one.start_frequency:.0f} to {one.end_frequency:.0f} Hz"
            for one in self.chirps
        ]


def map_images(
    model: ChirpRegressor,
    seed: int,
    indices: Iterable[int],
    *,
    binning: Binning = "published",
    resizing: Resizing = "bicubic",
    variant: str = "published",
) -> MappedImages:
    """Draw images of a set and return them with the attention maps of every head.

    Args:
        model: LoRA-wrapped or merged.
        seed: of the set, see `split_seed`.
        indices: of the images in the set.
        binning: "published" or "sound", see `draw_chirp`.
        resizing: Pillow's filter, as in `draw_image`.
        variant: a counterfactual variant of the images, see `VARIANTS`.

    Raises:
        CompanionError: no index is given, no variant has that name, or the patches do not form a square grid.
    """
    patch = model.vit.config.patch_size
    options: Any = {"binning": binning, "resizing": resizing, "variant": variant, "patch": patch}
    samples = [sample(seed, index, **options) for index in indices]
    if not samples:
        raise CompanionError("no image is chosen; give the index of one image at least")
    chirps, images = zip(*samples, strict=True)
    pixels = np.stack([image.pixels for image in images])
    maps = attention_maps(model, torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous())
    return MappedImages(list(chirps), pixels, np.stack([image.regions for image in images]), maps)


def head_index(name: str, shape: tuple[int, int]) -> tuple[int, int]:
    """Return layer and head, counted from 0, of a name such as L6H4 in a model of `shape` (layers, heads).

    Raises:
        CompanionError: the name is no head's, or the model has no such head.
    """
    if not has_head(name, shape):
        raise CompanionError(
            f"no head is named {name!r}; give one from L1H1 to {head_name(shape[0] - 1, shape[1] - 1)}"
        )
    return _numbers(name)


def has_head(name: str, shape: tuple[int, int]) -> bool:
    """Return whether a model of `shape` (layers, heads) has a head of that name.

    Raises:
        CompanionError: the name is no head's of any model.
    """
    layer, head = _numbers(name)
    return layer < shape[0] and head < shape[1]


def _numbers(name: str) -> tuple[int, int]:
    match = re.fullmatch(r"L([1-9][0-9]{0,3})H([1-9][0-9]{0,3})", name)
    if match is None:
        raise CompanionError(f"no head is named {name!r}; names are such as L6H4, layer and head counted from 1")
    layer, head = (int(number) - 1 for number in match.groups())
    return layer, head
