"""The paper's model: a ViT backbone, LoRA on queries and values, and a regression head on the CLS token.

Of a backbone without CLS the head gets the pooled output; `families` says what each family has.

Sources: section 2.2 of the paper (the head, and W' = W + BA scaled by alpha / r), and the published training code
for the sizes: r = 8, alpha = 16, dropout 0.1, head width-256-128-3.
"""

import copy
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from torch import nn
from transformers import PreTrainedModel

from ..data.chirps import LabelScale
from ..errors import CompanionError
from ..files import atomic_path
from .backbone import NAMED
from .dropout import QuickDropout, set_dropout
from .families import Block, base_model, family_of
from .loading import load_vit
from .pixels import Pixels, fold_normalisation, read_normalisation
from .state_dicts import opened_model
from .vit import new_embedded_vit

__all__ = [
    "ChirpRegressor",
    "build_regressor",
    "load_backbone",
    "load_regressor",
    "merged",
    "named_backbone",
    "save_regressor",
    "stored_pixels",
]

LORA = LoraConfig(r=8, lora_alpha=16, lora_dropout=0.1, target_modules=["q_proj", "v_proj"], bias="none")
# what a file names the backbone by the pixels it is given; one entry, since safetensors writes two in either order
METADATA: dict[Pixels, str] = {"published": "backbone", "backbone": "normalised_backbone"}


