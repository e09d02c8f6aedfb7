"""The loss of every image in every state of the weights that a protocol goes through, and what is reported of it.

Batches decide only which state of the weights an image meets: they need no sweep of their own, and the order of the
images can be drawn again as often as an interval needs.
"""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from tqdm import tqdm

from ..errors import CompanionError
from ..files import atomic_path
from ..models.parallel import parallel_map
from ..models.regressor import ChirpRegressor
from ..models.vit import best_device
from .protocols import Protocol

__all__ = ["protocol_losses", "resampled_losses", "state_losses"]

MOST_IMAGES = 32  # in one pass, which bounds memory
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@torch.inference_mode()
def state_losses(
    model: ChirpRegressor,
    images: torch.Tensor,
    labels: torch.Tensor,
    protocol: Protocol,
    *,
    partial: Path | None = None,
) -> np.ndarray:
    """Return each image's loss in every state of the weights, (1 + layers * heads, images) float32.

    Row 0 is the intact model's, row k that after the k-th head is zeroed, in row order: that head alone if the protocol
    restores, else all up to it. Losses are in the protocol's units; its `before_batch` plays no part here.

    An ablation changes nothing below its layer, so the residual stream up to there is kept, and only the rest is run.

    Args:
        model: merged, the one that the protocol asks for (`with_untuned_vit`); left as it was.
        images: (images, 3, 224, 224) uint8.
        labels: (images, 3), seconds and hertz.
        protocol: how.
        partial: file (.npz) of the finished layers, from which an interrupted sweep continues.

    Raises:
        CompanionError: there is no image, the model is LoRA-wrapped, a loss is not a number, or `partial` is damaged or
            of another model, other images or another protocol.
    """
    if not len(images):
        raise CompanionError("there are no images to ablate on; give at least one")
    if hasattr(model.vit, "merge_and_unload"):
        raise CompanionError("the model is LoRA-wrapped; give it merged (model.merged)")
    device = best_device()
    model = copy.deepcopy(model).eval().to(device)
    shares = torch.get_num_threads() if device.type == "cpu" else 1
    heads = model.vit.config.num_attention_heads
    most = 1 + len(model.layers) * heads
    with parallel_map(shares, device) as map_of:
        passes = _Passes(model, images.to(device), labels.to(device), protocol, map_of, -(-len(images) // shares))
        stream = passes.embedded()
        losses = _read_partial(partial, _legible([passes.losses(stream, 0)]), protocol, heads, most)
        with tqdm(total=most, initial=len(losses), desc="protocol") as bar:
            for layer, block in enumerate(model.layers):
                found = []
                for state in range(1 + layer * heads, 1 + (layer + 1) * heads):
                    is_new = state >= len(losses)
                    if is_new or not protocol.restored:
                        undo = _zero(model, layer, protocol, state - 1 - layer * heads)
                    if is_new:
                        found.append(passes.losses(stream, layer))
                        bar.update()
                    if is_new and protocol.restored:
                        undo()
                if found:
                    losses = np.concatenate([losses, _legible(found)])
                    _write_partial(partial, losses, protocol)
                stream = passes.through(block, stream)
    return losses


@dataclass(frozen=True)
class _Passes:
    """Forward passes up to a layer and from it on, several images at once in each core."""

    model: ChirpRegressor
    images: torch.Tensor  # (images, 3, 224, 224) uint8
    labels: torch.Tensor  # (images, 3), seconds and hertz
    protocol: Protocol
    map_of: Callable[..., Iterable]
    share: int  # images for each core

    def embedded(self) -> torch.Tensor:
        """Return the residual stream before the first layer, (images, tokens, size)."""

        def work(chosen: torch.Tensor) -> torch.Tensor:
            pixels = self.images[chosen].float() / 255
            if not self.protocol.same_units:
                mean, std = (pixels.new_tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
                pixels = (pixels - mean) / std
            return self.model.vit.embeddings(pixels)

        return self._by_chunk(work)

    def through(self, block: torch.nn.Module, stream: torch.Tensor) -> torch.Tensor:
        """Return the residual stream after a layer, given that before it."""
        return self._by_chunk(lambda chosen: block(stream[chosen]))

    def losses(self, stream: torch.Tensor, layer: int) -> torch.Tensor:
        """Return each image's loss, (images,), given the residual stream before a layer."""
        targets = self.model.standardise(self.labels) if self.protocol.same_units else self.labels

        def work(chosen: torch.Tensor) -> torch.Tensor:
            x = stream[chosen]
            for block in self.model.layers[layer:]:
                x = block(x)
            output = self.model.head(self.model.vit.layernorm(x[:, 0]))
            return ((output - targets[chosen]) ** 2).mean(-1)

        return self._by_chunk(work)

    def _by_chunk(self, work: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        """Return the results of `work` on the indices of some of the images, in their order."""
        chunks = torch.arange(len(self.images)).split(min(MOST_IMAGES, self.share))
        return torch.cat(list(self.map_of(torch.inference_mode()(work), chunks)))


def _zero(model: ChirpRegressor, layer: int, protocol: Protocol, head: int) -> Callable[[], None]:
    """Zero the weights that the protocol zeroes for a head; return what restores them."""
    config, attention = model.vit.config, model.layers[layer].attention
    rows = protocol.zeroed(head, config.hidden_size // config.num_attention_heads)
    weights = [projection.weight for projection in (attention.q_proj, attention.k_proj, attention.v_proj)]
    saved = [weight[rows].clone() for weight in weights]
    for weight in weights:
        weight[rows] = 0

    def undo() -> None:
        for weight, before in zip(weights, saved, strict=True):
            weight[rows] = before

    return undo


def _legible(losses: list[torch.Tensor]) -> np.ndarray:
    """Return losses as rows, (states, images), if all are numbers."""
    rows = torch.stack(losses).float().cpu().numpy()
    if not np.isfinite(rows).all():
        raise CompanionError("the model predicts something that is not a number; was its training completed?")
    return rows


def _write_partial(partial: Path | None, losses: np.ndarray, protocol: Protocol) -> None:
    if partial is not None:
        with atomic_path(partial) as temporary:
            np.savez(temporary, losses=losses, states=_states(protocol))


def _read_partial(partial: Path | None, intact: np.ndarray, protocol: Protocol, heads: int, most: int) -> np.ndarray:
    """Return the rows of the finished layers, or of the intact model alone: (finished, images)."""
    if partial is None or not partial.exists():
        return intact
    try:
        with np.load(partial) as file:
            losses, states = file["losses"], str(file["states"])
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise CompanionError(f"the unfinished sweep {partial} is damaged; remove it and run again") from error
    fits = losses.ndim == 2 and losses.shape[1] == intact.shape[1] and len(losses) in range(1, most + 1, heads)
    if not fits or states != _states(protocol) or not np.allclose(losses[:1], intact, rtol=1e-3, atol=1e-5):
        raise CompanionError(
            f"the unfinished sweep {partial} is of another model, other images or another protocol; "
            "remove it and run again"
        )
    return losses


def _states(protocol: Protocol) -> str:
    """Return what tells sweeps apart in a file; batches do not."""
    return str(replace(protocol, before_batch=True))


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
