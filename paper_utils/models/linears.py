"""The faster of torch's two float32 linear kernels on a CPU: oneDNN's, where this torch has it.

On Intel CPUs MKL, torch's usual choice, is as fast; on others it reaches half the speed of oneDNN. The two round
differently, so the choice is a rule: by a measurement, two processes would differ in their last digits by chance.
"""

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


def faster_linears() -> type[nn.Linear]:
    """Return the class that is at least as fast on every CPU."""
    return OneDnnLinear if torch.backends.mkldnn.is_available() else nn.Linear


def use_linears(model: nn.Module, kind: type[nn.Linear]) -> None:
    """Make every linear layer of a model one of class `kind`, in place; the weights stay the same tensors."""
    for module in model.modules():
        if type(module) in (nn.Linear, OneDnnLinear):
            module.__class__ = kind
