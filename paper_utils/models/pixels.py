"""What values a backbone is given for an image: 0 to 1 as in the released code, or normalised as it was pre-trained.

A pre-trained ViT has seen pixels from which a mean was subtracted, divided by a standard deviation; its folder names
both in preprocessor_config.json. The released code leaves that out. To normalise here, both are folded into the weights
and bias of the patch projection when the backbone is loaded. That is exact, since the convolution pads nothing, and all
that looks into a model gives it pixels in 0..1 either way. Where every weight is trained, the folded ones are.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn
from transformers import ImageProcessingMixin

from ..errors import CompanionError
from .families import base_model, family_of
from .hub import only_cached, quietly

__all__ = [
    "PIXELS",
    "PREPROCESSOR_FILES",
    "Normalisation",
    "Pixels",
    "as_pixels",
    "fold_normalisation",
    "read_normalisation",
]

Pixels = Literal["published", "backbone"]
PIXELS: dict[Pixels, str] = {
    "published": "as published, 0 to 1",
    "backbone": "normalised as the backbone was pre-trained",
}
PREPROCESSOR_FILES = ("preprocessor_config.json", "processor_config.json")  # the second nests what the first holds
# what processors of some families do to pixels beside scaling them
UNFOLLOWED = (
    "do_color_quantize",
    "do_flip_channel_order",
    "do_grayscale",
    "do_map_pixels",
    "include_top",
    "offset",
    "rescale_offset",
)
REMEDY = "put the file there that the backbone was published with, or choose PIXELS=published"


@dataclass(frozen=True)
class Normalisation:
    """Pixels x in 0..1 become (x - mean) / std."""

    mean: tuple[float, ...]  # of red, green and blue
    std: tuple[float, ...]


def as_pixels(value: str) -> Pixels:
    """Return one of PIXELS.

    Raises:
        CompanionError: it is none.
    """
    for known in PIXELS:
        if value == known:
            return known
    raise CompanionError(f"unknown pixels {value!r}; choose {' or '.join(PIXELS)}, as in PIXELS=backbone")


def read_normalisation(name: str) -> Normalisation:
    """Return how an image is normalised by the preprocessor_config.json in a folder or of a Hugging Face name.

    Pixels of 0 to 255 are multiplied by `rescale_factor` (1/255 if left out), less `image_mean`, by `image_std`, each
    unless `do_rescale` or `do_normalize` says no. What it says of sizes is not followed: images are drawn in theirs.

    Raises:
        CompanionError: there is no such file, it cannot be read, it asks for more than scaling, or it does not give three
            means and positive deviations with which black and white are finite.
    """
    where = f"{PREPROCESSOR_FILES[0]} of {name!r}"
    if Path(name).is_dir() and not any((Path(name) / file).is_file() for file in PREPROCESSOR_FILES):
        raise CompanionError(f"there is no {PREPROCESSOR_FILES[0]} in {name}, which PIXELS=backbone needs; {REMEDY}")
    try:
        with quietly():
            config, _ = ImageProcessingMixin.get_image_processor_dict(name, local_files_only=only_cached(name))
    except Exception as error:  # transformers and the hub raise errors of their own
        reason = str(error).strip().splitlines()[0].split(". ")[0].rstrip(".")
        raise CompanionError(f"cannot read {where}: {reason}; {REMEDY}") from error
    if not isinstance(config, dict):
        raise CompanionError(f"{where} holds a {type(config).__name__}, no settings; {REMEDY}")
    return _normalisation(config, where)


def _normalisation(config: Mapping[str, Any], where: str) -> Normalisation:
    if unfollowed := [name for name in UNFOLLOWED if config.get(name)]:
        raise CompanionError(f"{where} has {unfollowed[0]}, which is not followed here; {REMEDY}")
    factor = config.get("rescale_factor", 1 / 255) if config.get("do_rescale", True) else 1.0
    if not _is_number(factor) or factor <= 0:
        raise CompanionError(f"{where} has rescale_factor {factor!r}, which is no positive number; {REMEDY}")
    white = 255.0 * factor
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    if config.get("do_normalize", True):
        mean, std = (_per_channel(config, key, where) for key in ("image_mean", "image_std"))
        if min(std) <= 0:
            raise CompanionError(f"{where} has image_std {list(std)}, by which nothing can be divided; {REMEDY}")
    if not _is_finite(mean, std, white):
        raise CompanionError(
            f"{where} has rescale_factor {factor!r}, image_mean {list(mean)} and image_std {list(std)}, with which black "
            f"or white is not finite in float32; {REMEDY}"
        )
    return Normalisation(tuple(value / white for value in mean), tuple(value / white for value in std))


def _is_finite(mean: Sequence[float], std: Sequence[float], white: float) -> bool:
    """Return whether black and white, and the factors of pixels in 0..1, stay finite in float32."""
    means, deviations = (torch.tensor(each, dtype=torch.float64) / white for each in (mean, std))
    found = torch.stack([means, 1 / deviations, -means / deviations, (1 - means) / deviations])
    return bool(found.float().isfinite().all())


def _per_channel(config: Mapping[str, Any], key: str, where: str) -> tuple[float, ...]:
    """Return a setting as a number each for red, green and blue; one number stands for all three."""
    value = config.get(key)
    values = [value] * 3 if _is_number(value) else value
    if not isinstance(values, list) or len(values) != 3 or not all(map(_is_number, values)):
        raise CompanionError(f"{where} has {key} {value!r}, not a number each for red, green and blue; {REMEDY}")
    return tuple(map(float, values))


def _is_number(value: object) -> bool:
    # compared, since an int may be too large for a float
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


@torch.no_grad()
def fold_normalisation(vit: nn.Module, normalisation: Normalisation) -> None:
    """Fold a normalisation into the patch projection, in place: pixels in 0..1 then do what normalised ones did."""
    projection: Any = base_model(vit).get_submodule(family_of(vit).patches)
    mean, std = (
        torch.tensor(each, dtype=torch.float64)[:, None, None] for each in (normalisation.mean, normalisation.std)
    )
    weight = projection.weight.double() / std  # in float64, so that the weights are rounded once
    shift = (weight * mean).sum((1, 2, 3))
    projection.weight.copy_(weight)
    if projection.bias is None:  # CLIP's has none
        projection.bias = nn.Parameter(torch.zeros_like(projection.weight[:, 0, 0, 0]))
    projection.bias.copy_(projection.bias.double() - shift)
