"""Effects of heads on a metric of one's own: any function of a model's outputs and labels with a number for each image."""

import reprlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from ..errors import CompanionError
from ..heads import head_name
from ..models.adapted import AdaptedModel
from ..models.images import checked_images
from ..models.regressor import ChirpRegressor
from ..statistics import mean_intervals
from .attribution import linearised_changes
from .engine import Engine, Replacement
from .hooks import hook_name, named_heads
from .tables import interval, rounded

__all__ = [
    "Metric",
    "MetricByHead",
    "ablate_heads",
    "attribute_heads",
    "cross_entropy",
    "logit_difference",
    "sweep_heads",
]

Metric = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # of outputs (n, k) and labels (n, ...): (n,)
IMAGES_AT_ONCE = 32  # whose outputs with every head replaced are held at a time


def cross_entropy(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy of each image (n,), of logits (n, classes) and the number of its class (n,).

    Raises:
        CompanionError: labels are of another type or shape, or number no class.
    """
    return functional.cross_entropy(*_classified(outputs, labels, ()), reduction="none")


def logit_difference(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return one class's logit less another's (n,), of logits (n, classes) and the numbers of both classes (n, 2).

    Raises:
        CompanionError: as in `cross_entropy`.
    """
    outputs, classes = _classified(outputs, labels, (2,))
    first, second = outputs.gather(1, classes).unbind(1)
    return first - second


@dataclass(frozen=True)
class MetricByHead:
    """A metric of each image, intact and with each head replaced in turn: measured, or estimated to first order."""

    intact: np.ndarray  # (images,)
    replaced: np.ndarray  # (layers, heads, images)

    @property
    def change(self) -> np.ndarray:
        """What replacing each head adds to the metric, averaged over images, (layers, heads)."""
        return self._changes.mean(-1)

    @property
    def _changes(self) -> np.ndarray:
        return self.replaced - self.intact

    def intervals(self) -> tuple[np.ndarray, np.ndarray]:
        """Return low and high ends of the 95 % intervals of `change` (bootstrap over images), (layers, heads) each."""
        return mean_intervals(np.moveaxis(self._changes, -1, 0))

    def table(self, *, rows: int = 10) -> pd.DataFrame:
        """Return the heads of largest change, up or down, with its 95 % interval and the number of images."""
        change, (low, high) = self.change, self.intervals()
        found = {}
        for flat in np.argsort(-np.abs(change), axis=None, kind="stable")[:rows]:
            layer, head = divmod(int(flat), change.shape[1])
            found[head_name(layer, head)] = {
                "Hook": hook_name(layer),
                "Head index": head,
                "Change of the metric": rounded(change[layer, head]),
                "95 % interval": interval(low[layer, head], high[layer, head]),
                "Images": len(self.intact),
            }
        return pd.DataFrame.from_dict(found, orient="index").rename_axis("Head")


@torch.no_grad()  # nor of a metric that has weights
def sweep_heads(
    model: ChirpRegressor | AdaptedModel,
    images: torch.Tensor,
    labels: object,
    metric: Metric,
    *,
    kind: str = "zero_qkv",
    source: torch.Tensor | None = None,
) -> MetricByHead:
    """Measure a metric intact and with each head replaced in turn, exactly, in float32.

    Args:
        model: a regressor, or what `adapt` returned; left as it was.
        images: (images, 3, height, width), uint8 or what the backbone takes as pixel values.
        labels: of each image, as a tensor or what becomes one.
        metric: maps outputs (n, k) and the labels of these images to a number for each image, (n,).
        kind: what heads put out instead, one of `engine.KINDS`.
        source: images that "mean" and "resample" need, see `engine.Replacement`.

    Raises:
        CompanionError: model or images do not fit, see `checked_images`; labels are no numbers or of other images,
            `source` does not belong to the kind, or the metric returns another shape or what is no real number.
    """
    images, replacement = _checked(model, images, kind, source)
    engine, labels_of = replacement.engine, _labels(labels, images)
    intact, replaced = [], []
    parts = torch.arange(len(images)).split(max(IMAGES_AT_ONCE, engine.batch))
    for chosen in tqdm(parts, unit=" batches", desc=f"heads ({kind})", leave=False):
        some = slice(int(chosen[0]), int(chosen[-1]) + 1)
        outputs, by_head = map(torch.from_numpy, engine.sweep(images[some], kind=replacement.part(some)))
        intact.append(_measured(metric, outputs, labels_of[some]))
        values = [_measured(metric, one, labels_of[some]) for one in by_head.flatten(0, 1)]
        replaced.append(torch.stack(values).unflatten(0, by_head.shape[:2]))
    return _finite(torch.cat(intact).numpy(), torch.cat(replaced, dim=-1).numpy())


def attribute_heads(
    model: ChirpRegressor | AdaptedModel,
    images: torch.Tensor,
    labels: object,
    metric: Metric,
    *,
    kind: str = "zero_qkv",
    source: torch.Tensor | None = None,
) -> MetricByHead:
    """Estimate the result of `sweep_heads` to first order in the heads' outputs, from one forward and one backward pass.

    Arguments and errors are those of `sweep_heads`; the metric must have a gradient, too.
    """
    images, replacement = _checked(model, images, kind, source, linears=nn.Linear)
    engine = replacement.engine
    engine.model.requires_grad_(False)
    labels_of = _labels(labels, images).to(engine.device)

    def measure(outputs: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        values = _measured(metric, outputs, labels_of[chosen])
        if not values.requires_grad:
            raise CompanionError("the metric has no gradient, which attribution needs; measure it by sweep_heads")
        return values[:, None]

    intact, changes = linearised_changes(engine, images, [replacement], measure=measure)
    return _finite(intact[:, 0], intact[:, 0] + changes[0, ..., 0])


def ablate_heads(
    model: ChirpRegressor | AdaptedModel,
    images: torch.Tensor,
    heads: Iterable[tuple[int | str, int]],
    *,
    kind: str = "zero_qkv",
    source: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return outputs (images, k) with a set of heads replaced at once.

    Args:
        model: as in `sweep_heads`.
        images: as in `sweep_heads`.
        heads: pairs of a layer (from 0) or its hook's name, such as "blocks.3.attn.hook_z", and the head's index.
        kind: as in `sweep_heads`.
        source: as in `sweep_heads`.

    Raises:
        CompanionError: a hook is unknown, there is no such layer or head, or as in `sweep_heads`.
    """
    images, replacement = _checked(model, images, kind, source)
    engine = replacement.engine
    named = named_heads(heads, (len(engine.layers), engine.heads))
    return torch.from_numpy(engine.predict(images, named, kind=replacement))


def _checked(
    model: ChirpRegressor | AdaptedModel,
    images: torch.Tensor,
    kind: str,
    source: torch.Tensor | None,
    *,
    linears: type[nn.Linear] | None = None,
) -> tuple[torch.Tensor, Replacement]:
    """Return images as the model takes them, and what replaces its heads' outputs on them, with the engine of both."""
    images = checked_images(model, images)
    if source is not None:
        source = checked_images(model, source, name="source images")
    replacement = Replacement(Engine(model, linears=linears), kind, source=source)
    replacement.check(images)
    return images, replacement


def _classified(outputs: object, labels: object, each: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return logits (n, classes) and numbers of classes (n, *each) as tensors for torch to index by."""
    logits, numbers = _as_tensor(outputs, "outputs"), _as_tensor(labels, "labels")
    if logits.ndim != 2:
        raise CompanionError(f"outputs have the shape {tuple(logits.shape)}; give logits (images, classes)")
    wanted = len(logits), *each
    if numbers.shape != wanted or numbers.is_floating_point() or numbers.is_complex():
        raise CompanionError(
            f"labels are {numbers.dtype} {tuple(numbers.shape)}; give numbers of classes as torch.int64 {wanted}, or a "
            "metric of your own"
        )
    numbers, classes = numbers.to(logits.device, torch.int64), logits.shape[1]
    if (wrong := numbers[(numbers < 0) | (numbers >= classes)]).numel():
        raise CompanionError(f"there is no class {int(wrong[0])}: there are {classes}, from 0; check the labels")
    return logits, numbers


def _as_tensor(given: object, name: str) -> torch.Tensor:
    try:
        return torch.as_tensor(given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise CompanionError(f"{name} are {reprlib.repr(given)}; give a tensor, or numbers for one") from error


def _labels(labels: object, images: torch.Tensor) -> torch.Tensor:
    result = _as_tensor(labels, "labels").cpu()
    if result.shape[:1] != images.shape[:1]:
        raise CompanionError(
            f"labels of shape {tuple(result.shape)} are not of {len(images)} images; give one for each"
        )
    return result


def _measured(metric: object, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    if not callable(metric):
        raise CompanionError(f"the metric is {reprlib.repr(metric)}; give a function such as cross_entropy")
    values = metric(outputs, labels)
    if not isinstance(values, torch.Tensor) or values.shape != outputs.shape[:1]:
        shown = tuple(values.shape) if isinstance(values, torch.Tensor) else type(values).__name__
        raise CompanionError(
            f"the metric returned {shown} for {len(outputs)} images; it must return a tensor of one number for each "
            "(a loss of torch does with reduction='none')"
        )
    if values.is_complex():  # of which float() would keep the real part alone
        raise CompanionError(f"the metric returned {values.dtype}; it must return real numbers, such as their abs()")
    return values.float()


def _finite(intact: np.ndarray, replaced: np.ndarray) -> MetricByHead:
    if not (np.isfinite(intact).all() and np.isfinite(replaced).all()):
        raise CompanionError("the metric is not a number for some image; check outputs and labels")
    return MetricByHead(intact, replaced)
