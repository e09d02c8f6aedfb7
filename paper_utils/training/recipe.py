"""The recipe of a fine-tuning: every setting that a trained model depends on."""

from dataclasses import asdict, dataclass, fields

from ..data.chirps import Binning

__all__ = ["Recipe"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a model is fine-tuned; a profile is a recipe with the sizes of what is done with the model."""

    epochs: int  # at most; early stopping may end sooner
    images_per_epoch: int
    fresh_images: bool  # new ones every epoch, faint chirps more often (`sampling`), or the same ones as in the paper
    validation_images: int
    batch: int
    micro_batch: int  # images a core has in memory at once; gradients add up to the batch
    learning_rate: float
    lora_plus: float  # how many times faster LoRA's B learns than all else (`schedule.optimizer_of`)
    patience: tuple[int, int] | None  # epochs without progress before the rate falls tenfold, and before training ends
    backbone: str = "embedded"
    seed: int = 42  # of the images
    repeat: int = 0  # of the training: another initialisation and other training images, the same held-out ones
    binning: Binning = "published"  # or "sound": see `chirps.draw_chirp`
    mixed_precision: bool = True  # bfloat16 where the machine has units for it
    workers: int = 1

    def as_dict(self) -> dict:
        """Return the settings as plain data."""
        return asdict(self)

    def training_settings(self) -> dict:
        """Return the settings that a trained model depends on."""
        names = {field.name for field in fields(Recipe)} - {"workers"}
        return {name: value for name, value in self.as_dict().items() if name in names}
