"""Attribution patching: first-order estimates of every head's ablation, from one forward and three backward passes.

The estimates rank heads for the exact engine; a small estimate does not show that a head has no effect.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn
from tqdm import tqdm

from ..errors import CompanionError
from ..models.parallel import parallel_map
from ..models.regressor import ChirpRegressor
from ..models.vit import autocast
from ..statistics import percent_increase, rank_correlations
from .ablation import Ablation, squared_errors
from .engine import Engine, Replacement

__all__ = ["AttributionEstimates", "Linearised", "linearised", "linearised_changes"]

SHARE = 2  # of the engine's batch
TITLES = {"outputs": "linearised outputs", "loss": "linearised loss", "absolute": "its absolute value"}


@dataclass(frozen=True)
class AttributionEstimates:
    """First-order estimates of the effect of each head's ablation in percent, (layers, heads) each.

    Three rules on the same gradients.
    """

    outputs: np.ndarray  # predictions linearised image by image, their loss computed exactly
    loss: np.ndarray  # the loss itself linearised: gradient times output (Molchanov et al. 2017)
    absolute: np.ndarray  # mean over images of its absolute values (Michel et al. 2019)

    @classmethod
    def of(cls, estimate: Ablation) -> "AttributionEstimates":
        """Turn the predictions of `linearised` into effects by the three rules."""
        intact = squared_errors(estimate.baseline, estimate)
        error = (estimate.baseline - estimate.labels) / estimate.label_std
        change = (estimate.ablated - estimate.baseline) / estimate.label_std
        slopes = (2 * error * change).mean(-1) * estimate.weights
        return cls(
            outputs=percent_increase(squared_errors(estimate.ablated, estimate), intact),
            loss=100 * slopes.mean(-1) / intact.mean(),
            absolute=100 * np.abs(slopes).mean(-1) / intact.mean(),
        )

    def by_title(self) -> dict[str, np.ndarray]:
        """Return the estimates under the names that figures show."""
        return {TITLES[name]: values for name, values in vars(self).items()}

    def rank_correlations(self, exact: np.ndarray) -> dict[str, float]:
        """Return Spearman's rank correlation over heads with the exact effects, (layers, heads), by rule."""
        return {name: rank_correlations([exact, values])[0] for name, values in vars(self).items()}

    def table(self, exact: np.ndarray) -> pd.DataFrame:
        """Return how well each rule ranks the heads, given the exact effects in percent, (layers, heads)."""
        ranks = self.rank_correlations(exact)
        return pd.DataFrame(
            {
                "Rank correlation with the exact effect": [f"{rank:.2f}" for rank in ranks.values()],
                "Heads": exact.size,
            },
            index=pd.Index([TITLES[name] for name in ranks], name="Estimate"),
        )

    def metrics(self, exact: np.ndarray) -> dict[str, float]:
        """Return the flat keys of results.json; argument of `table`."""
        ranks = self.rank_correlations(exact)
        return {f"ablation.screening.{name}.rank_correlation": rank for name, rank in ranks.items()}


@dataclass(frozen=True)
class Linearised:
    """Predictions of the intact model, and how replacing each head's output changes them to first order.

    Seconds, hertz, hertz; labels and weights are those of `Ablation`.
    """

    intact: np.ndarray  # (images, 3)
    changes: dict[str, np.ndarray]  # by kind of replacement, (layers, heads, images, 3)
    labels: np.ndarray  # (images, 3)
    label_std: np.ndarray  # (3,) the unit of the loss
    weights: np.ndarray  # (images,) of importance sampling; one on average

    def ablation(self, kind: str = "zero_qkv") -> Ablation:
        """Return the linearised model's predictions by one kind of replacement, as if they came from a sweep."""
        ablated = self.intact + self.changes[kind]
        return Ablation(self.intact, ablated, self.labels, self.label_std, self.weights)


