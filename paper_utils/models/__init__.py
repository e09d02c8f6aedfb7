"""A Vision Transformer, its LoRA adapter and head, the layouts of their files, the kernels and processes they run on."""

import torch

from ..cores import available_cores
from .backbone import NAMED, NamedBackbone
from .dropout import QuickDropout, masks_from, set_dropout
from .exports import save_adapter
from .families import FAMILIES, Block, Family, family_of
from .linears import OneDnnLinear, faster_linears, use_linears
from .loading import load_vit
from .parallel import parallel_map
from .parts import in_parts
from .pixels import PIXELS, Pixels
from .published import load_published, published_scale, save_published
from .published_keys import KeyReport
from .regressor import (
    ChirpRegressor,
    build_regressor,
    load_backbone,
    load_regressor,
    merged,
    named_backbone,
    save_regressor,
    stored_pixels,
)
from .vit import (
    EMBEDDED_SIZES,
    attention_kernel,
    autocast,
    best_device,
    half_precision,
    has_mixed_precision,
    loss_scaler,
    new_embedded_vit,
    on_best_device,
    training_kernel,
)

__all__ = [
    "EMBEDDED_SIZES",
    "FAMILIES",
    "NAMED",
    "PIXELS",
    "Block",
    "ChirpRegressor",
    "Family",
    "KeyReport",
    "NamedBackbone",
    "OneDnnLinear",
    "Pixels",
    "QuickDropout",
    "attention_kernel",
    "autocast",
    "best_device",
    "build_regressor",
    "family_of",
    "faster_linears",
    "half_precision",
    "has_mixed_precision",
    "in_parts",
    "load_backbone",
    "load_published",
    "load_regressor",
    "load_vit",
    "loss_scaler",
    "masks_from",
    "merged",
    "named_backbone",
    "new_embedded_vit",
    "on_best_device",
    "parallel_map",
    "published_scale",
    "save_adapter",
    "save_published",
    "save_regressor",
    "set_dropout",
    "stored_pixels",
    "training_kernel",
    "use_linears",
]

# torch counts the cores of the machine, whatever a container may use of them
torch.set_num_threads(min(torch.get_num_threads(), available_cores()))
