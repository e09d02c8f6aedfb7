"""Small random models with outputs of their own, as a user would bring them, and the same read by transformers alone."""

from dataclasses import dataclass

import torch
import transformers
from torch import nn

from tests.families import Plain, config_of, new_model, randomised

CLASSES = 5
CLASSIFIERS = {  # class in transformers: family and name of its backbone
    "ViTForImageClassification": ("vit", "vit"),
    "DeiTForImageClassification": ("deit", "deit"),
    "DeiTForImageClassificationWithTeacher": ("deit", "deit"),
    "Dinov2ForImageClassification": ("dinov2", "dinov2"),
    "Dinov2WithRegistersForImageClassification": ("dinov2_with_registers", "dinov2_with_registers"),
    "CLIPForImageClassification": ("clip_vision_model", "vision_model"),
    "SiglipForImageClassification": ("siglip_vision_model", "vision_model"),
    "CLIPVisionModelWithProjection": ("clip_vision_model", "vision_model"),
}
READ_CLS = {
    "ViTForImageClassification",
    "DeiTForImageClassification",
    "CLIPVisionModelWithProjection",
    "CLS of vit",
    "CLS of clip_vision_model",
}
OWN = ("CLS of vit", "mean of vit", "CLS of clip_vision_model", "pooled by siglip_vision_model", "tokens of vit_mae")
NAMES = [*CLASSIFIERS, *OWN]


class OwnModule(nn.Module):
    """A head of one's own on a backbone of a family, whose outputs are a tensor."""

    def __init__(self, vit, read):
        super().__init__()
        self.body, self.read = nn.ModuleDict({"backbone": vit}), read
        self.head = nn.Sequential(nn.Linear(24, 8), nn.GELU(), nn.Linear(8, CLASSES))

    def forward(self, images):
        vit = self.body["backbone"]
        # transformers' ViT-MAE takes the order of its patches from noise; of four by four, as they are
        options = {"noise": torch.arange(16).expand(len(images), -1)} if self.read == "tokens" else {}
        output = vit(images, **options)
        if self.read == "pooled":
            return self.head(output.pooler_output)
        return self.head(output.last_hidden_state[:, 0] if self.read == "CLS" else output.last_hidden_state.mean(1))


@dataclass
class Classifier:
    """A model of a user's, and its backbone seen by transformers alone."""

    model: nn.Module
    plain: Plain

    @property
    def heads(self):
        return self.plain.vit.config.num_attention_heads

    def images(self, count=3):
        side = self.plain.vit.config.image_size
        return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1))

    def outputs(self, images):
        """The model's own outputs, (n, k)."""
        output = self.model(images)
        for name in ("logits", "image_embeds"):
            output = getattr(output, name, output)
        return output

    def replaced(self, images, heads, constants):
        """The model's own outputs with heads replaced by hooks.

        Args:
            images: (n, 3, height, width).
            heads: (layer, head) pairs.
            constants: what enters each output projection instead, (n or 1, tokens or 1, width).
        """
        size = 24 // self.heads

        def replace(number, z):
            changed = z.clone()
            for _, head in [one for one in heads if one[0] == number]:
                rows = slice(head * size, (head + 1) * size)
                changed[..., rows] = constants[number].expand_as(z)[..., rows]
            return changed

        with self.plain.heads_replaced(replace):
            return self.outputs(images)

    def constants(self, kind, source=None):
        """What replaces the heads' outputs of each layer, see `replaced`."""
        if kind == "zero_qkv":
            return [attention.v_proj.bias.detach()[None, None] for attention in self.plain.attentions]
        if kind == "zero":
            return [torch.zeros(1, 1, 24)] * 2
        seen = []
        with torch.no_grad(), self.plain.heads_replaced(lambda number, z: seen.append(z) or z):
            self.outputs(source)
        return seen if kind == "resample" else [z.mean(0, keepdim=True) for z in seen]


def classifier(name):
    """Return a model by its class in transformers, or one of OWN."""
    torch.manual_seed(0)
    if name not in CLASSIFIERS:
        read, _, kind = name.split(" ")
        vit = new_model(kind, **({"mask_ratio": 0.0} if kind == "vit_mae" else {}))
        model = randomised(OwnModule(vit, read), seed=3)
        return Classifier(model, Plain(vit, kind))
    kind, backbone = CLASSIFIERS[name]
    config = config_of(kind, projection_dim=CLASSES) if name.endswith("Projection") else config_of(kind)
    joint = {"CLIPForImageClassification": "CLIPConfig", "SiglipForImageClassification": "SiglipConfig"}.get(name)
    if joint:
        config = getattr(transformers, joint)(vision_config=config.to_dict())
    config.num_labels = CLASSES
    model = randomised(getattr(transformers, name)(config))
    return Classifier(model, Plain(getattr(model, backbone), kind))


def close(found, expected):
    """Whether two tensors agree within 1e-5 of the largest value."""
    return torch.allclose(found, expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))
