"""The state that an interrupted fine-tuning resumes from: weights, optimizer, history and the best weights so far."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from ..errors import CompanionError
from ..files import atomic_path
from ..models import processes
from ..models.regressor import ChirpRegressor
from ..models.state_dicts import check_archive, check_is_file
from .history import Epoch
from .recipe import Recipe
from .schedule import Schedule

__all__ = ["Progress", "TrainingState"]


@dataclass(frozen=True)
class Progress:
    """How far an epoch has come that is not finished."""

    losses: list[float]  # of the batches that are done
    rate: float  # learning rate at its beginning
    seconds: float


class TrainingState:
    """Everything a fine-tuning needs to resume with the same results as without interruption.

    Attributes:
        history: one entry for each finished epoch.
        chosen: the weights that fine-tuning returns if it ends now, by name.
        progress: of an epoch that was interrupted, None between epochs.
    """

    def __init__(self, recipe: Recipe, model: ChirpRegressor, schedule: Schedule):
        self.recipe, self._defaults = recipe.as_dict(), recipe.defaults()
        self.schedule = schedule
        self.model = model
        self.history: list[Epoch] = []
        self.chosen: dict[str, torch.Tensor] = model.state_dict()
        self.progress: Progress | None = None

    @property
    def epochs_without_progress(self) -> int:
        """How many epochs have passed since the validation loss was lowest."""
        losses = [epoch.validation_loss for epoch in self.history]
        return len(losses) - 1 - int(np.argmin(losses)) if losses else 0

    @property
    def stalled(self) -> bool:
        """Whether the recipe's patience is spent."""
        patience = self.recipe["patience"]
        return patience is not None and self.epochs_without_progress >= patience[1]

    def add(self, epoch: Epoch) -> None:
        """Append an epoch, and choose its weights: the lowest validation loss, or the last epoch of a short schedule."""
        self.history.append(epoch)
        self.progress = None
        # a short schedule ends at rate zero, where the weights have settled: the last epoch is the result
        if self.schedule.short or self.epochs_without_progress == 0:
            self.chosen = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}

    def save(self, path: Path) -> None:
        """Write the state, atomically; of several processes, which have the same, the main one does.

        Raises:
            CompanionError: the file cannot be written.
        """
        if not processes.is_main():
            return
        content: dict[str, object] = {"schedule": self.schedule.state_dict(), "model": self.model.state_dict()}
        content |= {"chosen": self.chosen, "recipe": self.recipe}
        content["history"] = [asdict(epoch) for epoch in self.history]
        content["progress"] = asdict(self.progress) if self.progress else None
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            try:
                torch.save(content, file)
            except RuntimeError as error:  # torch hides what the disk said, such as that it is full
                if isinstance(error.__context__, OSError):
                    raise error.__context__ from None
                raise

    def resume(self, path: Path) -> None:
        """Continue from a file that `save` wrote; without one, start from the beginning.

        Raises:
            CompanionError: the file is damaged, or belongs to other settings.
        """
        if not path.exists():
            return
        check_is_file(path, what="checkpoint")
        try:
            check_archive(path)
            content = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # torch raises many kinds of errors for a damaged file
            raise CompanionError(f"the checkpoint {path} is damaged; remove it to train from the start") from error
        if self._defaults | content["recipe"] != self.recipe:  # one from before a setting existed lacks it
            raise CompanionError(f"the checkpoint {path} belongs to other settings; remove it to train from the start")
        self.model.load_state_dict(content["model"])
        self.chosen = content["chosen"]
        self.schedule.load_state_dict(content["schedule"])
        self.history = [Epoch(**epoch) for epoch in content["history"]]
        progress = content.get("progress")  # files from before epochs were resumed have none
        self.progress = Progress(**progress) if progress else None
