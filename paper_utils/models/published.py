"""The author's published checkpoint, best_vit_regression.pth: read with every key accounted for, and written.

It is the state dict of a ViT with LoRA (or merged) and its regression head, in the key names of `published_keys`. A
state dict has no sizes, so they are taken from the shapes. No shape tells the number of heads: files of ours have it in
the state dict's own metadata, which torch passes over.
"""

import copy
import math
import os
from collections import OrderedDict
from dataclasses import replace
from functools import cache
from pathlib import Path
from statistics import mode
from typing import Any

import numpy as np
import torch
from peft import get_peft_model
from torch import nn
from transformers import ViTConfig, ViTModel

from ..data.chirps import LabelScale, label_scale
from ..errors import CompanionError
from ..files import atomic_path
from .dropout import QuickDropout, set_dropout
from .pixels import Pixels, fold_normalisation, read_normalisation
from .published_keys import (
    LAYER,
    POOLER,
    WRAPPER,
    KeyReport,
    Names,
    compare_keys,
    has_lora,
    key_names,
    our_key,
    published_key,
)
from .regressor import LORA, ChirpRegressor
from .state_dicts import HEADS, REMEDY, Tensors, read_state_dict
from .vit import ExactConv2d

__all__ = ["load_published", "published_scale", "save_published"]

HEAD_WIDTH = 64  # of ViT-Base, and of every ViT that Google released
PUBLISHED_IMAGES = 100_000
PATCHES, POSITIONS = "vit.embeddings.patch_embeddings.projection.weight", "vit.embeddings.position_embeddings"
FIRST_MLP, NORM = "vit.layers.0.mlp.fc1.weight", "vit.layers.0.layernorm_before.weight"


@cache
def published_scale() -> LabelScale:
    """Return mean and standard deviation of 100,000 labels of the published distribution, as many as are published.

    They stand in for those of the author's own 100,000 images, which are in no checkpoint. Each of two such sets has a
    standard error of 0.04 s and 0.1 Hz in the mean, and predictions may be off by as much; r does not depend on them.
    """
    return label_scale(0, PUBLISHED_IMAGES)


def load_published(
    path: str | os.PathLike,
    *,
    scale: LabelScale | None = None,
    heads: int | None = None,
    pixels: Pixels = "published",
) -> tuple[ChirpRegressor, KeyReport]:
    """Read a state dict in the published layout; all of it is checked before a model is built.

    The file holds no label scale, and the author standardised by the labels of all his images: give that `scale`, or
    take the estimate of `published_scale`. It holds no alpha of LoRA either, which is known for the published rank
    alone, so another rank is refused. Only tensors are unpickled: nothing that a file asks for is executed.

    Args:
        path: of the file, with old or new names, with LoRA or merged.
        scale: of the labels that the model was trained on; `published_scale` if left out.
        heads: of a layer; as many as the file says if left out, or where it does not, as in the author's, one for every
            64 dimensions, as in ViT-Base.
        pixels: "published", or "backbone" for a model that was trained on pixels normalised as the
            preprocessor_config.json beside the file says: that is folded in, so that it takes 0..1 as well.

    Returns:
        The model in evaluation mode, LoRA not merged (or without adapter, from a merged file), and a report of every
        key of the file.

    Raises:
        CompanionError: the file cannot be read, holds other things than tensors, or does not fit: keys are left over,
            missing or of another shape, LoRA has another rank, the width is no multiple of `heads`, it says another
            number of them, or nothing beside it says how pixels were normalised.
    """
    path = Path(path)
    tensors, stated = read_state_dict(path)
    if None not in (heads, stated) and heads != stated:
        raise CompanionError(f"{path} says that its layers have {stated} heads, not {heads}; leave out their number")
    normalisation = read_normalisation(str(path.parent)) if pixels == "backbone" else None
    lora = has_lora(tensors)
    sizes = _sizes(path, tensors, heads=stated or heads)
    _check_rank(path, tensors)
    model = _empty_model(sizes, lora=lora)
    expected = {
        key.replace(WRAPPER, "", 1): tensor.shape
        for key, tensor in model.state_dict().items()
        if not key.startswith("label_")
    }
    report = compare_keys(path, {key: tensor.shape for key, tensor in tensors.items()}, expected)
    if stated is None and heads is None:
        report = replace(report, assumed_heads=sizes[HEADS])
    if not report.fits:
        raise CompanionError(f"{report.line()}; {REMEDY}")
    scale = scale or published_scale()
    ours = {our_key(key): tensor for key, tensor in tensors.items()}
    for name, values in (("label_mean", scale.mean), ("label_std", scale.std)):
        ours[name] = torch.tensor(np.asarray(values), dtype=torch.float32)
    weights = {key: ours[key.replace(WRAPPER, "", 1)] for key in model.state_dict()}
    model.load_state_dict(weights, assign=True)
    if normalisation is not None:
        fold_normalisation(model.vit, normalisation)
    return model.eval(), report


