"""A fixed patch embedding: whitened cosine patterns, in which a fine line has the same variance as brightness.

A learned embedding converges to a few smooth patterns, since Adam takes steps of one size for each of a patch's 768
weights and brightness has the largest gradient; a line one or two pixels wide almost vanishes from the token. Cosines
(those of JPEG) keep all of the patch down to some wavelength, and are nearly uncorrelated in most images (Ahmed,
Natarajan and Rao 1974), so that scaling each to a standard deviation of one whitens them. Fixed patch embeddings train
well elsewhere too (Chen, Xie and He 2021, arXiv 2104.02057; Jordan 2024, arXiv 2404.00498).
"""

import numpy as np
import torch
from scipy.fft import idctn
from torch.nn import functional
from transformers import ViTModel

__all__ = ["cosine_patterns", "set_patterns"]

COLOURS = np.array([[1, 1, 1], [1, -1, 0], [1, 1, -2]]) / np.sqrt([[3], [2], [6]])  # brightness, and two differences
COLOURFUL = 1 / 8  # share of the patterns that are differences of colour; strokes and noise differ in brightness


def cosine_patterns(count: int, side: int) -> np.ndarray:
    """Return the smoothest orthonormal cosine patterns of a patch, (count, 3, side, side): of brightness, then colour.

    Raises:
        ValueError: a patch has fewer patterns.
    """
    pairs = round(count * COLOURFUL / 2)
    bright = count - 2 * pairs
    if bright > side**2:
        raise ValueError(f"a patch of {side} x {side} pixels has {side**2} patterns of brightness, not {bright}")
    waves = np.add.outer(np.arange(side) ** 2, np.arange(side) ** 2).ravel()
    order = np.argsort(waves, kind="stable")
    planes = idctn(np.eye(side**2).reshape(-1, side, side), axes=(1, 2), norm="ortho")[order]
    coloured = [np.multiply.outer(colour, planes[:pairs]).swapaxes(0, 1) for colour in COLOURS[1:]]
    return np.concatenate([np.multiply.outer(COLOURS[0], planes[:bright]).swapaxes(0, 1), *coloured])


@torch.no_grad()
def set_patterns(vit: ViTModel, images: torch.Tensor, *, floor: float = 0.03) -> None:
    """Set a ViT's patch embedding to cosine patterns with mean 0 and standard deviation 1 over `images`.

    Args:
        vit: changed in place.
        images: a sample, (count, 3, height, width) in 0..1.
        floor: smallest standard deviation (of pixels in 0..1) by which a pattern is divided; smaller ones are rounding.
    """
    projection = vit.embeddings.patch_embeddings.projection
    patterns = torch.from_numpy(cosine_patterns(projection.out_channels, projection.kernel_size[0])).float()
    responses = functional.conv2d(images, patterns, stride=projection.stride).transpose(0, 1).flatten(1)
    gain = 1 / responses.std(1).clamp(min=floor)
    projection.weight.copy_(patterns * gain[:, None, None, None])
    assert projection.bias is not None  # every ViT has one
    projection.bias.copy_(-responses.mean(1) * gain)