def linearised(
    model: ChirpRegressor,
    images: torch.Tensor,
    labels: np.ndarray,
    *,
    kinds: Sequence[str] = ("zero_qkv",),
    sources: Mapping[str, torch.Tensor] | None = None,
    weights: np.ndarray | None = None,
    mixed_precision: bool = False,
) -> Linearised:
    """Estimate the result of `ablate_every_head` to first order in the heads' outputs, for several kinds at once.

    One forward and, for the three outputs, three backward passes, whatever the number of heads and of kinds; and one
    more forward pass where heads put out what they do for another image. Memory is bounded by half the engine's batch.

    Args:
        model: LoRA-wrapped or merged; left as it was.
        images: (images, 3, height, width).
        labels: (images, 3).
        kinds: of replacement, of `engine.KINDS`.
        sources: by kind, the images that "mean" and "resample" need, see `engine.Replacement`.
        weights: as in `ablate_every_head`.
        mixed_precision: bfloat16 where the processor has it: faster, and a rougher estimate.

    Raises:
        CompanionError: there is no image or no kind, a source is missing or not needed, or a prediction is not a
            number.
    """
    sources = sources or {}
    if not kinds or not set(sources) <= set(kinds):
        raise CompanionError(f"linearising needs one kind or more, and sources for no others; it got {list(kinds)}")
    engine = Engine(model, linears=nn.Linear)
    engine.model.requires_grad_(False)
    replacements = [Replacement(engine, kind, source=sources.get(kind)) for kind in kinds]
    intact, changes = linearised_changes(engine, images, replacements, mixed_precision=mixed_precision)
    if not (np.isfinite(intact).all() and np.isfinite(changes).all()):
        raise CompanionError("the model predicts something that is not a number; was its training completed?")
    weights = np.ones(len(images)) if weights is None else weights
    by_kind = dict(zip(kinds, changes, strict=True))
    return Linearised(intact, by_kind, np.asarray(labels), engine.model.label_std.cpu().numpy(), weights)


def linearised_changes(
    engine: Engine,
    images: torch.Tensor,
    replacements: Sequence[Replacement],
    *,
    measure: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
    mixed_precision: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Return what is measured, (images, t), and to first order its changes, (kinds, layers, heads, images, t).

    Args:
        engine: of the model, whose linear layers are torch's own.
        images: (images, 3, height, width).
        replacements: of the heads' outputs, all of this engine.
        measure: maps predictions (n, k) and the images' indices (n,) to what is measured (n, t), each row of its own
            image's predictions alone; the predictions themselves if left out.
        mixed_precision: as in `linearised`.

    Raises:
        CompanionError: there is no image, or a replacement does not serve them.
    """
    for replacement in replacements:
        replacement.check(images)

    def work(chosen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.enable_grad(), autocast(engine.device, wanted=mixed_precision):
            constants = [some.constants(chosen) for some in replacements]
            outputs, predictions = _forward(engine, images[chosen])
            measured = predictions if measure is None else measure(predictions, chosen)
            return measured.detach().float(), _changes(outputs, measured, constants)

    # what backward passes need is kept of every layer: half a batch keeps memory at that of a sweep, for 3 % more time
    parts = torch.arange(len(images)).split(max(1, engine.batch // SHARE))
    with parallel_map(len(parts), engine.device) as map_of:
        found = list(tqdm(map_of(work, parts), total=len(parts), unit=" batches", desc="attribution", leave=False))
    intact = torch.cat([measured for measured, _ in found]).cpu().numpy()
    return intact, torch.cat([change for _, change in found], dim=3).cpu().numpy()


def _forward(engine: Engine, images: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Return the outputs z of each layer's heads, and the predictions, (images, k), as a function of them."""
    x = engine.embed(images).requires_grad_()
    outputs = []
    for layer in engine.layers:
        outputs.append(engine.attend(layer, x))
        x = engine.finish_layer(layer, x, outputs[-1])
    return outputs, engine.read_out(x)


def _changes(
    outputs: Sequence[torch.Tensor], measured: torch.Tensor, constants: Sequence[list[torch.Tensor]]
) -> torch.Tensor:
    """Return to first order the changes of what is measured, (kinds, layers, heads, images, t).

    The change is the gradient of what is measured times the change that the replacement makes to z.

    Args:
        outputs: z of each layer.
        measured: (images, t), a function of them.
        constants: what replaces z, for each kind and layer, as `Replacement.constants` returns it.
    """
    count, targets = measured.shape
    shape = len(constants), len(outputs), outputs[0].shape[2], count, targets
    changes = torch.empty(shape, device=measured.device)
    for target in range(targets):
        gradients = torch.autograd.grad(measured[:, target].sum(), outputs, retain_graph=target < targets - 1)
        for number, (gradient, z) in enumerate(zip(gradients, outputs, strict=True)):
            for kind, fixed in enumerate(constants):
                removed = fixed[number] - z.detach()
                changes[kind, number, ..., target] = torch.einsum("nthd,nthd->hn", gradient, removed)
    return changes
