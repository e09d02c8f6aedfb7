"""Vision Transformers as such: the embedded backbone's shape, attention kernels, loading from disk or hub."""

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn
from transformers import AttentionInterface, ViTConfig, ViTModel
from transformers.models.vit.modeling_vit import ViTLayer, eager_attention_forward
from transformers.utils import logging

from ..errors import CompanionError

__all__ = [
    "EMBEDDED_SIZES",
    "attention_kernel",
    "autocast",
    "best_device",
    "has_mixed_precision",
    "load_vit",
    "new_embedded_vit",
    "on_best_device",
    "only_cls",
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


def matmul_attention(module, query, key, value, attention_mask, scaling=None, dropout=0.0, **options):
    """Attend with two matrix products and a softmax in the input's own precision.

    On CPUs with bfloat16 units the backward pass of torch's fused attention is the bottleneck of training (two
    thirds of a step at head dimension 16), and the eager path of transformers turns the softmax to float32.
    """
    scores = torch.matmul(query * scaling, key.transpose(-1, -2))
    with torch.autocast(scores.device.type, enabled=False):
        weights = torch.softmax(scores, dim=-1)
    return torch.matmul(weights, value).transpose(1, 2), None


AttentionInterface.register("matmul", matmul_attention)


class ExactConv2d(nn.Conv2d):
    """A convolution that mixed precision leaves in float32.

    bfloat16 has the 8 bits of a pixel but not what a patch adds up to: a faint line on a bright patch is rounded away.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Convolve in the precision of the weights."""
        if not torch.amp.is_autocast_available(input.device.type):
            return super().forward(input)
        with torch.autocast(input.device.type, enabled=False):
            return super().forward(input.to(self.weight.dtype))


def _embed_exactly(vit: ViTModel) -> ViTModel:
    patches = vit.embeddings.patch_embeddings
    plain = patches.projection
    exact = ExactConv2d(plain.in_channels, plain.out_channels, plain.kernel_size, plain.stride, device="meta")
    exact.weight, exact.bias = plain.weight, plain.bias
    patches.projection = exact
    return vit


@contextlib.contextmanager
def attention_kernel(vit: nn.Module, name: str) -> Iterator[None]:
    """Switch the attention implementation within a block: "sdpa", "eager" (keeps the maps) or "matmul"."""
    base = vit.get_base_model() if hasattr(vit, "get_base_model") else vit
    before = base.config._attn_implementation
    base.set_attn_implementation(name)
    try:
        yield
    finally:
        base.set_attn_implementation(before)


class ClsLayer(ViTLayer):
    """A last layer that computes the CLS token alone, for a head that reads no other: the same numbers, for less."""

    def forward(self, hidden_states: torch.Tensor, attention_mask: None = None, **options) -> torch.Tensor:
        """Map hidden states (batch, tokens, width) to those of the CLS token, (batch, 1, width)."""
        attention, tokens = self.attention, self.layernorm_before(hidden_states)
        projections = attention.q_proj(tokens[:, :1]), attention.k_proj(tokens), attention.v_proj(tokens)
        by_head = [each.unflatten(-1, (-1, attention.head_dim)).transpose(1, 2) for each in projections]
        attend = AttentionInterface().get_interface(attention.config._attn_implementation, eager_attention_forward)
        read, _ = attend(attention, *by_head, attention_mask, scaling=attention.scaling)
        cls = hidden_states[:, :1] + attention.o_proj(read.flatten(2))
        return cls + self.mlp(self.layernorm_after(cls))


@contextlib.contextmanager
def only_cls(vit: nn.Module) -> Iterator[None]:
    """Let a ViT's last layer compute nothing but the CLS token within a block."""
    base = vit.get_base_model() if hasattr(vit, "get_base_model") else vit
    last = base.layers[-1]
    before = type(last)
    last.__class__ = ClsLayer
    try:
        yield
    finally:
        last.__class__ = before


def best_device() -> torch.device:
    """Return the GPU where torch has one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextlib.contextmanager
def on_best_device(model: torch.nn.Module) -> Iterator[torch.device]:
    """Move a model to the best device within a block, and back afterwards; yield that device."""
    before, device = next(model.parameters()).device, best_device()
    model.to(device)
    try:
        yield device
    finally:
        model.to(before)


def has_mixed_precision(device: torch.device) -> bool:
    """Say whether mixed precision pays: on a GPU, and on a CPU with bfloat16 units that torch is let to use."""
    if device.type != "cpu":
        return True
    used = torch.backends.cpu.get_cpu_capability()  # what ATEN_CPU_CAPABILITY allows, not what the processor has
    return used == "AVX512" and bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


def training_kernel(device: torch.device) -> str:
    """Name the attention implementation that trains fastest on a device (`make bench`)."""
    return "matmul" if device.type == "cpu" and has_mixed_precision(device) else "sdpa"


def autocast(device: torch.device, *, wanted: bool = True) -> torch.autocast:
    """Return mixed precision where it pays and is wanted, and plain float32 elsewhere."""
    enabled = wanted and has_mixed_precision(device)
    # no weight is used twice in a pass, and a cache of cast ones would be shared by threads
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled, cache_enabled=False)


def sine_cosine_positions(grid: int, width: int) -> torch.Tensor:
    """Return (1, 1 + grid * grid, width) fixed 2-D positions, zeros for CLS (He et al. 2022, MAE, appendix A.1)."""
    place = torch.arange(grid, dtype=torch.float64)
    frequency = torch.exp(-math.log(10_000) * torch.arange(width // 4, dtype=torch.float64) / (width // 4))
    angle = place[:, None] * frequency
    line = torch.cat([angle.sin(), angle.cos()], dim=1)
    rows = line[:, None].expand(grid, grid, -1)
    columns = line[None].expand(grid, grid, -1)
    patches = torch.cat([columns, rows], dim=-1).reshape(grid * grid, width)
    return torch.cat([torch.zeros(1, width, dtype=torch.float64), patches]).float()[None]


def new_embedded_vit(*, seed: int) -> ViTModel:
    """Return a ViT of the embedded backbone's sizes with random weights and 2-D sine-cosine positions."""
    torch.manual_seed(seed)
    vit = ViTModel(ViTConfig(**EMBEDDED_SIZES, attn_implementation="sdpa"), add_pooling_layer=False)
    grid = EMBEDDED_SIZES["image_size"] // EMBEDDED_SIZES["patch_size"]
    with torch.no_grad():
        vit.embeddings.position_embeddings.copy_(sine_cosine_positions(grid, EMBEDDED_SIZES["hidden_size"]))
    return _embed_exactly(vit)


def load_vit(name: str) -> ViTModel:
    """Return a pre-trained ViT, float32 and without pooler, from a local folder or by its Hugging Face name.

    Raises:
        CompanionError: the files are missing, damaged or not a ViT's, or the hub cannot be reached.
    """
    is_folder = Path(name).is_dir()
    way_out = (
        "check the folder, or give another backbone"
        if is_folder
        else "go online once, or save it elsewhere with save_pretrained and give that folder as the backbone"
    )
    verbosity = logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()  # a missing pooler is expected; all else is checked below
    try:
        vit, report = ViTModel.from_pretrained(
            name, add_pooling_layer=False, dtype=torch.float32, attn_implementation="sdpa", output_loading_info=True
        )
    except Exception as error:  # transformers, safetensors and the hub each raise their own
        reason = str(error).strip().splitlines()[0]
        raise CompanionError(f"cannot load the backbone {name!r}: {reason}; {way_out}") from error
    finally:
        logging.set_verbosity(verbosity)
    if report["missing_keys"]:
        missing = sorted(report["missing_keys"])
        raise CompanionError(
            f"the backbone {name!r} lacks {len(missing)} tensors, the first is {missing[0]}; {way_out}"
        )
    return _embed_exactly(vit)
