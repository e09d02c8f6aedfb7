"""Probes: each stage on golden inputs of a second, as a few numbers that say whether its code still does the same.

A stage's result is kept while its probe gives the numbers it gave when the result was computed. Everything is in
float32, so that machines with and without bfloat16 units agree.
"""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from transformers import ViTConfig, ViTModel

from ..attention.maps import attention_maps
from ..data.chirps import Chirp, LabelScale, draw_chirp, label_scale, labels, spectrogram
from ..data.counterfactuals import VARIANTS, draw_variant
from ..data.dataset import sample, split_seed
from ..data.render import draw_image
from ..models.hub import quietly
from ..models.regressor import ChirpRegressor, build_regressor, merged
from ..training.checkpoints import TrainingState
from ..training.fine_tuning import fine_tune
from ..training.history import Epoch
from ..training.sampling import importance_sample, title_numbers
from ..training.schedule import Schedule, optimizer_of
from .profiles import PROFILES, Profile
from .work import Arrays, Work

__all__ = ["Numbers", "golden", "of_arrays", "on_golden", "probe_fine_tuning", "probe_images", "probe_maps"]

Numbers = dict[str, float]
PROFILE = replace(
    PROFILES["smoke"],
    epochs=1,
    images_per_epoch=12,
    validation_images=4,
    batch=4,
    micro_batch=2,
    test_images=6,
    ablation_pool=14,
    linearised_images=12,
    ablation_images=8,
    mean_images=3,
    common_images=3,
    line_images=32,
    line_choice_images=8,
    line_test_images=12,
    line_starts=1,
    line_epochs=2,
    line_tuned_images=8,
    line_tuned_starts=1,
    mixed_precision=False,
    workers=0,
)
# chirps on the generator's known edges, and one of every other kind
CHIRPS = (
    Chirp(5.0, 40.0, 0.0, 12.0, "exponential", 0.1),  # falls to the bottom row after its first bin
    Chirp(5.0, 80.0, 100.0, 9.0, "exponential", 0.2),
    Chirp(20.0, 20.0, 0.0, 8.0, "linear", 0.1),  # clipped at the lower edge
    Chirp(30.0, 90.0, 100.0, 10.0, "linear", 0.3),  # and at the upper
    Chirp(44.0, 99.0, 98.0, 15.0, "linear", 0.1),  # along the upper edge
    Chirp(12.0, 50.0, 60.0, 1.0, "linear", 0.1),  # of two bins
    Chirp(0.3, 0.4, 25.0, 6.0, "exponential", 0.1),  # from the lowest bin
    Chirp(10.0, 10.0, 35.0, 7.0, "linear", 0.1, "sound"),
)


def of_arrays(arrays: Arrays) -> Numbers:
    """Return two numbers for each array: its mean, and the projection of what differs from it on a fixed direction."""
    found: Numbers = {}
    for name, values in arrays.items():
        flat = np.nan_to_num(np.asarray(values, np.float64).ravel())
        direction = np.random.default_rng(len(flat)).standard_normal(len(flat)) / len(flat) ** 0.5
        mean = float(flat.mean())
        found |= {f"{name} mean": mean, f"{name} projection": float((flat - mean) @ direction)}
    return found


def probe_images() -> Numbers:
    """Draw images of every kind, split and variant: projections of pixels, regions and labels."""
    found: Numbers = {}
    for number, chirp in enumerate(CHIRPS, 1):
        image = draw_image(chirp, spectrogram(chirp, np.random.default_rng(number)), "Title 10", with_regions=True)
        found |= of_arrays({f"chirp {number}": image.pixels, f"chirp {number} regions": image.known_regions})
    for split in ("train", "validation", "test"):
        seed = split_seed(42, split)
        drawn = [sample(seed, index, with_regions=False) for index in range(16)]
        found |= of_arrays({f"{split} image {index}": image.pixels for index, (_, image) in enumerate(drawn, 1)})
        found |= of_arrays({f"{split} labels": np.stack([labels(chirp) for chirp, _ in drawn])})
    chirp, rng = draw_chirp(split_seed(42, "test"), 3)
    intensity = spectrogram(chirp, rng)
    for name in VARIANTS:
        image = draw_variant(name, chirp, intensity, "Title 4", with_regions=True)
        found |= of_arrays({f"variant {name}": image.pixels, f"variant {name} regions": image.known_regions})
    bilinear = sample(split_seed(42, "test"), 0, resizing="bilinear")[1]
    found |= of_arrays({"bilinear": bilinear.pixels})
    scale = label_scale(split_seed(42, "train"), 100)
    return found | of_arrays({"label scale mean": scale.mean, "label scale deviation": scale.std})


def probe_fine_tuning() -> Numbers:
    """Take three steps, and say the rates, the sampling of images and the epoch that are chosen."""
    with tempfile.TemporaryDirectory() as folder:
        _save_small_vit(224, folder)
        recipe = replace(PROFILE, backbone=folder)
        model, (epoch,) = fine_tune(recipe, Path(folder) / "probe.pt")
    found = {f"loss of step {step}": loss for step, loss in enumerate(epoch.batch_losses, 1)}
    found |= {"validation loss": epoch.validation_loss, "first rate": epoch.learning_rate}
    scale = {"label scale mean": model.label_mean.numpy(), "label scale deviation": model.label_std.numpy()}
    trained = {
        "trained weights": torch.cat([p.detach().ravel() for p in model.parameters() if p.requires_grad]).numpy()
    }
    indices, weights = importance_sample(split_seed(42, "train"), 1, 64)
    chosen = {"sampled images": indices - indices[0], "their weights": weights, "titles": title_numbers(7, indices)}
    return found | of_arrays(scale | trained | chosen) | _rates_and_choices(model)


