"""Edits of a language model: one answer is put in another's place by a change of rank one of an MLP's output matrix.

As ROME does it (Meng et al. 2022, arXiv 2202.05262), less its prefixes: the MLP's output at the subject's last token is
moved until the wanted token is predicted, and of all matrices that put this out there the one is taken whose outputs for
other texts change least. How 2504.02976 edits was not seen.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from .decoders import Decoder, decoder
from .measuring import Arrays
from .pairs import Pair

__all__ = ["EDITED", "edited", "key_moments", "measure_edits", "wanted_change"]

EDITED = (0, 10, 20)  # layers, from 0
STEPS, RATE = 20, 0.5  # of Adam, on the MLP's output at one token
LARGEST = 4.0  # change of that output, in its own length
DAMPING = 1e-2  # of the mean squared input, for what no text brings


@torch.no_grad()
def key_moments(model: Any, texts: Sequence[Sequence[int]], layers: Sequence[int] = EDITED) -> dict[int, torch.Tensor]:
    """Return by layer the mean outer product of what an MLP's output matrix gets, (hidden, hidden), over all tokens.

    Args:
        model: of a family that `decoder` knows.
        texts: ids of the tokens of each.
        layers: from 0.
    """
    reading, moments, count = decoder(model), dict.fromkeys(layers, torch.zeros(())), 0
    for ids in texts:
        x = reading.embed(torch.tensor([ids]))
        for number, layer in enumerate(reading.layers[: max(layers) + 1]):
            x = reading.after_attention(layer, x)
            if number in moments:
                keys, x = _keys(reading, layer, x)
                moments[number] = moments[number] + keys[0].T @ keys[0]
            else:
                x = reading.feed_forward(layer, x)
        count += len(ids)
    return {number: total / count for number, total in moments.items()}


def wanted_change(reading: Decoder, ids: Sequence[int], layer: int, token: int, wanted: int) -> torch.Tensor:
    """Return the change (width,) of an MLP's output at a token, by which another token becomes the likeliest next one.

    It is at most LARGEST times as long as the output.

    Args:
        reading: of the model, with the logits of the whole vocabulary at the last token.
        ids: of the prompt's tokens.
        layer: whose MLP it is, from 0.
        token: its place.
        wanted: id of the next token.
    """
    with torch.no_grad():
        before = _before_mlp(reading, ids, layer)
        after = reading.feed_forward(reading.layers[layer], before)
        largest = LARGEST * (after - before)[0, token].norm()
    change = torch.zeros_like(after[0, token]).requires_grad_()
    optimizer = torch.optim.Adam([change], lr=RATE)
    place = functional.one_hot(torch.tensor(token), len(ids)).to(after)[None, :, None]
    for _ in range(STEPS):
        x = reading.through(reading.layers[layer + 1 :], after + place * change)
        loss = functional.cross_entropy(reading.read_out(x), torch.tensor([wanted]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            change *= min(1.0, float(largest / change.norm()))
    return change.detach()


@contextmanager
def edited(
    reading: Decoder, ids: Sequence[int], layer: int, token: int, change: torch.Tensor, moment: torch.Tensor
) -> Iterator[None]:
    """Change an MLP's output matrix within a block, so that it adds `change` at a token of a prompt; then restore it.

    For a token elsewhere, whose input is k, it adds `change` times (u . k) / (u . own k), u = moment^-1 own k.

    Args:
        reading: of the model.
        ids: of the prompt's tokens.
        layer: from 0.
        token: its place.
        change: (width,).
        moment: of the layer, as `key_moments` returns it.
    """
    with torch.no_grad():
        keys, _ = _keys(reading, reading.layers[layer], _before_mlp(reading, ids, layer))
    key = keys[0, token].double()
    damped = moment.double() + DAMPING * moment.diagonal().mean().double() * torch.eye(len(moment), dtype=torch.float64)
    direction = torch.linalg.solve(damped, key)
    update = torch.outer(change.double(), direction / (direction @ key)).float()
    matrix = reading.output_matrix(reading.layers[layer])
    kept = matrix.weight.detach().clone()
    with torch.no_grad():
        # linear layers of torch hold (out, in), those of GPT-2 the transpose
        matrix.weight += update if isinstance(matrix, nn.Linear) else update.T
    try:
        yield
    finally:
        with torch.no_grad():
            matrix.weight.copy_(kept)


def measure_edits(
    model: Any, pairs: Sequence[Pair], moments: Mapping[int, torch.Tensor], *, title: str = "edits"
) -> Arrays:
    """Return what edits of pairs come to, each made alone: the corrupted prompt shall be answered as the clean one is.

    Returns:
        "edited" (pairs, layers, 2 tokens): the corrupted prompt's logits of both answers' tokens after the edit;
        "edited takes" (pairs, layers) bool: whether the wanted token is the likeliest of the vocabulary;
        "edited leaves" (pairs, layers): the share of the other pairs' corrupted prompts whose likeliest token stays.
    """
    reading = decoder(model)
    before = [_likeliest(reading, pair.corrupted) for pair in pairs]
    logits = np.empty((len(pairs), len(moments), 2))
    takes, leaves = np.empty((len(pairs), len(moments)), bool), np.empty((len(pairs), len(moments)))
    for number, pair in enumerate(tqdm(pairs, unit=" pairs", desc=title, leave=False)):
        token, wanted = pair.places["subject"], pair.tokens[0]
        for at, (layer, moment) in enumerate(moments.items()):
            change = wanted_change(reading, pair.corrupted, layer, token, wanted)
            with edited(reading, pair.corrupted, layer, token, change, moment):
                found = reading.outputs(torch.tensor([pair.corrupted]))[0]
                stays = [
                    _likeliest(reading, other.corrupted) == was
                    for other, was in zip(pairs, before, strict=True)
                    if other is not pair
                ]
            logits[number, at] = found[list(pair.tokens)].numpy()
            takes[number, at] = int(found.argmax()) == wanted
            leaves[number, at] = np.mean(stays)
    return {"edited": logits, "edited takes": takes, "edited leaves": leaves}


def _before_mlp(reading: Decoder, ids: Sequence[int], layer: int) -> torch.Tensor:
    """Return the residual stream before a layer's MLP, (1, tokens, width)."""
    x = reading.through(reading.layers[:layer], reading.embed(torch.tensor([ids])))
    return reading.after_attention(reading.layers[layer], x)


def _likeliest(reading: Decoder, ids: Sequence[int]) -> int:
    return int(reading.outputs(torch.tensor([ids]))[0].argmax())


def _keys(reading: Decoder, layer: Any, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what the output matrix of a layer's MLP gets, (n, tokens, hidden), and the residual stream after the layer."""
    found: list[torch.Tensor] = []
    handle = reading.output_matrix(layer).register_forward_pre_hook(lambda _, inputs: found.append(inputs[0]))
    try:
        after = reading.feed_forward(layer, x)
    finally:
        handle.remove()
    return found[0], after
