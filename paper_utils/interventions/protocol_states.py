"""The loss of every image in every state of the weights that a protocol goes through, and what is reported of it.

Batches decide only which state of the weights an image meets: they need no sweep of their own, and the order of the
images can be drawn again as often as an interval needs.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from transformers.image_utils import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from ..errors import CompanionError
from ..models.families import Block
from ..models.regressor import ChirpRegressor
from .engine import Engine
from .protocols import Protocol

__all__ = ["protocol_losses", "resampled_losses", "state_losses"]


def state_losses(
    model: ChirpRegressor | Engine, images: torch.Tensor, labels: np.ndarray, protocol: Protocol
) -> np.ndarray:
    """Return each image's loss in every state of the weights, (1 + layers * heads, images) float32.

    Row 0 is the intact model's, row k that after the k-th head is zeroed, in row order: that head alone if the protocol
    restores, else all up to it. Losses are in the protocol's units; its `before_batch` plays no part here.

    Args:
        model: the one that the protocol asks for (`with_untuned_vit`), LoRA-wrapped or merged, left as it was; or its
            engine.
        images: (images, 3, height, width) uint8.
        labels: (images, 3), seconds and hertz.
        protocol: how.

    Raises:
        CompanionError: there is no image, or a loss is not a number.
    """
    if not len(images):
        raise CompanionError("there are no images to ablate on; give at least one")
    engine = model if isinstance(model, Engine) else Engine(model)
    scale, targets = engine.model.standardise, torch.as_tensor(labels, dtype=torch.float32, device=engine.device)
    targets = scale(targets) if protocol.same_units else targets

    def work(chosen: torch.Tensor) -> torch.Tensor:
        pixels = images[chosen].to(engine.device) / 255
        if not protocol.same_units:
            mean, std = (
                pixels.new_tensor(values)[:, None, None] for values in (IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD)
            )
            pixels = (pixels - mean) / std
        states = _predictions(engine, pixels, protocol)
        return torch.stack([((scale(state) - targets[chosen]) ** 2).mean(-1) for state in states], dim=1)

    losses = torch.cat(engine.by_batch(work, len(images))).T.cpu().numpy()
    if not np.isfinite(losses).all():
        raise CompanionError("the model predicts something that is not a number; was its training completed?")
    return losses


def _predictions(engine: Engine, pixels: torch.Tensor, protocol: Protocol) -> Iterator[torch.Tensor]:
    """Yield predictions (n, 3) intact and after each head is zeroed, in row order.

    An ablation changes nothing below its layer: the residual stream up to there is kept, and only the rest is run.
    """
    x = engine.embed(pixels)
    rows = [protocol.zeroed(head, engine.size) for head in range(engine.heads)]
    for number, layer in enumerate(engine.layers):
        projected = engine.project(layer, x)
        intact = x + _attention(engine, layer, projected, [])
        if number == 0:
            yield engine.predict_from_layer(0, intact)
        for head in range(engine.heads):
            zeroed = rows[head : head + 1] if protocol.restored else rows[: head + 1]
            yield engine.predict_from_layer(number, x + _attention(engine, layer, projected, zeroed))
        left = intact if protocol.restored else x + _attention(engine, layer, projected, rows)
        x = engine.feed_forward(layer, left)


def _attention(
    engine: Engine, layer: Block, projected: tuple[torch.Tensor, ...], zeroed: Sequence[slice]
) -> torch.Tensor:
    """Return what a layer's attention adds to the residual stream where rows of its query, key and value weights are zero.

    Such a row gives every token the same query, key and value, its biases. The product of query and key then adds the
    same to every score and changes no softmax, as if the query were zero; and the mean of the values is the bias.
    """
    query, key, value = projected
    bias = engine.value_bias(layer).flatten()
    query = query.clone()
    for rows in zeroed:
        query[..., rows] = 0
    z = engine.mix(query, key, value).flatten(2)
    for rows in zeroed:
        z[..., rows] = bias[rows]
    return layer.output(z)


def protocol_losses(
    states: np.ndarray, protocol: Protocol, *, batch: int, order: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Return the intact loss and the loss after each head's ablation, (layers * heads,), as a protocol reports them.

    They are means over batches of the batches' means, as the released package takes them; the last batch may be
    smaller. Where `before_batch` is false, the first batch meets the weights before the head is zeroed: the intact ones
    if the protocol restores, else those of the head before.

    Args:
        states: of `state_losses`, (1 + layers * heads, images).
        protocol: which may differ from that of the states in `before_batch`.
        batch: images of one batch.
        order: in which the images come, a permutation (images,); as they are if left out.

    Raises:
        CompanionError: the batch is empty, or the order is not a permutation.
    """
    order = np.arange(states.shape[1]) if order is None else np.asarray(order)
    if not np.array_equal(np.sort(order), np.arange(states.shape[1])):
        raise CompanionError(f"the order is not one of {states.shape[1]} images; give each index once, from 0")
    intact, losses = resampled_losses(states, protocol, order[None], batch=batch)
    return float(intact[0]), losses[0]


def resampled_losses(
    states: np.ndarray, protocol: Protocol, draws: np.ndarray, *, batch: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return what `protocol_losses` does for many draws of the images: (draws,) and (draws, layers * heads).

    Args:
        states: of `state_losses`, (1 + layers * heads, images).
        protocol: as in `protocol_losses`.
        draws: indices of images in their order, (draws, images); some may be missing and others repeated.
        batch: images of one batch.

    Raises:
        CompanionError: the batch is empty.
    """
    if batch < 1:
        raise CompanionError(f"batches of {batch} images; give 1 or more")
    states = states.astype(float)
    batch_of = np.arange(draws.shape[1]) // batch
    sizes = np.bincount(batch_of)
    share = 1 / (len(sizes) * sizes[batch_of])  # of an image at a place in the mean over batches
    first, later = (_by_image(draws, share * part, states.shape[1]) for part in (batch_of == 0, batch_of > 0))
    after = states[1:].T
    before = after if protocol.before_batch else states[:1].T if protocol.restored else states[:-1].T
    return (first + later) @ states[0], first @ before + later @ after


def _by_image(draws: np.ndarray, share: np.ndarray, images: int) -> np.ndarray:
    """Return the share of each image, (draws, images), from that of each place in a draw."""
    cells = draws + images * np.arange(len(draws))[:, None]
    shares = np.broadcast_to(share, draws.shape)
    return np.bincount(cells.ravel(), shares.ravel(), len(draws) * images).reshape(len(draws), images)
