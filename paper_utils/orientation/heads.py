"""The released heads on the CLS token of a ViT, sized by the ViT's width; their initial weights and their loss."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from ..errors import CompanionError
from ..models.families import family_of

__all__ = ["INITIAL", "WEIGHTS", "LineHead", "LineModel", "cls_before_norm", "losses", "weighted"]

INITIAL = {"published": "normal weights of 0.01, biases zero", "default": "as torch draws them"}
SPREAD = 0.01  # standard deviation of the published initial weights
HUBER = 0.1  # where the published loss turns linear
WEIGHTS = {"angle": 2.0, "points": 2.0}  # of the loss, two points at one each; 0.5 for the others
OTHERS = 0.5


class LineHead(nn.Module):
    """The released trunk and heads: what a ViT of `width` says of a line.

    Sizes are those of the released code, where the width is 768, in proportion.

    Args:
        width: of the CLS token.
        targets: that are predicted, of `conditions.TARGETS`.
        angle_values: how many numbers stand for the angle.
        initial: of INITIAL.

    Raises:
        CompanionError: there are no such initial weights.
    """

    def __init__(self, width: int, targets: Sequence[str], *, angle_values: int = 1, initial: str = "published"):
        super().__init__()
        if initial not in INITIAL:
            raise CompanionError(f"unknown initial weights {initial!r}; choose one of {', '.join(INITIAL)}")
        self.trunk = nn.Sequential(
            nn.Linear(width, 2 * width),
            nn.GELU(),
            nn.Dropout(0.2),
            nn.Linear(2 * width, width),
            nn.GELU(),
            nn.Dropout(0.1),
        )
        made = {
            "angle": _two_layers(width, width // 2, angle_values, nn.Tanh(), between=nn.GELU()),
            "points": _two_layers(width, width, 4, nn.Sigmoid(), between=nn.GELU()),
            "colour": _two_layers(width, width // 2, 3, nn.Sigmoid(), between=nn.GELU()),
        } | {name: _two_layers(width, width // 4, 1, nn.Sigmoid()) for name in ("noise", "length", "width")}
        self.heads = nn.ModuleDict({target: made[target] for target in targets})
        if initial == "published":
            for module in self.modules():
                if isinstance(module, nn.Linear):
                    nn.init.normal_(module.weight, std=SPREAD)
                    nn.init.zeros_(module.bias)

    def forward(self, features: torch.Tensor) -> dict[str, torch.Tensor]:
        """Map CLS tokens (n, width) to outputs (n, values) by target."""
        shared = self.trunk(features)
        return {target: head(shared) for target, head in self.heads.items()}


class LineModel(nn.Module):
    """A ViT, with LoRA or without, and the released heads on its CLS token."""

    def __init__(self, vit: Any, head: LineHead):
        super().__init__()
        self.vit, self.head = vit, head

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """Map images (n, 3, height, width), uint8 or in 0..1, to outputs (n, values) by target."""
        return self.head(cls_before_norm(self.vit, images))


def cls_before_norm(vit: Any, images: torch.Tensor) -> torch.Tensor:
    """Return what the released heads read: CLS after the last layer, before the final LayerNorm, (n, width).

    Args:
        vit: the model.
        images: (n, 3, height, width), uint8 or in 0..1.

    Raises:
        CompanionError: the model has no CLS token.
    """
    family = family_of(vit)
    if not family.has_cls:
        raise CompanionError(
            f"{family.title} has no CLS token, which the released heads read; give a backbone with one"
        )
    pixels = images.float() / 255 if images.dtype == torch.uint8 else images
    return vit(pixel_values=pixels, output_hidden_states=True).hidden_states[-1][:, 0]


def losses(outputs: Mapping[str, torch.Tensor], targets: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the published loss of each target, without its weight: Huber's, the mean over images and values."""
    return {name: nn.functional.huber_loss(output, targets[name], delta=HUBER) for name, output in outputs.items()}


def weighted(parts: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Return the published sum of the losses of the targets."""
    return torch.stack([WEIGHTS.get(name, OTHERS) * loss for name, loss in parts.items()]).sum()


def _two_layers(
    width: int, hidden: int, values: int, last: nn.Module, *, between: nn.Module | None = None
) -> nn.Sequential:
    middle = [between] if between is not None else []
    return nn.Sequential(nn.Linear(width, hidden), *middle, nn.Linear(hidden, values), last)
