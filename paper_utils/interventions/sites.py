"""Activation patching by layer, site and token: what attention, MLP or residual stream puts out for another input.

It asks of a model only what `Layered` names, so that it serves the Vision Transformers of `Engine` and the language
models of `paper_utils.language` alike.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from ..errors import CompanionError

__all__ = ["EVERY", "SITES", "Layered", "patched_outputs"]

SITES = (
    "attention",
    "MLP",
    "residual",
)  # what a layer's attention or MLP adds to the residual stream; that stream after it
EVERY = None  # in place of a token's index: all tokens at once


class Layered(Protocol):
    """A transformer whose residual stream, (n, tokens, width), can be followed half a layer at a time."""

    causal: bool  # whether nothing at a token depends on later ones

    @property
    def layers(self) -> Sequence[Any]:
        """Its layers, to be handed to the other methods."""

    def embed(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the residual stream before the first layer."""

    def after_attention(self, layer: Any, x: torch.Tensor, earlier: torch.Tensor | None = None) -> torch.Tensor:
        """Return the residual stream after a layer's attention, given that before the layer.

        Args:
            layer: of `layers`.
            x: (n, tokens, width).
            earlier: where it is causal, that of the tokens before those of x.
        """

    def feed_forward(self, layer: Any, x: torch.Tensor) -> torch.Tensor:
        """Return the residual stream after a layer, given that after its attention."""

    def read_out(self, x: torch.Tensor) -> torch.Tensor:
        """Return outputs (n, k), given the residual stream after the last layer."""


@dataclass(frozen=True)
class _Stream:
    """The residual stream in one layer, (n, tokens, width) each."""

    before: torch.Tensor
    middle: torch.Tensor  # after attention
    after: torch.Tensor


@torch.inference_mode()
def patched_outputs(
    model: Layered,
    inputs: torch.Tensor,
    source: torch.Tensor,
    *,
    positions: Sequence[int | None],
    sites: Sequence[str] = SITES,
) -> torch.Tensor:
    """Return outputs with what one site of one layer puts out at one token replaced by what it does for another input.

    Each is a pass of its own from that layer on, and, where the model is causal, from that token on: nothing before depends
    on it. In the last layer as many rows as layers x sites x n are in memory.

    Args:
        model: that is patched.
        inputs: (n, ...), as the model embeds them.
        source: of the same shape, whose activations are put in.
        positions: indices of tokens, or `EVERY`.
        sites: of `SITES`.

    Returns:
        (layers, sites, positions, n, k).

    Raises:
        CompanionError: the two inputs differ in shape, there is no such site or token, or an output is not a number.
    """
    if inputs.shape != source.shape:
        raise CompanionError(
            f"inputs of {tuple(inputs.shape)} cannot be patched from {tuple(source.shape)}; give two of equal length"
        )
    if unknown := set(sites) - set(SITES):
        raise CompanionError(f"unknown site {min(unknown)!r}; choose of {', '.join(SITES)}")
    streams = list(_streams(model, inputs)), list(_streams(model, source))
    tokens = streams[0][0].before.shape[1]
    if wrong := [position for position in positions if position is not EVERY and not 0 <= position < tokens]:
        raise CompanionError(f"no token {wrong[0]}: there are {tokens}, from 0")
    found = [_at_one_token(model, *streams, sites, position) for position in positions]
    result = torch.stack(found, dim=1).unflatten(0, (len(model.layers), len(sites), len(inputs))).transpose(2, 3)
    if not result.isfinite().all():
        raise CompanionError("the model puts out something that is not a number; was its training completed?")
    return result


def _streams(model: Layered, inputs: torch.Tensor) -> Iterator[_Stream]:
    x = model.embed(inputs)
    for layer in model.layers:
        middle = model.after_attention(layer, x)
        after = model.feed_forward(layer, middle)
        yield _Stream(x, middle, after)
        x = after


def _at_one_token(
    model: Layered, own: list[_Stream], other: list[_Stream], sites: Sequence[str], position: int | None
) -> torch.Tensor:
    """Return outputs (layers * sites * n, k) with each site of each layer patched in turn.

    What was patched in earlier layers goes through a layer together.
    """
    first = 0 if position is EVERY or not model.causal else position
    rows = own[0].before[:0, first:]
    for layer, here, there in zip(model.layers, own, other, strict=True):
        if len(rows):
            earlier = here.before[:, :first].repeat(len(rows) // len(here.before), 1, 1) if first else None
            rows = model.feed_forward(layer, model.after_attention(layer, rows, earlier))
        new = [_start(model, layer, here, there, site, position)[:, first:] for site in sites]
        rows = torch.cat([rows, *new])
    return model.read_out(rows)


def _start(model: Layered, layer: Any, own: _Stream, other: _Stream, site: str, position: int | None) -> torch.Tensor:
    """Return the residual stream after a layer in which one site's output is that for the other input."""
    if site == "attention":
        patched = own.before + (other.middle - other.before)
        return model.feed_forward(layer, _put(own.middle, patched, position))
    return _put(own.after, other.after if site == "residual" else own.middle + (other.after - other.middle), position)


def _put(intact: torch.Tensor, patched: torch.Tensor, position: int | None) -> torch.Tensor:
    """Return the stream with one token's vector, or every token's, from another."""
    if position is EVERY:
        return patched
    x = intact.clone()
    x[:, position] = patched[:, position]
    return x
