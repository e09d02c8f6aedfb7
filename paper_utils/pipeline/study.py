"""Repeats and controls of the fine-tuning, each a stage: other training seeds, other things trained, other images.

Two more training seeds say how far the paper's result is a matter of luck; the controls say what backbone, LoRA and the
other weights each contribute, and what the published binning costs. All see the same number of images and are judged
on the same held-out images. The models of other training seeds are kept, for `seeds` to look into.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..data.chirps import Binning
from ..errors import CompanionError
from ..files import write_json
from ..models import processes
from ..models.regressor import save_regressor
from ..training.evaluation import accuracy, evaluate_held_out
from ..training.fine_tuning import fine_tune
from .profiles import Profile
from .work import Work

__all__ = ["VARIANTS", "Variant", "maker", "variant_profile"]


@dataclass(frozen=True)
class Variant:
    """One way to fine-tune, where it differs from the profile's."""

    title: str
    trained: str = "lora"
    backbone: str | None = None
    learning_rate: float | None = None  # the profile's suits LoRA
    repeat: int = 0
    binning: Binning = "published"

    @property
    def is_seed(self) -> bool:
        """Whether it differs from the profile's fine-tuning in its training seed alone: its model is then kept."""
        return self.repeat > 0


VARIANTS = {
    "lora_2": Variant("LoRA, second training seed", repeat=1),
    "lora_3": Variant("LoRA, third training seed", repeat=2),
    "random_lora": Variant("LoRA on a random backbone", backbone="random"),
    "head_only": Variant("head alone, backbone frozen", trained="head"),
    "all_weights": Variant("all weights", trained="all", learning_rate=3e-4),
    "sound_edges": Variant("LoRA on images with sound binning", binning="sound"),
}


def variant_profile(profile: Profile, variant: Variant) -> Profile:
    """Return the profile with the variant's own settings in it."""
    return dataclasses.replace(
        profile,
        backbone=variant.backbone or profile.backbone,
        pixels="published" if variant.backbone else profile.pixels,  # random weights were trained on none
        learning_rate=variant.learning_rate or profile.learning_rate,
        repeat=variant.repeat,
        binning=variant.binning,
    )


def maker(name: str) -> Callable[[Work, Path], None]:
    """Return what makes the result of one variant.

    Raises:
        CompanionError: no variant has that name.
    """
    if name not in VARIANTS:
        raise CompanionError(f"unknown variant {name!r}; choose from {', '.join(VARIANTS)}")

    def make(work: Work, path: Path) -> None:
        variant = VARIANTS[name]
        settings = variant_profile(work.profile, variant)
        of_another_shape = (
            ", of the embedded one's sizes" if variant.backbone and work.profile.backbone != "embedded" else ""
        )
        checkpoint = work.unfinished(f"study/{name}") or path.with_suffix(".pt")
        model, history = fine_tune(settings, checkpoint, trained=variant.trained)
        evaluation = evaluate_held_out(model, settings, range(settings.test_images))
        content = {
            "index": list(VARIANTS).index(name),
            "title": variant.title + of_another_shape,
            "trained_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
            "settings": settings.as_dict() | {"trained": variant.trained},
            "accuracy": accuracy(evaluation),
            "history": [dataclasses.asdict(epoch) for epoch in history],
        }
        if variant.is_seed:
            file = path.with_suffix(".safetensors")
            save_regressor(model, file, backbone=settings.backbone, pixels=settings.pixels)
        write_json(path, content)
        if processes.is_main():
            checkpoint.unlink()

    return make
