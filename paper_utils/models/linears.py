"""The faster of torch's two float32 linear kernels on this machine, found by measuring.

On processors by Intel, MKL and oneDNN come out alike; on others MKL may reach half of what oneDNN does.
"""

import time
from collections.abc import Callable

import torch
from torch import nn

__all__ = ["OneDnnLinear", "faster_linears", "use_linears"]


class OneDnnLinear(nn.Linear):
    """A linear layer through oneDNN where no gradient is asked for: the same weights, the same function."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return inputs (..., in) times the weights, plus the bias: (..., out)."""
        if torch.is_grad_enabled() or inputs.dtype != torch.float32:
            return super().forward(inputs)
        return torch.ops.mkldnn._linear_pointwise(inputs, self.weight, self.bias, "none", [], "")


def faster_linears(rows: int, width: int, *, repeats: int = 5) -> type[nn.Linear]:
    """Return the class that is faster for (rows, width) inputs of an MLP four times as wide, in a few milliseconds."""
    if not torch.backends.mkldnn.is_available():
        return nn.Linear
    inputs = torch.randn(rows, width)
    candidates = [kind(width, 4 * width) for kind in (nn.Linear, OneDnnLinear)]
    fastest = [float("inf")] * len(candidates)
    with torch.inference_mode():
        for _ in range(repeats):  # in turns, so that a busy machine slows both
            for place, candidate in enumerate(candidates):
                fastest[place] = min(fastest[place], _seconds(candidate, inputs))
    plain, one_dnn = fastest
    return OneDnnLinear if one_dnn < plain else nn.Linear


def use_linears(model: nn.Module, kind: type[nn.Linear]) -> None:
    """Make every linear layer of a model one of this kind; its weights stay where they are."""
    for module in model.modules():
        if type(module) in (nn.Linear, OneDnnLinear):
            module.__class__ = kind


def _seconds(work: Callable, inputs: torch.Tensor) -> float:
    begun = time.perf_counter()
    work(inputs)
    return time.perf_counter() - begun
