"""Attention maps of every head, as section 2.1 of the paper extracts them."""

from dataclasses import dataclass

import numpy as np
import torch
from tqdm import tqdm

from ..errors import CompanionError
from ..models import processes
from ..models.adapted import AdaptedModel
from ..models.families import family_of
from ..models.images import checked_images, split_images
from ..models.regressor import ChirpRegressor
from ..models.vit import attention_kernel, on_best_device
from .matrices import check_attention

__all__ = ["AttentionMaps", "attention_maps", "sees_no_patch"]

# share of attention; below it, what patches contribute is lost in the rounding of what CLS contributes
LEAST = float(torch.finfo(torch.float32).eps)


@dataclass(frozen=True)
class AttentionMaps:
    """Raw attention on each patch, (images, layers, heads, rows, columns), of every head in two views.

    A map whose sum is below LEAST is flat, see `sees_no_patch`.
    """

    patches: np.ndarray  # averaged over the query patches, as the paper does
    cls: (
        np.ndarray
    )  # of the CLS query alone, whose output the regression head receives; as `patches` where there is no CLS
    norms: np.ndarray  # (images, layers, rows, columns) of the residual stream after each layer

    def of(self, images: slice) -> "AttentionMaps":
        """Return the maps of a slice of the images."""
        return AttentionMaps(self.patches[images], self.cls[images], self.norms[images])


def attention_maps(model: ChirpRegressor | AdaptedModel, images: torch.Tensor, *, batch: int = 8) -> AttentionMaps:
    """Return raw attention maps of all heads; several processes share the images out, and each returns all.

    The columns of CLS and of other tokens that are no patches (distillation, registers) are dropped, so that a map's sum is the share of attention that patches get. Min-max normalisation
    is left to `heads.min_max`, because it hides how much is attended to.

    Args:
        model: LoRA-wrapped or merged, or another one that was adapted.
        images: (images, 3, height, width), uint8 or in 0..1.
        batch: images at a time; memory grows with it, not with the number of images.

    Raises:
        CompanionError: model, images or batch do not fit, see `checked_images`; images are not square; attention is not a number; or another process was lost.
    """
    images = checked_images(model, images)
    if images.shape[-2] != images.shape[-1]:
        raise CompanionError(f"images have {images.shape[-2]} x {images.shape[-1]} pixels; maps need square ones")
    found: list[tuple[np.ndarray, np.ndarray]] = []  # of each batch: maps and norms
    family = family_of(model.vit)
    first = family.specials(model.vit.config)
    weights_of: list[torch.Tensor] = []
    norms: list[torch.Tensor] = []

    def store_weights(module: torch.nn.Module, inputs: tuple, output: tuple[torch.Tensor, torch.Tensor]) -> None:
        weights = output[1][..., first:]  # at once: the full matrices of all layers would not fit
        averaged = weights[:, :, first:].mean(dim=2)
        weights_of.append(torch.stack([averaged, weights[:, :, 0] if family.has_cls else averaged]))

    def store_norm(module: torch.nn.Module, inputs: tuple, output: torch.Tensor) -> None:
        norms.append(output[:, first:].norm(dim=-1))

    hooks = [block.attention.register_forward_hook(store_weights) for block in model.blocks]
    hooks += [layer.register_forward_hook(store_norm) for layer in model.layers]
    try:
        with torch.inference_mode(), attention_kernel(model.vit, "eager"), on_best_device(model) as device:
            for part in tqdm(processes.share(split_images(images, batch)), desc="attention maps", leave=False):
                weights_of.clear()
                norms.clear()
                model(part.to(device))
                maps_of = torch.stack(weights_of, dim=2).cpu().numpy()
                found.append((maps_of, torch.stack(norms, dim=1).cpu().numpy()))
    finally:
        for hook in hooks:
            hook.remove()
    stacks, lengths = zip(*processes.collect(found), strict=True)
    check_attention((*stacks, *lengths))
    maps = np.concatenate(stacks, axis=1)
    side = round(maps.shape[-1] ** 0.5)
    parts = (*(_flat_where_least(part) for part in maps), np.concatenate(lengths))
    return AttentionMaps(*(part.reshape(*part.shape[:-1], side, side) for part in parts))


def _flat_where_least(maps: np.ndarray) -> np.ndarray:
    return np.where(maps.sum(-1, keepdims=True) < LEAST, np.float32(LEAST / maps.shape[-1]), maps)


def sees_no_patch(maps: np.ndarray) -> np.ndarray:
    """Return (layers, heads) bool: which heads give no patch any attention, on every image.

    Min-max scaling would draw a pattern of rounding errors there, so `attention_maps` makes these maps flat.
    """
    return (np.ptp(maps, axis=(-2, -1)) == 0).all(0)
