"""Remove several heads at once: what are the predictions then? The saving that the paper suggests for early heads.

`orders` says which heads go and when it is measured, `removed_errors` measures, `pruning.Removals` sums up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tqdm import tqdm

from ..errors import CompanionError
from ..models.regressor import ChirpRegressor
from .engine import Engine, Replacement

__all__ = ["Order", "by_image", "by_order", "orders", "removal", "removed_errors"]

BY_EFFECT, BY_LAYER, EARLY_FIRST = "least important first", "from layer 1 on", "early heads, least important first"
RANDOM, RANDOM_ORDERS = "random", 3
MEAN = ", mean"  # after the name of an order whose heads put out their mean
COUNTS, HEADS = "counts of ", "heads of "  # before the name of an order, in what `removed_errors` returns
EARLY_LAYERS = 3
STEPS, EARLY_STEPS = 12, 6  # of removing all heads, and all early ones


@dataclass(frozen=True)
class Order:
    """An order in which heads are removed, and after how many of them the predictions are measured."""

    heads: np.ndarray  # flat indices, layer after layer, each at most once
    counts: np.ndarray  # (counts,) of removed heads
    kind: str = "zero_qkv"  # what removed heads put out, one of `engine.KINDS`


def orders(effects: np.ndarray, *, mean_effects: np.ndarray | None = None, seed: int = 0) -> dict[str, Order]:
    """Return orders of removal by name.

    All heads go by their effect (least first), from layer 1 on, and in three random orders. The heads of layers 1 to 3
    go by their effect, those of each quarter of the layers all at once: by zeroed weights, and, under the same name with
    ", mean" at its end, by mean replacement; so do as many random heads as layers 1 to 3 have.

    Args:
        effects: what each head's removal alone does to the loss, (layers, heads), on other images than the removals'.
        mean_effects: the same by mean replacement, for the order of early heads; `effects` if left out.
        seed: of the random orders.
    """
    layers, heads = effects.shape
    early = min(EARLY_LAYERS, layers) * heads
    rng = np.random.default_rng(seed)
    whole = {BY_EFFECT: np.argsort(effects, axis=None, kind="stable"), BY_LAYER: np.arange(effects.size)}
    random = {f"{RANDOM} {number + 1}": rng.permutation(effects.size) for number in range(RANDOM_ORDERS)}
    whole |= random
    # as many heads as layers 1 to 3 have are always among the counts
    counts = np.union1d(_steps(effects.size, STEPS), early)
    found = {name: Order(order, counts) for name, order in whole.items()}
    size = max(1, layers // 4)
    for suffix, kind, by in (
        ("", "zero_qkv", effects),
        (MEAN, "mean", effects if mean_effects is None else mean_effects),
    ):
        first = np.argsort(by.ravel()[:early], kind="stable")
        if suffix:
            found |= {f"{name}{suffix}": Order(whole[name], np.array([early]), kind) for name in random}
        # one head may matter more than all others together
        found[f"{EARLY_FIRST}{suffix}"] = Order(first, np.union1d(_steps(early, EARLY_STEPS), early - 1), kind)
        for start in range(0, layers, size):
            stop = min(start + size, layers)
            block = np.arange(start * heads, stop * heads)
            found[f"layers {start + 1} to {stop}{suffix}"] = Order(block, np.array([len(block)]), kind)
    return found


def removal(
    model: ChirpRegressor | Engine,
    images: torch.Tensor,
    order: np.ndarray,
    counts: Sequence[int] | np.ndarray,
    *,
    kind: str | Replacement = "zero_qkv",
    source: torch.Tensor | None = None,
) -> np.ndarray:
    """Return predictions with the first heads of an order removed at once, (counts, images, 3).

    Args:
        model: LoRA-wrapped or merged, left as it was; or its engine.
        images: (images, 3, 224, 224).
        order: flat indices of heads, layer after layer, each at most once.
        counts: how many heads to remove.
        kind: of replacement, one of `engine.KINDS`; or a `Replacement` of the engine given.
        source: images that "mean" and "resample" need, see `Replacement`.

    Raises:
        CompanionError: a count or a head does not exist, a head comes twice, or `source` does not belong to the kind.
    """
    engine = model if isinstance(model, Engine) else Engine(model)
    replacement = Replacement(engine, kind, source=source) if isinstance(kind, str) else kind
    places = _places(engine, order, counts)
    steps = tqdm(counts, unit=" counts", desc="removing heads")
    return np.stack([engine.predict(images, places[:count], kind=replacement) for count in steps])


def removed_errors(
    model: ChirpRegressor,
    images: torch.Tensor,
    labels: np.ndarray,
    by_name: Mapping[str, Order],
    *,
    source: torch.Tensor | None = None,
    weights: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Measure orders of removal, no set of heads twice.

    Args:
        model: LoRA-wrapped or merged; left as it was.
        images: (images, 3, 224, 224).
        labels: (images, 3).
        by_name: as `orders` returns them.
        source: images that heads are averaged over where an order is by "mean", others than `images`.
        weights: (images,) of the images, one on average; all one if left out.

    Returns:
        By the name of the order, squared errors in standardised units, averaged over the targets and times the weights,
        (counts, images); under "counts of" its name, the counts, and under "heads of" it, the heads; and under "intact"
        the intact model's errors (images,). This is what `Removals.of` takes.

    Raises:
        CompanionError: as in `removal`.
    """
    engine = Engine(model)
    scale = engine.model.label_std.cpu().numpy()
    kinds = dict.fromkeys(order.kind for order in by_name.values())
    replacements = {
        kind: Replacement(engine, kind, source=source if kind in ("mean", "resample") else None) for kind in kinds
    }
    wanted: dict[str, list[tuple[str, frozenset[tuple[int, int]]]]] = {"intact": [("zero_qkv", frozenset())]}
    for name, order in by_name.items():
        places = _places(engine, order.heads, order.counts)
        sets = [frozenset(places[:count]) for count in order.counts]
        # nothing is replaced in no head, whatever the kind
        wanted[name] = [(order.kind if heads else "zero_qkv", heads) for heads in sets]
    measured: dict[tuple[str, frozenset[tuple[int, int]]], np.ndarray] = {}
    for kind, heads in tqdm(dict.fromkeys(sum(wanted.values(), [])), unit=" sets", desc="removing heads"):
        predictions = engine.predict(images, heads, kind=replacements.get(kind, kind))
        errors = (((predictions - labels) / scale) ** 2).mean(-1)
        measured[kind, heads] = errors if weights is None else errors * weights
    result = {name: np.stack([measured[one] for one in sets]) for name, sets in wanted.items()}
    result["intact"] = result["intact"][0]
    return by_order(by_image(result), by_name)


