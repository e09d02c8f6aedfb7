"""A file that holds the state dict of a fine-tuned ViT and nothing else: read without executing what it asks for."""

import pickle
import re
import warnings
import zipfile
from pathlib import Path

import torch

from ..errors import CompanionError

__all__ = ["HEADS", "REMEDY", "Tensors", "check_archive", "read_state_dict"]

HEADS = "num_attention_heads"  # in the state dict's metadata
REMEDY = "give the state dict of a ViT with LoRA of rank 8, or merged, and the published head"

Tensors = dict[str, torch.Tensor]


def read_state_dict(path: Path) -> tuple[Tensors, int | None]:
    """Return a file's tensors by name, float32 and each with memory of its own, and the heads of a layer if it says.

    Nothing else is unpickled.

    Raises:
        CompanionError: the file cannot be read, or holds other things than finite tensors.
    """
    try:
        check_archive(path)
        with warnings.catch_warnings(action="ignore"):  # of pickles by other versions
            content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CompanionError(f"cannot read the checkpoint {path}: {error.strerror or error}; check its path") from error
    except pickle.UnpicklingError as error:
        asked = re.search(r"GLOBAL (\S+)", str(error))
        what = (
            f"asks for {asked[1]}, which is not executed"
            if asked
            else "is none that torch wrote, damaged, or more than tensors"
        )
        raise CompanionError(f"the checkpoint {path} {what}; save its state dict alone") from error
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
    for key, value in content.items():
        if not value.isfinite().all():
            raise CompanionError(f"the checkpoint {path} is damaged: {key} is not finite; fetch it again")
    copies = {
        key: value.detach().float().clone(memory_format=torch.contiguous_format) for key, value in content.items()
    }
    return copies, _stated_heads(path, content)


def check_archive(path: Path) -> None:
    """Raise ValueError if a part of a file that torch.save wrote is not what its checksum says: torch does not look.

    Files of versions before 1.6 are no archives and have no checksums.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if damaged := archive.testzip():
                raise ValueError(f"the checksum of {damaged} is wrong")


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
