"""Two protocols of head ablation, the paper's text and its released package, and each of their differences alone.

vision-mech-interp-attn-head 0.1.8, run as its usage example says, differs from section 2.2 in five ways. Each is a
switch here, written anew from that behaviour, so that it can be seen which of them does what to Figure 4.
"""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from scipy import stats
from tqdm import tqdm

from ..errors import CompanionError
from ..models.parallel import parallel_map
from ..models.regressor import ChirpRegressor
from ..models.vit import best_device, on_best_device

__all__ = [
    "DESCRIBED",
    "PROTOCOLS",
    "RELEASED",
    "Protocol",
    "continuity",
    "intact_losses",
    "lag_1_autocorrelation",
    "loss_sweep",
    "with_untuned_vit",
]

MOST_IMAGES = 32  # in one pass, which bounds memory
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Protocol:
    """How an ablation is run; every field is true in the paper's text and false in the released package's example."""

    fine_tuned: bool = True  # else the backbone before fine-tuning, under the fine-tuned regression head
    whole_head: bool = True  # else row h of the query, key and value weights for head h: a dimension of head 1
    before_batch: bool = True  # else zeroed after the first batch of an evaluation has been predicted
    restored: bool = True  # else every ablation stays, and the next comes on top
    same_units: bool = True  # else raw targets against standardised predictions, pixels normalised as ImageNet's


DESCRIBED = Protocol()
RELEASED = Protocol(False, False, False, False, False)
PROTOCOLS = {  # between the two, each switch by itself
    "as described": DESCRIBED,
    "fine-tuned weights not loaded": replace(DESCRIBED, fine_tuned=False),
    "one row for a head": replace(DESCRIBED, whole_head=False),
    "zeroed after the batch": replace(DESCRIBED, before_batch=False),
    "not restored": replace(DESCRIBED, restored=False),
    "other units and pixels": replace(DESCRIBED, same_units=False),
    "as released": RELEASED,
}


def with_untuned_vit(model: ChirpRegressor, vit: torch.nn.Module) -> ChirpRegressor:
    """Return a copy of the model whose ViT is another one, its head and label scale kept."""
    other = copy.deepcopy(model)
    other.vit = copy.deepcopy(vit)
    return other.eval()


