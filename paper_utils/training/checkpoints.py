"""What an interrupted fine-tuning goes on from: weights, optimizer, history, and the weights meant to be kept."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from ..errors import CompanionError
from ..files import atomic_path
from ..models.regressor import ChirpRegressor
from .history import Epoch
from .recipe import Recipe
from .schedule import Schedule

__all__ = ["TrainingState"]


class TrainingState:
    """Everything an interrupted fine-tuning needs to go on as if nothing had happened."""

    def __init__(self, recipe: Recipe, model: ChirpRegressor, schedule: Schedule):
        self.recipe = recipe.as_dict()
        self.schedule = schedule
        self.model = model
        self.history: list[Epoch] = []
        self.chosen: dict[str, torch.Tensor] = model.state_dict()

    @property
    def epochs_without_progress(self) -> int:
        """Epochs since the validation loss was lowest."""
        losses = [epoch.validation_loss for epoch in self.history]
        return len(losses) - 1 - int(np.argmin(losses)) if losses else 0

    @property
    def stalled(self) -> bool:
        """Whether the recipe's patience is spent."""
        patience = self.recipe["patience"]
        return patience is not None and self.epochs_without_progress >= patience[1]

    def add(self, epoch: Epoch) -> None:
        """Take in an epoch, and choose its weights where they are the ones to keep."""
        self.history.append(epoch)
        if self.schedule.short or self.epochs_without_progress == 0:  # where the rate falls to zero, the last is meant
            self.chosen = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}

    def save(self, path: Path) -> None:
        """Write all of it; the file is whole or not there."""
        content: dict[str, object] = {"schedule": self.schedule.state_dict(), "model": self.model.state_dict()}
        content |= {"chosen": self.chosen, "recipe": self.recipe}
        content["history"] = [asdict(epoch) for epoch in self.history]
        with atomic_path(path) as temporary:
            torch.save(content, temporary)

    def resume(self, path: Path) -> None:
        """Go on from a file that `save` wrote, if there is one.

        Raises:
            CompanionError: the file is damaged, or of other settings.
        """
        if not path.exists():
            return
        try:
            content = torch.load(path, weights_only=True)
        except Exception as error:  # torch raises many kinds for a damaged file
            raise CompanionError(f"the checkpoint {path} is damaged; remove it to train from the start") from error
        if content["recipe"] != self.recipe:
            raise CompanionError(f"the checkpoint {path} is of other settings; remove it to train from the start")
        self.model.load_state_dict(content["model"])
        self.chosen = content["chosen"]
        self.schedule.load_state_dict(content["schedule"])
        self.history = [Epoch(**epoch) for epoch in content["history"]]
