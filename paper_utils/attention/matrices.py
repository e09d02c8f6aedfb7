"""Attention of every token on every other, special tokens included."""

from collections.abc import Iterable

import numpy as np
import torch

from ..errors import CompanionError
from ..models.adapted import AdaptedModel
from ..models.families import family_of
from ..models.images import checked_images, split_images
from ..models.regressor import ChirpRegressor
from ..models.vit import attention_kernel, on_best_device

__all__ = ["attention_matrices", "check_attention", "query_maps"]


def attention_matrices(model: ChirpRegressor | AdaptedModel, images: torch.Tensor, *, batch: int = 8) -> np.ndarray:
    """Return the attention matrices of every head, (images, layers, heads, tokens, tokens).

    Row i is how query i attends, and sums to one. Tokens are in the order of the model: CLS first where there is one,
    then a distillation token or registers, then the patches row by row. `attention_maps` returns the patches alone, as
    maps, and takes far less memory.

    Args:
        model: a regressor, or what `adapt` returned; left as it was.
        images: (images, 3, height, width), uint8 or what the backbone takes as pixel values.
        batch: images at a time.

    Raises:
        CompanionError: model, images or batch do not fit, see `checked_images`; or attention is not a number.
    """
    images = checked_images(model, images)
    weights_of: list[torch.Tensor] = []

    def store(module: torch.nn.Module, inputs: tuple, output: tuple[torch.Tensor, torch.Tensor]) -> None:
        weights_of.append(output[1].cpu())

    result = []
    hooks = [block.attention.register_forward_hook(store) for block in model.blocks]
    try:
        with torch.inference_mode(), attention_kernel(model.vit, "eager"), on_best_device(model) as device:
            for part in split_images(images, batch):
                weights_of.clear()
                model(part.to(device))
                result.append(torch.stack(weights_of, dim=1).numpy())
    finally:
        for hook in hooks:
            hook.remove()
    check_attention(result)
    return np.concatenate(result)


def check_attention(parts: Iterable[np.ndarray]) -> None:
    """Raise CompanionError where what was read from a model's layers is not a number, or infinite, in some part."""
    if not all(np.isfinite(part).all() for part in parts):
        raise CompanionError("the model's attention is not a number for some image; check its weights and pixel values")


def query_maps(model: ChirpRegressor | AdaptedModel, images: np.ndarray) -> np.ndarray:
    """Return how each patch attends to each patch, (images, layers, heads, patches, patches), row by row of the image.

    Attention on CLS, on a distillation token and on registers is left out, as in `attention_maps`: what a patch gives to
    all patches may sum to less than one.

    Args:
        model: a regressor, or what `adapt` returned.
        images: (images, height, width, 3) uint8.

    Raises:
        CompanionError: images are others, or they or the model do not fit, see `checked_images`.
    """
    if not isinstance(images, np.ndarray) or images.ndim != 4 or images.shape[-1] != 3:
        shown = tuple(images.shape) if hasattr(images, "shape") else type(images).__name__
        raise CompanionError(f"images are {shown}; give an array (images, height, width, 3) of uint8")
    weights = attention_matrices(model, torch.from_numpy(images).permute(0, 3, 1, 2).contiguous())
    first = family_of(model.vit).specials(model.vit.config)
    return weights[..., first:, first:]
