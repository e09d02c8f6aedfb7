"""Models of others, taken as they are: one backbone of a known family, and whatever computes outputs of what it returns.

No head is known by name. The model's own forward pass is kept, and a placeholder in the backbone's place hands over what
the backbone would have returned: so the classifiers of Hugging Face, projections and heads of one's own read out what
they always do, from CLS, from the mean of the patches or from all tokens.
"""

import copy
import itertools
import reprlib
from collections.abc import Sequence
from typing import Any

import torch
from peft import PeftModel
from torch import nn
from transformers.modeling_outputs import BaseModelOutputWithPooling

from ..errors import CompanionError
from .families import FAMILIES, Block, base_model, family_of, known_families, square_side
from .loading import plain

__all__ = ["AdaptedModel", "adapt", "check_weights"]

TOLERANCE = 1e-4  # of the largest value, between the model's own pass and the adapted one's


class HandedOver(nn.Module):
    """Stands in the backbone's place and returns what it is given."""

    def forward(self, pixel_values: Any, *positional: object, **options: object) -> Any:
        """Return the first argument, which is what the backbone returned."""
        return pixel_values


class Headed(nn.Module):
    """A backbone and a head on the vector (n, width) that its family reads out, as in `ChirpRegressor`."""

    def __init__(self, vit: nn.Module, head: nn.Module):
        super().__init__()
        self.family = family_of(vit)
        self.vit, self.head = vit, head

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """Map pixels (n, 3, height, width) to the head's outputs."""
        return self.head(self.family.run(self.vit, pixel_values))


class AdaptedModel(nn.Module):
    """A backbone, and the rest of the model it came in; made by `adapt`.

    Attributes:
        vit: the backbone.
        rest: the model with a placeholder for the backbone.
        outputs: how many outputs it has for an image.
        reads_cls: whether the outputs depend on the last layer's CLS token alone.
    """

    def __init__(self, vit: Any, rest: nn.Module):
        super().__init__()
        self.vit, self.rest = vit, rest
        self.outputs, self.reads_cls = 0, False

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map images (n, 3, height, width), uint8 or what the backbone takes as pixel values, to outputs (n, k)."""
        if images.dtype == torch.uint8:
            images = images.float() / 255
        return _tensor_of(self.rest(self.vit(pixel_values=images)))

    def read_out(self, x: torch.Tensor) -> torch.Tensor:
        """Return outputs (n, k) of the residual stream after the last layer.

        Args:
            x: (n, tokens, width); CLS is enough where `reads_cls`.
        """
        return _tensor_of(self.rest(_returned(self.vit, x)))

    @property
    def layers(self) -> Sequence[Any]:
        """The transformer layers."""
        return list(self.vit.get_submodule(family_of(self.vit).layers).children())

    @property
    def blocks(self) -> list[Block]:
        """The parts of the transformer layers under the same names in every family."""
        return family_of(self.vit).blocks(self.vit)


def adapt(model: nn.Module, *, head: nn.Module | None = None) -> AdaptedModel:
    """Return a float32 copy of a model in a form whose heads can be swept, ablated, attributed and mapped.

    Args:
        model: any module whose forward passes the images, unchanged, to one backbone of a known family and computes
            outputs of what this returns, with LoRA or without: a `ViTForImageClassification`, a module of one's own;
            or the backbone alone.
        head: maps the vector (n, width) that is read out of a backbone alone to outputs (n, k): CLS after the last
            norm, or the pooled output where there is no CLS.

    Raises:
        CompanionError: there is no backbone of a known family, or two; its images or patches form no square grid; its
            weights have no values; it computes nothing of images alone; outputs are no tensor of a row for each image;
            or the adapted model computes something else than `model`.
    """
    _check_given(model, head)
    given = model if head is None else Headed(model, head)
    check_weights(given)
    whole = _without_adapters(copy.deepcopy(given)).float().eval()
    name, vit = _backbone(whole)
    _prepare(vit)
    pixels, entering, leaving, expected = _own_pass(whole, vit, kind=type(model).__name__)
    if not (entering.isfinite().all() and expected.isfinite().all()):
        raise CompanionError(f"{type(model).__name__} makes no numbers of images of noise; check its weights")
    whole.set_submodule(name, HandedOver())
    result = AdaptedModel(vit, whole).eval()
    if fault := _fault(result, pixels, entering, leaving, expected):
        raise CompanionError(f"{type(model).__name__} {fault}")
    result.outputs, result.reads_cls = expected.shape[1], _reads_cls(result, leaving)
    return result


def check_weights(model: nn.Module) -> None:
    """Raise CompanionError for weights on the device meta, which have a shape and no values."""
    for name, tensor in itertools.chain(model.named_parameters(), model.named_buffers()):
        if tensor.is_meta:
            raise CompanionError(f"{name} of the model is on the device meta, without values; load its weights")


def _check_given(model: object, head: object) -> None:
    if not isinstance(model, nn.Module):
        raise CompanionError(
            f"the model is {reprlib.repr(model)}, no module of torch; load it first, as "
            "ViTForImageClassification.from_pretrained does"
        )
    if head is not None and not callable(head):
        raise CompanionError(f"the head is {reprlib.repr(head)}, no module of torch; give one such as torch.nn.Linear")


@torch.no_grad()
def _fault(
    adapted: AdaptedModel,
    pixels: torch.Tensor,
    entering: torch.Tensor,
    leaving: torch.Tensor,
    expected: torch.Tensor,
) -> str:
    """Return what an adapted model computes otherwise than the model's own pass, see `_own_pass`; "" if nothing."""
    if not _close(family_of(adapted.vit).embed(adapted.vit, pixels), entering):
        return (
            "changes images before its backbone gets them; give a module without that step, and images to which it was "
            "applied"
        )
    reason = ""
    try:
        if _close(adapted.read_out(leaving), expected):
            return ""
    except Exception as error:  # of the model's own code
        reason = _reason(error)
    return (
        f"computes its outputs of something else than what its backbone returns{reason}; give a module whose forward "
        "calls the backbone once with its images, and then reads its last hidden state or pooled output alone"
    )


