"""Remove heads one after another and measure the loss: the saving that the paper suggests for early heads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from ..errors import CompanionError
from ..models.regressor import ChirpRegressor
from .engine import Engine

__all__ = ["Removals", "orders", "removal"]

RANDOM_ORDERS = 3
BY_EFFECT, BY_LAYER = "least important first", "from layer 1 on"


@dataclass(frozen=True)
class Removals:
    """The loss after the removal of more and more heads, by the order in which they are removed."""

    counts: np.ndarray  # (counts,) of removed heads; the first is none, the last all
    losses: dict[str, np.ndarray]  # by order, (counts,) in standardised units
    images: int | None  # over which the losses are means, where known

    @classmethod
    def of(cls, losses: Mapping[str, np.ndarray], *, images: int | None = None) -> "Removals":
        """Take the losses by order and, among them, "counts"."""
        others = {name: values for name, values in losses.items() if name != "counts"}
        return cls(losses["counts"], others, images)

    def table(self, *, rows: int = 6) -> pd.DataFrame:
        """Return the loss over the intact model's for the first counts, by importance and by layer."""
        columns = {
            f"Loss over intact, {name}": [f"{loss / self.losses[name][0]:.1f}" for loss in self.losses[name][:rows]]
            for name in (BY_EFFECT, BY_LAYER)
        }
        index = pd.Index(self.counts[:rows], name="Heads removed")
        table = pd.DataFrame(columns, index=index)
        return table if self.images is None else table.assign(Images=self.images)

    def metrics(self, *, early: int = 36) -> dict[str, float]:
        """Return the flat keys of results.json.

        Args:
            early: how many heads layers 1 to 3 have, one of the counts.

        Raises:
            CompanionError: the loss without so many heads was not measured.
        """
        measured = np.flatnonzero(self.counts == early)
        if not len(measured):
            raise CompanionError(f"no loss without {early} heads, only without {', '.join(map(str, self.counts))}")
        ratios = {name: float(losses[measured[0]] / losses[0]) for name, losses in self.losses.items()}
        random = [ratio for name, ratio in ratios.items() if name not in (BY_EFFECT, BY_LAYER)]
        found = {"layers_1_to_3.loss_ratio": ratios[BY_LAYER]}
        if random:
            found["as_many_at_random.loss_ratio"] = float(np.median(random))
        if self.images is not None:
            found["images"] = self.images
        return {f"ablation.removal.{name}": value for name, value in found.items()}


def orders(increase: np.ndarray, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Return orders of removal, (layers x heads,) flat indices each, by name.

    The orders: by the increase of the loss when each head alone is ablated (least first), from layer 1 on, and three
    at random.
    """
    count = increase.size
    rng = np.random.default_rng(seed)
    random = {f"random {number + 1}": rng.permutation(count) for number in range(RANDOM_ORDERS)}
    return {BY_EFFECT: np.argsort(increase, axis=None), BY_LAYER: np.arange(count)} | random


def removal(
    model: ChirpRegressor,
    images: torch.Tensor,
    order: np.ndarray,
    counts: Sequence[int] | np.ndarray,
    *,
    kind: str = "zero_qkv",
) -> np.ndarray:
    """Return predictions with the first heads of an order removed at once, (counts, images, 3).

    Args:
        model: LoRA-wrapped or merged; left as it was.
        images: (images, 3, 224, 224).
        order: flat indices of heads, layer after layer, each at most once.
        counts: how many heads to remove.
        kind: of replacement, one of `engine.KINDS`.

    Raises:
        CompanionError: a count or a head does not exist, or a head comes twice.
    """
    engine = Engine(model)
    total = len(engine.layers) * engine.heads
    if len(np.unique(order)) != len(order) or not ((order >= 0) & (order < total)).all():
        raise CompanionError(f"an order of removal names each of the {total} heads at most once, from 0")
    if not all(0 <= count <= len(order) for count in counts):
        raise CompanionError(f"cannot remove {max(counts)} of {len(order)} heads; give counts from 0 to {len(order)}")
    places = list(zip(*np.unravel_index(order, (len(engine.layers), engine.heads)), strict=True))
    steps = tqdm(counts, unit=" counts", desc="removing heads")
    return np.stack([engine.predict(images, places[:count], kind=kind) for count in steps])
