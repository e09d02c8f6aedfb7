"""Vision Transformers: the embedded backbone's sizes and random weights, attention kernels, precision."""

import contextlib
import math
import os
import re
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from transformers import AttentionInterface, ViTConfig, ViTModel

from .families import FAMILIES, base_model
from .processes import cpu_wanted

__all__ = [
    "EMBEDDED_SIZES",
    "attention_kernel",
    "autocast",
    "best_device",
    "embed_exactly",
    "half_precision",
    "has_mixed_precision",
    "loss_scaler",
    "new_embedded_vit",
    "on_best_device",
    "shuffle_weights",
    "training_kernel",
]

EMBEDDED_SIZES = {
    "hidden_size": 192,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 768,
    "image_size": 224,
    "patch_size": 16,
}


def matmul_attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float = 1.0,
    dropout: float = 0.0,
    **options: object,
) -> tuple[torch.Tensor, None]:
    """Compute attention by two matrix products and a softmax in the precision of the inputs.

    On CPUs with bfloat16 units the backward pass of torch's fused attention takes two thirds of a training step at
    head dimension 16, and the eager attention of transformers computes the softmax in float32. Arguments and result
    are those of transformers' AttentionInterface: (batch, heads, tokens, dimension) to (batch, tokens, heads,
    dimension); mask and dropout are not supported, a ViT has neither.
    """
    scores = torch.matmul(query * scaling, key.transpose(-1, -2))
    with torch.autocast(scores.device.type, enabled=False):
        weights = torch.softmax(scores, dim=-1)
    return torch.matmul(weights, value).transpose(1, 2), None


AttentionInterface.register("matmul", matmul_attention)


class ExactConv2d(nn.Conv2d):
    """A convolution that stays in float32 under mixed precision.

    bfloat16 has 8 significant bits, enough for a pixel but not for the sum over a patch: a faint line on a bright patch
    would be rounded away.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Convolve in the precision of the weights."""
        if not torch.amp.is_autocast_available(input.device.type):
            return super().forward(input)
        with torch.autocast(input.device.type, enabled=False):
            return super().forward(input.to(self.weight.dtype))


def embed_exactly(vit: nn.Module, patches: str) -> None:
    """Let a model embed its patches in float32, whatever the precision of its layers; changes it in place.

    Args:
        vit: the model.
        patches: dotted name of the convolution.
    """
    vit.get_submodule(patches).__class__ = ExactConv2d


@contextlib.contextmanager
def attention_kernel(vit: Any, name: str) -> Iterator[None]:
    """Switch the attention implementation within a block: "sdpa", "eager" (keeps the maps) or "matmul"."""
    base: Any = base_model(vit)
    previous = base.config._attn_implementation
    base.set_attn_implementation(name)
    try:
        yield
    finally:
        base.set_attn_implementation(previous)


def best_device() -> torch.device:
    """Return this process's GPU if there is one and the environment does not ask for the CPU, else the CPU."""
    return torch.device("cpu" if cpu_wanted() else "cuda")


@contextlib.contextmanager
def on_best_device(model: nn.Module) -> Iterator[torch.device]:
    """Move a model to the best device within a block, and back afterwards; yield that device."""
    previous, device = next(model.parameters()).device, best_device()
    model.to(device)
    try:
        yield device
    finally:
        model.to(previous)


def has_mixed_precision(device: torch.device) -> bool:
    """Return whether mixed precision is faster: on GPUs, and on CPUs with bfloat16 units that torch may use."""
    if device.type != "cpu":
        return True
    used = torch.backends.cpu.get_cpu_capability()  # what ATEN_CPU_CAPABILITY allows, not what the CPU has
    return used == "AVX512" and bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


def training_kernel(device: torch.device) -> str:
    """Return the name of the attention implementation that trains fastest on a device (`make bench`)."""
    return "matmul" if device.type == "cpu" and has_mixed_precision(device) else "sdpa"


def half_precision(device: torch.device) -> torch.dtype:
    """Return the type of mixed precision: bfloat16, or float16 on GPUs that lack it or where the launcher asks for it."""
    if device.type != "cuda":
        return torch.bfloat16
    asked = os.environ.get("ACCELERATE_MIXED_PRECISION")  # of `accelerate launch --mixed_precision`
    has_bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if has_bfloat16 and asked != "fp16" else torch.float16


def autocast(device: torch.device, *, wanted: bool = True) -> torch.autocast:
    """Return mixed precision (`half_precision`) if `wanted` and faster on this device, else float32."""
    enabled = wanted and has_mixed_precision(device)
    # no cache of cast weights: none is used twice in a pass, and threads would share the cache
    return torch.autocast(device.type, half_precision(device), enabled=enabled, cache_enabled=False)


def loss_scaler(device: torch.device, *, wanted: bool = True) -> torch.amp.GradScaler:
    """Return what scales losses so that gradients in float16 do not vanish; it does nothing in any other precision."""
    enabled = wanted and has_mixed_precision(device) and half_precision(device) == torch.float16
    scaler = torch.amp.GradScaler(device.type, enabled=enabled)
    scaler.scale(torch.zeros((), device=device))  # has its factor from now on, also where it scales no loss
    return scaler


def sine_cosine_positions(grid: int, width: int) -> torch.Tensor:
    """Return (1, 1 + grid * grid, width) fixed 2-D positions, zeros for CLS (He et al. 2022, MAE, appendix A.1)."""
    position = torch.arange(grid, dtype=torch.float64)
    frequency = torch.exp(-math.log(10_000) * torch.arange(width // 4, dtype=torch.float64) / (width // 4))
    angle = position[:, None] * frequency
    line = torch.cat([angle.sin(), angle.cos()], dim=1)
    rows = line[:, None].expand(grid, grid, -1)
    columns = line[None].expand(grid, grid, -1)
    patches = torch.cat([columns, rows], dim=-1).reshape(grid * grid, width)
    return torch.cat([torch.zeros(1, width, dtype=torch.float64), patches]).float()[None]


def new_embedded_vit(*, seed: int) -> ViTModel:
    """Return a ViT of the embedded backbone's sizes with random weights and 2-D sine-cosine positions."""
    torch.manual_seed(seed)
    options: dict[str, Any] = {**EMBEDDED_SIZES, "attn_implementation": "sdpa"}
    vit = ViTModel(ViTConfig(**options), add_pooling_layer=False)
    grid = EMBEDDED_SIZES["image_size"] // EMBEDDED_SIZES["patch_size"]
    with torch.no_grad():
        vit.embeddings.position_embeddings.copy_(sine_cosine_positions(grid, EMBEDDED_SIZES["hidden_size"]))
    embed_exactly(vit, FAMILIES["vit"].patches)
    return vit


def shuffle_weights(vit: nn.Module, *, seed: int, only: str = "") -> None:
    """Shuffle the entries within each weight matrix, in place: their sizes stay, what was learned is gone.

    Args:
        vit: whose matrices are taken; biases, norms and embedded positions stay.
        seed: of the order.
        only: a regular expression that the names of the matrices match; all if empty.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in vit.named_parameters():
            if weight.ndim >= 2 and name.endswith("weight") and re.search(only, name):
                flat = weight.flatten()
                weight.copy_(flat[torch.randperm(len(flat), generator=generator).to(flat.device)].view_as(weight))