def _reason(error: Exception) -> str:
    return f" ({str(error).splitlines()[0]})" if str(error) else ""


def _without_adapters(whole: Any) -> nn.Module:
    """Return the model with LoRA added into the weights, wherever in it a backbone is wrapped."""
    if isinstance(whole, PeftModel):
        return whole.merge_and_unload()
    for name, module in [pair for pair in whole.named_modules() if isinstance(pair[1], PeftModel)]:
        wrapped: Any = module
        whole.set_submodule(name, wrapped.merge_and_unload())
    return whole


def _backbone(whole: nn.Module) -> tuple[str, Any]:
    """Return the dotted name of the one backbone in a model, and the backbone."""
    found = [(name, module) for name, module in whole.named_modules() if _is_backbone(module)]
    if not found:
        raise CompanionError(f"{type(whole).__name__} holds no backbone of a known family; give {known_families()}")
    if len(found) > 1:
        names = ", ".join(name for name, _ in found)
        raise CompanionError(f"{type(whole).__name__} holds {len(found)} backbones ({names}); give a model of one")
    if not found[0][0]:
        raise CompanionError(f"{type(whole).__name__} is a backbone without outputs; give its head, too")
    return found[0]


def _is_backbone(module: nn.Module) -> bool:
    kind = getattr(getattr(module, "config", None), "model_type", None)
    family = FAMILIES.get(kind) if isinstance(kind, str) else None
    return family is not None and family.model in [one.__name__ for one in type(module).__mro__]


def _prepare(vit: Any) -> None:
    """Make a backbone `plain`; changes the model."""
    image, patch = square_side(vit.config.image_size), square_side(vit.config.patch_size)
    if not image or not patch or image % patch:
        raise CompanionError(
            f"images of {vit.config.image_size} and patches of {vit.config.patch_size} pixels form no square grid; give "
            "a model of square images that its patches divide"
        )
    plain(vit)


@torch.no_grad()
def _own_pass(whole: nn.Module, vit: Any, *, kind: str) -> tuple[torch.Tensor, ...]:
    """Return images of noise, and of the model's own pass over them what enters layer 1, leaves the last, and comes out."""
    layers = AdaptedModel(vit, whole).layers
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(2, 3, vit.config.image_size, vit.config.image_size, generator=generator)
    pixels = pixels.to(next(vit.parameters()).device)
    seen: dict[str, torch.Tensor] = {}

    def enter(module: nn.Module, inputs: tuple, options: dict[str, Any]) -> None:
        seen["entering"] = inputs[0] if inputs else options["hidden_states"]

    def leave(module: nn.Module, inputs: tuple, output: torch.Tensor) -> None:
        seen["leaving"] = output

    hooks = [
        layers[0].register_forward_pre_hook(enter, with_kwargs=True),
        layers[-1].register_forward_hook(leave),
    ]
    try:
        outputs = _tensor_of(whole(pixels))
    except CompanionError:
        raise
    except Exception as error:  # of the model's own code
        raise CompanionError(
            f"{kind} fails on images {tuple(pixels.shape)}{_reason(error)}; give a module whose forward "
            "takes images alone, and a head that fits its backbone"
        ) from error
    finally:
        for hook in hooks:
            hook.remove()
    if len(seen) < 2 or len(outputs) != len(pixels):
        raise CompanionError(f"{kind} returns no row of outputs of its backbone for each image")
    return pixels, seen["entering"], seen["leaving"], outputs


def _returned(vit: nn.Module, x: torch.Tensor) -> BaseModelOutputWithPooling:
    """Return what a backbone returns, given the residual stream after its last layer, (n, tokens, width)."""
    family, base = family_of(vit), base_model(vit)
    normal = base.get_submodule(family.final_norm)(x)
    pooler: Any = getattr(base, family.pooler or "pooler", None)
    pooled = normal[:, 0] if pooler is None else pooler(normal)
    return BaseModelOutputWithPooling(last_hidden_state=family.last_hidden(x, normal), pooler_output=pooled)


def _tensor_of(output: Any) -> torch.Tensor:
    """Return outputs (n, k) of what a model returned: a tensor, or an object with logits or embedded images."""
    for name in ("logits", "image_embeds"):
        output = getattr(output, name, output)
    if not isinstance(output, torch.Tensor) or output.ndim not in (1, 2):
        shown = tuple(output.shape) if isinstance(output, torch.Tensor) else type(output).__name__
        raise CompanionError(f"the model returns {shown}; outputs are a tensor (images, k), or have one named logits")
    return output[:, None] if output.ndim == 1 else output


def _close(found: torch.Tensor, expected: torch.Tensor) -> bool:
    if found.shape != expected.shape:
        return False
    return bool((found - expected).abs().max() <= TOLERANCE * expected.abs().max())


@torch.no_grad()
def _reads_cls(model: AdaptedModel, x: torch.Tensor) -> bool:
    """Return whether outputs depend on CLS alone: they stay finite where every other token is not a number."""
    poisoned = x.clone()
    poisoned[:, 1:] = float("nan")
    try:
        return family_of(model.vit).has_cls and bool(model.read_out(poisoned).isfinite().all())
    except Exception:  # of the model's own code, which looks at the other tokens
        return False
