"""What is measured of a language model on pairs: logits of the two answers' tokens, as they are and patched."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..interventions.sites import EVERY, patched_outputs
from ..models.parts import in_parts
from .decoders import decoder
from .pairs import Pair

__all__ = ["measure", "patched_everywhere", "patched_pair", "plain_logits", "released_and_corrected", "told_apart"]

Arrays = dict[str, np.ndarray]
ALL_AT_ONCE = ("attention", "MLP")


def plain_logits(model: Any, pair: Pair) -> np.ndarray:
    """Return the logits of the clean and the corrupted answer's token, (2 prompts, 2 tokens)."""
    return decoder(model, reads=((-1, pair.tokens),)).outputs(torch.tensor([pair.clean, pair.corrupted])).numpy()


def told_apart(plain: np.ndarray, *, least: float = 0) -> np.ndarray:
    """Return for which pairs the clean prompt favours the clean answer's token, (pairs,) bool.

    It does where its logit difference is larger than the corrupted prompt's. Half of the pairs would be so by chance,
    however much more frequent one of the tokens is.

    Args:
        plain: as `plain_logits` returns them, (pairs, 2 prompts, 2 tokens).
        least: by how much it has to be larger.
    """
    differences = plain[..., 0] - plain[..., 1]
    return differences[:, 0] - differences[:, 1] > least


def measure(model: Any, pairs: Sequence[Pair], *, title: str, partial: Path | None = None) -> Arrays:
    """Return "plain" (pairs, 2 prompts, 2 tokens) and "patched" (pairs, layers, sites, 2 places, 2 tokens) logits.

    Patched is the corrupted prompt, at one of `Pair.places`, from the clean one.

    Args:
        model: of a family that `decoder` knows.
        pairs: in order.
        title: of the progress bar.
        partial: as in `in_parts`.
    """

    def compute(part: slice) -> Arrays:
        some = pairs[part]
        return {
            "plain": np.stack([plain_logits(model, pair) for pair in some]),
            "patched": np.stack([patched_pair(model, pair, list(pair.places.values())) for pair in some]),
        }

    guard = {
        "model": plain_logits(model, pairs[0]),
        "pairs": np.array([sum(pair.clean) + pair.tokens[0] for pair in pairs]),
    }
    return in_parts(compute, len(pairs), size=4, title=title, partial=partial, guard=guard)


def patched_pair(model: Any, pair: Pair, positions: Sequence[int | None]) -> np.ndarray:
    """Return the logits of both tokens for the patched corrupted prompt, (layers, sites, positions, 2)."""
    reading = decoder(model, reads=((-1, pair.tokens),))
    prompts = (torch.tensor([one]) for one in (pair.corrupted, pair.clean))
    return patched_outputs(reading, *prompts, positions=positions)[:, :, :, 0].numpy()


def patched_everywhere(model: Any, pair: Pair) -> Arrays:
    """Return one pair's "plain" logits, and "patched" from the first differing token on: (layers, sites, positions, 2)."""
    positions = range(pair.differing[0], len(pair.clean))
    return {"plain": plain_logits(model, pair), "patched": patched_pair(model, pair, positions)}


def released_and_corrected(
    model: Any,
    pairs: Sequence[Pair],
    endings: Sequence[tuple[Sequence[int], Sequence[int]]],
    words: Sequence[Sequence[int]],
) -> Arrays:
    """Return logit differences by both metrics with all tokens of a site patched at once, as the released script does.

    The released metric compares, after the whole answer, the mean logits of two sets of words that stand in neither
    answer. The corrected one compares the answers' first differing tokens where they are predicted.

    Args:
        model: of a family that `decoder` knows.
        pairs: in order.
        endings: of each pair, the ids of the clean and of the corrupted answer from their first differing token on, of
            equal length.
        words: the ids of the two sets of words.

    Returns:
        "released" and "corrected", (pairs, 2) for the clean and corrupted text, and "... patched", (pairs, layers, 2
        sites of ALL_AT_ONCE).
    """
    rows: dict[str, list[np.ndarray]] = {}
    for pair, (clean_end, corrupted_end) in zip(pairs, endings, strict=True):
        reading = decoder(model, reads=((-1 - len(clean_end), pair.tokens), (-1, [*words[0], *words[1]])))
        clean, corrupted = torch.tensor([[*pair.clean, *clean_end]]), torch.tensor([[*pair.corrupted, *corrupted_end]])
        plain = torch.cat([reading.outputs(clean), reading.outputs(corrupted)])
        patched = patched_outputs(reading, corrupted, clean, positions=[EVERY], sites=ALL_AT_ONCE)[:, :, 0, 0]
        for name, logits in (("", plain), (" patched", patched)):
            first, second = logits[..., 2:].split([len(words[0]), len(words[1])], dim=-1)
            rows.setdefault(f"corrected{name}", []).append((logits[..., 0] - logits[..., 1]).numpy())
            rows.setdefault(f"released{name}", []).append((first.mean(-1) - second.mean(-1)).numpy())
    return {name: np.stack(values) for name, values in rows.items()}
