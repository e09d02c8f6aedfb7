"""Attribution patching: first-order estimates of every head's ablation, from one forward and three backward passes.

The estimates rank heads for the exact engine; a small estimate does not show that a head has no effect.
"""

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
from .engine import Engine

__all__ = ["AttributionEstimates", "linearised"]

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


def linearised(
    model: ChirpRegressor,
    images: torch.Tensor,
    labels: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    mixed_precision: bool = False,
) -> Ablation:
    """Estimate the result of `ablate_every_head` to first order in the heads' outputs.

    One forward and, for the three outputs, three backward passes, whatever the number of heads.

    Args:
        model: LoRA-wrapped or merged; left as it was.
        images: (images, 3, 224, 224).
        labels: (images, 3).
        weights: as in `ablate_every_head`.
        mixed_precision: bfloat16 where the processor has it: faster, and a rougher estimate.

    Raises:
        CompanionError: there is no image, or a prediction is not a number.
    """
    if not len(images):
        raise CompanionError("attribution needs 1 or more images, it got none")
    engine = Engine(model, linears=nn.Linear)
    engine.model.requires_grad_(False)

    def work(some: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.enable_grad(), autocast(engine.device, wanted=mixed_precision):
            return _linearise(engine, some)

    batches = images.split(engine.batch)
    with parallel_map(len(batches), engine.device) as map_of:
        parts = list(tqdm(map_of(work, batches), total=len(batches), unit=" batches", desc="attribution"))
    intact = torch.cat([predictions for predictions, _ in parts]).cpu().numpy()
    changes = torch.cat([change for _, change in parts], dim=2).cpu().numpy()
    if not np.isfinite(intact).all():
        raise CompanionError("the model predicts something that is not a number; was its training completed?")
    weights = np.ones(len(images)) if weights is None else weights
    return Ablation(intact, intact + changes, np.asarray(labels), engine.model.label_std.cpu().numpy(), weights)


def _linearise(engine: Engine, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return predictions, (images, 3), and to first order how each head's ablation changes them, (layers, heads, images, 3).

    The change is the gradient of the predictions times the change that the ablation makes to z.
    """
    x = engine.embed(images).requires_grad_()
    outputs = []
    for layer in engine.layers:
        outputs.append(engine.attend(layer, x))
        x = engine.finish_layer(layer, x, outputs[-1])
    predictions = engine.predict_from_cls(x[:, 0])
    removed = [engine.value_bias(layer) - z.detach() for layer, z in zip(engine.layers, outputs, strict=True)]
    changes = []
    for target in range(predictions.shape[1]):
        gradients = torch.autograd.grad(predictions[:, target].sum(), outputs, retain_graph=target < 2)
        changes.append(
            torch.stack([torch.einsum("nthd,nthd->hn", *pair).float() for pair in zip(gradients, removed, strict=True)])
        )
    return predictions.detach().float(), torch.stack(changes, dim=-1)