class ChirpRegressor(nn.Module):
    """Predict start time, start frequency and end frequency from images.

    The label scale travels with the weights, so that `predict` returns seconds and hertz.
    """

    vit: Any  # a model of one of the families, or peft's wrapper of one
    label_mean: torch.Tensor
    label_std: torch.Tensor

    def __init__(self, vit: Any, scale: LabelScale):
        super().__init__()
        self.vit = vit
        self.head = nn.Sequential(
            nn.Linear(vit.config.hidden_size, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 3)
        )
        self.register_buffer("label_mean", torch.tensor(scale.mean, dtype=torch.float32))
        self.register_buffer("label_std", torch.tensor(scale.std, dtype=torch.float32))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map images (batch, 3, height, width), uint8 or float in 0..1, to standardised labels (batch, 3)."""
        if images.dtype == torch.uint8:
            images = images.float() / 255
        return self.head(family_of(self.vit).run(self.vit, images))

    def standardise(self, labels: torch.Tensor) -> torch.Tensor:
        """Map labels (batch, 3) in seconds, hertz, hertz to the standardised units of `forward`."""
        return (labels - self.label_mean) / self.label_std

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        """Map images to (batch, 3) seconds, hertz, hertz.

        Raises:
            CompanionError: one of them is not finite.
        """
        found = self(images).float() * self.label_std + self.label_mean
        if not found.isfinite().all():  # finite weights can overflow on the way
            raise CompanionError(
                "the model's predictions are not finite: its weights, or the normalisation in them, are damaged or too large "
                "for float32; give another model, or lower the learning rate that trained it"
            )
        return found

    @property
    def layers(self) -> Sequence[Any]:
        """The transformer layers, with LoRA or without."""
        return list(base_model(self.vit).get_submodule(family_of(self.vit).layers).children())

    @property
    def blocks(self) -> list[Block]:
        """The parts of the transformer layers under the same names in every family, with LoRA or without."""
        return family_of(self.vit).blocks(self.vit)


def load_backbone(name: str, *, pixels: Pixels = "published") -> PreTrainedModel:
    """Return a pre-trained ViT, which takes images in 0..1.

    Args:
        name: "embedded", "photographs", a local folder, or a Hugging Face name.
        pixels: "published", or "backbone" to fold the backbone's own normalisation into its patch projection.

    Raises:
        CompanionError: one that goes by a name was not made or is damaged, its normalisation is not known, or as in
            `load_vit`.
    """
    place = str(NAMED[name].checked()) if name in NAMED else name
    if name == "embedded" and pixels == "backbone":
        raise CompanionError(
            "the embedded backbone was pre-trained on pixels in 0..1 and has no preprocessor_config.json: "
            "PIXELS=published is what it was trained on; leave out PIXELS=backbone, or give another BACKBONE"
        )
    vit = load_vit(place)
    if pixels == "backbone":
        fold_normalisation(vit, read_normalisation(place))
    return vit


def build_regressor(
    backbone: str, scale: LabelScale, *, seed: int, trained: str = "lora", pixels: Pixels = "published"
) -> ChirpRegressor:
    """Return a regressor before fine-tuning.

    Args:
        backbone: as in `load_backbone`, or "random" for the embedded one's shape with random weights.
        scale: of the labels.
        seed: of all weights that are initialised at random.
        trained: "lora" (LoRA and head, as in the paper), "head" (the head alone) or "all" (every weight, no LoRA).
        pixels: as in `load_backbone`; random weights were trained on none, and get 0..1.

    Raises:
        CompanionError: the backbone cannot be loaded, or `trained` is none of these.
    """
    if trained not in ("lora", "head", "all"):
        raise CompanionError(f"cannot train {trained!r}; choose 'lora', 'head' or 'all'")
    vit = new_embedded_vit(seed=seed) if backbone == "random" else load_backbone(backbone, pixels=pixels)
    torch.manual_seed(seed)
    if trained == "lora":
        wrapped = get_peft_model(vit, copy.deepcopy(LORA))
        set_dropout(wrapped, QuickDropout)
        return ChirpRegressor(wrapped, scale)
    return ChirpRegressor(vit.requires_grad_(trained == "all"), scale)


def merged(model: ChirpRegressor) -> ChirpRegressor:
    """Return a copy with LoRA added into the weights, in evaluation mode: the same function, without adapter modules.

    A model without LoRA is copied as it is.
    """
    result = copy.deepcopy(model)
    if hasattr(result.vit, "merge_and_unload"):
        result.vit = result.vit.merge_and_unload()
    return result.eval()


def save_regressor(
    model: ChirpRegressor, path: str | os.PathLike, *, backbone: str, pixels: Pixels = "published"
) -> None:
    """Write LoRA, head and label scale as one safetensors file; of the backbone, only its name and `pixels`.

    Raises:
        CompanionError: the file cannot be written.
    """
    with atomic_path(path) as temporary:
        save_file(_stored_tensors(model), temporary, metadata={METADATA[pixels]: backbone})


def load_regressor(
    path: str | os.PathLike, *, backbone: str | None = None, pixels: Pixels | None = None
) -> ChirpRegressor:
    """Read what `save_regressor` wrote, on the backbone that the file names or the one given.

    Args:
        path: of the file.
        backbone: as in `load_backbone`, in place of the one that the file names.
        pixels: those that the model must have been trained on; those that the file names if left out.

    Raises:
        CompanionError: the file is missing or damaged, its tensors are not this model's, or it was trained on other
            pixels.
    """
    path = Path(path)
    with opened_model(path) as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118, no iterator
    backbone, stored = backbone or named_backbone(path), stored_pixels(path)
    if stored != (pixels or stored):
        raise CompanionError(
            f"{path} was fine-tuned with PIXELS={stored}, not {pixels}; give the same, or another model"
        )
    zeros = torch.zeros(3).numpy()
    model = build_regressor(backbone, LabelScale(zeros, zeros), seed=0, pixels=stored)
    expected = {key: (tensor.shape, tensor.dtype) for key, tensor in _stored_tensors(model).items()}
    found = {key: (tensor.shape, tensor.dtype) for key, tensor in tensors.items()}
    wrong = sorted(key for key in expected.keys() | found.keys() if found.get(key) != expected.get(key))
    if wrong:
        raise CompanionError(
            f"{path} does not fit a model on backbone {backbone!r}: {len(wrong)} of {len(expected)} tensors are "
            f"missing, unknown or of another shape or type, the first is {wrong[0]}; give the backbone it was trained on"
        )
    for key, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise CompanionError(f"{path} is damaged: {key} is not finite; fetch it or fine-tune again")
    if not (tensors["label_std"] > 0).all():  # zeros, as where a disk lost the end of the file
        raise CompanionError(f"{path} is damaged: a standard deviation of its labels is not above 0; fetch it again")
    model.load_state_dict(tensors, strict=False)
    return model.eval()


def named_backbone(path: str | os.PathLike) -> str:
    """Return the name of the backbone in a file that `save_regressor` wrote.

    Raises:
        CompanionError: the file is missing or damaged, or names none.
    """
    metadata = _metadata(path)
    name = next(filter(None, map(metadata.get, METADATA.values())), None)
    if not name:
        raise CompanionError(f"{path} names no backbone; give the one that it was trained on")
    return name


def stored_pixels(path: str | os.PathLike) -> Pixels:
    """Return which pixels the model in a file that `save_regressor` wrote was trained on.

    Raises:
        CompanionError: the file is missing or damaged.
    """
    return "backbone" if METADATA["backbone"] in _metadata(path) else "published"


def _metadata(path: str | os.PathLike) -> dict[str, str]:
    with opened_model(Path(path)) as file:
        return file.metadata() or {}


def _stored_tensors(model: ChirpRegressor) -> dict[str, torch.Tensor]:
    """Return what a file holds of a model: trained parameters and label scale, by name."""
    trained = {name: tensor.detach() for name, tensor in model.named_parameters() if tensor.requires_grad}
    return trained | {name: tensor for name, tensor in model.named_buffers() if name.startswith("label_")}