def save_published(model: ChirpRegressor, path: str | os.PathLike, *, names: Names = "old") -> None:
    """Write a model in the published layout, with LoRA or, if it is merged, without; its label scale is left out.

    It takes pixels in 0..1, as the released code gives them: a normalisation is in the weights of the patches.

    The released class ViTForRegression loads the file with every key if it is made on the same backbone, "old" names
    with transformers 4. That class has a pooler, which it never uses: the file holds one of zeros.

    Args:
        model: on a ViT.
        path: of the file.
        names: "old" (transformers 4, the author's) or "new" (5).

    Raises:
        CompanionError: the model is not on a ViT, `names` is neither, or the file cannot be written.
    """
    if names not in ("old", "new"):
        raise CompanionError(f"there are no {names!r} names; choose 'old' or 'new'")
    lora = hasattr(model.vit, "get_base_model")
    vit = model.vit.get_base_model() if lora else model.vit
    if not isinstance(vit, ViTModel):
        raise CompanionError(f"there is no published layout for a {type(vit).__name__}; give a model on a ViT")
    width = vit.config.hidden_size
    tensors: Tensors = {key: tensor.detach().cpu() for key, tensor in model.state_dict().items()}
    tensors |= {key: torch.zeros(width, width) if key.endswith("weight") else torch.zeros(width) for key in POOLER}
    named = OrderedDict(
        (published_key(key, names=names, lora=lora), tensor.contiguous())
        for key, tensor in tensors.items()
        if not key.startswith("label_")
    )
    # what Module.state_dict() keeps with its tensors, and load_state_dict takes the versions of modules from
    named._metadata = {"": {"version": 1, HEADS: vit.config.num_attention_heads}}  # type: ignore[attr-defined]
    # torch.save names the archive after the file, and a temporary name would make other bytes each time
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        torch.save(named, file)


def _sizes(path: Path, tensors: Tensors, *, heads: int | None) -> dict[str, int]:
    """Return the sizes of a ViT, as ViTConfig names them, that shapes tell."""
    width = _usual(path, tensors, NORM, axis=-1, dimensions=1)
    patch = _usual(path, tensors, PATCHES, axis=-1, dimensions=4)
    tokens = _usual(path, tensors, POSITIONS, axis=1, dimensions=3)
    grid = math.isqrt(tokens - 1)
    if tokens < 2 or grid**2 != tokens - 1:
        raise CompanionError(
            f"{path} has {tokens} positions, which are not CLS and a square of patches; give a ViT of square images"
        )
    count = width // HEAD_WIDTH if heads is None else heads
    if count < 1 or width % count:
        raise CompanionError(f"{path} has width {width}, which {count} heads do not divide; give its number of heads")
    return {
        "hidden_size": width,
        "num_hidden_layers": len({match[1] for key in tensors if (match := LAYER.fullmatch(our_key(key)))}),
        HEADS: count,
        "intermediate_size": _usual(path, tensors, FIRST_MLP, axis=0, dimensions=2),
        "image_size": grid * patch,
        "patch_size": patch,
    }


def _usual(path: Path, tensors: Tensors, ours: str, *, axis: int, dimensions: int) -> int:
    """Return the commonest size, along an axis, of a tensor in all layers: where one is of another, it is named later."""
    last = ours.rpartition("vit.layers.0.")[2]
    alike = [tensor for key, tensor in tensors.items() if our_key(key).endswith(last)]
    found = [tensor.shape[axis] for tensor in alike if tensor.ndim == dimensions]
    if not found:
        key = published_key(ours, names=key_names(tensors), lora=has_lora(tensors))
        what = f"{key} has {alike[0].ndim} dimensions, not {dimensions}" if alike else f"it lacks {key}"
        raise CompanionError(f"{path} does not fit: {what}; its first key is {min(tensors)}; {REMEDY}")
    return mode(found)


def _check_rank(path: Path, tensors: Tensors) -> None:
    for key, tensor in tensors.items():
        if ".lora_A." in key and tensor.ndim == 2 and len(tensor) != LORA.r:
            raise CompanionError(
                f"{path} has LoRA of rank {len(tensor)} ({key}), and no alpha, which is known for the published rank "
                f"{LORA.r} alone; merge LoRA into the weights before you save them"
            )


def _empty_model(sizes: dict[str, int], *, lora: bool) -> ChirpRegressor:
    """Return the model without memory for its weights, on the meta device."""
    options: dict[str, Any] = {**sizes, "attn_implementation": "sdpa"}
    patch = sizes["patch_size"]
    with torch.device("meta"):
        vit = ViTModel(ViTConfig(**options), add_pooling_layer=False)
        vit.embeddings.patch_embeddings.projection = ExactConv2d(3, sizes["hidden_size"], patch, patch)
        wrapped: nn.Module = get_peft_model(vit, copy.deepcopy(LORA)) if lora else vit
        set_dropout(wrapped, QuickDropout)
        return ChirpRegressor(wrapped, LabelScale(np.zeros(3), np.ones(3)))
