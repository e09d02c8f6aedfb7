"""Screen heads before ablating them: what a linearised model says an ablation would do, from one forward pass.

An estimate. It ranks heads for the exact engine and never shows that a head does nothing.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from ..models.regressor import ChirpRegressor
from ..models.vit import autocast
from ..statistics import percent_increase
from .ablation import Ablation, squared_errors
from .engine import Engine

__all__ = ["Screening", "linearised", "screen"]


@dataclass(frozen=True)
class Screening:
    """Estimated effects of each head's ablation, (layers, heads) each, by three rules on the same gradients."""

    outputs: np.ndarray  # percent: outputs linearised image by image, their loss exact
    loss: np.ndarray  # percent: the loss itself linearised, as in gradient times output (Molchanov et al. 2017)
    absolute: np.ndarray  # percent: mean over images of its absolute values (Michel et al. 2019)


def linearised(
    model: ChirpRegressor,
    images: torch.Tensor,
    labels: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    mixed_precision: bool = False,
) -> Ablation:
    """Return what `ablate_every_head` would, to first order in what each head puts out.

    One forward and, for the three outputs, three backward passes, whatever the number of heads.

    Args:
        model: LoRA-wrapped or merged; left as it was.
        images: (images, 3, 224, 224).
        labels: (images, 3).
        weights: as in `ablate_every_head`.
        mixed_precision: bfloat16 where the processor has it: faster, and an estimate all the more.

    Raises:
        CompanionError: there is no image, or a prediction is not a number.
    """
    engine = Engine(model, linears=nn.Linear)
    engine.model.requires_grad_(False)
    baseline = engine.predict(images)
    changes = []
    for some in tqdm(images.split(engine.batch), unit=" batches", desc="screening"):
        with torch.enable_grad(), autocast(engine.device, wanted=mixed_precision):
            changes.append(_changes(engine, some))
    ablated = baseline + torch.cat(changes, dim=2).cpu().numpy()
    weights = np.ones(len(images)) if weights is None else weights
    return Ablation(baseline, ablated, np.asarray(labels), engine.model.label_std.cpu().numpy(), weights)


def _changes(engine: Engine, images: torch.Tensor) -> torch.Tensor:
    """Return (layers, heads, images, 3): the gradients of the outputs times what the ablation takes from z."""
    x = engine._embed(images).requires_grad_()
    outputs = []
    for layer in engine.layers:
        outputs.append(engine._attend(layer, x))
        x = engine._finish_layer(layer, x, outputs[-1])
    predictions = engine._read(x[:, 0])
    removed = [engine._value_bias(layer) - z.detach() for layer, z in zip(engine.layers, outputs, strict=True)]
    changes = []
    for target in range(predictions.shape[1]):
        gradients = torch.autograd.grad(predictions[:, target].sum(), outputs, retain_graph=target < 2)
        changes.append(
            torch.stack([torch.einsum("nthd,nthd->hn", *pair).float() for pair in zip(gradients, removed, strict=True)])
        )
    return torch.stack(changes, dim=-1)


def screen(estimate: Ablation) -> Screening:
    """Turn linearised predictions into effects by the three rules."""
    intact = squared_errors(estimate.baseline, estimate)
    error = (estimate.baseline - estimate.labels) / estimate.label_std
    change = (estimate.ablated - estimate.baseline) / estimate.label_std
    slopes = (2 * error * change).mean(-1) * estimate.weights
    return Screening(
        outputs=percent_increase(squared_errors(estimate.ablated, estimate), intact),
        loss=100 * slopes.mean(-1) / intact.mean(),
        absolute=100 * np.abs(slopes).mean(-1) / intact.mean(),
    )
