"""CLS tokens of line images by a frozen ViT: computed once, and then fitted as often as wanted."""

from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from ..lines.images import Lines
from ..lines.variants import variant_images
from ..models.vit import autocast, on_best_device
from .heads import cls_before_norm

__all__ = ["features_of", "tensor_of"]

BATCH = 8  # images: more at once are slower on a CPU


def features_of(vit: Any, lines: Lines, *, variant: str, mixed_precision: bool = True) -> np.ndarray:
    """Return what the heads read of each line's image, (lines, width) float32.

    Args:
        vit: the frozen model, which takes pixels in 0..1.
        lines: that are drawn.
        variant: of `lines.VARIANTS`.
        mixed_precision: bfloat16 where that is faster.

    Raises:
        CompanionError: there is no such variant, or the model has no CLS token.
    """
    vit.eval()
    parts = [range(start, min(start + BATCH, len(lines))) for start in range(0, len(lines), BATCH)]
    found = []
    with torch.inference_mode(), on_best_device(vit) as device:
        for part in tqdm(parts, desc=f"set {lines.name}, {variant}", leave=False):
            images = tensor_of(variant_images(lines, part, variant=variant)).to(device)
            with autocast(device, wanted=mixed_precision):
                found.append(cls_before_norm(vit, images).float().cpu().numpy())
    return np.concatenate(found)


def tensor_of(images: np.ndarray) -> torch.Tensor:
    """Return images (n, height, width, 3) uint8 as a model takes them, (n, 3, height, width)."""
    return torch.from_numpy(images).permute(0, 3, 1, 2)
