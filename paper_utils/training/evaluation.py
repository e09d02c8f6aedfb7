"""How well a model reads chirps: predictions of held-out images and the accuracy that is reported."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from ..data.chirps import TARGETS
from ..data.dataset import ChirpSet, split_seed
from ..models.parallel import parallel_map
from ..models.regressor import ChirpRegressor
from ..models.vit import autocast, on_best_device
from ..statistics import correlation_interval
from .recipe import Recipe

__all__ = ["Evaluation", "accuracy", "concatenate", "evaluate", "evaluate_held_out", "held_out", "loader"]


@dataclass(frozen=True)
class Evaluation:
    """Predictions and labels, (images, 3) in seconds, hertz, hertz, and the time they took."""

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
    """Return several sets' predictions, labels and seconds as those of one."""
    return Evaluation(
        np.concatenate([each.predictions for each in evaluations]),
        np.concatenate([each.labels for each in evaluations]),
        sum(each.seconds for each in evaluations),
    )


def held_out(recipe: Recipe, indices: Sequence[int] | np.ndarray, *, variant: str = "published") -> ChirpSet:
    """Return test images, which no training or validation ever sees, or a counterfactual variant of them."""
    return ChirpSet(split_seed(recipe.seed, "test"), indices, binning=recipe.binning, variant=variant)


def accuracy(evaluation: Evaluation, *, chosen: np.ndarray | slice = slice(None)) -> dict[str, dict[str, float]]:
    """Return by target: Pearson r with its 95 % interval, mean absolute error, bias, both in the target's unit.

    `chosen` narrows it to some images, by mask or index. Where all predictions are one, r is not a number. A few
    images that are misread decide on r, so its interval is of images drawn again, and not that of normal errors.
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
    """Predict a set in mixed precision; the seconds count the model alone, not the drawing."""
    device = next(model.parameters()).device
    shares = torch.get_num_threads() if device.type == "cpu" else 1
    model.eval()

    def predict(images: torch.Tensor) -> np.ndarray:
        with torch.inference_mode(), autocast(device, wanted=mixed_precision):
            return model.predict(images.to(device)).cpu().numpy()

    predictions: list[np.ndarray] = []
    truths: list[np.ndarray] = []
    seconds = 0.0
    with parallel_map(shares, device) as map_of:
        for images, labels in tqdm(loader(data, batch=batch, workers=workers), desc=title, leave=False):
            begun = time.perf_counter()
            predictions += map_of(predict, images.chunk(shares))
            seconds += time.perf_counter() - begun
            truths.append(labels.numpy())
    return Evaluation(np.concatenate(predictions), np.concatenate(truths), seconds)


def evaluate_held_out(model: ChirpRegressor, recipe: Recipe, indices: Sequence[int]) -> Evaluation:
    """Predict held-out images by index, on a GPU where there is one."""
    data = held_out(recipe, indices)
    with on_best_device(model):
        return evaluate(
            model, data, workers=recipe.workers, title="held-out images", mixed_precision=recipe.mixed_precision
        )


def loader(data: LabelledImages, *, batch: int, workers: int) -> DataLoader:
    """Return batches in order; images are drawn in `workers` processes beside the model's."""
    return DataLoader(
        cast(Dataset, data), batch_size=batch, num_workers=workers, prefetch_factor=4 if workers else None
    )
