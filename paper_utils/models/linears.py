"""The faster of torch's two float32 linear kernels on this machine, chosen by a measurement.

On Intel CPUs, MKL and oneDNN are equally fast; on others MKL may reach half the speed of oneDNN.
"""

import time
from collections.abc import Callable

import torch
from torch import nn

__all__ = ["OneDnnLinear", "faster_linears", "use_linears"]


class OneDnnLinear(nn.Linear):
    """A linear layer computed by oneDNN when no gradient is needed: the same weights, the same function."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Map inputs (..., in) to inputs times weights plus bias, (..., out)."""
        if torch.is_grad_enabled() or inputs.dtype != torch.float32:
            return super().forward(inputs)
        return torch.ops.mkldnn._linear_pointwise(inputs, self.weight, self.bias, "none", [], "")


def faster_linears(rows: int, width: int, *, repeats: int = 5) -> type[nn.Linear]:
    """Return the class that is faster for the first layer of an MLP; takes a few milliseconds.

    Args:
        rows: of the inputs (rows, width).
        width: of the inputs; the layer is four times as wide.
        repeats: measurements of each class, of which the fastest counts.
    """
    if not torch.backends.mkldnn.is_available():
        return nn.Linear
    inputs = torch.randn(rows, width)
    candidates = [kind(width, 4 * width) for kind in (nn.Linear, OneDnnLinear)]
    fastest = [float("inf")] * len(candidates)
    with torch.inference_mode():
        for _ in range(repeats):  # alternating, so that other load slows both
            for number, candidate in enumerate(candidates):
                fastest[number] = min(fastest[number], _seconds(candidate, inputs))
    plain, one_dnn = fastest
    return OneDnnLinear if one_dnn < plain else nn.Linear


def use_linears(model: nn.Module, kind: type[nn.Linear]) -> None:
    """Make every linear layer of a model one of class `kind`, in place; the weights stay the same tensors."""
    for module in model.modules():
        if type(module) in (nn.Linear, OneDnnLinear):
            module.__class__ = kind


def _seconds(work: Callable[[torch.Tensor], object], inputs: torch.Tensor) -> float:
    """Return the seconds that one call takes."""
    start = time.perf_counter()
    work(inputs)
    return time.perf_counter() - start
