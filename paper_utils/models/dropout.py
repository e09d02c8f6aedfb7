"""Dropout as LoRA has it on its inputs, with masks that are drawn in a fraction of the time.

On a processor torch draws a mask one number at a time on one core, and LoRA asks for 24 a step. Four of the numbers
here come out of each random integer. `make bench` measures what that saves.
"""

import contextlib
import threading
from collections.abc import Iterator

import torch
from peft.tuners.lora import LoraLayer
from torch import nn

__all__ = ["QuickDropout", "masks_from", "set_dropout"]

STEPS = 2**16  # a chance is a multiple of one in so many
_own = threading.local()


@contextlib.contextmanager
def masks_from(*seed: int) -> Iterator[None]:
    """Draw a thread's masks from a seed of their own within a block, whatever other threads draw meanwhile."""
    _own.generator = torch.Generator().manual_seed(hash(seed))
    try:
        yield
    finally:
        _own.generator = None


class QuickDropout(nn.Dropout):
    """`torch.nn.Dropout` of the same chance, to 1 in 65,536; on a GPU, which is quick at it, the same module."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Drop each number with chance p in training and scale the others up by as much."""
        if not self.training or self.p in (0, 1) or input.device.type != "cpu":
            return super().forward(input)
        generator = getattr(_own, "generator", None)
        whole = torch.randint(-(2**63), 2**63 - 1, (-(-input.numel() // 4),), generator=generator)
        kept = whole.view(torch.int16)[: input.numel()].view(input.shape) >= round(self.p * STEPS) - STEPS // 2
        return input * kept * (1 / (1 - self.p))


def set_dropout(model: nn.Module, kind: type[nn.Dropout]) -> None:
    """Let every LoRA layer of a model drop its inputs by a module of another kind, by the same chance."""
    for layer in model.modules():
        if isinstance(layer, LoraLayer):
            for name, dropout in layer.lora_dropout.items():
                if isinstance(dropout, nn.Dropout):
                    layer.lora_dropout[name] = kind(dropout.p)
