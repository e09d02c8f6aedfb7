"""Heads and interventions by the names of TransformerLens: `blocks.{layer}.attn.hook_z`, layers and heads from 0.

There z is the output of each head before the output projection, (batch, pos, head_index, d_head), as it is here.
"""

import re
import reprlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..errors import CompanionError
from ..heads import check_head
from ..models.adapted import AdaptedModel
from ..models.images import checked_images
from ..models.regressor import ChirpRegressor
from .engine import Engine

__all__ = ["HookPoint", "hook_name", "hooked_layer", "named_heads", "run_with_hooks"]

HOOK_Z = re.compile(r"blocks\.(0|[1-9][0-9]{0,3})\.attn\.hook_z")


@dataclass(frozen=True)
class HookPoint:
    """What a hook function is told of its place."""

    name: str

    def layer(self) -> int:
        """Return the layer, from 0."""
        return int(self.name.split(".")[1])


HookFunction = Callable[..., torch.Tensor | None]


def hook_name(layer: int) -> str:
    """Return the name of the outputs z of a layer's heads; layers from 0."""
    return f"blocks.{layer}.attn.hook_z"


def hooked_layer(name: object, layers: int) -> int:
    """Return the layer, from 0, whose heads' outputs a hook names, in a model of so many layers.

    Raises:
        CompanionError: the name is none of these, or the model has no such layer.
    """
    match = HOOK_Z.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        raise CompanionError(f"unknown hook {reprlib.repr(name)}; give {hook_name(0)} to {hook_name(layers - 1)}")
    layer = int(match.group(1))
    if layer >= layers:
        raise CompanionError(f"no layer {layer} for hook {name!r}: {layers} layers, from 0")
    return layer


def named_heads(heads: Iterable[tuple[int | str, int]], shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Return heads as (layer, head), from 0.

    Args:
        heads: pairs of a layer, or the name of its hook, and the head's index in it.
        shape: (layers, heads) of the model.

    Raises:
        CompanionError: these are no pairs, a hook is unknown, or the model has no such layer or head.
    """
    found = []
    for place, head in _pairs(heads, "heads", "a layer or its hook's name and a head's index"):
        layer = hooked_layer(place, shape[0]) if isinstance(place, str) else place
        check_head(layer, head, shape)
        found.append((int(layer), int(head)))
    return found


def _pairs(given: Any, name: str, of: str) -> list[tuple[Any, Any]]:
    try:
        return [(first, second) for first, second in given]
    except (TypeError, ValueError) as error:
        raise CompanionError(f"{name} are {reprlib.repr(given)}; give a list of pairs of {of}") from error


def run_with_hooks(
    model: ChirpRegressor | AdaptedModel,
    images: torch.Tensor,
    *,
    fwd_hooks: Iterable[tuple[str, HookFunction]],
) -> np.ndarray:
    """Return outputs (images, k) where functions change the heads' outputs on the way.

    Args:
        model: a regressor, or what `adapt` returned; left as it was.
        images: as in `Engine.sweep`; all in one pass, so give as many as fit in memory.
        fwd_hooks: pairs of a hook's name and a function. It is called as function(z, hook=`HookPoint`) with z (images,
            tokens, heads, head dimension) in float32, and returns z of this shape and any floating point, or None
            where it changed z in place or looked at it alone.

    Raises:
        CompanionError: model or images do not fit, see `checked_images`; a hook is unknown, a function is none or
            returns something else than such a z, or an output is not a number.
    """
    images = checked_images(model, images)
    engine = Engine(model)
    by_layer: list[list[tuple[str, HookFunction]]] = [[] for _ in engine.layers]
    for name, function in _pairs(fwd_hooks, "fwd_hooks", "a hook's name and a function"):
        if not callable(function):
            raise CompanionError(f"the hook {reprlib.repr(name)} has {reprlib.repr(function)}; give it a function")
        by_layer[hooked_layer(name, len(by_layer))].append((name, function))
    with torch.inference_mode():
        x = engine.embed(images)
        for layer, functions in zip(engine.layers, by_layer, strict=True):
            z = engine.attend(layer, x)
            for name, function in functions:
                z = _changed(z.clone(), name, function)
            x = engine.finish_layer(layer, x, z)
        outputs = engine.read_out(x)
    if not outputs.isfinite().all():
        raise CompanionError("the model puts out something that is not a number; check what the hooks return")
    return outputs.cpu().numpy()


def _changed(z: torch.Tensor, name: str, function: HookFunction) -> torch.Tensor:
    returned: Any = function(z, hook=HookPoint(name))
    if returned is None:
        return z
    if not isinstance(returned, torch.Tensor) or not returned.is_floating_point():
        shown = returned.dtype if isinstance(returned, torch.Tensor) else type(returned).__name__
        raise CompanionError(f"the function of {name} returned {shown}; it must return z, a tensor of float32, or None")
    if returned.shape != z.shape:
        raise CompanionError(f"the function of {name} returned shape {tuple(returned.shape)} for {tuple(z.shape)}")
    return returned.to(z)