def by_image(errors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return what `removed_errors` measured with images first, (images, counts), without what holds for all images."""
    return {name: values.T for name, values in errors.items() if not name.startswith((COUNTS, HEADS))}


def by_order(errors: Mapping[str, np.ndarray], by_name: Mapping[str, Order]) -> dict[str, np.ndarray]:
    """Return what `by_image` made of the errors, of more images maybe, as `removed_errors` would of all of them."""
    result = {name: np.ascontiguousarray(values.T) for name, values in errors.items()}
    result |= {f"{COUNTS}{name}": np.asarray(order.counts) for name, order in by_name.items()}
    return result | {f"{HEADS}{name}": np.asarray(order.heads) for name, order in by_name.items()}


def _places(engine: Engine, order: np.ndarray, counts: Sequence[int] | np.ndarray) -> list[tuple[int, int]]:
    """Return layer and head, from 0, of each head of an order whose counts are possible."""
    total = len(engine.layers) * engine.heads
    if len(np.unique(order)) != len(order) or not ((order >= 0) & (order < total)).all():
        raise CompanionError(f"an order of removal names each of the {total} heads at most once, from 0")
    if not all(0 <= count <= len(order) for count in counts):
        raise CompanionError(f"cannot remove {max(counts)} of {len(order)} heads; give counts from 0 to {len(order)}")
    return [(int(head) // engine.heads, int(head) % engine.heads) for head in order]


def _steps(total: int, steps: int) -> np.ndarray:
    """Return counts from 0 to a total, evenly, each once."""
    return np.unique(np.linspace(0, total, steps + 1).round().astype(int))
