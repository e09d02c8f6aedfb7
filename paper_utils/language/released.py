"""What the script released with arXiv 2504.02976 measures, on a GPT-2 of random weights and random questions.

The script hooks every `nn.Linear`. In GPT-2 the matrices of the blocks are `Conv1D`, a linear layer by another name, so
that the output layer is the only one hooked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.pytorch_utils import Conv1D

from ..interventions.sites import EVERY, patched_outputs
from ..statistics import mean_intervals
from .decoders import decoder
from .recovered import PairLogits

__all__ = ["Questions", "ReleasedProtocol", "linear_modules", "random_gpt2", "random_questions", "recovered_by_module"]

TOKENS, SPAN = 26, slice(14, 16)  # of the published sample's length, and where its two answers differ
WORDS = 8, 7  # tokens of the two sets that the metric compares
SIZES: dict[str, Any] = {
    "n_layer": 12,
    "n_head": 12,
    "n_embd": 192,
    "n_positions": 64,
    "vocab_size": 2000,
} | dict.fromkeys(("bos_token_id", "eos_token_id"))


@dataclass(frozen=True)
class Questions:
    """Texts of random tokens, (questions, tokens) each, and two sets of words whose mean logits are compared."""

    clean: torch.Tensor
    corrupted: torch.Tensor
    words: tuple[tuple[int, ...], tuple[int, ...]]


def random_gpt2(*, seed: int = 0) -> Any:
    """Return a model of GPT-2's 12 layers and 12 heads, 192 wide, of 2,000 tokens, with the weights that training begins
    with."""
    torch.manual_seed(seed)
    return GPT2LMHeadModel(GPT2Config(**SIZES)).eval().requires_grad_(False)


def random_questions(count: int, *, vocabulary: int, seed: int = 0) -> Questions:
    """Return clean and corrupted texts that differ in two tokens, as the published sample does."""
    rng = np.random.default_rng(seed)
    clean = rng.integers(0, vocabulary, (count, TOKENS))
    corrupted = clean.copy()
    corrupted[:, SPAN] = (clean[:, SPAN] + rng.integers(1, vocabulary, (count, 2))) % vocabulary
    words = rng.choice(vocabulary, sum(WORDS), replace=False).tolist()
    sets = tuple(words[: WORDS[0]]), tuple(words[WORDS[0] :])
    return Questions(torch.from_numpy(clean), torch.from_numpy(corrupted), sets)


def linear_modules(model: nn.Module) -> dict[str, nn.Module]:
    """Return the linear maps of a model by name, of either class."""
    return {name: module for name, module in model.named_modules() if isinstance(module, nn.Linear | Conv1D)}


def words_apart(logits: torch.Tensor, words: Sequence[Sequence[int]]) -> torch.Tensor:
    """Return the released metric, (n,): mean logits of one set of words less those of another, after the last token."""
    first, second = (logits[:, -1, list(ids)].mean(-1) for ids in words)
    return first - second


@torch.inference_mode()
def recovered_by_module(model: Any, questions: Questions, names: Sequence[str]) -> np.ndarray:
    """Return what replacing a module's output for all tokens recovers of the released metric, (modules, questions) percent."""
    kept: dict[str, torch.Tensor] = {}
    modules = {name: model.get_submodule(name) for name in names}

    def keep(name: str) -> Callable[..., None]:
        return lambda module, inputs, output: kept.__setitem__(name, output)

    hooks = [module.register_forward_hook(keep(name)) for name, module in modules.items()]
    clean = words_apart(model(questions.clean).logits, questions.words)
    for hook in hooks:
        hook.remove()
    corrupted = words_apart(model(questions.corrupted).logits, questions.words)
    rows = []
    for name, module in modules.items():
        hook = module.register_forward_hook(lambda *_, name=name: kept[name])
        patched = words_apart(model(questions.corrupted).logits, questions.words)
        hook.remove()
        rows.append(100 * (patched - corrupted) / (clean - corrupted))
    return torch.stack(rows).numpy()


@dataclass(frozen=True)
class ReleasedProtocol:
    """What patching recovers on random weights, for random questions."""

    kinds: pd.DataFrame  # of linear maps: class, how many, how many printed forms, how many are hooked
    by_module: dict[str, np.ndarray]  # by name, (questions,) percent; the output layer is "lm_head"
    whole_stream: np.ndarray  # (layers, questions) percent, where the residual stream after a layer is patched
    one_token: PairLogits  # the same questions by the corrected protocol

    @classmethod
    def measure(cls, *, questions: int = 20, seed: int = 0) -> "ReleasedProtocol":
        """Patch a random model in every way; seconds.

        Args:
            questions: how many are drawn.
            seed: of weights and questions.
        """
        model = random_gpt2(seed=seed)
        drawn = random_questions(questions, vocabulary=model.config.vocab_size, seed=seed)
        maps = linear_modules(model)
        by_module = dict(zip(maps, recovered_by_module(model, drawn, list(maps)), strict=True))
        words = [*drawn.words[0], *drawn.words[1]]
        reading = decoder(model, reads=((-1, words),))
        patched = patched_outputs(reading, drawn.corrupted, drawn.clean, positions=[EVERY], sites=["residual"])[:, 0, 0]
        plain = [_apart(reading.outputs(texts)) for texts in (drawn.corrupted, drawn.clean)]
        whole = 100 * (_apart(patched) - plain[0]) / (plain[1] - plain[0])
        return cls(_kinds(maps), by_module, whole.numpy(), _one_token(model, drawn))

    @property
    def output_layer(self) -> tuple[float, float, float]:
        """What patching the output layer recovers in percent: the mean over questions, and its 95 % interval."""
        values = self.by_module["lm_head"]
        low, high = mean_intervals(values)
        return float(values.mean()), float(low), float(high)


def _apart(logits: torch.Tensor) -> torch.Tensor:
    first, second = logits.split(WORDS, dim=-1)
    return first.mean(-1) - second.mean(-1)


def _kinds(maps: dict[str, nn.Module]) -> pd.DataFrame:
    rows = {
        kind.__name__: {
            "Matrices": sum(isinstance(module, kind) for module in maps.values()),
            "Printed forms": len({str(module) for module in maps.values() if isinstance(module, kind)}),
            "Hooked": sum(isinstance(module, kind) for module in maps.values()) if kind is nn.Linear else 0,
        }
        for kind in (Conv1D, nn.Linear)
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("Class")


def _one_token(model: Any, drawn: Questions) -> PairLogits:
    """Return the questions' logits by the corrected protocol: two tokens that are drawn, one position at a time."""
    ids = (drawn.words[0][0], drawn.words[1][0])
    reading = decoder(model, reads=((-1, ids),))
    plain = torch.stack([reading.outputs(texts) for texts in (drawn.clean, drawn.corrupted)], dim=1)
    positions = [SPAN.stop - 1, TOKENS - 1]
    patched = patched_outputs(reading, drawn.corrupted, drawn.clean, positions=positions)
    return PairLogits(plain.numpy(), patched.permute(3, 0, 1, 2, 4).numpy())
