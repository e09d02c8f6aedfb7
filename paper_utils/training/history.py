"""What a fine-tuning came to, epoch by epoch, and what its history tells."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import CompanionError

__all__ = ["Epoch", "images_to_reach", "steepest_fall"]


@dataclass(frozen=True)
class Epoch:
    """What one epoch of fine-tuning came to; losses in standardised units."""

    images_seen: int
    train_loss: float
    validation_loss: float
    pearson_r: dict[str, float]  # by target, on the validation images
    learning_rate: float
    seconds: float
    batch_losses: list[float]  # of each training step, in order


def images_to_reach(history: list[Epoch], r: float) -> int | None:
    """Return how many images had been seen when r was first reached for every target, None if it never was."""
    return next((epoch.images_seen for epoch in history if min(epoch.pearson_r.values()) >= r), None)


def steepest_fall(history: Sequence[Epoch], *, batch: int, stretch: int = 512) -> tuple[int, float, float]:
    """Return where the training loss falls most between two neighbouring stretches: images seen, loss before, after.

    A sudden drop after a plateau would show as a large fall that does not come at once.

    Raises:
        CompanionError: the history is shorter than two stretches.
    """
    losses = np.array([loss for epoch in history for loss in epoch.batch_losses])
    width = stretch // batch
    if width < 1 or len(losses) < 2 * width:
        raise CompanionError(f"{len(losses)} batches of {batch} do not fill two stretches of {stretch} images")
    means = losses[: len(losses) // width * width].reshape(-1, width).mean(1)
    place = int((means[:-1] / means[1:]).argmax())
    return (place + 1) * stretch, float(means[place]), float(means[place + 1])
