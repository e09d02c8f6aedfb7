"""Families of Vision Transformers: where each keeps its layers, heads, special tokens and the vector that is read out.

All that looks into a model asks here, so that none of it knows a family by name. In every family of transformers 5 an
attention has `q_proj`, `k_proj` and `v_proj`; LoRA is fitted to the first and the last.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ..errors import CompanionError

__all__ = ["FAMILIES", "Block", "Family", "base_model", "family_of", "fold_layer_scale", "square_side"]


@dataclass(frozen=True)
class Block:
    """The parts of one transformer layer under the same names in every family, with LoRA or without."""

    norm_before: Any
    attention: Any
    query: Any
    key: Any
    value: Any
    output: Any  # projection of the concatenated heads
    norm_after: Any
    mlp: Any
    scales: tuple[Any, Any] | None  # of what attention and MLP add to the residual stream


@dataclass(frozen=True, kw_only=True)
class Family:
    """Where the models of a family keep what is read and changed in them; modules by their dotted names."""

    title: str
    model: str  # class in transformers
    options: tuple[tuple[str, Any], ...] = ()  # of the class: no pooler, which would have no trained weights
    patches: str = "embeddings.patch_embeddings.projection"
    entry_norm: str = ""  # before layer 1
    layers: str = "layers"
    norms: tuple[str, str] = ("layernorm_before", "layernorm_after")
    attention: str = "attention"
    output: str = "o_proj"
    scales: tuple[str, str] | None = None
    final_norm: str = "layernorm"
    special_tokens: int = 1  # before the patches, registers not counted; CLS, where there is one, is the first
    pooler: str = ""  # of all tokens, where there is no CLS
    resizes: bool = False  # its positions to the grid of an image, whatever its config's image size
    reads_pooled: bool = False  # the model's own pooled output: its last hidden state is not normalised, or has no CLS

    @property
    def has_cls(self) -> bool:
        """Whether the read-out depends on the last layer's CLS token alone."""
        return not self.pooler

    def takes(self, config: Any, side: int) -> bool:
        """Return whether a model takes square images with a side of so many pixels."""
        return side % config.patch_size == 0 if self.resizes else side == config.image_size

    def specials(self, config: Any) -> int:
        """Return how many tokens before the patches are none: CLS, distillation token, registers."""
        return self.special_tokens + getattr(config, "num_register_tokens", 0)

    def blocks(self, vit: nn.Module) -> list[Block]:
        """Return the layers of a model, with LoRA or without."""
        return [self._block(layer) for layer in base_model(vit).get_submodule(self.layers).children()]

    def _block(self, layer: nn.Module) -> Block:
        attention = layer.get_submodule(self.attention)
        return Block(
            norm_before=layer.get_submodule(self.norms[0]),
            attention=attention,
            query=attention.get_submodule("q_proj"),
            key=attention.get_submodule("k_proj"),
            value=attention.get_submodule("v_proj"),
            output=attention.get_submodule(self.output),
            norm_after=layer.get_submodule(self.norms[1]),
            mlp=layer.get_submodule("mlp"),
            scales=self.scales and (layer.get_submodule(self.scales[0]), layer.get_submodule(self.scales[1])),
        )

    def embed(self, vit: nn.Module, pixels: torch.Tensor) -> torch.Tensor:
        """Return the residual stream before layer 1, (n, tokens, width), of pixels (n, 3, height, width) in 0..1."""
        base = base_model(vit)
        tokens = base.get_submodule("embeddings")(pixels)
        tokens = tokens[0] if isinstance(tokens, tuple) else tokens  # ViT-MAE also returns which patches it masked
        return base.get_submodule(self.entry_norm)(tokens) if self.entry_norm else tokens

    def read_out(self, vit: nn.Module, x: torch.Tensor) -> torch.Tensor:
        """Return the vector that the regression head gets, (n, width), of the residual stream after the last layer.

        Args:
            vit: the model.
            x: (n, tokens, width); of a family with CLS, that token is enough.
        """
        base = base_model(vit)
        norm = base.get_submodule(self.final_norm)
        return norm(x[:, 0]) if self.has_cls else base.get_submodule(self.pooler)(norm(x))

    def last_hidden(self, x: torch.Tensor, normal: torch.Tensor) -> torch.Tensor:
        """Return what the models call their last hidden state: the residual stream, or what the final norm makes of it.

        A family with CLS whose pooled output is read, such as CLIP, normalises nothing else.
        """
        return x if self.reads_pooled and self.has_cls else normal

    def run(self, vit: nn.Module, pixels: torch.Tensor) -> torch.Tensor:
        """Return the vector that the regression head gets, (n, width), by the model's own forward pass."""
        output = vit(pixel_values=pixels)
        return output.pooler_output if self.reads_pooled else output.last_hidden_state[:, 0]


