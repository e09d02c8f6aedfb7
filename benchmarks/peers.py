"""The same sweep by other libraries, each used as its documentation shows; those that are not installed are left out.

Every one ablates one head at a time by overwriting its output with its value bias, and runs the whole model. The
released package does the same 144 passes, but expects the layer names of transformers 4 and does not start on 5;
ViT-Prisma requires torchvision, which would replace the pinned torch.
"""

import importlib.util
import tempfile
from collections.abc import Callable

import numpy as np
import torch
from transformers import ViTModel

from paper_utils.models.regressor import ChirpRegressor

__all__ = ["PEERS", "installed", "peer_sweep"]

Predict = Callable[[torch.Tensor, int, int, torch.Tensor], torch.Tensor]


def peer_sweep(name: str, model: ChirpRegressor, images: torch.Tensor, *, batch: int = 32) -> np.ndarray:
    """Return predictions with each head ablated by a library of `PEERS`, (layers, heads, images, 3).

    Args:
        name: a library of `PEERS`.
        model: merged.
        images: (images, 3, 224, 224).
        batch: images per pass.
    """
    predict = PEERS[name](model)
    config = model.vit.config
    size = config.hidden_size // config.num_attention_heads
    found = []
    with torch.inference_mode():
        for layer, block in enumerate(model.layers):
            for head, bias in enumerate(block.attention.v_proj.bias.clone().split(size)):
                parts = [predict(some.float() / 255, layer, head, bias) for some in images.split(batch)]
                found.append(torch.cat(parts) * model.label_std + model.label_mean)
    return torch.stack(found).view(len(model.layers), -1, len(images), 3).numpy()


def installed() -> list[str]:
    """Return the names of the libraries of `PEERS` that are installed."""
    return [name for name in PEERS if name == "hooks" or importlib.util.find_spec(name)]


def _columns(head: int, bias: torch.Tensor) -> slice:
    return slice(head * len(bias), (head + 1) * len(bias))


def _hooks(model: ChirpRegressor) -> Predict:
    def predict(images, layer, head, bias):
        def overwrite(module, inputs):
            z = inputs[0].clone()
            z[..., _columns(head, bias)] = bias
            return (z,)

        hook = model.layers[layer].attention.o_proj.register_forward_pre_hook(overwrite)
        try:
            return model(images)
        finally:
            hook.remove()

    return predict


def _nnsight(model: ChirpRegressor) -> Predict:
    from nnsight import NNsight

    wrapped = NNsight(model)

    def predict(images, layer, head, bias):
        columns = _columns(head, bias)
        with wrapped.trace(images):
            wrapped.vit.layers[layer].attention.o_proj.input[..., columns] = bias
            output = wrapped.output.save()
        return output  # noqa: RET504, a traced block cannot return

    return predict


def _pyvene(model: ChirpRegressor) -> Predict:
    import pyvene

    def predict(images, layer, head, bias):
        def overwrite(base, source):
            base[..., _columns(head, bias)] = bias
            return base

        where = {"component": f"layers[{layer}].attention.o_proj.input", "intervention": overwrite}
        _, output = pyvene.IntervenableModel(where, model=model.vit)(base={"pixel_values": images})
        return model.head(output.last_hidden_state[:, 0])

    return predict


def _transformer_lens(model: ChirpRegressor) -> Predict:
    from transformer_lens.model_bridge import TransformerBridge

    with tempfile.TemporaryDirectory() as folder:
        model.vit.save_pretrained(folder)
        bridge = TransformerBridge.boot_transformers(folder, model_class=ViTModel)

    def predict(images, layer, head, bias):
        def overwrite(z, hook):
            z[:, :, head] = bias  # (images, tokens, heads, head dimension)
            return z

        output = bridge.run_with_hooks(images, fwd_hooks=[(f"blocks.{layer}.attn.o.hook_in", overwrite)])
        return model.head(output[:, 0])

    return predict


PEERS = {"hooks": _hooks, "nnsight": _nnsight, "pyvene": _pyvene, "transformer_lens": _transformer_lens}
