"""Files of a fine-tuned ViT, opened without executing what they ask for, and refused with the way out.

One of torch's holds a state dict and nothing else; one of safetensors is what `save_regressor` wrote.
"""

import pickle
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from ..errors import CompanionError
from ..files import ROOT, other_than_file, way_out

__all__ = ["HEADS", "REMEDY", "Tensors", "check_archive", "check_is_file", "opened_model", "read_state_dict"]

HEADS = "num_attention_heads"  # in the state dict's metadata
REMEDY = "give the state dict of a ViT with LoRA of rank 8, or merged, and the published head"

Tensors = dict[str, torch.Tensor]


def read_state_dict(path: Path) -> tuple[Tensors, int | None]:
    """Return a file's tensors by name, float32 and each with memory of its own, and the heads of a layer if it says.

    Nothing else is unpickled.

    Raises:
        CompanionError: the file cannot be read, or holds other things than finite tensors.
    """
    check_is_file(path, what="checkpoint")
    try:
        check_archive(path)
        with warnings.catch_warnings(action="ignore"):  # of pickles by other versions
            content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CompanionError(f"cannot read the checkpoint {path}: {error.strerror or error}; check its path") from error
    except pickle.UnpicklingError as error:
        asked = re.search(r"GLOBAL (\S+)", str(error))
        what = (
            f"asks for {asked[1]}, which is not executed;"
            if asked
            else "is none that torch wrote, damaged, or more than tensors; fetch it again, or"
        )
        raise CompanionError(f"the checkpoint {path} {what} save its state dict alone") from error
    except Exception as error:  # torch raises many kinds of errors for a damaged file
        raise CompanionError(f"the checkpoint {path} is damaged or none of torch's; fetch it again") from error
    if not isinstance(content, dict) or not content:
        what = "an empty one" if isinstance(content, dict) else f"a {type(content).__name__}"
        raise CompanionError(f"the checkpoint {path} holds {what}, no state dict; {REMEDY}")
    for key, value in content.items():
        if fault := _fault(value) if isinstance(key, str) else "is no name of a tensor":
            raise CompanionError(f"the checkpoint {path} is no state dict: {key!r} {fault}; {REMEDY}")
    # the file is stored as it is: more than its size means that tensors repeat each other or themselves
    if sum(value.numel() * value.element_size() for value in content.values()) > path.stat().st_size:
        raise CompanionError(f"the tensors of the checkpoint {path} are larger than the file; fetch it again")
    return {key: _as_float32(path, key, value) for key, value in content.items()}, _stated_heads(path, content)


@contextmanager
def opened_model(path: Path) -> Iterator[Any]:
    """Yield what `save_regressor` wrote, open to be read.

    Raises:
        CompanionError: the file is missing, damaged or another one. One of the user's own is not to be removed.
    """
    check_is_file(path, what="model")
    try:
        with safe_open(path, "pt") as file:
            yield file
    except (OSError, SafetensorError) as error:
        ours = any(path.absolute().is_relative_to(ROOT / folder) for folder in ("data", "build"))
        remedy = (
            way_out(path) if ours else "give a whole file that save_regressor wrote; a state dict goes to --checkpoint"
        )
        raise CompanionError(f"cannot read the model {path}: {error}; {remedy}") from error


def check_is_file(path: Path, *, what: str) -> None:
    """Raise CompanionError for a folder, and for a pipe or device, which would be read for ever; not for what is missing."""
    if other := other_than_file(path):
        raise CompanionError(f"cannot read the {what} {path}: it is {other}; give a file")


def check_archive(path: Path) -> None:
    """Raise ValueError if a part of a file that torch.save wrote is not what its checksum says: torch does not look.

    Files of versions before 1.6 are no archives and have no checksums.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if damaged := archive.testzip():
                raise ValueError(f"the checksum of {damaged} is wrong")


def _as_float32(path: Path, key: str, value: torch.Tensor) -> torch.Tensor:
    """Return a tensor with memory of its own; asked in float32, since a float64 may overflow and float8 cannot be asked."""
    try:
        copied = value.detach().float().clone(memory_format=torch.contiguous_format)
    except NotImplementedError as error:
        raise CompanionError(
            f"the checkpoint {path} has {key} of {value.dtype}, which torch cannot convert; {REMEDY}"
        ) from error
    if not copied.isfinite().all():
        raise CompanionError(f"the checkpoint {path} is damaged: {key} is not finite in float32; fetch it again")
    return copied


def _stated_heads(path: Path, content: dict) -> int | None:
    metadata = getattr(content, "_metadata", None)
    own = metadata.get("") if isinstance(metadata, dict) else None
    heads = own.get(HEADS) if isinstance(own, dict) else None
    if heads is not None and (type(heads) is not int or heads < 1):
        raise CompanionError(f"the checkpoint {path} is damaged: {HEADS} is {heads!r}; export it again")
    return heads


def _fault(value: object) -> str:
    """Return why a value is no weight of a model; "" if it may be one."""
    if not isinstance(value, torch.Tensor):
        return f"is a {type(value).__name__}, no tensor"
    if value.layout is not torch.strided or value.device.type != "cpu" or not value.is_floating_point():
        return f"is a tensor of {value.dtype}, {value.layout}, on {value.device.type}"
    return "" if value.numel() else "is an empty tensor"
