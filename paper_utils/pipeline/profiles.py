"""How large a run is: smoke (tests), laptop (default) and paper (the published scale), one code for all."""

import hashlib
import os
import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..errors import CompanionError
from ..models.backbone import NAMED
from ..models.pixels import as_pixels
from ..training.recipe import Recipe

__all__ = ["PROFILES", "Profile", "get_profile"]


@dataclass(frozen=True, kw_only=True)
class Profile(Recipe):
    """Every size and setting of a run that is not fixed by the paper's method."""

    name: str
    proves: str  # what a run of this profile can show
    test_images: int
    map_images: int
    ablation_pool: int  # held-out images that heads are ablated on some of; the test images come first
    linearised_images: int  # chosen from the pool, for first-order effects
    ablation_images: int  # chosen from those, for exact effects
    mean_images: int  # after the pool, over which mean outputs of heads are taken
    common_images: int  # the first test images: protocols, counterfactual variants and activation patching
    line_images: int = 1024  # of each set of line images (arXiv 2504.09393): that heads are fitted on,
    line_choice_images: int = 256  # that choose rate and epoch,
    line_test_images: int = 512  # and that are judged on
    line_starts: int = 5  # fits of each condition
    line_epochs: int = 100  # at most, of a fit
    line_tuned_images: int = 1024  # that real LoRA is trained on, each seen once
    line_tuned_starts: int = 5  # trainings of it, from the first fit's heads

    @property
    def folder(self) -> str:
        """Name of the folders under build/ and figures/: of each backbone its own, by its whole name or path if it is
        none of ours.

        Normalised pixels have one of their own, too.
        """
        end = "" if self.pixels == "published" else "+normalised"
        if self.backbone == PROFILES[self.name].backbone:
            return f"{self.name}{end}"
        if self.backbone in NAMED:
            return f"{self.name}+{self.backbone}{end}"
        which = hashlib.sha256(self.backbone.encode()).hexdigest()[:8]
        return f"{self.name}+{Path(self.backbone).name}-{which}{end}"

    @property
    def make_option(self) -> str:
        """What to write after `make figures` for its backbone: " BACKBONE=photographs", nothing for the profile's own."""
        return "" if self.backbone == PROFILES[self.name].backbone else f" BACKBONE={self.backbone}"


PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            name="smoke",
            proves="that every step runs; its numbers mean nothing",
            epochs=2,
            images_per_epoch=32,
            fresh_images=True,
            validation_images=16,
            test_images=16,
            batch=8,
            micro_batch=8,
            learning_rate=1e-3,
            lora_plus=8.0,
            patience=None,
            map_images=15,
            ablation_pool=24,
            linearised_images=12,
            ablation_images=8,
            mean_images=2,
            common_images=2,
            line_images=48,
            line_choice_images=16,
            line_test_images=32,
            line_starts=2,
            line_epochs=2,
            line_tuned_images=32,
            line_tuned_starts=1,
        ),
        Profile(
            name="laptop",
            proves="the paper's method on a small backbone of our own: the effects, not the paper's numbers",
            epochs=24,
            images_per_epoch=1024,
            fresh_images=True,
            validation_images=256,
            test_images=2000,
            batch=16,
            micro_batch=4,
            learning_rate=1e-3,
            lora_plus=8.0,
            patience=None,  # too few images to find out when to slow down
            map_images=48,
            ablation_pool=12_000,
            linearised_images=2048,
            ablation_images=128,
            mean_images=128,
            common_images=128,
        ),
        Profile(
            name="paper",
            proves="the published scale: ViT-Base, 80,000 images an epoch; needs a GPU and the backbone's weights",
            epochs=100,
            images_per_epoch=80_000,
            fresh_images=False,
            validation_images=20_000,
            test_images=20_000,
            batch=32,
            micro_batch=32,
            learning_rate=1e-4,
            lora_plus=1.0,
            patience=(3, 4),
            map_images=256,
            ablation_pool=40_000,
            linearised_images=20_000,
            ablation_images=2000,
            mean_images=1000,
            common_images=1000,
            line_images=40_000,
            line_choice_images=5000,
            line_test_images=10_000,
            line_tuned_images=400_000,
            backbone="google/vit-base-patch16-224",
            workers=8,
        ),
    )
}

# what a profile sets otherwise on a backbone. At the usual rate the one of photographs unlearned all in its third epoch;
# an image through it costs two to three times as much, so that there are fewer of them, and wider intervals
OTHERWISE: dict[tuple[str, str], dict[str, Any]] = {
    ("laptop", "photographs"): {
        "proves": "the paper's method on a small backbone that has seen photographs: the effects, not the paper's numbers",
        "learning_rate": 3e-4,
        "ablation_pool": 6000,
        "linearised_images": 1024,
        "ablation_images": 64,
        "common_images": 32,
    }
}

HUB_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*")  # owner and model


def get_profile(name: str, *, backbone: str | None = None, pixels: str = "published") -> Profile:
    """Return a profile by name, with another backbone if one is given, and with published or other pixels.

    Raises:
        CompanionError: no profile has that name, the backbone is neither a folder nor a name on the hub, or there are no
            such pixels.
    """
    if name not in PROFILES:
        raise CompanionError(f"unknown profile {name!r}; choose one of {', '.join(PROFILES)}, as in PROFILE=smoke")
    profile = replace(PROFILES[name], pixels=as_pixels(pixels))
    if not backbone:
        return profile
    if backbone in NAMED:
        return replace(profile, backbone=backbone, **OTHERWISE.get((name, backbone), {}))
    folder = Path(os.path.expanduser(backbone))  # notebooks run in another folder than make
    if folder.is_dir():
        return replace(profile, backbone=str(folder.resolve()))
    # what begins with a folder that is here was meant as one of those in it
    if not HUB_NAME.fullmatch(backbone) or folder.exists() or folder.parent.is_dir():
        what = f"{backbone} is a file, not a folder" if folder.exists() else f"there is no folder {backbone}"
        meant = "".join(f"did you mean {name}? else " for name in get_close_matches(backbone, NAMED, n=1))
        raise CompanionError(
            f"{what}; {meant}give BACKBONE= {', '.join(NAMED)}, a folder that save_pretrained wrote, or a name on the "
            "hub, such as google/vit-base-patch16-224"
        )
    return replace(profile, backbone=backbone)
