"""A checkpoint in the published layout as the fine-tuned model of a run, instead of one that is trained or ships.

It is taken apart once, into the backbone (its weights without LoRA, which were frozen), the model (LoRA, head and label
scale) and a stamp that holds the checkpoint's SHA-256. From there on the run is one on another backbone.
"""

import hashlib
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from ..errors import CompanionError
from ..files import checksum, write_json
from ..models.hub import quietly
from ..models.pixels import PREPROCESSOR_FILES, Pixels, as_pixels, read_normalisation
from ..models.published import load_published
from ..models.regressor import ChirpRegressor, save_regressor
from ..models.state_dicts import check_is_file
from ..models.vit import EMBEDDED_SIZES
from .cache import CHANGED_FILES, Stamp, State
from .profiles import get_profile
from .provenance import Watch
from .results import Results
from .stages import STAGES

__all__ = ["GivenModel"]

STAGE = "fine_tuning"
# the paper's figures show layers 6 and 12 and 12 heads; images are drawn with 224 pixels, in patches of 16
NEEDED = {
    name: EMBEDDED_SIZES[name] for name in ("num_hidden_layers", "num_attention_heads", "image_size", "patch_size")
}


class GivenModel(Results):
    """The fine-tuned model of a run that was given a checkpoint.

    Attributes:
        source: the checkpoint's absolute path.
        name: of the run's folders; another for another content, or another profile.
        backbone: folder of the backbone that is taken from the checkpoint.

    Args:
        profile: name of the profile.
        path: of the checkpoint.
        build: folder of all runs.
        pixels: "published", or "backbone" for a model that was trained on pixels normalised as the
            preprocessor_config.json beside the checkpoint says.

    Raises:
        CompanionError: there is no such file, no such profile, or no such pixels.
    """

    def __init__(self, profile: str, path: Path, build: Path, *, pixels: str = "published"):
        self.source = Path(os.path.expanduser(path)).resolve()  # notebooks run in another folder than make
        check_is_file(self.source, what="checkpoint")
        try:
            self._sha256 = checksum(self.source)
        except OSError as error:
            raise CompanionError(
                f"cannot read the checkpoint {path}: {error.strerror}; give CHECKPOINT= a file such as "
                "best_vit_regression.pth"
            ) from error
        self.pixels: Pixels = as_pixels(pixels)
        self.name = f"{profile}+{path.stem}-{self._sha256[:8]}{'' if self.pixels == 'published' else '+normalised'}"
        folder = build / self.name / "checkpoint"
        self.backbone = folder / "backbone"
        self._data = {self.source.name: self._sha256}
        if self.pixels == "backbone":
            read_normalisation(str(self.source.parent))
            self._data |= {file.name: checksum(file) for file in self._preprocessor(self.source.parent)}
        super().__init__(replace(get_profile(profile, pixels=pixels), backbone=str(self.backbone.absolute())), folder)

    def check(self) -> None:
        """Take the checkpoint apart where that was not done, or its parts have changed since.

        Raises:
            CompanionError: it is damaged, or a model that the figures cannot be made of.
        """
        if self.state(STAGE).state == "fresh":
            return
        with Watch() as watch:
            self._take_apart()
        stamp = Stamp(STAGES[STAGE].version, {}, {}, self._data, {}, self._content(), watch.record())
        write_json(self._stamp_path(STAGE), stamp.as_dict())
        self._states.clear()

    def _take_apart(self) -> None:
        model, report = load_published(self.source)
        check_sizes(self.source, model, assumed=bool(report.assumed_heads))
        self._stamp_path(STAGE).unlink(missing_ok=True)
        save_regressor(model, self.path(STAGE), backbone=self.profile.backbone, pixels=self.pixels)
        vit = model.vit.unload()
        try:
            with tempfile.TemporaryDirectory(prefix=f".taken.{os.getpid()}-", dir=self.folder) as made:
                with quietly():
                    vit.save_pretrained(made)
                for file in self._preprocessor(self.source.parent):
                    shutil.copyfile(file, Path(made) / file.name)
                self.backbone.mkdir(exist_ok=True)
                for outdated in self._preprocessor(self.backbone):
                    outdated.unlink()
                for part in Path(made).iterdir():
                    part.replace(self.backbone / part.name)
        except OSError as error:
            raise CompanionError(f"cannot write {self.backbone}: {error.strerror}; free some of the disk") from error

    def _state(self, stage: str) -> State:
        stamp = self.stamp(stage)
        if stamp is None or not all(path.is_file() for path in self._parts()):
            return State("missing", f"{self.source.name} is not taken apart yet")
        if stamp.version != STAGES[stage].version or stamp.data != self._data:
            return State("stale", f"{' or '.join(self._data)} has another content")
        return State("fresh") if stamp.content == self._content() else State("stale", CHANGED_FILES)

    def _parts(self) -> list[Path]:
        weights = [self.path(STAGE), self.backbone / "model.safetensors", self.backbone / "config.json"]
        return [*weights, *self._preprocessor(self.backbone)]

    def _preprocessor(self, folder: Path) -> list[Path]:
        """Return the files in a folder that say how pixels are normalised; none where they are not."""
        wanted = [folder / name for name in PREPROCESSOR_FILES] if self.pixels == "backbone" else []
        return [file for file in wanted if file.is_file()]

    def _content(self) -> str:
        return hashlib.sha256("".join(map(checksum, self._parts())).encode()).hexdigest()


def check_sizes(path: Path, model: ChirpRegressor, *, assumed: bool = False) -> None:
    """Raise CompanionError for a model that a run cannot use: without LoRA, or of other sizes than the figures need."""
    if not hasattr(model.vit, "unload"):
        raise CompanionError(
            f"{path} is merged: the backbone before fine-tuning, which controls and protocols need, cannot be had from "
            "it; give the checkpoint from before merging"
        )
    for name, wanted in NEEDED.items():
        found = getattr(model.vit.config, name)
        if found != wanted:
            guess = " (assumed, since the file does not say)" if assumed and name == "num_attention_heads" else ""
            raise CompanionError(
                f"{path} has {name.removeprefix('num_').replace('_', ' ')} {found}{guess}, and the paper's figures need "
                f"{wanted}; give a ViT-Base for 224 pixels in patches of 16, such as the author's"
            )