def _rates_and_choices(model: ChirpRegressor) -> Numbers:
    """Return the learning rates of a whole training, and which epoch's weights each kind of schedule keeps."""
    found: Numbers = {}
    for name, recipe in (("laptop", PROFILES["laptop"]), ("paper", PROFILES["paper"])):
        small = replace(recipe, epochs=8, images_per_epoch=5 * recipe.batch)
        schedule = Schedule(optimizer_of(model, small), small)
        state = TrainingState(small, model, schedule)
        rates = []
        for number, loss in enumerate((0.9, 0.5, 0.4, 0.6, 0.7, 0.6, 0.8, 0.7)):
            for _ in range(5):
                rates.append([group["lr"] for group in schedule.optimizer.param_groups])
                schedule.step()
            schedule.after_epoch(loss)
            with torch.no_grad():
                model.label_mean.fill_(number)
            state.add(Epoch(number, loss, loss, {}, 0.0, 0.0, []))
        found |= of_arrays({f"rates of {name}": np.array(rates) / recipe.learning_rate})
        found |= {f"epoch kept of {name}": float(state.chosen["label_mean"][0]), f"stalled {name}": state.stalled}
    return found


def probe_maps() -> Numbers:
    """Return attention maps of the small model on golden images."""
    maps = attention_maps(golden().model(), golden().images(np.arange(4))[0])
    return of_arrays({"patches": maps.patches, "cls": maps.cls, "norms": maps.norms})


def on_golden(compute: Callable[[Work], Arrays], *, side: int = 64) -> Callable[[], Numbers]:
    """Return the probe that runs a stage's own computation on the golden inputs, without the seconds that it took.

    Args:
        compute: of the stage.
        side: pixels of the model's images; 224 where the computation draws them itself.
    """

    def probe() -> Numbers:
        return of_arrays({name: values for name, values in compute(golden(side)).items() if name != "seconds"})

    return probe


class _Golden:
    """A small model with random weights and biases, images of noise, and results made up."""

    profile: Profile = PROFILE

    def __init__(self, side: int):
        self.side = side

    @cache
    def model(self) -> ChirpRegressor:
        return merged(_small_regressor(self.side))

    @cache
    def backbone(self) -> ViTModel:
        return _small_vit(self.side, seed=5)

    def other_model(self, name: str) -> ChirpRegressor:
        return self.model()

    def arrays(self, stage: str) -> Arrays:
        from . import computations  # which stages import beside this module

        if stage in ("ablation", "attribution"):
            return _computed(self.side, stage, getattr(computations, stage))
        rng = np.random.default_rng(8)
        count = PROFILE.test_images if stage == "evaluation" else PROFILE.ablation_pool
        truth = rng.normal(30, 10, (count, 3)).astype(np.float32)
        near = truth + rng.normal(0, 3, truth.shape).astype(np.float32)
        return {"predictions": near, "labels": truth, "seconds": np.array(1.0)}

    def images(self, indices: np.ndarray, *, variant: str = "published") -> tuple[torch.Tensor, np.ndarray]:
        seeds = [[int(index), list(VARIANTS).index(variant)] for index in indices]
        drawn = [np.random.default_rng(seed).integers(0, 256, (3, self.side, self.side), np.uint8) for seed in seeds]
        truth = [np.random.default_rng(int(index)).normal(30, 10, 3) for index in indices]
        return torch.from_numpy(np.stack(drawn)), np.stack(truth).astype(np.float32)

    def unfinished(self, stage: str, part: str = "") -> None:
        return None

    def finished(self, stage: str) -> None:
        return None


@cache
def _computed(side: int, stage: str, compute: Callable[[Work], Arrays]) -> Arrays:
    return compute(golden(side))


@cache
def golden(side: int = 64) -> Work:
    """Return the golden inputs of all probes, with images of `side` pixels."""
    return _Golden(side)


def _save_small_vit(side: int, folder: str) -> None:
    with quietly():
        _small_vit(side).save_pretrained(folder)


def _small_vit(side: int, *, seed: int = 0) -> ViTModel:
    torch.manual_seed(seed)
    config = ViTConfig(
        hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=48, image_size=side, patch_size=16
    )
    vit = ViTModel(config, add_pooling_layer=False)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in vit.parameters():  # biases too, so that what is left of a zeroed head shows
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2 + (parameter.ndim == 1) * 0.1)
    return vit.eval()


def _small_regressor(side: int) -> ChirpRegressor:
    scale = LabelScale(np.array([22.0, 50.0, 50.0]), np.array([13.0, 29.0, 31.0]))
    with tempfile.TemporaryDirectory() as folder:
        _save_small_vit(side, folder)
        model = build_regressor(folder, scale, seed=1)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:  # LoRA and head, so that LoRA does something
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
    return model.eval()
