"""Dropout for LoRA's inputs whose masks are drawn faster than torch's on a CPU.

Torch draws a dropout mask with one random number for each element, in one thread, and LoRA needs 24 masks for each
step (12 layers, two projections). Here each 64-bit random integer gives four elements. `make bench` measures the gain.
Within `masks_from` masks depend on a seed alone, on a GPU too: in whichever process, and after an interruption.
"""

import contextlib
import math
import threading
from collections.abc import Iterator

import torch
from peft.tuners.lora import LoraLayer
from torch import nn

__all__ = ["QuickDropout", "masks_from", "set_dropout"]

LEVELS = 2**16  # of a 16-bit random number; probabilities are multiples of 1 / LEVELS
_thread = threading.local()


class Masks:
    """Where a thread's masks come from, see `masks_from`."""

    def __init__(self, seed: int, rows: slice, of: int | None):
        self.seed, self.rows, self.of = seed, rows, of
        self._generators: dict[torch.device, torch.Generator] = {}

    def generator(self, device: torch.device) -> torch.Generator:
        """Return the generator of a device, which each of its masks carries on."""
        if device not in self._generators:
            self._generators[device] = torch.Generator(device).manual_seed(self.seed)
        return self._generators[device]


@contextlib.contextmanager
def masks_from(*seed: int, rows: slice = slice(None), of: int | None = None) -> Iterator[None]:
    """Draw the masks of this thread from a generator with this seed within a block, independent of other threads.

    Args:
        seed: of the generator.
        rows: which images of a batch the inputs are, along their first axis: they get the masks that they would get if
            the whole batch were there.
        of: images of the whole batch; the inputs are the whole if left out.
    """
    _thread.masks = Masks(hash(seed), rows, of)
    try:
        yield
    finally:
        _thread.masks = None


class QuickDropout(nn.Dropout):
    """`torch.nn.Dropout` with the same probability, rounded to 1 / 65,536; without a seed on a GPU torch's own."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Set each element to zero with probability p in training, and scale the others by 1 / (1 - p)."""
        masks = getattr(_thread, "masks", None)
        if not self.training or self.p in (0, 1) or (masks is None and input.device.type != "cpu"):
            return super().forward(input)
        shape = input.shape if masks is None or masks.of is None else (masks.of, *input.shape[1:])
        count = math.prod(shape)
        generator = masks.generator(input.device) if masks else None
        integers = torch.randint(-(2**63), 2**63 - 1, (-(-count // 4),), generator=generator, device=input.device)
        mask = integers.view(torch.int16)[:count].view(shape) >= round(self.p * LEVELS) - LEVELS // 2
        if masks:
            mask = mask[masks.rows]
        return input * mask * (1 / (1 - self.p))


def set_dropout(model: nn.Module, kind: type[nn.Dropout]) -> None:
    """Replace the dropout of every LoRA layer of a model by one of class `kind` with the same probability."""
    for layer in model.modules():
        if isinstance(layer, LoraLayer):
            for name, dropout in layer.lora_dropout.items():
                if isinstance(dropout, nn.Dropout):
                    layer.lora_dropout[name] = kind(dropout.p)
