"""Models and images as users give them, checked in one place for every function that takes both."""

import reprlib
from collections.abc import Sequence
from typing import Any

import torch

from ..errors import CompanionError
from ..heads import is_whole
from .adapted import AdaptedModel, check_weights
from .families import family_of
from .regressor import ChirpRegressor

__all__ = ["checked_images", "split_images"]


def checked_images(model: object, images: object, *, name: str = "images") -> torch.Tensor:
    """Return images as a model takes them: uint8 as they are, floating point in float32.

    float16 becomes float32 exactly. float64 is rounded, by less than the float32 that all is computed in rounds anyway.

    Args:
        model: a regressor, or what `adapt` returned.
        images: (images, 3, height, width), uint8 or floating point.
        name: of these images in errors.

    Raises:
        CompanionError: the model is another or has no values, or the images are no tensor of such a type and shape, none,
            of a size that the model does not take, or hold what is not a number.
    """
    if not isinstance(model, ChirpRegressor | AdaptedModel):
        raise CompanionError(f"the model is of type {type(model).__name__}; give what `adapt` returns of yours")
    check_weights(model)
    if not isinstance(images, torch.Tensor):
        raise CompanionError(
            f"{name} are of type {type(images).__name__}; give one tensor of torch (images, 3, height, width), as "
            "torch.from_numpy(array) or torch.stack(list) returns"
        )
    if images.is_meta or images.layout != torch.strided:
        raise CompanionError(f"{name} are sparse, or on the device meta without values; give a dense tensor")
    _check_shape(images.shape, name)
    _check_size(model.vit, images.shape, name)
    if images.dtype != torch.uint8 and not images.is_floating_point():
        raise CompanionError(f"{name} are {images.dtype}; give them as torch.uint8 of 0 to 255 or as torch.float32")
    if images.dtype == torch.uint8:
        return images
    result = images.float()
    if not result.isfinite().all():
        raise CompanionError(f"{name} hold something that is not a number, or infinite; give finite pixel values")
    return result


def split_images(images: torch.Tensor, batch: int) -> Sequence[torch.Tensor]:
    """Return images in parts of `batch`.

    Raises:
        CompanionError: that is no whole number from 1.
    """
    if not is_whole(batch) or batch < 1:
        raise CompanionError(f"the batch is {reprlib.repr(batch)}; give a whole number of images, 1 or more")
    return images.split(int(batch))


def _check_shape(shape: torch.Size, name: str) -> None:
    if len(shape) != 4 or shape[1] != 3:
        way = ""
        if len(shape) == 3 and shape[0] == 3:
            way = ", which image[None] is of one image"
        elif len(shape) == 4 and shape[-1] == 3:
            way = ", which permute(0, 3, 1, 2) makes of channels that come last"
        raise CompanionError(f"{name} have the shape {tuple(shape)}; give (images, 3, height, width){way}")
    if not shape[0]:
        raise CompanionError(f"there are no {name}: the shape is {tuple(shape)}; give 1 or more images")


def _check_size(vit: Any, shape: torch.Size, name: str) -> None:
    family, config = family_of(vit), vit.config
    if all(side and family.takes(config, side) for side in shape[2:]):
        return
    taken = f"sides that are multiples of {config.patch_size}" if family.resizes else f"sides of {config.image_size}"
    raise CompanionError(f"{name} are {shape[2]} by {shape[3]} pixels; give {taken}, which this model takes")