@torch.inference_mode()
def loss_sweep(
    model: ChirpRegressor, images: torch.Tensor, labels: torch.Tensor, protocol: Protocol, *, batch: int = 32
) -> tuple[float, np.ndarray]:
    """Return the intact loss and the loss after each head's ablation in turn, (layers, heads).

    An ablation changes nothing below its layer, so the residual stream up to there is kept, and only the rest is run.
    A state of the weights is run on all its images at once: what counts as a batch decides on the state alone.

    Args:
        model: merged, the one that the protocol asks for (`with_untuned_vit`); left as it was.
        images: (images, 3, 224, 224) uint8.
        labels: (images, 3), seconds and hertz.
        protocol: how.
        batch: images of one batch, which decides what `before_batch` means and how losses are averaged.

    Raises:
        CompanionError: there is no image, or the model is LoRA-wrapped.
    """
    if not len(images):
        raise CompanionError("there are no images to ablate on; give at least one")
    if hasattr(model.vit, "merge_and_unload"):
        raise CompanionError("the model is LoRA-wrapped; give it merged (model.merged)")
    device = best_device()
    model = copy.deepcopy(model).eval().to(device)
    pixels, targets = _inputs(model, images, labels, protocol)
    shares = torch.get_num_threads() if device.type == "cpu" else 1
    heads = model.vit.config.num_attention_heads
    losses = np.empty((len(model.layers), heads))
    with parallel_map(shares, device) as map_of, tqdm(total=losses.size, desc="protocol") as bar:
        passes = _Passes(model, targets, batch, map_of, min(MOST_IMAGES, -(-len(images) // shares)))
        stream = passes.by_chunk(lambda chosen: model.vit.embeddings(pixels[chosen]))
        intact = passes.mean_loss([passes.losses(stream, 0)])
        for layer, block in enumerate(model.layers):
            for head in range(heads):
                losses[layer, head] = _loss_without(passes, stream, layer, head, protocol)
                bar.update()
            stream = passes.by_chunk(partial(_through, block, stream))
    return intact, losses


@torch.inference_mode()
def intact_losses(
    model: ChirpRegressor, images: torch.Tensor, labels: torch.Tensor, protocol: Protocol, *, batch: int = 8
) -> np.ndarray:
    """Return the intact model's loss on each image, (images,), in the protocol's units; arguments of `loss_sweep`."""
    losses = []
    with on_best_device(model):
        for some in zip(images.split(batch), labels.split(batch), strict=True):
            pixels, targets = _inputs(model, *some, protocol)
            losses.append(((model(pixels) - targets) ** 2).mean(-1).cpu())
    return torch.cat(losses).numpy()


def _inputs(
    model: ChirpRegressor, images: torch.Tensor, labels: torch.Tensor, protocol: Protocol
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pixels and targets as the protocol has them, where the model is."""
    device = model.label_std.device
    pixels, labels = images.to(device).float() / 255, labels.to(device)
    if protocol.same_units:
        return pixels, model.standardise(labels)
    mean, std = (torch.tensor(values, device=device)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    return (pixels - mean) / std, labels


@dataclass(frozen=True)
class _Passes:
    """Forward passes from a layer on, several images at once in each core; losses are means over batches."""

    model: ChirpRegressor
    targets: torch.Tensor  # (images, 3)
    batch: int  # images of the protocol's batches
    map_of: Callable[..., Iterable]
    chunk: int  # images in one pass

    def by_chunk(self, work: Callable[[torch.Tensor], torch.Tensor], *, part: slice = slice(None)) -> torch.Tensor:
        """Return the results of `work` on the indices of some of the images, in their order."""
        chunks = torch.arange(len(self.targets))[part].split(self.chunk)
        return torch.cat(list(self.map_of(torch.inference_mode()(work), chunks)))

    def losses(self, stream: torch.Tensor, layer: int, *, part: slice = slice(None)) -> torch.Tensor:
        """Return each image's loss, (images of the part,), given the residual stream before a layer."""

        def work(chosen: torch.Tensor) -> torch.Tensor:
            x = stream[chosen]
            for block in self.model.layers[layer:]:
                x = block(x)
            output = self.model.head(self.model.vit.layernorm(x[:, 0]))
            return ((output - self.targets[chosen]) ** 2).mean(-1)

        return self.by_chunk(work, part=part)

    def mean_loss(self, losses: list[torch.Tensor]) -> float:
        """Return the mean over batches of the batches' mean losses, as the released package reports it."""
        return float(np.mean([float(some.mean()) for some in torch.cat(losses).split(self.batch)]))


def _through(block: torch.nn.Module, stream: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    return block(stream[chosen])


def _loss_without(passes: _Passes, stream: torch.Tensor, layer: int, head: int, protocol: Protocol) -> float:
    model = passes.model
    attention = model.layers[layer].attention
    size = model.vit.config.hidden_size // model.vit.config.num_attention_heads
    rows = slice(head * size, (head + 1) * size) if protocol.whole_head else slice(head, head + 1)
    weights = [projection.weight for projection in (attention.q_proj, attention.k_proj, attention.v_proj)]
    saved = [weight[rows].clone() for weight in weights]

    def zero() -> None:
        for weight in weights:
            weight[rows] = 0

    if protocol.before_batch:
        zero()
        losses = [passes.losses(stream, layer)]
    else:  # the first batch sees the head, all later ones do not
        losses = [passes.losses(stream, layer, part=slice(passes.batch))]
        zero()
        if len(stream) > passes.batch:
            losses.append(passes.losses(stream, layer, part=slice(passes.batch, None)))
    if protocol.restored:
        for weight, before in zip(weights, saved, strict=True):
            weight[rows] = before
    return passes.mean_loss(losses)


def lag_1_autocorrelation(values: np.ndarray) -> float:
    """Return the correlation of neighbours in row order, of (layers, heads); near one for a slow walk.

    A value that is not legible (NaN) takes its two pairs with it.
    """
    row_order = values.ravel()
    first, second = row_order[:-1], row_order[1:]
    legible = np.isfinite(first) & np.isfinite(second)
    return float(np.corrcoef(first[legible], second[legible])[0, 1])


def continuity(values: np.ndarray) -> float:
    """Return the mean step from a row's end to the next row's begin over the mean step between any two values.

    Near one where rows have nothing to do with each other, near zero where each begins where the last ended. Steps are
    between ranks: else a few heads that matter far more than all others would make every other step look small.
    """
    ranks = stats.rankdata(values, nan_policy="omit").reshape(values.shape)
    ends, begins = ranks[:-1, -1], ranks[1:, 0]
    flat = ranks[np.isfinite(ranks)]
    any_two = np.abs(flat[:, None] - flat[None]).sum() / (len(flat) * (len(flat) - 1))
    return float(np.nanmean(np.abs(ends - begins)) / any_two)
