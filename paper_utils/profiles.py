"""How large a run is: smoke (tests), laptop (default) and paper (the published scale), one code for all."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .artifacts import ROOT, checksum, read_json
from .errors import CompanionError

__all__ = ["EMBEDDED", "PROFILES", "Profile", "get_profile", "verified_backbone"]

EMBEDDED = ROOT / "data" / "backbone"


@dataclass(frozen=True)
class Profile:
    """Every size and setting of a run that is not fixed by the paper's method."""

    name: str
    proves: str  # what a run of this profile can show
    epochs: int  # at most; early stopping may end sooner
    pictures_per_epoch: int
    fresh_pictures: bool  # new ones every epoch, faint chirps oftener (`faintness`), or the same ones as in the paper
    validation_pictures: int
    test_pictures: int
    batch: int
    micro_batch: int  # pictures a core has in memory at once; gradients add up to the batch
    learning_rate: float
    lora_plus: float  # how many times faster LoRA's B learns than all else (`schedule.optimizer_of`)
    patience: tuple[int, int] | None  # epochs without progress before the rate falls tenfold, and before training ends
    map_pictures: int
    ablation_pictures: int
    ablation_pool: int  # held-out pictures that those are chosen from; the test pictures come first
    backbone: str = "embedded"
    seed: int = 42  # of the pictures
    repeat: int = 0  # of the training: another start and other training pictures, the same held-out ones
    edges: str = "published"  # or "sound": see `chirps.draw_chirp`
    workers: int = 1

    @property
    def folder(self) -> str:
        """Name of the folders under build/ and figures/; another backbone's results never mix with these."""
        own = PROFILES[self.name].backbone
        return self.name if self.backbone == own else f"{self.name}+{Path(self.backbone).name}"

    def as_dict(self) -> dict:
        """Return the settings as plain data."""
        return asdict(self)

    def training_settings(self) -> dict:
        """Return the settings that a trained model depends on."""
        later = ("proves", "workers", "test_pictures", "map_pictures", "ablation_pictures", "ablation_pool")
        return {name: value for name, value in self.as_dict().items() if name not in later}


PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            name="smoke",
            proves="that every step runs; its numbers mean nothing",
            epochs=2,
            pictures_per_epoch=32,
            fresh_pictures=True,
            validation_pictures=16,
            test_pictures=16,
            batch=8,
            micro_batch=8,
            learning_rate=1e-3,
            lora_plus=8.0,
            patience=None,
            map_pictures=15,
            ablation_pictures=8,
            ablation_pool=16,
        ),
        Profile(
            name="laptop",
            proves="the paper's method on a small backbone of our own: the effects, not the paper's numbers",
            epochs=24,
            pictures_per_epoch=1024,
            fresh_pictures=True,
            validation_pictures=256,
            test_pictures=2000,
            batch=16,
            micro_batch=4,
            learning_rate=1e-3,
            lora_plus=8.0,
            patience=None,  # too few pictures to find out when to slow down
            map_pictures=48,
            ablation_pictures=352,
            ablation_pool=4000,
        ),
        Profile(
            name="paper",
            proves="the published scale: ViT-Base, 80,000 pictures an epoch; needs a GPU and the backbone's weights",
            epochs=100,
            pictures_per_epoch=80_000,
            fresh_pictures=False,
            validation_pictures=20_000,
            test_pictures=20_000,
            batch=32,
            micro_batch=32,
            learning_rate=1e-4,
            lora_plus=1.0,
            patience=(3, 4),
            map_pictures=256,
            ablation_pictures=20_000,
            ablation_pool=20_000,
            backbone="google/vit-base-patch16-224",
            workers=8,
        ),
    )
}


def get_profile(name: str, *, backbone: str | None = None) -> Profile:
    """Return a profile by name, with another backbone if one is given.

    Raises:
        CompanionError: no profile has that name.
    """
    if name not in PROFILES:
        raise CompanionError(
            f"unknown profile {name!r}; choose one of {', '.join(PROFILES)} (make figures PROFILE=...)"
        )
    if not backbone:
        return PROFILES[name]
    folder = Path(backbone)  # notebooks run in another folder than make
    return replace(PROFILES[name], backbone=str(folder.resolve()) if folder.is_dir() else backbone)


def verified_backbone() -> Path:
    """Return the path of the embedded backbone's weights, having checked them against their SHA-256.

    Raises:
        CompanionError: a file is missing or damaged.
    """
    weights, card = EMBEDDED / "model.safetensors", EMBEDDED / "training.json"
    way_out = "restore it with `git checkout data/backbone`, or make it again with `make backbone`"
    for path in (weights, card):
        if not path.is_file():
            raise CompanionError(f"the embedded backbone lacks {path}; {way_out}")
    if checksum(weights) != read_json(card)["sha256"]:
        raise CompanionError(f"{weights} is damaged (its SHA-256 is not the one in {card.name}); {way_out}")
    return weights
