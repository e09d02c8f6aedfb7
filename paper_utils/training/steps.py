"""One step of a training: which images of a batch each process takes, and the sum of their gradients.

A batch is processed in parts (`Recipe.micro_batch`), whose gradients add up. Several processes share the parts out, and
cut them where there are fewer parts than processes. Dropout masks belong to the part, so that samples, masks and, up to
rounding, weights are those of one process.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..models import processes
from .recipe import Recipe

__all__ = ["Piece", "pieces_of", "shares_of", "sum_gradients"]

Gradients = tuple[torch.Tensor | None, ...]  # of each trained parameter; None of those that no prediction depends on


@dataclass(frozen=True)
class Piece:
    """Images that go through the model at once: a part of a batch, or some of a part."""

    part: int  # number of the part in its batch
    images: range  # positions in the batch
    whole: range  # those of the part

    @property
    def rows(self) -> slice:
        """Which images of its part it has."""
        return slice(self.images.start - self.whole.start, self.images.stop - self.whole.start)


def pieces_of(count: int, *, micro_batch: int, total: int) -> list[Piece]:
    """Cut a batch into parts of at most `micro_batch` images, and these further where there are fewer than processes.

    Args:
        count: images of the batch.
        micro_batch: images of a part.
        total: number of processes.
    """
    wholes = [range(start, min(start + micro_batch, count)) for start in range(0, count, micro_batch)]
    cuts = math.ceil(total / len(wholes))
    found = []
    for part, whole in enumerate(wholes):
        into = min(cuts, len(whole))
        edges = [len(whole) * number // into for number in range(into + 1)]
        found += [Piece(part, whole[start:stop], whole) for start, stop in itertools.pairwise(edges)]
    return found


def shares_of(count: int, recipe: Recipe) -> list[list[Piece]]:
    """Return this process's pieces of each batch of an epoch of `count` images; none of a batch that is too small."""
    sizes = [min(recipe.batch, count - start) for start in range(0, count, recipe.batch)]
    total = processes.total()
    return [processes.share(pieces_of(size, micro_batch=recipe.micro_batch, total=total)) for size in sizes]


def sum_gradients(
    parameters: Sequence[torch.nn.Parameter], results: Sequence[tuple[float, Gradients]], *, device: torch.device
) -> float:
    """Set the parameters' gradients to the sum over the pieces of all processes; return the sum of the losses.

    Args:
        parameters: those that are trained.
        results: loss and gradients of each piece of this process.
        device: on which processes add up.

    Raises:
        CompanionError: another process was lost.
    """
    loss = float(sum(part for part, _ in results))
    for parameter, *summands in zip(parameters, *(gradients for _, gradients in results), strict=True):
        if summands and summands[0] is not None:  # a parameter that no prediction depends on has none
            parameter.grad = sum(summands)
    return _over_processes(parameters, loss, device) if processes.total() > 1 else loss


def _over_processes(parameters: Sequence[torch.nn.Parameter], loss: float, device: torch.device) -> float:
    """Add gradients and loss of all processes up, in one message."""
    used = torch.tensor([float(parameter.grad is not None) for parameter in parameters] + [loss])
    flat = [torch.zeros_like(one).ravel() if one.grad is None else one.grad.ravel() for one in parameters]
    message = torch.cat([used.to(device), *(gradient.float().detach() for gradient in flat)])
    processes.add(message)
    head, *summed = message.split([len(used), *(parameter.numel() for parameter in parameters)])
    *used_by_any, loss = head.tolist()
    for parameter, gradient, is_used in zip(parameters, summed, used_by_any, strict=True):
        parameter.grad = gradient.view_as(parameter).to(parameter.dtype) if is_used else None
    return loss
