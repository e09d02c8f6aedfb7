"""Predictions for held-out images, and their accuracy."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from ..data.chirps import TARGETS
from ..data.counterfactuals import PATCH
from ..data.dataset import ChirpSet, split_seed
from ..models import processes
from ..models.parallel import parallel_map
from ..models.regressor import ChirpRegressor
from ..models.vit import autocast, on_best_device
from ..statistics import correlation_interval
from .recipe import Recipe

__all__ = [
    "Evaluation",
    "accuracy",
    "concatenate",
    "evaluate",
    "evaluate_held_out",
    "held_out",
    "in_batches",
    "loader",
]


@dataclass(frozen=True)
class Evaluation:
    """Predictions and labels, (images, 3) in seconds, hertz, hertz, and the seconds that the model took."""

    predictions: np.ndarray
    labels: np.ndarray
    seconds: float


class LabelledImages(Protocol):
    """A set of images (3, 224, 224) uint8 and labels (3,) float32, such as `ChirpSet` and `FolderSet`."""

    def __len__(self) -> int:
        """Return how many images there are."""
        ...

    def __getitem__(self, position: int, /) -> tuple[np.ndarray, np.ndarray]:
        """Return an image and its labels."""
        ...


def concatenate(evaluations: Sequence[Evaluation]) -> Evaluation:
    """Return the evaluations of several sets as that of one; seconds are added up."""
    return Evaluation(
        np.concatenate([each.predictions for each in evaluations]),
        np.concatenate([each.labels for each in evaluations]),
        sum(each.seconds for each in evaluations),
    )


def held_out(
    recipe: Recipe, indices: Sequence[int] | np.ndarray, *, variant: str = "published", patch: int = PATCH
) -> ChirpSet:
    """Return test images by index, or a counterfactual variant for a model's patches; nothing is trained on them."""
    seed = split_seed(recipe.seed, "test")
    return ChirpSet(seed, indices, binning=recipe.binning, variant=variant, resizing=recipe.resizing, patch=patch)


def accuracy(evaluation: Evaluation, *, chosen: np.ndarray | slice = slice(None)) -> dict[str, dict[str, float]]:
    """Return by target: Pearson r with its 95 % interval, mean absolute error, bias, both in the target's unit.

    Where all predictions are equal, r is NaN. The errors are far from normal (few images with large errors determine
    r), so the interval is a bootstrap over images.

    Args:
        evaluation: predictions and labels.
        chosen: mask (images,) or slice of the images that count; all if left out.
    """
    result = {}
    for column, target in enumerate(TARGETS):
        predicted, true = evaluation.predictions[chosen, column], evaluation.labels[chosen, column]
        error = predicted - true
        r, low, high = correlation_interval(predicted, true)
        result[target] = {
            "pearson_r": r,
            "pearson_r_low": low,
            "pearson_r_high": high,
            "mean_absolute_error": float(np.abs(error).mean()),
            "bias": float(error.mean()),
        }
    return result


def evaluate(
    model: ChirpRegressor,
    data: LabelledImages,
    *,
    batch: int = 32,
    workers: int = 1,
    title: str = "",
    mixed_precision: bool = True,
) -> Evaluation:
    """Predict a set of images, of which each process takes a share.

    Args:
        model: on the device that it is to use.
        data: images and labels.
        batch: images that are predicted at once, or fewer so that each process has some.
        workers: processes that draw the images; 0 draws them in this one.
        title: of the progress bar.
        mixed_precision: predict in bfloat16 where that is faster.

    Returns:
        Predictions and labels of the whole set, in each process; the seconds are those of the model, without drawing,
        in the process that took longest.

    Raises:
        CompanionError: another process was lost.
    """
    device = next(model.parameters()).device
    shares = torch.get_num_threads() if device.type == "cpu" else 1
    model.eval()

    def predict(images: torch.Tensor) -> np.ndarray:
        with torch.inference_mode(), autocast(device, wanted=mixed_precision):
            return model.predict(images.to(device)).cpu().numpy()

    batches = in_batches(len(data), min(batch, max(1, math.ceil(len(data) / processes.total()))))
    found: list[tuple[np.ndarray, np.ndarray]] = []  # predictions and labels of each batch
    seconds = 0.0
    with parallel_map(shares, device) as map_of:
        drawn = loader(data, batches=processes.share(batches), workers=workers)
        for images, labels in tqdm(drawn, desc=title, leave=False):
            start = time.perf_counter()
            predictions = np.concatenate(list(map_of(predict, images.chunk(shares))))
            seconds += time.perf_counter() - start
            found.append((predictions, labels.numpy()))
    predictions, truths = map(np.concatenate, zip(*processes.collect(found), strict=True))
    return Evaluation(predictions, truths, max(processes.gather(seconds)))


def evaluate_held_out(model: ChirpRegressor, recipe: Recipe, indices: Sequence[int]) -> Evaluation:
    """Predict test images by index, on a GPU if there is one."""
    data = held_out(recipe, indices)
    with on_best_device(model):
        return evaluate(
            model, data, workers=recipe.workers, title="held-out images", mixed_precision=recipe.mixed_precision
        )


def in_batches(count: int, size: int) -> list[range]:
    """Return the positions of `count` images, `size` at a time."""
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


def loader(data: LabelledImages, *, batches: Sequence[Sequence[int]], workers: int) -> DataLoader:
    """Return batches in order, as tensors (batch, 3, 224, 224) uint8 and (batch, 3) float32.

    Args:
        data: images and labels.
        batches: positions of the images of each, see `in_batches`.
        workers: processes that draw; 0 draws in this one.
    """
    return DataLoader(
        cast(Dataset, data),
        batch_sampler=[list(one) for one in batches],
        num_workers=workers,
        prefetch_factor=4 if workers else None,
    )
