"""What a fine-tuning came to, and ways to fine-tune side by side: other training seeds, and controls."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..models.regressor import ChirpRegressor
from .history import Epoch, images_to_reach, steepest_fall
from .summaries import TARGET_NAMES, Accuracy, Scores, rates

__all__ = ["StudyComparison", "TrainingSummary", "WayOfTraining"]

OWN = "LoRA, first training seed"
REACHED = 0.9  # Pearson r, of the worst of three targets


@dataclass(frozen=True)
class TrainingSummary:
    """What was trained, on how many images, and where the training loss fell most."""

    trained_parameters: int
    parameters: int
    images_seen: int
    seconds: float
    validation_loss: float  # after the last epoch, standardised
    fall: tuple[int, float, float]  # after how many images, mean loss of a stretch before and after
    stretch: int  # images

    @classmethod
    def of(
        cls, history: Sequence[Epoch], *, model: ChirpRegressor, trained_parameters: int, batch: int
    ) -> "TrainingSummary":
        """Summarise a history.

        Args:
            history: of the fine-tuning.
            model: the merged model, for the number of its parameters.
            trained_parameters: of LoRA and head.
            batch: images of one training step.

        Raises:
            CompanionError: the history is shorter than two stretches of 1/32 of its images.
        """
        seen = history[-1].images_seen
        stretch = max(batch, seen // 32)
        return cls(
            trained_parameters=trained_parameters,
            parameters=sum(parameter.numel() for parameter in model.parameters()),
            images_seen=seen,
            seconds=sum(epoch.seconds for epoch in history),
            validation_loss=history[-1].validation_loss,
            fall=steepest_fall(history, batch=batch, stretch=stretch),
            stretch=stretch,
        )

    def table(self) -> pd.DataFrame:
        """Return parameters, images and the steepest fall of the training loss, one row each."""
        after, high, low = self.fall
        rows = {
            "trained parameters (LoRA and head)": f"{self.trained_parameters:,}",
            "parameters of the model": f"{self.parameters:,}",
            "training images": f"{self.images_seen:,}",
            "validation loss after the last epoch": f"{self.validation_loss:.3f}",
            f"steepest fall of the training loss (means of {self.stretch})": f"{high:.3f} to {low:.3f}",
            "images seen before that fall": f"{after:,}",
        }
        return pd.DataFrame({"Value": rows})

    def metrics(self) -> dict[str, float]:
        """Return the flat keys of results.json."""
        return {"training.images": self.images_seen, "training.seconds": self.seconds}


@dataclass(frozen=True)
class WayOfTraining:
    """One fine-tuning of the study, judged on test images."""

    name: str
    is_seed: bool  # the run's own recipe; only the training seed differs
    trained_parameters: int
    history: list[Epoch]
    scores: Scores
    images: int  # of the test


@dataclass(frozen=True)
class StudyComparison:
    """The run's fine-tuning beside those of `make study`."""

    ways: list[WayOfTraining]

    @classmethod
    def of(
        cls, study: Sequence[dict], *, history: list[Epoch], accuracy: Accuracy, trained_parameters: int
    ) -> "StudyComparison":
        """Put the run's own fine-tuning first.

        Args:
            study: one dictionary a way, as `make study` writes them.
            history: of the run's own.
            accuracy: of the run's own, on its test images.
            trained_parameters: of the run's own.
        """
        own = WayOfTraining(OWN, True, trained_parameters, history, accuracy.scores, accuracy.images)
        return cls([own, *map(_way, study)])

    def curves(self) -> dict[str, tuple[list[int], list[float], list[float]]]:
        """Return by way of training: images seen, validation loss and lowest r of the targets, for the figure."""
        return {
            way.name: (
                [epoch.images_seen for epoch in way.history],
                [epoch.validation_loss for epoch in way.history],
                [min(epoch.pearson_r.values()) for epoch in way.history],
            )
            for way in self.ways
        }

    def table(self) -> pd.DataFrame:
        """Return trained parameters, training images and r on the test images of every way."""
        rows = {
            way.name: {
                "Trained parameters": f"{way.trained_parameters:,}",
                "Images seen": f"{way.history[-1].images_seen:,}",
                f"Images to reach r {REACHED:g}": _count_text(images_to_reach(way.history, REACHED)),
            }
            | rates(way.scores)
            | {"Test images": way.images}
            for way in self.ways
        }
        return pd.DataFrame.from_dict(rows, orient="index")

    def seeds(self) -> dict[str, np.ndarray]:
        """Return r on the test images by target, one for each training seed."""
        same = [way for way in self.ways if way.is_seed]
        return {target: np.array([way.scores[target]["pearson_r"] for way in same]) for target in TARGET_NAMES}

    def seed_table(self) -> pd.DataFrame:
        """Return mean and standard deviation of r over training seeds."""
        rows = {
            TARGET_NAMES[target]: {
                "Mean r": f"{r.mean():.3f}",
                "Standard deviation": f"{r.std(ddof=1):.4f}" if len(r) > 1 else "-",
                "Training seeds": len(r),
                "Test images": self.ways[0].images,
            }
            for target, r in self.seeds().items()
        }
        return pd.DataFrame.from_dict(rows, orient="index")

    def metrics(self) -> dict[str, float]:
        """Return the flat keys of results.json; one training seed has no standard deviation."""
        seeds = self.seeds()
        return {f"starts.{target}.mean_r": float(r.mean()) for target, r in seeds.items()} | {
            f"starts.{target}.std_r": float(r.std(ddof=1)) for target, r in seeds.items() if len(r) > 1
        }


def _way(content: dict) -> WayOfTraining:
    settings = content["settings"]
    return WayOfTraining(
        name=content["title"],
        is_seed=settings["repeat"] > 0,
        trained_parameters=content["trained_parameters"],
        history=[Epoch(**epoch) for epoch in content["history"]],
        scores=content["accuracy"],
        images=settings["test_images"],
    )


def _count_text(count: int | None) -> str:
    return "never" if count is None else f"{count:,}"
