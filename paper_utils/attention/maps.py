"""Attention maps of every head, as section 2.1 of the paper extracts them."""

from dataclasses import dataclass

import numpy as np
import torch
from tqdm import tqdm

from ..errors import CompanionError
from ..models.regressor import ChirpRegressor
from ..models.vit import attention_kernel, on_best_device

__all__ = ["AttentionMaps", "attention_maps", "sees_no_patch"]

# share of attention; what a head reads from patches that get less is lost in the rounding of what it reads from CLS
LEAST = float(torch.finfo(torch.float32).eps)


@dataclass(frozen=True)
class AttentionMaps:
    """Raw maps (images, layers, heads, rows, columns) of every head in two views: how much each patch is attended to.

    A map whose sum is below LEAST is flat, see `sees_no_patch`.
    """

    patches: np.ndarray  # averaged over the query patches, as the paper does
    cls: np.ndarray  # of the CLS query alone, which is what a head passes to the prediction in the end
    norms: np.ndarray  # (images, layers, rows, columns) of the residual stream after each layer

    def of(self, images: slice) -> "AttentionMaps":
        """Return the maps of some of the images."""
        return AttentionMaps(self.patches[images], self.cls[images], self.norms[images])


def attention_maps(model: ChirpRegressor, images: torch.Tensor, *, batch: int = 8) -> AttentionMaps:
    """Return raw attention maps of all heads.

    The column of CLS is dropped, so that a map's sum is the share of attention that patches get. Min-max normalisation
    is left to `heads.min_max`, because it hides how much is attended to.

    Args:
        model: LoRA-wrapped or merged.
        images: (images, 3, height, width), uint8 or in 0..1.
        batch: images at a time; memory grows with it, not with the number of images.

    Raises:
        CompanionError: the patches do not form a square grid.
    """
    result: list[np.ndarray] = []
    lengths: list[np.ndarray] = []
    kept: list[torch.Tensor] = []
    norms: list[torch.Tensor] = []

    def keep(module, inputs, output) -> None:
        weights = output[1][..., 1:]  # at once: the full matrices of all layers would not fit
        kept.append(torch.stack([weights[:, :, 1:].mean(dim=2), weights[:, :, 0]]))

    def keep_norm(module, inputs, output) -> None:
        norms.append(output[:, 1:].norm(dim=-1))

    hooks = [layer.attention.register_forward_hook(keep) for layer in model.layers]
    hooks += [layer.register_forward_hook(keep_norm) for layer in model.layers]
    try:
        with torch.inference_mode(), attention_kernel(model.vit, "eager"), on_best_device(model) as device:
            for some in tqdm(images.split(batch), desc="attention maps", leave=False):
                kept.clear()
                norms.clear()
                model(some.to(device))
                result.append(torch.stack(kept, dim=2).cpu().numpy())
                lengths.append(torch.stack(norms, dim=1).cpu().numpy())
    finally:
        for hook in hooks:
            hook.remove()
    maps = np.concatenate(result, axis=1)
    side = round(maps.shape[-1] ** 0.5)
    if side * side != maps.shape[-1]:
        raise CompanionError(f"{maps.shape[-1]} patches do not form a square grid; use square images")
    parts = (*(_flat_where_least(part) for part in maps), np.concatenate(lengths))
    return AttentionMaps(*(part.reshape(*part.shape[:-1], side, side) for part in parts))


def _flat_where_least(maps: np.ndarray) -> np.ndarray:
    return np.where(maps.sum(-1, keepdims=True) < LEAST, np.float32(LEAST / maps.shape[-1]), maps)


def sees_no_patch(maps: np.ndarray) -> np.ndarray:
    """Return (layers, heads) bool: which heads keep all their attention for CLS, on every image.

    Min-max scaling would make a image of whatever is left; their maps are flat instead, which is what they say.
    """
    return (np.ptp(maps, axis=(-2, -1)) == 0).all(0)
