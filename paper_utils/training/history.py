"""The history of a fine-tuning: losses and accuracy of each epoch, and measures of how it progressed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import CompanionError

__all__ = ["Epoch", "images_to_reach", "steepest_fall"]


@dataclass(frozen=True)
class Epoch:
    """One epoch of fine-tuning; losses are mean squared errors of standardised labels."""

    images_seen: int  # since the beginning of training
    train_loss: float
    validation_loss: float
    pearson_r: dict[str, float]  # by target, on the validation images
    learning_rate: float  # at the beginning of the epoch
    seconds: float
    batch_losses: list[float]  # of each training step, in order


def images_to_reach(history: list[Epoch], r: float) -> int | None:
    """Return how many training images it took until every target first had this r on the validation images, or None."""
    return next((epoch.images_seen for epoch in history if min(epoch.pearson_r.values()) >= r), None)


def steepest_fall(history: Sequence[Epoch], *, batch: int, stretch: int = 512) -> tuple[int, float, float]:
    """Return where the training loss falls most between neighbouring stretches of images, in proportion.

    A sudden drop after a plateau (a phase transition of training) would be a large fall late in training.

    Args:
        history: of a fine-tuning.
        batch: images of a training step.
        stretch: images that a loss is averaged over.

    Returns:
        Images seen up to the fall, and the mean loss before and after it.

    Raises:
        CompanionError: the history is shorter than two stretches.
    """
    losses = np.array([loss for epoch in history for loss in epoch.batch_losses])
    width = stretch // batch
    if width < 1 or len(losses) < 2 * width:
        raise CompanionError(f"{len(losses)} batches of {batch} do not fill two stretches of {stretch} images")
    means = losses[: len(losses) // width * width].reshape(-1, width).mean(1)
    index = int((means[:-1] / means[1:]).argmax())
    return (index + 1) * stretch, float(means[index]), float(means[index + 1])
