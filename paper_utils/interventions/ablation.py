"""Ablate each head as section 2.2 describes it: its query, key and value weights are set to zero.

Biases stay, since the paper names the weights alone: the head then attends uniformly and puts out its value bias.
`plain_sweep` does exactly that (zero, run the whole model, restore): slow, and the oracle of the engine, which
`ablate_every_head` uses.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..heads import check_head
from ..models.parts import in_parts
from ..models.regressor import ChirpRegressor
from .engine import Engine, Replacement

__all__ = [
    "Ablation",
    "ablate_every_head",
    "head_zeroed",
    "layer_summary",
    "plain_sweep",
    "squared_errors",
    "target_errors",
]

IMAGES_PER_SAVE = 32  # of an unfinished sweep


@dataclass(frozen=True)
class Ablation:
    """Predictions of the intact model and with each head ablated, and the labels; seconds, hertz, hertz.

    Images that were chosen by importance sampling (`statistics.weighted_choice`) carry weights.
    """

    baseline: np.ndarray  # (images, 3)
    ablated: np.ndarray  # (layers, heads, images, 3)
    labels: np.ndarray  # (images, 3)
    label_std: np.ndarray  # (3,) the unit of the loss
    weights: np.ndarray  # (images,) of importance sampling; one on average


@contextmanager
def head_zeroed(model: ChirpRegressor, layer: int, head: int) -> Iterator[None]:
    """Zero W_query, W_key and W_value of one head (counted from 0) within a block, LoRA's share of them included.

    Raises:
        CompanionError: the model has no such layer or head.
    """
    heads = model.vit.config.num_attention_heads
    check_head(layer, head, (len(model.layers), heads))
    block = model.blocks[layer]
    size = block.query.out_features // heads
    rows = slice(head * size, (head + 1) * size)
    weights = []
    for projection in (block.query, block.key, block.value):
        weights.append(projection.weight)  # of the base layer, where LoRA wraps it
        # W' = W + BA: with the head's rows of B zero too, nothing of the head's weights is left
        weights += [adapter.weight for adapter in getattr(projection, "lora_B", {}).values()]
    saved = [weight.detach()[rows].clone() for weight in weights]
    try:
        with torch.no_grad():
            for weight in weights:
                weight[rows] = 0
        yield
    finally:
        with torch.no_grad():
            for weight, rows_before in zip(weights, saved, strict=True):
                weight[rows] = rows_before


def ablate_every_head(
    model: ChirpRegressor,
    images: torch.Tensor,
    labels: np.ndarray,
    *,
    kind: str = "zero_qkv",
    source: torch.Tensor | None = None,
    weights: np.ndarray | None = None,
    partial: Path | None = None,
) -> Ablation:
    """Predict `images` intact and with each head ablated in turn, exactly, in float32.

    Args:
        model: LoRA-wrapped or merged; left as it was.
        images: (images, 3, height, width).
        labels: (images, 3), kept with the result.
        kind: of replacement, one of `engine.KINDS`.
        source: images that "mean" (any, better others than `images`) and "resample" (one for each) need.
        weights: (images,), kept with the result; all one if left out.
        partial: names the files of the finished images, see `in_parts`; several processes share the images out by them.

    Raises:
        CompanionError: there is no image, `source` does not belong to the kind, a prediction is not a number, or the
            file of a finished part is damaged.
    """
    engine = Engine(model)
    replacement = Replacement(engine, kind, source=source)
    replacement.check(images)
    baseline = engine.predict(images)

    def compute(part: slice) -> dict[str, np.ndarray]:
        _, ablated = engine.sweep(images[part], kind=replacement.part(part))
        return {"ablated": np.moveaxis(ablated, 2, 0)}

    guard = {"intact predictions": baseline, "replacement": np.array(replacement.mark)}
    title = f"ablation ({kind})"
    found = in_parts(compute, len(images), size=IMAGES_PER_SAVE, title=title, partial=partial, guard=guard)
    ablated = np.ascontiguousarray(np.moveaxis(found["ablated"], 0, 2))
    weights = np.ones(len(images)) if weights is None else weights
    return Ablation(baseline, ablated, np.asarray(labels), model.label_std.cpu().numpy(), weights)


def plain_sweep(model: ChirpRegressor, images: torch.Tensor, labels: np.ndarray, *, batch: int = 32) -> Ablation:
    """Do what `ablate_every_head` does by one forward pass of the whole model for each head, and one intact."""
    model.eval()
    layers, heads = len(model.layers), model.vit.config.num_attention_heads
    ablated = []
    for layer in range(layers):
        for head in range(heads):
            with head_zeroed(model, layer, head):
                ablated.append(_predict(model, images, batch))
    return Ablation(
        baseline=_predict(model, images, batch),
        ablated=np.stack(ablated).reshape(layers, heads, -1, 3),
        labels=np.asarray(labels),
        label_std=model.label_std.cpu().numpy(),
        weights=np.ones(len(images)),
    )


def _predict(model: ChirpRegressor, images: torch.Tensor, batch: int) -> np.ndarray:
    with torch.inference_mode():
        return np.concatenate([model.predict(some).cpu().numpy() for some in images.split(batch)])


def target_errors(predictions: np.ndarray, ablation: Ablation) -> np.ndarray:
    """Return squared errors in standardised units times the images' weights, of the shape of `predictions`.

    Their mean over the images is the loss of each target.
    """
    return ((predictions - ablation.labels) / ablation.label_std) ** 2 * ablation.weights[:, None]


def squared_errors(predictions: np.ndarray, ablation: Ablation) -> np.ndarray:
    """Return `target_errors` averaged over the targets: shape of `predictions` less the last."""
    return target_errors(predictions, ablation).mean(-1)


def layer_summary(increase: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation (n - 1) over the heads of each layer, (layers,) each."""
    return increase.mean(1), increase.std(1, ddof=1)
