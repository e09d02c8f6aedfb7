"""Remove heads one after another and see when the model breaks: the saving that the paper suggests for early heads."""

from collections.abc import Sequence

import numpy as np
import torch
from tqdm import tqdm

from ..errors import CompanionError
from ..models.regressor import ChirpRegressor
from .engine import Engine

__all__ = ["orders", "removal"]

RANDOM_ORDERS = 3


def orders(increase: np.ndarray, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Return orders of removal, (layers x heads,) flat indices each, by name.

    By the loss that each head's own ablation brings (least first), from layer 1 on, and at random, some times.
    """
    count = increase.size
    rng = np.random.default_rng(seed)
    random = {f"random {number + 1}": rng.permutation(count) for number in range(RANDOM_ORDERS)}
    return {"least important first": np.argsort(increase, axis=None), "from layer 1 on": np.arange(count)} | random


def removal(
    model: ChirpRegressor, images: torch.Tensor, order: np.ndarray, counts: Sequence[int], *, kind: str = "described"
) -> np.ndarray:
    """Return predictions with the first so many heads of an order removed together, (counts, images, 3).

    Args:
        model: LoRA-wrapped or merged; left as it was.
        images: (images, 3, 224, 224).
        order: flat indices of heads, layer after layer, each at most once.
        counts: how many heads to remove.
        kind: what they put out instead, one of `engine.KINDS`.

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
