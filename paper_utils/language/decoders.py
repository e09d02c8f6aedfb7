"""Language models of two families, followed half a layer at a time as `interventions.sites` does it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from transformers import GPT2LMHeadModel, LlamaForCausalLM

from ..errors import CompanionError

__all__ = ["Decoder", "decoder"]

Reading = tuple[int, Sequence[int] | None]


class Decoder(ABC):
    """A causal language model whose outputs are logits read at chosen positions.

    Args:
        model: of transformers, left as it is.
        reads: pairs of a position, counted from the last token as -1, and the ids of the tokens whose logits are read there, one pair
            after the other; all of the vocabulary at the last position if left out.
    """

    causal = True

    def __init__(self, model: Any, *, reads: Sequence[Reading] = ((-1, None),)):
        self.model, self.reads = model, reads

    @property
    @abstractmethod
    def layers(self) -> Sequence[Any]:
        """The layers of the model."""

    @abstractmethod
    def embed(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the residual stream before the first layer, (n, tokens, width), of ids (n, tokens)."""

    @abstractmethod
    def attention(self, layer: Any, x: torch.Tensor) -> torch.Tensor:
        """Return what a layer's attention adds to the residual stream, (n, tokens, width), given that before the layer."""

    def after_attention(self, layer: Any, x: torch.Tensor, earlier: torch.Tensor | None = None) -> torch.Tensor:
        """Return the residual stream after a layer's attention, (n, tokens, width), given that before the layer.

        Args:
            layer: of `layers`.
            x: (n, tokens, width).
            earlier: that of the tokens before those of x, (n, earlier tokens, width).
        """
        whole = x if earlier is None else torch.cat([earlier, x], dim=1)
        return x + self.attention(layer, whole)[:, -x.shape[1] :]

    @abstractmethod
    def feed_forward(self, layer: Any, x: torch.Tensor) -> torch.Tensor:
        """Return the residual stream after a layer, (n, tokens, width), given that after its attention."""

    @abstractmethod
    def output_matrix(self, layer: Any) -> Any:
        """Return the module of a layer's MLP whose output is the MLP's."""

    @abstractmethod
    def final_norm(self, x: torch.Tensor) -> torch.Tensor:
        """Return what the output layer gets, given the residual stream after the last layer."""

    def read_out(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits (n, k) of `reads`, given the residual stream after the last layer."""
        weight = self.model.lm_head.weight
        found = [
            self.final_norm(x[:, position]) @ (weight if ids is None else weight[list(ids)]).T
            for position, ids in self.reads
        ]
        return torch.cat(found, dim=-1)

    @torch.inference_mode()
    def outputs(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the logits (n, k) of `reads` for ids (n, tokens)."""
        return self.read_out(self.through(self.layers, self.embed(inputs)))

    def through(self, layers: Sequence[Any], x: torch.Tensor) -> torch.Tensor:
        """Return the residual stream after some layers in turn, (n, tokens, width), given that before the first."""
        for layer in layers:
            x = self.feed_forward(layer, self.after_attention(layer, x))
        return x


class _Llama(Decoder):
    @property
    def layers(self) -> Sequence[Any]:
        return self.model.model.layers

    def embed(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.model.model.embed_tokens(inputs)

    def attention(self, layer: Any, x: torch.Tensor) -> torch.Tensor:
        turns = self.model.model.rotary_emb(x, torch.arange(x.shape[1])[None])
        return layer.self_attn(layer.input_layernorm(x), position_embeddings=turns, attention_mask=None)[0]

    def feed_forward(self, layer: Any, x: torch.Tensor) -> torch.Tensor:
        return x + layer.mlp(layer.post_attention_layernorm(x))

    def output_matrix(self, layer: Any) -> Any:
        return layer.mlp.down_proj

    def final_norm(self, x: torch.Tensor) -> torch.Tensor:
        return self.model.model.norm(x)


class _Gpt2(Decoder):
    @property
    def layers(self) -> Sequence[Any]:
        return self.model.transformer.h

    def embed(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.model.transformer.wte(inputs) + self.model.transformer.wpe.weight[: inputs.shape[1]]

    def attention(self, layer: Any, x: torch.Tensor) -> torch.Tensor:
        return layer.attn(layer.ln_1(x))[0]

    def feed_forward(self, layer: Any, x: torch.Tensor) -> torch.Tensor:
        return x + layer.mlp(layer.ln_2(x))

    def output_matrix(self, layer: Any) -> Any:
        return layer.mlp.c_proj

    def final_norm(self, x: torch.Tensor) -> torch.Tensor:
        return self.model.transformer.ln_f(x)


def decoder(model: Any, *, reads: Sequence[Reading] = ((-1, None),)) -> Decoder:
    """Return the `Decoder` of a model; arguments as there.

    Raises:
        CompanionError: the model is of no known family.
    """
    for kind, found in ((LlamaForCausalLM, _Llama), (GPT2LMHeadModel, _Gpt2)):
        if isinstance(model, kind):
            return found(model, reads=reads)
    raise CompanionError(f"a language model of type {type(model).__name__} is not known; give a Llama or a GPT-2")
