"""Ablate heads exactly and fast: the output z of a head is replaced by c, for one head, each in turn, or any set.

Zeroing a head's query, key and value weights (section 2.2; kind "zero_qkv") leaves it with its value bias: c is that
bias. Zero, mean and resample ablation are other choices of c, so one engine serves all. What makes it fast is exact:

- the residual stream before each layer is computed once, and a head's ablation starts from there;
- the attention of a layer is computed once, and one head's contribution to the output is replaced;
- the last layer computes the CLS row alone, with keys and values absorbed into its query, where CLS alone is read out;
- layer scales are multiplied into the output projections;
- each core of the processor works on a batch of its own.
"""

import copy
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ..errors import CompanionError
from ..heads import check_head
from ..models.adapted import AdaptedModel
from ..models.families import Block, family_of, fold_layer_scale
from ..models.linears import faster_linears, use_linears
from ..models.parallel import parallel_map
from ..models.regressor import ChirpRegressor, merged
from ..models.vit import best_device
from .constants import KINDS, Replacement

__all__ = ["KINDS", "Engine", "Replacement"]

Result = TypeVar("Result")


class Engine:
    """A fine-tuned model in float32 whose heads' outputs can be replaced; the given model is never changed.

    Args:
        model: LoRA-wrapped, merged or plain, of any family, width and grid of patches; or what `adapt` returned.
        batch: images in one pass; chosen for the device if left out.
        rows: images with a head replaced in one pass. The two bound memory, whatever the number of images.
        linears: class of the linear layers; on a CPU `linears.faster_linears` if left out.
        device: where to compute; a GPU where there is one if left out.

    Raises:
        CompanionError: the model is of no known family.
    """

    causal = False  # every token attends to every other

    def __init__(
        self,
        model: ChirpRegressor | AdaptedModel,
        *,
        batch: int | None = None,
        rows: int | None = None,
        linears: type[nn.Linear] | None = None,
        device: torch.device | str | None = None,
    ):
        self.model: Any = copy.deepcopy(model).eval() if isinstance(model, AdaptedModel) else merged(model)
        self.family = family_of(self.model.vit)
        if isinstance(model, AdaptedModel):
            self.reads_cls, self.outputs = model.reads_cls, model.outputs
        else:
            self.reads_cls, self.outputs = self.family.has_cls, model.label_std.numel()
        fold_layer_scale(self.model.vit)
        self.device = torch.device(device or best_device())
        self.model.to(self.device)
        self.layers = self.model.blocks
        config = self.model.vit.config
        self.heads = config.num_attention_heads
        self.size = self.layers[0].query.out_features // self.heads
        small = self.device.type == "cpu"
        self.batch, self.rows = batch or (8 if small else 64), rows or (16 if small else 256)
        if linears or small:
            use_linears(self.model, linears or faster_linears())

    def sweep(
        self, images: torch.Tensor, *, kind: str | Replacement = "zero_qkv", source: torch.Tensor | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return predictions intact (images, k) and with each head replaced (layers, heads, images, k); k is 3 for chirps.

        Args:
            images: (images, 3, height, width), uint8 or in 0..1.
            kind: what heads put out instead, one of `KINDS`; or a `Replacement` of this engine, made once for many calls.
            source: images that "mean" and "resample" need, see `Replacement`.

        Raises:
            CompanionError: no image, a source that does not belong to the kind, or a prediction is not a number.
        """
        replacement = self._replacement(images, kind, source)

        def work(chosen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return self._sweep_batch(images[chosen], replacement.constants(chosen))

        intact, replaced = zip(*self.by_batch(work, len(images)), strict=True)
        return _finite_array(torch.cat(intact)), _finite_array(torch.cat(replaced, dim=2))

    def predict(
        self,
        images: torch.Tensor,
        heads: Iterable[tuple[int, int]] = (),
        *,
        kind: str | Replacement = "zero_qkv",
        source: torch.Tensor | None = None,
    ) -> np.ndarray:
        """Return predictions (images, k) with a set of heads (layer, head; from 0) replaced at once, as in `sweep`.

        Raises:
            CompanionError: there is no such head, or as in `sweep`.
        """
        wanted: list[list[int]] = [[] for _ in self.layers]
        for layer, head in heads:
            check_head(layer, head, (len(self.layers), self.heads))
            wanted[layer].append(head)
        replacement = self._replacement(images, kind, source)

        def work(chosen: torch.Tensor) -> torch.Tensor:
            constants = replacement.constants(chosen)
            x = self.embed(images[chosen])
            for number, layer in enumerate(self.layers):
                z = self.attend(layer, x)
                if wanted[number]:
                    z = z.clone()
                    z[:, :, wanted[number]] = constants[number][:, :, wanted[number]]
                x = self.finish_layer(layer, x, z)
            return self.read_out(x)

        return _finite_array(torch.cat(self.by_batch(work, len(images))))

    def _replacement(self, images: torch.Tensor, kind: str | Replacement, source: torch.Tensor | None) -> Replacement:
        replacement = Replacement(self, kind, source=source) if isinstance(kind, str) else kind
        if replacement.engine is not self or (replacement is kind and source is not None):
            raise CompanionError("this replacement is another engine's or has its own source; make one of this engine")
        replacement.check(images)
        return replacement

    def by_batch(self, work: Callable[[torch.Tensor], Result], count: int) -> list[Result]:
        """Return the results of `work` on the indices of each batch of `count` images, several batches at once."""
        cores = torch.get_num_threads() if self.device.type == "cpu" else 1
        # few images are shared out evenly, so that no core waits
        batches = torch.arange(count).split(max(1, min(self.batch, -(-count // cores))))
        with parallel_map(len(batches), self.device) as map_of:
            return list(map_of(torch.inference_mode()(work), batches))

    def _sweep_batch(self, images: torch.Tensor, constants: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        count = len(images)
        results = torch.empty(len(self.layers), self.heads, count, self.outputs, device=self.device)
        x = self.embed(images)
        for number, layer in enumerate(self.layers[:-1] if self.reads_cls else self.layers):
            z = self.attend(layer, x)
            intact = x + layer.output(z.flatten(2))
            columns = layer.output.weight.view(-1, self.heads, self.size)
            for heads in torch.arange(self.heads).split(max(1, self.rows // count)):
                change = constants[number][:, :, heads] - z[:, :, heads]
                rows = intact + torch.einsum("bthd,ehd->hbte", change, columns[:, heads])
                results[number, heads] = self.predict_from_layer(number, rows.flatten(0, 1)).view(len(heads), count, -1)
            x = self.feed_forward(layer, intact)
        if not self.reads_cls:
            return self.read_out(x), results
        z = self._last_attention(x)
        results[-1] = torch.stack(
            [self._last_output(x, _replace_head(z, head, constants[-1][:, 0])) for head in range(self.heads)]
        )
        return self._last_output(x, z), results

    def predict_from_layer(self, number: int, x: torch.Tensor) -> torch.Tensor:
        """Run a layer's MLP and all later layers; return predictions as `read_out` does, (n, k).

        Args:
            number: of the layer, from 0.
            x: residual stream after that layer's attention, (n, tokens, width); of the last layer CLS is enough, where
                it is read out.
        """
        if number == len(self.layers) - 1:
            return self.read_out(self.feed_forward(self.layers[number], x[:, :1] if self.reads_cls else x))
        x = self.feed_forward(self.layers[number], x)
        for layer in self.layers[number + 1 : -1]:
            x = self.finish_layer(layer, x, self.attend(layer, x))
        if self.reads_cls:
            return self._last_output(x, self._last_attention(x))
        return self.read_out(self.finish_layer(self.layers[-1], x, self.attend(self.layers[-1], x)))

    def embed(self, images: torch.Tensor) -> torch.Tensor:
        """Return the residual stream before layer 1, (n, tokens, width), of images as in `sweep`."""
        images = images.to(self.device)
        if images.dtype == torch.uint8:
            images = images.float() / 255
        with torch.backends.cudnn.flags(enabled=False):  # which would round the patches' convolution to TF32
            return self.family.embed(self.model.vit, images)

    def project(self, layer: Block, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the queries, keys and values of a layer's heads, (n, tokens, heads * head dimension) each."""
        hidden = layer.norm_before(x)
        return layer.query(hidden), layer.key(hidden), layer.value(hidden)

    def mix(self, *projected: torch.Tensor) -> torch.Tensor:
        """Return the outputs z of a layer's heads, (n, tokens, heads, head dimension), of queries, keys and values."""
        by_head = (one.unflatten(-1, (self.heads, self.size)).transpose(1, 2) for one in projected)
        return functional.scaled_dot_product_attention(*by_head).transpose(1, 2)

    def attend(self, layer: Block, x: torch.Tensor) -> torch.Tensor:
        """Return the outputs z of a layer's heads, (n, tokens, heads, head dimension)."""
        return self.mix(*self.project(layer, x))

    def finish_layer(self, layer: Block, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """Return the residual stream after a layer, (n, tokens, width), given that before it and its heads' outputs z."""
        return self.feed_forward(layer, x + layer.output(z.flatten(2)))

    def after_attention(self, layer: Block, x: torch.Tensor, earlier: None = None) -> torch.Tensor:
        """Return the residual stream after a layer's attention, (n, tokens, width), given that before the layer.

        No token is earlier than another here, see `sites.Layered`.
        """
        return x + layer.output(self.attend(layer, x).flatten(2))

    def feed_forward(self, layer: Block, x: torch.Tensor) -> torch.Tensor:
        """Return the residual stream after a layer, (n, tokens, width), given that after its attention."""
        return x + layer.mlp(layer.norm_after(x))

    def _last_attention(self, x: torch.Tensor) -> torch.Tensor:
        """Return the outputs of the last layer's heads for CLS, (n, heads, head dimension).

        q . (W x + b) = (W' q) . x + q . b, and the last term, the same for every token, does not change the softmax;
        and the weighted mean of values is the value of the weighted mean. So neither keys nor values are formed.
        """
        layer = self.layers[-1]
        hidden = layer.norm_before(x)
        query = layer.query(hidden[:, 0]).unflatten(-1, (self.heads, self.size)) * self.size**-0.5
        towards = torch.einsum("nhd,hde->nhe", query, layer.key.weight.unflatten(0, (self.heads, self.size)))
        weights = torch.softmax(towards @ hidden.transpose(1, 2), dim=-1)
        seen = weights @ hidden
        values = torch.einsum("nhe,hde->nhd", seen, layer.value.weight.unflatten(0, (self.heads, self.size)))
        return values + self.value_bias(layer)

    def _last_output(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        layer = self.layers[-1]
        return self.read_out(self.finish_layer(layer, x[:, :1], z[:, None]))

    def read_out(self, x: torch.Tensor) -> torch.Tensor:
        """Return predictions (n, k): a regressor's three in seconds and hertz, or an adapted model's outputs.

        Args:
            x: residual stream after the last layer, (n, tokens, width); CLS is enough, where it alone is read.
        """
        if isinstance(self.model, AdaptedModel):
            return self.model.read_out(x)
        vector = self.family.read_out(self.model.vit, x)
        return self.model.head(vector) * self.model.label_std + self.model.label_mean

    def value_bias(self, layer: Block) -> torch.Tensor:
        """Return the value bias of a layer's heads, (heads, head dimension); zeros where it has none."""
        bias = layer.value.bias
        if bias is None:
            return torch.zeros(self.heads, self.size, device=self.device)
        return bias.detach().view(self.heads, self.size)


def _replace_head(z: torch.Tensor, head: int, constant: torch.Tensor) -> torch.Tensor:
    changed = z.clone()
    changed[:, head] = constant[:, head]
    return changed


def _finite_array(predictions: torch.Tensor) -> np.ndarray:
    if not predictions.isfinite().all():
        raise CompanionError("the model predicts something that is not a number; was its training completed?")
    return predictions.cpu().numpy()