_DINOV2: dict[str, Any] = {
    "layers": "encoder.layer",
    "norms": ("norm1", "norm2"),
    "scales": ("layer_scale1", "layer_scale2"),
    "resizes": True,
}
_CONTRASTIVE: dict[str, Any] = {
    "patches": "embeddings.patch_embedding",
    "layers": "encoder.layers",
    "norms": ("layer_norm1", "layer_norm2"),
    "attention": "self_attn",
    "output": "out_proj",
    "final_norm": "post_layernorm",
    "reads_pooled": True,
}
_WITHOUT_POOLER = (("add_pooling_layer", False),)

FAMILIES = {  # by model_type of a config.json
    "vit": Family(title="ViT", model="ViTModel", options=_WITHOUT_POOLER),
    "deit": Family(title="DeiT", model="DeiTModel", options=_WITHOUT_POOLER, special_tokens=2),
    "dinov2": Family(title="DINOv2", model="Dinov2Model", **_DINOV2),
    "dinov2_with_registers": Family(title="DINOv2 with registers", model="Dinov2WithRegistersModel", **_DINOV2),
    "vit_mae": Family(title="the encoder of ViT-MAE", model="ViTMAEModel"),
    "clip_vision_model": Family(
        title="the vision tower of CLIP", model="CLIPVisionModel", entry_norm="pre_layrnorm", **_CONTRASTIVE
    ),
    "siglip_vision_model": Family(
        title="the vision tower of SigLIP", model="SiglipVisionModel", special_tokens=0, pooler="head", **_CONTRASTIVE
    ),
}


def base_model(vit: nn.Module) -> nn.Module:
    """Return a model without peft's wrapper, if it has one."""
    wrapped: Any = vit
    return wrapped.get_base_model() if hasattr(vit, "get_base_model") else vit


def family_of(vit: nn.Module) -> Family:
    """Return the family of a model, with LoRA or without.

    Raises:
        CompanionError: it is of none that is known.
    """
    base = base_model(vit)
    kind = getattr(getattr(base, "config", None), "model_type", type(base).__name__)
    if kind not in FAMILIES:
        raise CompanionError(f"a model of family {kind!r} is not known; give {known_families()}")
    return FAMILIES[kind]


def known_families() -> str:
    """Return the families' names as part of a sentence."""
    *titles, last = (family.title for family in FAMILIES.values())
    return f"{', '.join(titles)} or {last}"


def square_side(size: int | Iterable[int]) -> int | None:
    """Return the side of a square that a config gives as one number or as two; None if it is no square."""
    sides = {size} if isinstance(size, int) else set(size)
    return sides.pop() if len(sides) == 1 else None


@torch.no_grad()
def fold_layer_scale(vit: nn.Module) -> None:
    """Multiply layer scales into the weights before them, in place: the same function, and every scale is one."""
    for block in family_of(vit).blocks(vit):
        if block.scales is None:
            continue
        last = block.mlp.down_proj if hasattr(block.mlp, "down_proj") else block.mlp.fc2  # of SwiGLU, or of an MLP
        for scale, linear in zip(block.scales, (block.output, last), strict=True):
            linear.weight.mul_(scale.lambda1[:, None])
            if linear.bias is not None:
                linear.bias.mul_(scale.lambda1)
            scale.lambda1.fill_(1)
