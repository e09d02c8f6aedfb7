"""Pre-trained Vision Transformers from disk or hub: all that a later step could stumble over is refused here, by name."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
from huggingface_hub import is_offline_mode
from huggingface_hub.errors import LocalEntryNotFoundError
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.models.vit_mae.modeling_vit_mae import ViTMAEEmbeddings

from ..data.render import MODEL_SIZE
from ..errors import CompanionError
from .families import FAMILIES, Family, family_of, known_families, square_side
from .hub import only_cached, quietly
from .vit import embed_exactly

__all__ = ["check_takes_images", "load_vit", "plain"]

TOWERS = {"clip": "clip_vision_model", "siglip": "siglip_vision_model"}  # of models of images and texts
NO_CONFIG = "no config.json that names a model_type was found"
NO_SETTINGS = "its config.json holds no settings of a model"
UNUSED = ("mask_token", "position_ids")  # in the embeddings of some files and not of others, and of no consequence


class UnmaskedEmbeddings(ViTMAEEmbeddings):
    """Embeddings of ViT-MAE that keep every patch and its place; the original shuffles them even if it masks none."""

    def random_masking(
        self, sequence: torch.Tensor, noise: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the patches (n, patches, width) as they are, a mask of zeros and their places in order."""
        places = torch.arange(sequence.shape[1], device=sequence.device).expand(sequence.shape[:2])
        return sequence, torch.zeros(sequence.shape[:2], device=sequence.device), places


def load_vit(name: str) -> PreTrainedModel:
    """Return a pre-trained ViT of a known family, float32, from a local folder or by its Hugging Face name.

    Weights are read from safetensors, whole or sharded, or from a pickle, of which only tensors are taken. Heads for
    other tasks, decoders and text towers are left out; of the towers of CLIP and SigLIP only the vision one is read.

    Raises:
        CompanionError: the files are missing or damaged, the hub cannot be reached, the family is not known, images or
            patches are no squares or do not fit, channels are not three, heads were pruned, or a tensor is missing, unknown or not finite.
    """
    is_folder = Path(name).is_dir()
    remedy = (
        "check the folder, or give another backbone"
        if is_folder
        else "there is no such folder here; if it is a name on the hub, go online once, or save it elsewhere with "
        "save_pretrained and give that folder as the backbone"
    )
    here = {"local_files_only": only_cached(name)}
    try:
        _check_shards(Path(name))
        with quietly():  # a missing pooler is expected; all other keys are checked below
            family = _checked_family(name, here)
            model: Any = getattr(transformers, family.model)
            options: dict[str, Any] = {
                "dtype": torch.float32,
                "attn_implementation": "sdpa",
                "weights_only": True,
                "ignore_mismatched_sizes": True,  # they are named below
                "output_loading_info": True,
            }
            vit, report = model.from_pretrained(name, **dict(family.options), **options, **here)
    except CompanionError:
        raise
    except Exception as error:  # transformers, safetensors and the hub raise errors of their own
        absent = isinstance(error.__cause__ or error, LocalEntryNotFoundError) or str(error) == NO_CONFIG
        barred = here["local_files_only"] and is_offline_mode() and absent
        reason = "HF_HUB_OFFLINE is set, and the cache lacks it" if barred else _reason(error)
        raise CompanionError(f"cannot load the backbone {name!r}: {reason}; {remedy}") from error
    if vit._hf_peft_config_loaded:
        raise CompanionError(
            f"the backbone {name!r} holds an adapter beside its weights (adapter_config.json), which this project would put "
            "its own LoRA upon; merge it with peft's merge_and_unload, and save_pretrained elsewhere, or remove it"
        )
    if fault := _fault(vit, report):
        raise CompanionError(f"the backbone {name!r} {fault}; {remedy}")
    return _prepared(vit, family)


def check_takes_images(name: str, vit: Any) -> None:
    """Raise CompanionError for a backbone of images of another size than those that are drawn, or of no use on one.

    Args:
        name: of the backbone, for the error.
        vit: as `load_vit` returned it, with LoRA or without.
    """
    if not family_of(vit).takes(vit.config, MODEL_SIZE[0]):
        raise CompanionError(
            f"the backbone {name!r} takes images of {vit.config.image_size} pixels in patches of "
            f"{vit.config.patch_size}, not those of {MODEL_SIZE[0]} that are drawn; give a backbone for these"
        )
    white = torch.ones(1, 3, *MODEL_SIZE, device=vit.device)
    try:
        with torch.inference_mode():
            vector = family_of(vit).run(vit.eval(), white)
    except Exception as error:  # torch raises errors of many kinds
        raise CompanionError(
            f"the backbone {name!r} cannot read an image: {_reason(error)}; give another one"
        ) from error
    if not vector.isfinite().all():
        raise CompanionError(
            f"the backbone {name!r} makes something of a white image that is not a number; look at layer_norm_eps in its "
            "config.json, at its weights, and with PIXELS=backbone at its preprocessor_config.json, or give another one"
        )


def _reason(error: Exception) -> str:
    """Return an error's first line, with the second where that says what is wrong, or the key that is not known."""
    lines = [line.strip().removesuffix(".") for line in str(error).splitlines() if line.strip()] or [
        type(error).__name__
    ]
    if isinstance(error, KeyError):
        return f"it names {lines[0]}, which is not known"
    return " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]


