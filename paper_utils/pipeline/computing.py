"""What a run's stages are computed from: its models, images and other results, each made once (`Work`)."""

from functools import cache
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel

from ..errors import CompanionError
from ..files import read_arrays, way_out, write_json
from ..models import processes
from ..models.regressor import ChirpRegressor, load_backbone, load_regressor, merged
from ..training.evaluation import held_out
from .cache import unfinished_name
from .figures import NOTEBOOKS
from .given import GivenModel
from .made_by import made_by
from .profiles import Profile
from .results import Results
from .work import Arrays

__all__ = ["Computing"]


class Computing:
    """A run as its stages see it, and its notes of what each notebook has asked for."""

    profile: Profile
    given: GivenModel | None  # a checkpoint taken as the fine-tuned model
    results: Results
    computes: bool  # or reads what ships
    build: Path  # folder of what is computed
    notebook: str  # who asks
    read: set[str]  # stages that it has asked for
    shown: set[str]  # figures that it has shown
    written: set[str]  # files of them, of tables and pages

    @cache
    def model(self) -> ChirpRegressor:
        """Return the fine-tuned model, LoRA merged."""
        return self._regressor(self._path("fine_tuning"))

    @cache
    def backbone(self) -> PreTrainedModel:
        """Return the ViT before fine-tuning."""
        if self.given:
            self.given.check()
        return load_backbone(self.profile.backbone, pixels=self.profile.pixels)

    def other_model(self, name: str) -> ChirpRegressor:
        """Return the model of another training seed, by its name in the study, LoRA merged."""
        return self._regressor(self._path(f"study/{name}").with_suffix(".safetensors"))

    def _regressor(self, path: Path) -> ChirpRegressor:
        return merged(load_regressor(path, backbone=self.profile.backbone, pixels=self.profile.pixels))

    def arrays(self, stage: str) -> Arrays:
        """Return a stage's arrays by name."""
        return read_arrays(self._path(stage))

    def images(self, indices: np.ndarray, *, variant: str = "published") -> tuple[torch.Tensor, np.ndarray]:
        """Return held-out images (images, 3, 224, 224) uint8, or a variant of them, and labels (images, 3)."""
        drawn = held_out(self.profile, indices, variant=variant, patch=self.model().vit.config.patch_size)
        images, labels = zip(*(drawn[index] for index in range(len(drawn))), strict=True)
        return torch.from_numpy(np.stack(images)), np.stack(labels)

    def unfinished(self, stage: str, part: str = "") -> Path:
        """Return where an interrupted computation of a stage leaves what it has done, by what it would be computed from."""
        name = unfinished_name(stage, self.profile)
        folder = self.build / "unfinished"
        folder.mkdir(parents=True, exist_ok=True)
        for outdated in folder.glob(f"{stage.replace('/', '-')}-*"):
            if not outdated.name.startswith(Path(name).stem):
                outdated.unlink(missing_ok=True)  # another process may have been quicker
        whole = folder / name
        return whole.with_stem(f"{whole.stem}-{part.replace(' ', '-')}") if part else whole

    def finished(self, stage: str) -> None:
        """Remove what an interrupted computation has left; of several processes the main one does."""
        for left in (self.build / "unfinished").glob(f"{stage.replace('/', '-')}-*"):
            if processes.is_main():
                left.unlink(missing_ok=True)

    def _path(self, stage: str) -> Path:
        self.has_read(stage)
        if self.computes:
            return self.results.ensure(stage, self)
        path = self.results.path(stage)
        if not path.is_file():
            raise CompanionError(f"the shipped result {path} is missing; {way_out(path)}")
        return path

    def has_read(self, *stages: str) -> None:
        """Keep which results the notebook has asked for and what it has written: they say when it must run again."""
        self.read.update(stages)
        if self.computes and self.notebook != "script":
            sets = {"stages": self.read, "figures": self.shown, "files": self.written}
            record = {key: sorted(names) for key, names in sets.items()}
            own = made_by(self.notebook) if self.notebook in NOTEBOOKS else {}
            write_json(self.build / "notebooks" / f"{self.notebook}.read.json", record | own)
