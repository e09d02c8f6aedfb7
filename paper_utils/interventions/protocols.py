"""Two protocols of head ablation, the paper's text and its released package, and each of their differences alone.

vision-mech-interp-attn-head 0.1.8, run as its usage example says, differs from section 2.2 in five ways. Each is a
switch here, written anew from that behaviour, so that it can be seen which of them does what to Figure 4. A sweep gives
the loss of every image in every state of the weights (`protocol_states.state_losses`); several protocols share one.
"""

import copy
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from scipy import stats

from ..models.regressor import ChirpRegressor

__all__ = [
    "DESCRIBED",
    "PROTOCOLS",
    "PUBLISHED_BATCH",
    "RELEASED",
    "SWEEPS",
    "TO_SCALE",
    "Protocol",
    "continuity",
    "lag_1_autocorrelation",
    "with_untuned_vit",
]

PUBLISHED_WIDTH = 64  # of a head of ViT-Base
PUBLISHED_BATCH = 32  # images, as the published code trains; its example does not say how many it evaluates on


@dataclass(frozen=True)
class Protocol:
    """How an ablation is run; the defaults are the paper's text, the other values the released package's example.

    The package zeroes row h of the weights for head h: one dimension of head 1. In ViT-Base, whose heads are 64 wide,
    the rows of all twelve heads are 19 % of head 1; where heads are 16 wide they are 75 %, and head 1 is all but gone.
    "one, to scale" keeps the published share: row h * width // 64, counted from zero, so that of heads 16 wide heads 1
    to 4 zero row 0, 5 to 8 row 1 and 9 to 12 row 2. Where heads are 64 wide it is the same as "one".
    """

    fine_tuned: bool = True  # else the backbone before fine-tuning, under the fine-tuned regression head
    rows: Literal["whole head", "one", "one, to scale"] = "whole head"  # of the query, key and value weights
    before_batch: bool = True  # else zeroed after the first batch of an evaluation has been predicted
    restored: bool = True  # else every ablation stays, and the next comes on top
    same_units: bool = True  # else raw targets against standardised predictions, pixels normalised as ImageNet's

    def zeroed(self, head: int, width: int) -> slice:
        """Return the rows that are zeroed for a head, counted from 0, where heads are so wide."""
        if self.rows == "whole head":
            return slice(head * width, (head + 1) * width)
        row = head if self.rows == "one" else head * width // PUBLISHED_WIDTH
        return slice(row, row + 1)


DESCRIBED = Protocol()
RELEASED = Protocol(fine_tuned=False, rows="one", before_batch=False, restored=False, same_units=False)
TO_SCALE = replace(RELEASED, rows="one, to scale")
PROTOCOLS = {  # between the first and the released one, each switch by itself
    "as described": DESCRIBED,
    "fine-tuned weights not loaded": replace(DESCRIBED, fine_tuned=False),
    "one row for a head": replace(DESCRIBED, rows="one"),
    "zeroed after the batch": replace(DESCRIBED, before_batch=False),
    "not restored": replace(DESCRIBED, restored=False),
    "other units and pixels": replace(DESCRIBED, same_units=False),
    "as released": RELEASED,
    "as released, rows to scale": TO_SCALE,
}


def _sweep_of(protocol: Protocol) -> str:
    """Return the first protocol with the same states of the weights: batches decide only which state an image meets."""
    states = replace(protocol, before_batch=True)
    return next(name for name, other in PROTOCOLS.items() if replace(other, before_batch=True) == states)


SWEEPS = {name: _sweep_of(protocol) for name, protocol in PROTOCOLS.items()}  # whose `state_losses` each is made of


def with_untuned_vit(model: ChirpRegressor, vit: torch.nn.Module) -> ChirpRegressor:
    """Return a copy of the model whose ViT is another one, its head and label scale kept."""
    other = copy.deepcopy(model)
    other.vit = copy.deepcopy(vit)
    return other.eval()


def lag_1_autocorrelation(values: np.ndarray) -> float:
    """Return the correlation of neighbours in row order, of (layers, heads); near one for a slow walk.

    A value that is not legible (NaN) takes its two pairs with it. NaN where all are equal, as where nothing has an effect.
    """
    row_order = values.ravel()
    first, second = row_order[:-1], row_order[1:]
    legible = np.isfinite(first) & np.isfinite(second)
    pairs = np.stack([first[legible], second[legible]])
    return float(np.corrcoef(pairs)[0, 1]) if pairs.size and np.ptp(pairs, axis=1).all() else float("nan")


def continuity(values: np.ndarray) -> float:
    """Return the mean step from a row's end to the next row's begin over the mean step between any two values.

    Near one where rows have nothing to do with each other, near zero where each begins where the last ended. Steps are
    between ranks: else a few heads that matter far more than all others would make every other step look small. NaN where
    all are equal.
    """
    ranks = stats.rankdata(values, nan_policy="omit").reshape(values.shape)
    ends, begins = ranks[:-1, -1], ranks[1:, 0]
    flat = ranks[np.isfinite(ranks)]
    any_two = np.abs(flat[:, None] - flat[None]).sum() / (len(flat) * (len(flat) - 1))
    return float(np.nanmean(np.abs(ends - begins)) / any_two) if any_two else float("nan")
