"""A fine-tuned model as others publish theirs: LoRA in peft's own format, the head beside it, and a model card.

The folder can be uploaded to the Hugging Face hub as it is, and is read by peft, safetensors and torch alone: the
card says how.
"""

import json
import os
import shutil
import tempfile
from pathlib import Path

from peft import PeftModel
from safetensors.torch import save_file

from ..errors import CompanionError
from ..files import atomic_path, read_json, write_json
from .backbone import NAMED
from .families import FAMILIES, family_of
from .pixels import Pixels, read_normalisation
from .regressor import LORA, ChirpRegressor

__all__ = ["ADAPTER_FILES", "save_adapter"]

ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors", "head.safetensors", "README.md")
EMBEDDED_NAME = "data/backbone"  # of the backbone that the repository holds: it is on no hub

CARD = """---
{metadata}
---

# Chirps off spectrogram images: LoRA and regression head of a ViT

The model predicts a chirp's start time (seconds), start frequency and end frequency (hertz) from an image of its
spectrogram with axes, title and colour bar, as the data of
[arXiv 2503.18762](https://arxiv.org/abs/2503.18762) show it. It is a reproduction, not the paper's own model.

| | |
| --- | --- |
| backbone | `{backbone}` (frozen) |
| LoRA | rank {rank}, alpha {alpha}, dropout {dropout}, on the queries and values of {layers} layers |
| head | {width}-256-128-3 with ReLU, on the CLS token |
| input | RGB, {side} x {side} (Pillow's bicubic filter), pixels scaled to 0..1, {normalised} |
| labels | standardised by mean {mean} and standard deviation {std} (s, Hz, Hz) |

`adapter_config.json` and `adapter_model.safetensors` are peft's; `head.safetensors` holds the head and the label scale.

```python
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import ViTModel

folder, backbone = ".", {quoted}
vit = PeftModel.from_pretrained(ViTModel.from_pretrained(backbone, add_pooling_layer=False), folder).eval()
stored = load_file(f"{{folder}}/head.safetensors")
head = torch.nn.Sequential(
    torch.nn.Linear({width}, 256), torch.nn.ReLU(), torch.nn.Linear(256, 128), torch.nn.ReLU(), torch.nn.Linear(128, 3)
)
head.load_state_dict({{key.removeprefix("head."): stored[key] for key in stored if key.startswith("head.")}})


@torch.no_grad()
def predict(images):  # (images, 3, {side}, {side}) in 0..1
    cls = vit(pixel_values={values}).last_hidden_state[:, 0]
    return head(cls) * stored["label_std"] + stored["label_mean"]  # seconds, hertz, hertz
```
"""


def save_adapter(
    model: ChirpRegressor, folder: str | os.PathLike, *, backbone: str, pixels: Pixels = "published"
) -> None:
    """Write LoRA as peft does, head.safetensors with head and label scale, and README.md, the model card.

    Args:
        model: with LoRA that is not merged.
        folder: made if it is not there; files of these names in it are replaced.
        backbone: its name, as in `load_backbone`; a name on the hub also stands in the card's metadata.
        pixels: those that it was trained on. Who loads the backbone itself has to normalise: the card says so.

    Raises:
        CompanionError: the model has no LoRA, its backbone is of another family than ViT or does not say how it
            normalises, or a file cannot be written.
    """
    if not isinstance(model.vit, PeftModel):
        raise CompanionError("the model has no LoRA to write as an adapter; give the one from before merging")
    family = family_of(model.vit)
    if family is not FAMILIES["vit"]:  # the card's lines of code are for a ViT
        raise CompanionError(f"there is no model card for an adapter of {family.title}; give a model on a ViT")
    name = EMBEDDED_NAME if backbone == "embedded" else backbone
    card = _card(model, name, pixels=pixels)
    with tempfile.TemporaryDirectory() as made:
        # "auto" would look the backbone up on the hub
        model.vit.save_pretrained(made, save_embedding_layers=False)
        config = Path(made) / "adapter_config.json"
        content = read_json(config)
        # peft takes the folder that the backbone was loaded from, and the order of a set
        content |= {"base_model_name_or_path": name, "target_modules": sorted(content["target_modules"])}
        write_json(config, content)
        head = {
            key: tensor.detach().cpu().contiguous()
            for key, tensor in model.state_dict().items()
            if key.startswith(("head.", "label_"))
        }
        save_file(head, Path(made) / "head.safetensors")
        (Path(made) / "README.md").write_text(card, encoding="utf-8")
        for file in ADAPTER_FILES:
            with atomic_path(Path(folder) / file) as path:
                shutil.copyfile(Path(made) / file, path)


def _card(model: ChirpRegressor, backbone: str, *, pixels: Pixels) -> str:
    """Return the model card: YAML for the hub, then what the model is and how to use it without this repository."""
    sizes = model.vit.config
    normalised, values = "no further normalisation", "images"
    if pixels == "backbone":
        by = read_normalisation(str(NAMED[backbone].folder if backbone in NAMED else backbone))
        normalised = f"then less {list(by.mean)}, divided by {list(by.std)} (red, green, blue)"
        mean, std = (f"torch.tensor({list(each)}).view(3, 1, 1)" for each in (by.mean, by.std))
        values = f"(images - {mean}) / {std}"
    mean, std = (", ".join(f"{value:.2f}" for value in each.tolist()) for each in (model.label_mean, model.label_std))
    return CARD.format(
        metadata=_metadata(backbone),
        normalised=normalised,
        values=values,
        backbone=backbone,
        quoted=json.dumps(backbone),
        rank=LORA.r,
        alpha=LORA.lora_alpha,
        dropout=LORA.lora_dropout,
        layers=len(model.layers),
        width=sizes.hidden_size,
        side=sizes.image_size,
        mean=mean,
        std=std,
    )


def _metadata(backbone: str) -> str:
    """Return the YAML of a card; strings are quoted as JSON, which YAML reads."""
    lines = ["library_name: peft", "license: mit"]
    on_hub = backbone.count("/") == 1 and not Path(backbone).is_dir() and backbone != EMBEDDED_NAME
    if on_hub:
        lines.append(f"base_model: {json.dumps(backbone)}")
    tags = ("lora", "vit", "spectrogram", "chirp", "regression", "arxiv:2503.18762")
    return "\n".join([*lines, "tags:", *(f"- {json.dumps(tag)}" for tag in tags)])
