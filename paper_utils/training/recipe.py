"""The recipe of a fine-tuning: every setting that a trained model depends on."""

from dataclasses import MISSING, asdict, dataclass, fields

from ..data.chirps import Binning
from ..data.resizing import Resizing
from ..models.pixels import Pixels

__all__ = ["Recipe"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a model is fine-tuned; a profile adds how many images each analysis uses."""

    epochs: int  # at most; early stopping may end sooner
    images_per_epoch: int
    fresh_images: bool  # new images every epoch by importance sampling (`sampling`), or the same ones as in the paper
    validation_images: int
    batch: int
    micro_batch: int  # images that one thread processes at once; gradients add up to the batch
    learning_rate: float
    lora_plus: float  # learning rate of LoRA's B as a multiple of the others' (`schedule.optimizer_of`)
    patience: tuple[int, int] | None  # epochs without progress before the rate falls tenfold, and before training ends
    backbone: str = "embedded"
    seed: int = 42  # of the images
    repeat: int = 0  # training seed: other initial weights and training images, the same validation and test images
    binning: Binning = "published"  # or "sound", whose labels equal what is drawn (`data.chirps`)
    resizing: Resizing = "bicubic"  # Pillow's filter from 640 x 480 to 224 x 224: its default and the published one
    pixels: Pixels = "published"  # 0 to 1, or "backbone": normalised as it was pre-trained (`models.pixels`)
    mixed_precision: bool = True  # bfloat16 where the machine has units for it
    workers: int = 1  # processes that draw images

    @classmethod
    def defaults(cls) -> dict[str, object]:
        """Return the settings that have a default, at it.

        Stored settings that lack one of these are from before it existed, and count as its default: what was computed
        then is what the default computes now. So a setting may be added, its default what was done without it; a
        default that changes later needs other `version`s of the stages.
        """
        return {field.name: field.default for field in fields(cls) if field.default is not MISSING}

    def as_dict(self) -> dict:
        """Return the settings as plain data."""
        return asdict(self)

    def training_settings(self) -> dict:
        """Return the settings that a trained model depends on: all but `workers`, and none that a profile adds."""
        names = {field.name for field in fields(Recipe)} - {"workers"}
        return {name: value for name, value in self.as_dict().items() if name in names}
