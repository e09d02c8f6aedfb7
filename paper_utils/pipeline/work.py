"""What a stage computes from: a run's own model, images and results, or golden ones that a probe puts in their place."""

from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from transformers import PreTrainedModel

from ..models.regressor import ChirpRegressor
from .profiles import Profile

__all__ = ["Arrays", "Work"]

Arrays = dict[str, np.ndarray]


class Work(Protocol):
    """Everything that the computation of a stage may read."""

    @property
    def profile(self) -> Profile:
        """Sizes and settings."""
        ...

    def model(self) -> ChirpRegressor:
        """Return the fine-tuned model, LoRA merged."""
        ...

    def backbone(self) -> PreTrainedModel:
        """Return the ViT before fine-tuning."""
        ...

    def other_model(self, name: str) -> ChirpRegressor:
        """Return the model of another training seed, by its name in the study, LoRA merged."""
        ...

    def arrays(self, stage: str) -> Arrays:
        """Return what another stage has computed."""
        ...

    def images(self, indices: np.ndarray, *, variant: str = "published") -> tuple[torch.Tensor, np.ndarray]:
        """Return held-out images (images, 3, height, width) uint8, or a variant of them, and labels (images, 3)."""
        ...

    def unfinished(self, stage: str, part: str = "") -> Path | None:
        """Return where an interrupted computation, or a part of it, leaves what it has done; None if it is short."""
        ...

    def finished(self, stage: str) -> None:
        """Remove what `unfinished` named."""
        ...