def _checked_family(name: str, here: Mapping[str, bool]) -> Family:
    """Return the family of a backbone, of which the config alone is read.

    Raises:
        CompanionError: no use can be made of it.
        ValueError: there is no config of a model.
    """
    try:
        raw, _ = PreTrainedConfig.get_config_dict(name, **here)
        kind = raw.get("model_type")
    except (AttributeError, TypeError) as error:
        raise ValueError(NO_SETTINGS) from error
    if not isinstance(kind, str):  # nor is there an error where a file is missing
        raise ValueError(NO_CONFIG)
    family = FAMILIES.get(TOWERS.get(kind, kind))
    if family is None:
        raise CompanionError(
            f"the backbone {name!r} is of family {kind!r}, which is not known; give {known_families()}"
        )
    model: Any = getattr(transformers, family.model)
    try:
        config = model.config_class.from_pretrained(name, **here)
    except (AttributeError, TypeError) as error:
        raise ValueError(NO_SETTINGS) from error
    image, patch = square_side(config.image_size), square_side(config.patch_size)
    if not image or not patch or image % patch:
        raise CompanionError(
            f"the backbone {name!r} has images of {config.image_size} and patches of {config.patch_size} pixels, which "
            "form no square grid; give one of square images that its patches divide"
        )
    _check_sizes(name, config, patches=(image // patch) ** 2)
    if config.num_channels != 3:
        raise CompanionError(f"the backbone {name!r} has {config.num_channels} channels, not red, green and blue")
    if raw.get("pruned_heads") or raw.get("vision_config", {}).get("pruned_heads"):
        raise CompanionError(f"the backbone {name!r} has pruned heads; give one with as many heads in every layer")
    if family.pooler and not config.vision_use_head:
        raise CompanionError(f"the backbone {name!r} has no pooling head, whose output is read; give one that has")
    return family


def _check_sizes(name: str, config: Any, *, patches: int) -> None:
    """Raise CompanionError for sizes that no model has, or far more than its files hold, before it is built."""
    keys = ("num_hidden_layers", "num_attention_heads", "hidden_size", "intermediate_size")
    sizes = {key: getattr(config, key) for key in keys if hasattr(config, key)}
    for key, value in sizes.items():
        if not isinstance(value, int) or value < 1:
            raise CompanionError(
                f"the backbone {name!r} has {key} {value!r} in its config.json, not a number from 1 on"
            )
    layers, heads, width, *inner = sizes.values()
    if width % heads:
        raise CompanionError(f"the backbone {name!r} has a width of {width}, which {heads} heads cannot share out")
    files = [path for path in Path(name).glob("*") if path.name.endswith((".safetensors", ".bin"))]
    held = sum(path.stat().st_size for path in files)
    # attention, MLPs and positions, of a byte each at least; what is cut off by less is named by its tensors
    needed = layers * width * (4 * width + 2 * sum(inner)) + patches * width
    if files and needed > 100 * held:
        raise CompanionError(
            f"the backbone {name!r} has {needed:,} weights or more by its config.json, and its files only {held:,} bytes; "
            "put the files together that it was saved with"
        )


def _check_shards(folder: Path) -> None:
    """Raise CompanionError for a damaged index, or one that names files elsewhere, whose content nobody looks at."""
    for index in folder.glob("*.index.json"):
        try:
            named = json.loads(index.read_text(encoding="utf-8"))
            files = named["weight_map"].values() if isinstance(named["metadata"], dict) else ()
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise CompanionError(
                f"{index} does not say which file holds a tensor; put the file there that the model was saved with"
            ) from None
        for file in files:
            if Path(str(file)).name != file:
                raise CompanionError(f"{index} names the file {file!r}, which is not beside it; put it there")


def _fault(vit: PreTrainedModel, report: dict[str, Any]) -> str:
    """Return what is wrong with the tensors of a model as it was loaded; "" if nothing is."""
    if mismatched := sorted(report["mismatched_keys"]):
        key, found, wanted = mismatched[0]
        return f"has {key} of shape {tuple(found)}, and its config needs {tuple(wanted)}"
    missing, unexpected = (
        sorted(key for key in report[which] if not key.endswith(UNUSED))
        for which in ("missing_keys", "unexpected_keys")
    )
    if missing:
        return f"lacks {len(missing)} tensors, the first is {missing[0]}"
    parts = {name for name, _ in vit.named_children()}
    prefixes = re.compile(rf"^({vit.base_model_prefix}|vision_model)\.")  # of the encoder in a larger model
    if unknown := [key for key in unexpected if prefixes.sub("", key, count=1).split(".")[0] in parts]:
        return f"has {len(unknown)} tensors that its config has no place for, the first is {unknown[0]}"
    bad = [key for key, tensor in vit.named_parameters() if not tensor.isfinite().all()]
    return f"is damaged: {bad[0]} is not finite" if bad else ""


def _prepared(vit: Any, family: Family) -> PreTrainedModel:
    """Return the model as `plain` makes it, with patches embedded in float32."""
    plain(vit)
    embed_exactly(vit, family.patches)
    return vit


def plain(vit: Any) -> None:
    """Give a model's square sizes as one number each, let it mask no patch, and name its outputs; changes the model."""
    vit.config.image_size, vit.config.patch_size = map(square_side, (vit.config.image_size, vit.config.patch_size))
    if isinstance(vit.embeddings, ViTMAEEmbeddings):
        vit.embeddings.__class__ = UnmaskedEmbeddings
    vit.config.return_dict = True
