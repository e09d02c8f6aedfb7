"""Attention maps of every head, as section 2.1 of the paper extracts them."""

import numpy as np
import torch
from tqdm import tqdm

from .errors import CompanionError
from .model import ChirpRegressor
from .vit import attention_kernel

__all__ = ["attention_maps", "head_name", "min_max", "overlay"]


def head_name(layer: int, head: int) -> str:
    """Return the name a person reads, such as L6H4; `layer` and `head` count from 0, the name from 1."""
    return f"L{layer + 1}H{head + 1}"


def attention_maps(model: ChirpRegressor, pictures: torch.Tensor, *, batch: int = 8) -> np.ndarray:
    """Return raw maps (pictures, layers, heads, rows, columns): how much each patch is attended to.

    Row and column of CLS are dropped and the rest is averaged over the query patches, so that a map's sum is the
    share of attention that patches give to patches. Min-max normalisation is left to `min_max`, because it hides
    how much is attended to.

    Args:
        model: LoRA-wrapped or merged.
        pictures: (pictures, 3, height, width), uint8 or in 0..1.
        batch: pictures at a time; memory grows with it, not with the number of pictures.

    Raises:
        CompanionError: the patches do not form a square grid.
    """
    result: list[np.ndarray] = []
    kept: list[torch.Tensor] = []

    def keep(module, inputs, output) -> None:
        kept.append(output[1][:, :, 1:, 1:].mean(dim=2))  # at once: the full matrices of all layers would not fit

    hooks = [layer.attention.register_forward_hook(keep) for layer in model.layers]
    try:
        with torch.inference_mode(), attention_kernel(model.vit, "eager"):
            for some in tqdm(pictures.split(batch), desc="attention maps", leave=False):
                kept.clear()
                model(some)
                result.append(torch.stack(kept, dim=1).cpu().numpy())
    finally:
        for hook in hooks:
            hook.remove()
    maps = np.concatenate(result)
    side = round(maps.shape[-1] ** 0.5)
    if side * side != maps.shape[-1]:
        raise CompanionError(f"{maps.shape[-1]} patches do not form a square grid; use square pictures")
    return maps.reshape(*maps.shape[:-1], side, side)


def min_max(maps: np.ndarray) -> np.ndarray:
    """Scale each map (last two axes) to 0..1 as the paper does for its overlays; a constant map becomes zeros."""
    low = maps.min((-2, -1), keepdims=True)
    spread = maps.max((-2, -1), keepdims=True) - low
    return np.divide(maps - low, spread, out=np.zeros_like(maps), where=spread > 0)


def overlay(pixels: np.ndarray, normalised: np.ndarray, colours: np.ndarray, *, alpha: float = 0.75) -> np.ndarray:
    """Lay a normalised map over a picture; return (rows, columns, 3) in 0..1.

    Each patch takes its colour out of `colours` (256, 3 or 4) with a weight that grows with the map, from a third of
    `alpha` where it is zero to `alpha` where it is one, so that the picture stays visible where a head does not look.
    """
    patch = pixels.shape[0] // normalised.shape[0]
    wide = np.kron(normalised, np.ones((patch, patch)))
    painted = np.asarray(colours)[(wide * 255).astype(np.uint8), :3]
    weight = (alpha * (1 + 2 * wide) / 3)[..., None]
    return (1 - weight) * pixels / 255 + weight * painted
