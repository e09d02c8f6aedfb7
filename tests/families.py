"""Small random models of each family on disk, and the same models read by transformers alone: the oracle of the seam."""

from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import transformers

SIDE = {"vit": 64, "deit": 64, "dinov2": 56, "dinov2_with_registers": 56, "vit_mae": 64, "clip_vision_model": 64}
PATCH = {"dinov2": 14, "dinov2_with_registers": 14, "clip_vision_model": 32}
HEADS = {"dinov2_with_registers": 4, "siglip_vision_model": 2}
CLASSES = {
    "vit": "ViT",
    "deit": "DeiT",
    "dinov2": "Dinov2",
    "dinov2_with_registers": "Dinov2WithRegisters",
    "vit_mae": "ViTMAE",
    "clip_vision_model": "CLIPVision",
    "siglip_vision_model": "SiglipVision",
}
NOT_PATCHES = {"deit": 2, "dinov2_with_registers": 1 + 4, "siglip_vision_model": 0}
KINDS = list(CLASSES)


@dataclass
class Plain:
    """A model that transformers alone has read."""

    vit: Any
    kind: str

    @property
    def layers(self):
        if self.kind.startswith("dinov2"):
            return self.vit.encoder.layer
        return self.vit.encoder.layers if self.contrastive else self.vit.layers

    @property
    def contrastive(self):
        return self.kind in ("clip_vision_model", "siglip_vision_model")

    @property
    def attentions(self):
        return [layer.self_attn if self.contrastive else layer.attention for layer in self.layers]

    @property
    def outputs(self):
        """The output projections, whose inputs are the heads' outputs side by side."""
        return [attention.out_proj if self.contrastive else attention.o_proj for attention in self.attentions]

    @property
    def not_patches(self):
        return NOT_PATCHES.get(self.kind, 1)

    def run(self, pixels, **options):
        """Run the model; ViT-MAE with noise that orders its patches as they are."""
        if self.kind == "vit_mae":
            options["noise"] = torch.arange((self.vit.config.image_size // 16) ** 2).expand(len(pixels), -1)
        return self.vit(pixel_values=pixels, **options)

    def read(self, pixels):
        """The vector that the regression head gets, (n, width)."""
        output = self.run(pixels)
        return output.pooler_output if self.contrastive else output.last_hidden_state[:, 0]

    @contextmanager
    def heads_replaced(self, replace):
        """Within a block, what enters layer k's output projection is `replace(k, inputs)`."""
        hooks = [
            output.register_forward_pre_hook(lambda module, inputs, number=number: (replace(number, inputs[0]),))
            for number, output in enumerate(self.outputs)
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


def config_of(kind, **changes):
    sizes = {
        "hidden_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": HEADS.get(kind, 3),
        "intermediate_size": 48,
        "image_size": SIDE.get(kind, 64),
        "patch_size": PATCH.get(kind, 16),
    }
    if kind.startswith("dinov2"):
        del sizes["intermediate_size"]
        sizes["mlp_ratio"] = 2
    return getattr(transformers, f"{CLASSES[kind]}Config")(**sizes | changes)


def randomised(model, *, seed=0):
    """A model whose biases, norms and layer scales differ from those that it starts with."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def new_model(kind, **changes):
    torch.manual_seed(0)
    return randomised(getattr(transformers, f"{CLASSES[kind]}Model")(config_of(kind, **changes)))


def plain(folder, kind):
    changes = {"mask_ratio": 0.0} if kind == "vit_mae" else {}
    vit = getattr(transformers, f"{CLASSES[kind]}Model").from_pretrained(folder, **changes).eval()
    return Plain(vit, kind)
